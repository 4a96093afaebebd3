class PostsController < ApplicationController
  def index
    render json: Post.order(:id).pluck(:title)
  end

  def create
    post = Post.create!(title: params.require(:title))
    render json: { id: post.id }, status: :created
  end
end
