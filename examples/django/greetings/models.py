from django.db import models


class Greeting(models.Model):
    word = models.CharField(max_length=100)
    region = models.CharField(max_length=10)
    at = models.DateTimeField(auto_now_add=True)
