"""People, their groups, and the history of both.

Django's own code saves accounts (the admin, ``createsuperuser``, a login), so here the author
comes from the request that is being served, and is the system when there is none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from simple_history import register
from simple_history.models import HistoricalRecords

from approvals.enums import EventType
from audit import actors, clock
from audit.history import Fact, Records, track

REVIEWERS = "Reviewers"
AUDITORS = "Auditors"
#: The permission that makes a group a reviewing group.
DECIDE = "decide_approvalrequest"
#: Who makes the groups that every installation has.
INSTALLATION = actors.system("installation")

_acting: ContextVar[actors.Actor | None] = ContextVar("acting", default=None)


@contextmanager
def acting_as(actor: actors.Actor) -> Iterator[None]:
    """Attribute the accounts that are saved in this block to an actor (seeding, commands)."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


def present_actor() -> actors.Actor:
    """Return who is acting: a named actor, the person whose request is served, or the system."""
    named = _acting.get()
    if named is not None:
        return named
    request = getattr(HistoricalRecords.context, "request", None)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return actors.person(user)
    return actors.system("command")


class User(AbstractUser):
    """A person. Deactivated, never deleted; the username never changes."""

    #: Made by the demonstration; production refuses to start while such an account can sign in.
    seeded = models.BooleanField(default=False, editable=False)

    # A password hash is a secret: the record says that it changed, not what it is.
    history = track(
        excluded_fields=["last_login", "password"], m2m_fields=["groups", "user_permissions"]
    )

    class Meta(AbstractUser.Meta):
        default_permissions = ("add", "change", "view")

    @property
    def history_subject(self) -> str:
        """A person is a subject of their own."""
        return f"user:{self.pk}"

    def set_password(self, raw_password: str | None) -> None:
        """Set the password, and remember that this save is about it."""
        super().set_password(raw_password)
        self._password_set = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a login's own stamp (``last_login``) is no fact for the record."""
        if list(kwargs.get("update_fields") or ()) == ["last_login"]:
            self.save_base(update_fields=["last_login"], raw=True)
            return
        super().save(*args, **kwargs)

    def ambient_history_fact(self, row: Any) -> Fact:
        """Name the event of a save that no service made."""
        event = self._event(row)
        self._password_set = False
        return Fact(actor=present_actor(), event=event, at=clock.now())

    def _event(self, row: Any) -> EventType:
        if row.history_type == "+":
            return EventType.USER_CREATE
        if getattr(self, "_password_set", False):
            # After a login with an outdated hash Django stores the same password anew.
            upgraded = getattr(self, "_password", None) is None
            return EventType.USER_REHASH if upgraded else EventType.USER_PASSWORD
        before = self.history.first()
        if before.is_active and not self.is_active:
            return EventType.USER_DEACTIVATE
        unchanged = all(
            getattr(before, field.attname) == getattr(self, field.attname)
            for field in row.tracked_fields
        )
        return EventType.USER_GROUPS if unchanged else EventType.USER_UPDATE

    @staticmethod
    def history_extra(row: Any) -> dict[str, Any]:
        """Add groups and permissions to the canonical bytes; they are no columns."""
        user = User(pk=row.id)
        return {
            "groups": sorted(user.groups.values_list("name", flat=True)),
            "user_permissions": sorted(user.user_permissions.values_list("codename", flat=True)),
        }

    def is_reviewer(self) -> bool:
        """Tell whether this person is an active member of a group that may decide.

        Never by being a superuser: only a membership counts.
        """
        return self.is_active and self.groups.filter(permissions__codename=DECIDE).exists()


def _group_fact(group: Any, row: Any) -> Fact:
    events = {"+": EventType.GROUP_CREATE, "-": EventType.GROUP_DELETE}
    event = events.get(row.history_type, EventType.GROUP_UPDATE)
    return Fact(actor=present_actor(), event=event, at=clock.now())


def _group_extra(row: Any) -> dict[str, Any]:
    permissions = Group(pk=row.id).permissions.values_list("codename", flat=True)
    return {"permissions": sorted(permissions)}


# Group is Django's: these attributes are what our own models declare in their class.
Group.add_to_class("history_subject", property(lambda group: f"group:{group.pk}"))
Group.add_to_class("ambient_history_fact", _group_fact)
Group.add_to_class("history_extra", staticmethod(_group_extra))

register(Group, app="approvals", records_class=Records, m2m_fields=["permissions"])
