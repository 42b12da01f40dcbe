"""The web process dies while an agent submits (S1 to S3): one request, which a person sees."""

import signal
from wsgiref.simple_server import make_server

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, PayloadVersion, User
from approvals.services import IssuedKey
from tests.crash.children import Child, lose_commit
from tests.crash.ledgers import problems
from tests.crash.office import Office, is_untouched
from tests.crash.recovering import RECOVERIES
from tests.crash.stage import fresh
from tests.flows.web import AgentClient, Answer

#: Where the process dies, and whether the request is stored then.
BOUNDARIES = {
    "S1": ("request:read", False),
    "S1b": ("request:stored", False),
    "S2": ("request:committed", True),
}


@pytest.mark.parametrize("point", BOUNDARIES)
def test_a_submission_that_died_is_made_once_by_asking_again(point: str, office: Office) -> None:
    place, is_stored = BOUNDARIES[point]
    submit = office.submission()

    ended = Child(submit, at=place).wait()
    assert (ended.signal, ended.places[-1]) == (signal.SIGKILL, place)
    before = set(ApprovalRequest.objects.values_list("pk", flat=True))
    request = submit()

    assert before == ({request.pk} if is_stored else set())
    assert ApprovalRequest.objects.get().status == RequestStatus.PENDING
    assert PayloadVersion.objects.count() == 1
    assert is_untouched(request)


def test_a_submission_whose_commit_was_not_heard_is_found_by_asking_again(office: Office) -> None:
    submit = office.submission()

    ended = Child(submit, at="request:stored", fate=lose_commit).wait()
    assert "server closed the connection" in ended.trouble
    [before] = ApprovalRequest.objects.all()

    assert submit() == before
    assert ApprovalRequest.objects.count() == 1


def test_an_agent_that_heard_nothing_gets_the_same_request(
    office: Office, agent_key: IssuedKey
) -> None:
    payload = office.submission().payload
    with make_server("127.0.0.1", 0, WSGIHandler()) as server:
        agent = AgentClient(f"http://127.0.0.1:{server.server_port}", agent_key.secret)

        def ask(at: str = "") -> Answer:
            web = Child(server.handle_request, at=at)
            try:
                return agent.submit(payload, "the-same")
            finally:
                web.wait()

        with pytest.raises(ConnectionError):
            ask(at="request:committed")
        [stored] = ApprovalRequest.objects.all()
        again = ask()

    assert (again.status, again.json["id"]) == (200, stored.pk)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert ApprovalRequest.objects.count() == 1


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_a_request_of_which_nobody_was_told_is_in_the_queue(
    recovery: str, office: Office, client: Client
) -> None:
    Child(office.submission(), at="request:committed").wait()
    request = ApprovalRequest.objects.get()

    client.force_login(User.objects.get(pk=office.reviewer_id))
    queue = client.get("/admin/approvals/approvalrequest/")
    office.approve(request)
    RECOVERIES[recovery](office.stage, office.executions(request))

    assert request.pk in queue.content.decode()
    assert problems(office.stage.ledger(), fresh(office.executions(request))) == []
    assert len(office.stage.refunds()) == 1
