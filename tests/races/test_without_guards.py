"""The same races, the same assertions, our own verbs: without their guards each of them is lost.

On PostgreSQL only: SQLite lets one writer in at a time, whatever we lock.
"""

import inspect
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import pytest
from django.db.models import QuerySet

from approvals.services import agents, locks
from approvals.services import moves as request_moves
from audit import history
from audit.log import services as sealer
from executors.services import moves
from tests.races import (
    test_admin,
    test_agent_keys,
    test_dashboard,
    test_dealing,
    test_payments,
    test_readings,
    test_requests,
    test_sealing,
    test_webhooks,
    test_workers,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

#: How often a race is run, each time with all its rounds, before it counts as won.
PATIENCE = 10

RACES = [
    test_requests.test_a_double_click_decides_once,
    test_requests.test_two_people_who_approve_make_one_decision,
    test_requests.test_approval_and_rejection_do_not_both_win,
    test_requests.test_approval_and_expiry_meet_at_the_deadline,
    test_requests.test_a_patch_never_slips_under_an_approval,
    test_requests.test_approval_and_withdrawal_do_not_both_win,
    test_requests.test_the_same_submission_at_once_is_one_request,
    test_requests.test_two_bodies_under_one_key_are_one_request,
    test_payments.test_approvals_together_do_not_exceed_a_payment,
    test_agent_keys.test_nothing_is_stored_for_a_key_that_is_revoked,
    test_workers.test_one_of_many_claims_it,
    test_workers.test_many_workers_send_once,
    test_workers.test_a_revocation_and_a_worker_do_not_both_win,
    test_workers.test_a_worker_and_the_sweeper_send_once,
    test_workers.test_a_worker_that_was_taken_over_sends_nothing,
    test_workers.test_the_answer_to_a_worker_that_was_taken_over_is_not_written,
    test_workers.test_nothing_is_sent_when_the_decision_s_time_ends_meanwhile,
    test_webhooks.test_the_answer_and_the_event_are_both_heard,
    test_webhooks.test_an_event_that_comes_many_times_at_once_is_new_once,
    test_readings.test_an_answer_and_a_reading_settle_it_once,
    test_readings.test_a_person_and_a_reading_settle_an_unknown_once,
    test_dashboard.test_a_refund_made_in_the_dashboard_is_never_taken_for_ours,
    test_dealing.test_of_many_who_deal_with_it_one_does,
    test_admin.test_no_edit_and_no_bulk_action_touches_what_is_being_approved,
    test_admin.test_what_is_approved_while_its_agent_is_suspended_is_not_sent,
    test_sealing.test_sealers_and_writers_at_once_make_one_log,
]


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take no lock, and write whatever the row has become meanwhile."""
    guarded = history.transition

    def transition(instance: Any, fact: Any, *, guard: Any, changes: Any) -> None:
        guarded(instance, fact, guard={}, changes=changes)

    for module in (history, request_moves, agents):
        monkeypatch.setattr(module, "transition", transition)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows.all())
    monkeypatch.setattr(locks, "_lock_payment", lambda request: None)
    monkeypatch.setattr(sealer, "_is_the_only_one", lambda: True)
    monkeypatch.setattr(moves, "lock_claimed", lambda claimed: moves.lock(claimed.pk))
    # Its SQL was written with the lock, and would be kept without it.
    monkeypatch.setattr(locks, "_AGENT_LOCKED", locks.Query(locks._AGENT_LOCKED._build))


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_a_race_is_lost_without_the_guards(
    race: Callable[..., None], unguarded: None, request: pytest.FixtureRequest
) -> None:
    marks = race.__globals__["pytestmark"]
    used = [mark.args for mark in marks if mark.name == "usefixtures"]
    for name in chain(*used):
        request.getfixturevalue(name)
    given = {name: request.getfixturevalue(name) for name in inspect.signature(race).parameters}

    with pytest.raises(AssertionError):
        for _ in range(PATIENCE):
            partial(race, **given)()
