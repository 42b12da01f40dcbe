"""Where this installation copies its checkpoints to (``COUNTERSIGN_ANCHOR``)."""

from django.conf import settings

from audit.anchoring import targets
from audit.anchoring.targets import Target
from audit.errors import AnchorError
from config.environment import ConfigurationError


def target() -> Target | None:
    """Return the place, as it is now found to be usable; None when none is set.

    Raises ``ConfigurationError``.
    """
    text = settings.COUNTERSIGN_ANCHOR
    if not text:
        return None
    try:
        found = targets.parse(text, production=settings.IN_PRODUCTION)
        found.check()
    except AnchorError as error:
        raise ConfigurationError(f"COUNTERSIGN_ANCHOR {error}") from error
    return found
