require_relative "boot"

require "rails"
require "active_record/railtie"
require "action_controller/railtie"

Bundler.require(*Rails.groups)

module Web
  class Application < Rails::Application
    config.load_defaults 6.1
    config.api_only = true
    config.hosts << ".internal" # the private network's names
    config.eager_load = Rails.env.production?
    config.logger = Logger.new($stdout)
    config.log_level = :info
  end
end
