"""The WSGI application of the web process."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("COUNTERSIGN_ROLE", "web")

application = get_wsgi_application()

from config import startup  # noqa: E402  (its checks read the database, so they come last)

startup.check_people()
