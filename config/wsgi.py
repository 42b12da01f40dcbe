"""The WSGI application of the web process."""

import os

from django.core.wsgi import get_wsgi_application

from config import sentences, startup
from config.environment import ConfigurationError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("COUNTERSIGN_ROLE", "web")

try:
    application = get_wsgi_application()
    startup.check_people()
except ConfigurationError as error:
    sentences.stop_with_sentence(error, code=sentences.NEVER_BOOTS)
