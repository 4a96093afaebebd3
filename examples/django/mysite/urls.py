from django.urls import path

from greetings.views import index

urlpatterns = [path("", index)]
