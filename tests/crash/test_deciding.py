"""The web process dies while a person decides (D1 to D6): one refund, or still a free choice."""

import signal
from pathlib import Path

import pytest

from approvals.enums import RequestStatus
from approvals.errors import ApprovalError
from approvals.models import ApprovalRequest, Decision, Review
from audit.signing import tokens
from executors import bell, services
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from tests.crash.children import freeze, kill, lose_commit
from tests.crash.ledgers import problems
from tests.crash.office import Office, is_untouched
from tests.crash.recovering import RECOVERIES
from tests.crash.stage import everything, fresh
from tests.flows.polling import wait_until

#: Where the process dies before anything is committed: the request is open as before.
OPEN = {"D1": "decision:locked", "D2": "decision:signed", "D6": "review:stored"}
#: Where and how it dies when the decision stands.
MADE = {
    "D3": ("decision:signed", lose_commit),
    "D4": ("decision:committed", kill),
    "D4b": ("decision:published", kill),
}


def assert_one_refund(office: Office, request: ApprovalRequest) -> None:
    """One vote, one decision, one execution, one refund; and nobody can decide again."""
    executions = office.executions(request)
    assert [execution.status for execution in executions] == [S.SUCCEEDED]
    assert problems(office.stage.ledger(), executions) == []
    assert (Review.objects.count(), Decision.objects.count()) == (1, 1)
    assert Decision.objects.get().pk == executions[0].jti
    with pytest.raises(ApprovalError):
        office.approve(request)


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", OPEN)
def test_a_decision_that_was_not_committed_can_be_made_again(
    point: str, recovery: str, office: Office
) -> None:
    request = office.submit()

    ended = office.approving(request, at=OPEN[point]).wait()
    assert (ended.signal, ended.places[-1]) == (signal.SIGKILL, OPEN[point])
    office.stage.advance(60)
    found = office.stage.sweep()
    request.refresh_from_db()
    assert (request.status, is_untouched(request), found) == (RequestStatus.PENDING, True, ([], []))
    office.approve(request)
    RECOVERIES[recovery](office.stage, office.executions(request))

    assert_one_refund(office, request)


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("point", MADE)
def test_a_decision_that_was_committed_is_carried_out(
    point: str, recovery: str, office: Office
) -> None:
    request = office.submit()
    place, fate = MADE[point]

    ended = office.approving(request, at=place, fate=fate).wait()
    assert ended.places[-1] == place
    assert ended.signal == (signal.SIGKILL if fate is kill else 0)
    RECOVERIES[recovery](office.stage, office.executions(request))

    assert_one_refund(office, request)


@pytest.fixture
def orphan(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A token that was signed by a process which died before its decision was committed."""
    kept = tmp_path / "token"
    plain = tokens.sign

    def sign(claims: object, key: object) -> str:
        token = plain(claims, key)  # type: ignore[arg-type]
        kept.write_text(token)
        return token

    request = office.submit()
    with monkeypatch.context() as patched:
        patched.setattr(tokens, "sign", sign)
        office.approving(request, at="decision:signed").wait()
    return kept.read_text()


def test_an_orphan_signature_names_nothing_that_can_run(office: Office, orphan: str) -> None:
    jti = tokens.unverified_claims(orphan)["jti"]

    assert [services.run(execution_id=name, worker="w") for name in (jti, orphan)] == [None, None]
    assert not Decision.objects.exists()
    assert not Execution.objects.exists()
    assert office.stage.refunds() == []


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_an_orphan_signature_cannot_stand_in_for_the_decision(
    recovery: str, office: Office, orphan: str
) -> None:
    request = ApprovalRequest.objects.get()
    office.approve(request)
    Execution.objects.update(token=orphan)

    RECOVERIES[recovery](office.stage, office.executions(request))

    [after] = office.executions(request)
    assert (after.status, after.error_code) == (S.REFUSED, "wrong_execution")
    assert office.stage.refunds() == []


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_a_decision_whose_publishing_hangs_is_carried_out(recovery: str, office: Office) -> None:
    request = office.submit()
    web = office.approving(request, at="decision:committed", fate=freeze)
    web.wait_frozen()
    executions = office.executions(request)
    RECOVERIES[recovery](office.stage, executions)
    finished = everything(executions)

    web.wake()
    ended = web.wait()

    assert (ended.signal, ended.code, ended.places[-1]) == (0, 0, "decision:published")
    assert everything(executions) == finished
    assert_one_refund(office, request)


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_a_process_that_is_killed_while_it_publishes_loses_nothing(
    recovery: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = office.submit()
    with monkeypatch.context() as patched:
        patched.setattr(bell, "ring", lambda _: signal.pause())
        web = office.approving(request)
    wait_until(lambda: office.executions(request), "the decision to be committed")

    web.kill()
    assert web.wait().places[-1] == "decision:committed"
    RECOVERIES[recovery](office.stage, office.executions(request))

    assert_one_refund(office, request)
    assert fresh(office.executions(request))[0].attempts.count() == 1
