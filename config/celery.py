"""The Celery application."""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import beat_init, celeryd_after_setup, worker_init

from config import sentences, startup
from config.environment import ConfigurationError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
sentences.say_instead_of_a_traceback()

app = Celery("countersign")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Threads of the web server must find this application, not Celery's own default one: without
# this, whatever they publish goes to a broker that nobody configured.
app.set_default()
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def check_start(**_: Any) -> None:
    """Let workers and beat start only where the configuration allows it."""
    try:
        django.setup()
        startup.check_celery_role()
        startup.check_people()
    except ConfigurationError as error:
        sentences.stop_with_sentence(error)


@celeryd_after_setup.connect
def check_pool(instance: Any, **_: Any) -> None:
    """Let a worker start only with processes that its time limits can end."""
    try:
        startup.check_pool(instance.pool_cls.__module__)
    except ConfigurationError as error:
        sentences.stop_with_sentence(error)
