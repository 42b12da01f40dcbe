"""Who may steer executions."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission

from executors import permissions
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def test_a_member_of_a_group_that_may(reviewer: Any) -> None:
    assert permissions.can_steer(reviewer)


def test_a_person_to_whom_it_was_given(outsider: Any) -> None:
    outsider.user_permissions.add(Permission.objects.get(codename=permissions.STEER))

    assert permissions.can_steer(outsider)


def test_nobody_by_being_a_superuser() -> None:
    assert not permissions.can_steer(make_person("root", is_superuser=True))


def test_not_an_inactive_member(reviewer: Any) -> None:
    reviewer.is_active = False

    assert not permissions.can_steer(reviewer)


def test_not_an_auditor(auditor: Any) -> None:
    assert not permissions.can_steer(auditor)


def test_not_a_stranger() -> None:
    assert not permissions.can_steer(AnonymousUser())
