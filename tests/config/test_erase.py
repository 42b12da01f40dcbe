"""``manage.py erase``: as the owner of the tables; what it prints, and what it refuses."""

import os

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from approvals.models import ApprovalRequest
from audit.erasure import services
from audit.guards import grants, lifting
from audit.models import Erasure
from config import owning
from config.environment import ConfigurationError
from tests.audit.erasure.conftest import decided, log_key, settled, verified
from tests.config.test_harden_database import url

__all__ = ["decided", "log_key", "settled"]

ROLE = f"erasing_{os.getpid()}"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def same_connection(request, monkeypatch):
    """Use the test's own connection, which is the owner's, unless a test is about the owner's."""
    is_about_the_owner = request.node.get_closest_marker("postgres") is not None
    if not is_about_the_owner or "settled" in request.fixturenames:
        monkeypatch.setattr(owning, "is_postgresql", lambda: False)


def erase(target: str, *more: str, by: str = "admin") -> None:
    call_command("erase", target, "--by", by, "--reason", "Asked for by the customer.", *more)


def test_it_erases_and_says_what(settled, capsys):
    erase(settled.pk)

    out = capsys.readouterr().out
    erasure = Erasure.objects.get()
    assert out.startswith(f"{erasure.pk}: {settled.pk} is erased: ")
    assert "Copies elsewhere are yours to erase" in out
    assert (erasure.erased_by, erasure.reason) == ("person:admin", "Asked for by the customer.")
    assert verified()[0] == []


def test_a_dry_run_lists_what_would_go_and_changes_nothing(settled, capsys):
    erase(settled.pk, "--dry-run")

    lines = capsys.readouterr().out.splitlines()
    assert f"approvals_approvalrequest: reason, context, metadata of {settled.pk}" in [
        line.replace(", trace_id", "") for line in lines
    ]
    assert any(line.startswith("approvals_historicaldecision: ") for line in lines)
    assert lines[-1] == "Nothing was changed."
    assert ApprovalRequest.objects.get().reason == "Parcel never arrived."
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("missing", ["--by", "--reason"])
def test_who_and_why_are_required(missing):
    given = {"--by": "admin", "--reason": "Asked for."}
    del given[missing]

    with pytest.raises(CommandError, match=missing):
        call_command("erase", "req_1", *[text for pair in given.items() for text in pair])


def test_nobody_unknown_erases(settled):
    with pytest.raises(CommandError, match="There is no active account 'nobody'"):
        erase(settled.pk, by="nobody")


def test_what_is_not_settled_is_said_with_exit_code_1(pending_request):
    with pytest.raises(CommandError, match="still pending") as caught:
        erase(pending_request.pk)
    assert caught.value.returncode == 1


def test_tables_that_others_always_write_into_are_said(settled, monkeypatch):
    def busy(*_: object) -> None:
        raise lifting.BusyError("busy")

    monkeypatch.setattr(services.lifting, "lifted", busy)

    with pytest.raises(CommandError, match="Others write into these tables all the time"):
        erase(settled.pk)
    assert not Erasure.objects.exists()


@pytest.mark.postgres
def test_the_application_s_role_is_refused_by_the_database(settled):
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN")
        grants.harden(connection, role=ROLE)
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        with pytest.raises(CommandError, match=r"Nothing was erased.*must name the owner"):
            erase(settled.pk)
        cursor.execute("RESET ROLE")
    assert ApprovalRequest.objects.get().reason == "Parcel never arrived."


@pytest.mark.postgres
def test_without_the_owner_it_says_what_to_set(settings):
    settings.DATABASE_OWNER_URL = ""

    with pytest.raises(CommandError, match="DATABASE_OWNER_URL is not set"):
        erase("req_1")


@pytest.mark.postgres
def test_the_owner_s_connection_is_used_and_given_back(settings):
    settings.DATABASE_OWNER_URL = url()
    ours = connections["default"]

    with pytest.raises(ConfigurationError), owning.acting_as_owner():
        assert connections["default"] is not ours
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        raise ConfigurationError

    assert connections["default"] is ours
