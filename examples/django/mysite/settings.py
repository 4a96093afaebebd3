from pathlib import Path

import environ  # ← Added

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()  # ← Added
environ.Env.read_env(BASE_DIR / ".env")  # ← Added

SECRET_KEY = env("SECRET_KEY", default="only for this example")
DEBUG = False
ALLOWED_HOSTS = ["localhost", ".internal"]
INSTALLED_APPS = ["django.contrib.contenttypes", "greetings"]
ROOT_URLCONF = "mysite.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

DATABASES = {
    # env.db() reads the DATABASE_URL environment variable.
    "default": env.db(),  # ← Updated
}
