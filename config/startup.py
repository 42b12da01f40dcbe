"""What must be true before a process starts; each refusal names the variable and the remedy.

Which process may hold which key is the heart of the security model: the web process signs and
cannot move money, the money worker moves money and cannot sign, the sealer seals the record and
can do neither.
"""

import logging
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DatabaseError

from config import anchor
from config.environment import ConfigurationError

logger = logging.getLogger(__name__)

WORKERS = frozenset({"money", "default"})
ROLES = WORKERS | {"web", "beat", "sealer", "supervisor", "command"}

#: The shortest lease in production, in seconds: 0.76 of it is for two readings and one request.
LEAST_LEASE = 48

#: The fewest characters of a secret in production.
LEAST_SECRET = 32

_LIVE_KEY = re.compile(r"(sk|rk)_live_")
_STRIPE_ADDRESS = "https://api.stripe.com"


def check_environment() -> None:
    """Check what can be known without the database; raises ``ConfigurationError``."""
    if settings.COUNTERSIGN_ROLE not in ROLES:
        raise ConfigurationError(
            f"COUNTERSIGN_ROLE is {settings.COUNTERSIGN_ROLE!r}. Set it to web, money, default, "
            "beat, sealer or command."
        )
    if re.search(r"[\s+]", settings.COUNTERSIGN_ISSUER):
        raise ConfigurationError(
            "COUNTERSIGN_ISSUER has a space or a plus, and checkpoints name it between spaces. Set "
            "it to a name without, such as urn:countersign:acme."
        )
    _check_live_keys()
    _check_webhook_secret()
    _check_owner()
    if settings.COUNTERSIGN_ROLE == "sealer":
        anchor.target()
    if settings.IN_PRODUCTION:
        _check_production()
    _check_keys_are_apart()


def check_celery_role() -> None:
    """Refuse a worker that does not say which one it is: it would escape its own checks.

    Raises ``ConfigurationError``.
    """
    if settings.COUNTERSIGN_ROLE not in WORKERS | {"beat"}:
        raise ConfigurationError(
            "COUNTERSIGN_ROLE is not set for this Celery process. Set it to money for the worker "
            "of the queue money, to default for the worker of the queue default, or to beat."
        )


def check_pool(module: str) -> None:
    """Refuse a money worker whose time limits cannot end what hangs; ``module`` has its pool."""
    if settings.COUNTERSIGN_ROLE == "money" and module != "celery.concurrency.prefork":
        raise ConfigurationError(
            "The money worker was started with a pool in which its time limits do not hold. Start "
            "it without --pool, or with --pool prefork."
        )


def check_money_role() -> None:
    """Refuse to carry out decisions in a process that is not set up for it.

    Raises ``ConfigurationError``.
    """
    if settings.COUNTERSIGN_ROLE != "money":
        raise ConfigurationError(
            f"COUNTERSIGN_ROLE is {settings.COUNTERSIGN_ROLE!r}, and this process carries out "
            "decisions. Set it to money, with the environment of the Celery money worker."
        )


def check_sealer_role() -> None:
    """Refuse to seal the record in a process that is not set up for it.

    Raises ``ConfigurationError``.
    """
    if settings.COUNTERSIGN_ROLE != "sealer":
        raise ConfigurationError(
            f"COUNTERSIGN_ROLE is {settings.COUNTERSIGN_ROLE!r}, and this process seals records. "
            "Set it to sealer, with an environment that has the log key and no other."
        )


def check_people() -> None:
    """Refuse a production start while an account of the demonstration exists.

    Reads the database. Raises ``ConfigurationError``, also when that cannot be done: Celery would
    swallow any other error and start without the check.
    """
    if not settings.IN_PRODUCTION:
        return
    seeded = (
        get_user_model()
        .objects.filter(seeded=True, is_active=True)
        .values_list("username", flat=True)
    )
    try:
        names = ", ".join(sorted(seeded))
    except DatabaseError as error:
        raise ConfigurationError(
            f"The database that DATABASE_URL names cannot be used ({str(error).strip()}). Check "
            "that it runs, and that `manage.py migrate` was called."
        ) from error
    if names:
        raise ConfigurationError(
            f"This database has accounts of the demonstration ({names}), whose passwords were "
            "printed. Point DATABASE_URL to a new database, or deactivate these accounts."
        )


def _check_live_keys() -> None:
    for name in ("STRIPE_API_KEY", "STRIPE_READ_KEY"):
        if not _LIVE_KEY.match(getattr(settings, name)):
            continue
        if not settings.IN_PRODUCTION:
            raise ConfigurationError(
                f"{name} is a live key, and this is not production. Remove it, or use a key of a "
                "Stripe sandbox; real money moves only with COUNTERSIGN_ENV=production."
            )
        base = settings.STRIPE_API_BASE
        if base and base.rstrip("/") != _STRIPE_ADDRESS:
            host = urlsplit(base).netloc or base
            raise ConfigurationError(
                f"{name} is a live key and STRIPE_API_BASE names {host}. A live key is sent to "
                "Stripe's own address only: remove STRIPE_API_BASE."
            )


def _check_webhook_secret() -> None:
    """The secret is Stripe's signature: whoever has it can announce what Stripe never did."""
    secret = settings.STRIPE_WEBHOOK_SECRET
    if not secret:
        return
    if not secret.startswith("whsec_"):
        raise ConfigurationError(
            "STRIPE_WEBHOOK_SECRET is not the secret of a webhook endpoint. Set it to the one that "
            "Stripe shows for the endpoint; it starts with whsec_."
        )
    if settings.IN_PRODUCTION and settings.COUNTERSIGN_ROLE in WORKERS | {"beat", "sealer"}:
        raise ConfigurationError(
            f"STRIPE_WEBHOOK_SECRET is set for the role {settings.COUNTERSIGN_ROLE!r}, which "
            "receives no webhooks. Give it to the web process (COUNTERSIGN_ROLE=web) alone."
        )


def _check_owner() -> None:
    """Whoever owns the tables can take the guards of the record away."""
    role = settings.COUNTERSIGN_ROLE
    if settings.DATABASE_OWNER_URL and settings.IN_PRODUCTION and role != "command":
        raise ConfigurationError(
            f"DATABASE_OWNER_URL is set for the role {role!r}. Give it to `manage.py "
            "harden_database` alone, and to no process that goes on running."
        )


def _check_production() -> None:
    if settings.DEBUG:
        raise ConfigurationError("DEBUG is on in production. Remove DEBUG, or set it to false.")
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine != "django.db.backends.postgresql":
        raise ConfigurationError(
            "DATABASE_URL names SQLite in production. Set it to "
            "postgres://user:password@host:5432/name."
        )
    _check_secrets()
    if settings.COUNTERSIGN_LEASE < LEAST_LEASE:
        raise ConfigurationError(
            f"COUNTERSIGN_LEASE is {settings.COUNTERSIGN_LEASE}. Set it to {LEAST_LEASE} seconds "
            "or more: within less, a worker has no time to hear the provider's answer."
        )
    if settings.STRIPE_API_BASE:
        raise ConfigurationError(
            "STRIPE_API_BASE is set in production, where only Stripe's own address is used. "
            "Remove it."
        )
    role = settings.COUNTERSIGN_ROLE
    if role in WORKERS | {"web", "beat"} and not settings.REDIS_URL:
        raise ConfigurationError("REDIS_URL is not set. Set it to redis://host:6379/0.")
    if role == "web":
        _check_readable("COUNTERSIGN_SIGNING_KEY_FILE", "It signs decisions.")
    if role == "sealer":
        _check_readable("COUNTERSIGN_LOG_KEY_FILE", "It signs checkpoints.", use=" --use log")
    if role in WORKERS | {"web", "sealer"}:
        _check_readable("COUNTERSIGN_TRUSTED_KEYS_FILE", "It says whose signatures count.")
        _check_provider_keys(role)


def _check_secrets() -> None:
    """Refuse secrets that can be guessed, and one that serves two purposes."""
    seen: dict[str, str] = {}
    for name in ("SECRET_KEY", "COUNTERSIGN_PEPPER", "COUNTERSIGN_HISTORY_KEY"):
        value = getattr(settings, name)
        if len(value) < LEAST_SECRET:
            raise ConfigurationError(
                f"{name} has less than {LEAST_SECRET} characters. Set it to 50 random ones."
            )
        if value in seen:
            raise ConfigurationError(
                f"{name} is the same as {seen[value]}. Set it to 50 other random characters."
            )
        seen[value] = name


def _check_provider_keys(role: str) -> None:
    if role == "sealer":
        if settings.STRIPE_API_KEY or settings.STRIPE_READ_KEY:
            raise ConfigurationError(
                "A Stripe key is set for the role 'sealer', which speaks to no provider. Remove "
                "STRIPE_API_KEY and STRIPE_READ_KEY from its environment."
            )
        return
    needed = "STRIPE_API_KEY" if role == "money" else "STRIPE_READ_KEY"
    key = getattr(settings, needed)
    if not key:
        raise ConfigurationError(
            f"{needed} is not set for the role {role!r}. Set it to a live restricted key "
            f"({'that may write refunds' if role == 'money' else 'that may only read'})."
        )
    if not _LIVE_KEY.match(key):
        raise ConfigurationError(
            f"{needed} is not a live key, and this is production. Set it to a key that starts "
            "with rk_live_, or use COUNTERSIGN_ENV=demo to try things out."
        )
    if role != "money" and settings.STRIPE_API_KEY:
        raise ConfigurationError(
            f"STRIPE_API_KEY is set for the role {role!r}, which must not be able to move money. "
            "Give it to the money worker (COUNTERSIGN_ROLE=money) alone."
        )


def _check_readable(name: str, purpose: str, *, use: str = "") -> None:
    file: Path = getattr(settings, name)
    if not os.access(file, os.R_OK):
        raise ConfigurationError(
            f"{name} names {file}, which this process cannot read. {purpose} Make it with "
            f"`manage.py rotate_signing_key{use}`, or set the variable to where it is."
        )


def _check_keys_are_apart() -> None:
    role = settings.COUNTERSIGN_ROLE
    if role in WORKERS | {"sealer"}:
        _check_out_of_reach("COUNTERSIGN_SIGNING_KEY_FILE", "signs decisions", owner="web")
    if role in WORKERS | {"web", "beat"}:
        _check_out_of_reach("COUNTERSIGN_LOG_KEY_FILE", "signs checkpoints", owner="the sealer")


def _check_out_of_reach(name: str, purpose: str, *, owner: str) -> None:
    file: Path = getattr(settings, name)
    if not os.access(file, os.R_OK):
        return
    role = settings.COUNTERSIGN_ROLE
    kind = "worker" if role in WORKERS else "process"
    sentence = f"the {kind} {role!r} can read {file}, the key that {purpose} ({name})"
    if settings.IN_PRODUCTION:
        raise ConfigurationError(
            f"{sentence[0].upper()}{sentence[1:]}. Run {kind}s as another user than {owner}, and "
            f"make the file readable for {owner} alone (mode 600)."
        )
    logger.warning("In production this would stop the start: %s.", sentence)
