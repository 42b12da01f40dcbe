"""Reads settings from the environment; what is missing or wrong is a sentence with its remedy."""

import os
from pathlib import Path

from config import demo_secrets

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})

#: Only for ``COUNTERSIGN_ENV=test``, where nothing is worth protecting and runs must be alike.
_TEST_VALUES = {
    "SECRET_KEY": "test-only-secret-key-" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "COUNTERSIGN_PEPPER": "test-only-pepper-" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "COUNTERSIGN_HISTORY_KEY": "test-only-history-key-" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "COUNTERSIGN_ISSUER": "urn:countersign:test",
}


class ConfigurationError(Exception):
    """The environment does not allow a start; the message names the variable and the remedy."""


def load(base: Path) -> None:
    """Add what the demonstration (or a test run) keeps outside the environment.

    Whatever the environment already says wins; an empty variable says nothing. Nothing is added
    in production. Without ``COUNTERSIGN_ENV`` a clone in which the demonstration was started is
    the demonstration, so that ``manage.py`` works beside it. Raises ``ConfigurationError`` for
    an unknown environment, which would otherwise count as "not production".
    """
    environment = os.environ.get("COUNTERSIGN_ENV", "")
    if environment not in {"", "production", "demo", "test"}:
        raise ConfigurationError(
            f"COUNTERSIGN_ENV is {environment!r}. Set it to production, demo or test."
        )
    var_dir = Path(os.environ.get("COUNTERSIGN_VAR_DIR") or base / "var")
    if environment == "test":
        _load_test_values()
    elif environment == "demo":
        demo_secrets.ensure(var_dir)
        _load_demo(var_dir)
    elif not environment and demo_secrets.path(var_dir).is_file():
        _load_demo(var_dir)


def env_text(name: str, default: str | None = None, *, remedy: str, secret: bool = False) -> str:
    """The variable's text; an empty one counts as missing.

    A secret may instead be in a file that ``<name>_FILE`` names. Raises ``ConfigurationError``
    when it is missing and has no default.
    """
    value = os.environ.get(name, "")
    if secret:
        value = _with_file(name, value)
    if value:
        return value
    if default is None:
        raise ConfigurationError(f"{name} is not set. Set it to {remedy}.")
    return default


def env_int(
    name: str,
    default: int | None = None,
    *,
    remedy: str = "a whole number",
    least: int = 1,
    most: int | None = None,
) -> int:
    """The variable as an integer within its limits; raises ``ConfigurationError``."""
    text = env_text(name, None if default is None else str(default), remedy=remedy)
    try:
        number = int(text)
    except ValueError:
        raise ConfigurationError(f"{name} is {text!r}. Set it to {remedy}.") from None
    if number < least or (most is not None and number > most):
        limits = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ConfigurationError(f"{name} is {number}. Set it to {remedy}, {limits}.")
    return number


def env_flag(name: str, default: bool = False, *, remedy: str = "true or false") -> bool:
    """The variable as true or false; raises ``ConfigurationError`` for anything else."""
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ConfigurationError(f"{name} is {text!r}. Set it to {remedy}.")


def env_path(name: str, default: Path | None = None, *, remedy: str) -> Path:
    """The variable as an absolute path; whether it exists is not looked at."""
    return Path(env_text(name, None if default is None else str(default), remedy=remedy)).absolute()


def _with_file(name: str, value: str) -> str:
    file = os.environ.get(f"{name}_FILE", "")
    if not file:
        return value
    if value:
        raise ConfigurationError(f"{name} and {name}_FILE are both set. Remove one of them.")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"{name}_FILE names {file}, which cannot be read ({error.strerror}). "
            f"Make it readable for this process, or set {name} instead."
        ) from None


def _load_test_values() -> None:
    for name, value in _TEST_VALUES.items():
        os.environ.setdefault(name, value)
    for name in ("DATABASE_URL", "REDIS_URL"):
        if os.environ.get(f"TEST_{name}"):
            os.environ[name] = os.environ[f"TEST_{name}"]


def _load_demo(var_dir: Path) -> None:
    os.environ.setdefault("COUNTERSIGN_ENV", "demo")
    role = os.environ.get("COUNTERSIGN_ROLE") or "command"
    for name, value in demo_secrets.read(var_dir, role).items():
        if not os.environ.get(name):
            os.environ[name] = value
