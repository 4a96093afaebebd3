import os

from django.http import JsonResponse

from .models import Greeting


def index(request):
    Greeting.objects.create(word="Hello, world!", region=os.environ.get("FLY_REGION", ""))
    return JsonResponse({"greetings": list(Greeting.objects.order_by("id").values("word", "region"))})
