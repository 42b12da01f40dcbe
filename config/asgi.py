"""The ASGI application, for servers that want one."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("COUNTERSIGN_ROLE", "web")

application = get_asgi_application()

from config import startup  # noqa: E402  (its checks read the database, so they come last)

startup.check_people()
