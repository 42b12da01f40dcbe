"""People and groups: made and changed with a history, never deleted."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from approvals.models import User
from tests.approvals.admin.conftest import text_of
from tests.conftest import PASSWORD, make_person

pytestmark = pytest.mark.django_db

NEW = "another good long password"


@pytest.fixture
def desk(signed_in, admin_user):
    """The administrator's browser."""
    return signed_in(admin_user)


def page(name: str, *args: object) -> str:
    return reverse(f"admin:approvals_user_{name}", args=args)


def form_of(user: User, **changes: object) -> dict[str, object]:
    fields = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_active": "on",
        "is_staff": "on",
        "groups": [group.pk for group in user.groups.all()],
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def test_an_account_is_made_under_the_administrator_s_name(desk):
    desk.post(
        page("add"),
        {"username": "ada", "usable_password": "true", "password1": NEW, "password2": NEW},
    )

    made = User.objects.get(username="ada")
    assert made.check_password(NEW)
    assert made.history.last().actor == "person:admin"


def test_a_person_is_put_into_a_group_with_a_history(desk, outsider):
    group = Group.objects.get(name="Reviewers")

    desk.post(page("change", outsider.pk), form_of(outsider, groups=[group.pk]))

    assert outsider.is_reviewer()
    newest = outsider.history.first()
    assert (newest.actor, newest.event) == ("person:admin", "user:groups")
    listing = text_of(desk.get(page("history", outsider.pk)))
    assert "changed groups or permissions" in listing
    assert "Reviewers" in listing


def test_an_account_is_deactivated_and_never_deleted(desk, reviewer):
    desk.post(page("change", reviewer.pk), form_of(reviewer, is_active=None))

    reviewer.refresh_from_db()
    assert not reviewer.is_active
    assert reviewer.history.filter(event="user:deactivate").exists()
    assert desk.post(page("delete", reviewer.pk), {"post": "yes"}).status_code == 403


def test_a_username_never_changes(desk, reviewer):
    desk.post(page("change", reviewer.pk), form_of(reviewer, username="somebody"))

    reviewer.refresh_from_db()
    assert reviewer.username == "reviewer"


def test_an_administrator_sets_a_password_and_it_is_recorded(desk, reviewer):
    address = reverse("admin:auth_user_password_change", args=[reviewer.pk])

    desk.post(address, {"usable_password": "true", "password1": NEW, "password2": NEW})

    reviewer.refresh_from_db()
    assert reviewer.check_password(NEW)
    assert reviewer.history.filter(event="user:password", actor="person:admin").exists()


def test_people_change_their_own_password(signed_in, reviewer):
    signed_in(reviewer).post(
        reverse("admin:password_change"),
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    )

    reviewer.refresh_from_db()
    assert reviewer.check_password(NEW)
    assert reviewer.history.filter(event="user:password", actor="person:reviewer").exists()


def test_only_a_superuser_hands_out_power(signed_in, outsider):
    from django.contrib.auth.models import Permission

    manager = make_person("manager")
    manager.user_permissions.set(
        Permission.objects.filter(codename__in=["change_user", "view_user", "add_user"])
    )
    reviewers = Group.objects.get(name="Reviewers")

    signed_in(manager).post(
        page("change", outsider.pk),
        form_of(outsider, is_superuser="on", groups=[reviewers.pk], first_name="Renamed"),
    )

    outsider.refresh_from_db()
    assert outsider.first_name == "Renamed"
    assert not outsider.is_superuser
    assert not outsider.is_reviewer()


def test_nobody_but_a_superuser_touches_a_superuser(signed_in, admin_user):
    from django.contrib.auth.models import Permission

    manager = make_person("manager")
    manager.user_permissions.set(
        Permission.objects.filter(codename__in=["change_user", "view_user"])
    )
    client = signed_in(manager)

    changed = client.post(page("change", admin_user.pk), form_of(admin_user, email="x@y.example"))
    address = reverse("admin:auth_user_password_change", args=[admin_user.pk])
    set_password = client.post(
        address, {"usable_password": "true", "password1": NEW, "password2": NEW}
    )

    admin_user.refresh_from_db()
    assert (changed.status_code, set_password.status_code) == (403, 403)
    assert admin_user.check_password(PASSWORD)


def test_a_group_is_changed_with_a_history_and_keeps_its_name(desk):
    group = Group.objects.get(name="Auditors")
    address = reverse("admin:auth_group_change", args=[group.pk])

    desk.post(address, {"name": "Renamed", "permissions": []})

    group.refresh_from_db()
    assert group.name == "Auditors"
    assert not group.permissions.exists()
    assert group.history.order_by("number").last().actor == "person:admin"
    delete = reverse("admin:auth_group_delete", args=[group.pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 403
