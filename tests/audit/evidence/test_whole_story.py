"""What the parts of a file say of each other, when whoever makes it has both keys.

Each file here has a log and signatures that are good. It is found wrong because what it says does
not fit together: a fault of the server, or a story that somebody invented carelessly.
"""

import json

import pytest

from audit.canonical import canonical_text
from tests.audit.evidence.forging import Forger, claims_of, wrong

pytestmark = pytest.mark.embedded

DAY = 24 * 3600


def say(event, **changes):
    """Return what is found when the first row of this event has other fields."""
    forger, said = Forger(), Forger().said()
    row = next(row for row in said if row["event"] == event)
    row["fields"].update(changes)
    return row["number"], wrong(forger.sealed(said))


def claims():
    return claims_of(Forger().members["decision.jwt"].decode())


def test_a_log_that_was_made_anew_differs_in_its_leaves_alone():
    """So that each test below finds what it changed, and not how it was made."""
    findings = wrong(Forger().sealed(Forger().said()))

    assert [finding.split(", ")[0] for finding in findings] == ["evidence.json"]


ROWS = [
    ("decision:sign", {"token": "x"}, "the token"),
    ("decision:sign", {"token_sha256": "0" * 64}, "the token's digest"),
    ("decision:sign", {"id": "dec_other"}, "the decision's id"),
    ("decision:sign", {"request_id": "req_other"}, "the request"),
    ("decision:sign", {"kid": "x"}, "the key"),
    ("decision:sign", {"outcome": "REJECTED"}, "the outcome"),
    ("decision:sign", {"payload_version": 1}, "the payload's version"),
    ("decision:sign", {"decided_at": "2026-01-01T00:00:00.000000Z"}, "when it was decided"),
    ("decision:sign", {"expires_at": "2026-01-01T00:00:00.000000Z"}, "until when it may run"),
    ("request:submit", {"id": "req_other"}, "its id"),
    ("review:vote", {"viewed_sha256": "0" * 64}, "the digest of what was seen"),
    ("review:vote", {"request_id": "req_other"}, "the request"),
    ("execution:queue", {"token": "x"}, "the token"),
    ("execution:queue", {"jti": "dec_other"}, "the decision"),
    ("execution:queue", {"subject": "req_other"}, "the request"),
    ("execution:queue", {"action": "stripe.payout"}, "the action"),
    ("execution:succeed", {"receipt": {"token_sha256": "x"}}, "the receipt's decision"),
    (
        "execution:succeed",
        {"receipt": {"amount": 1, "currency": "usd"}},
        "the amount of the receipt",
    ),
    ("execution:succeed", {"receipt": {"amount": 6000, "currency": "eur"}}, "the amount of the r"),
]


@pytest.mark.parametrize(("event", "changes", "what"), ROWS)
def test_a_row_that_does_not_fit_is_named(event, changes, what):
    number, findings = say(event, **changes)

    assert any(one.startswith(f"rows.json, row {number}: {what}") for one in findings), findings


VOTES = [
    {"reviewer_id": 99},
    {"verdict": "REJECT"},
    {"reason": "another"},
    {"method": "webauthn"},
    {"reviewed_at": "2026-01-01T00:00:00.000000Z"},
    {"payload_version": 7},
]


@pytest.mark.parametrize("changes", VOTES, ids=lambda changes: next(iter(changes)))
def test_a_vote_that_the_decision_does_not_have_is_found(changes):
    _, findings = say("review:vote", **changes)

    assert "decision.jwt: no row holds the vote of 'reviewer'" in findings


def seen(change):
    """Return what is found when the reviewer saw something else, with its right digest."""
    forger, said = Forger(), Forger().said()
    row = next(row for row in said if row["event"] == "review:vote")
    view = json.loads(row["fields"]["view"])
    change(view)
    row["fields"]["view"] = canonical_text(view)
    from audit.verifier import sha256

    row["fields"]["viewed_sha256"] = sha256(row["fields"]["view"])
    reviewers = claims()["reviewers"]
    reviewers[0]["viewed_sha256"] = row["fields"]["viewed_sha256"]
    forger.said = lambda: said
    return wrong(forger.decided(reviewers=reviewers))


def test_a_payload_that_nobody_saw_is_found():
    assert any(
        "what was seen" in one for one in seen(lambda view: view["payload"].update(amount=1))
    )


def test_facts_that_nobody_saw_are_found():
    findings = seen(lambda view: view["facts"]["material"].update(captured=1))

    assert "decision.jwt: the facts are not those that a reviewer saw" in findings


def test_facts_in_another_form_are_found():
    assert wrong(Forger().decided(facts={})) != []


def test_a_view_of_another_request_is_found():
    findings = seen(lambda view: view["request"].update(id="req_other"))

    assert any("the request that was seen" in one for one in findings)


def test_a_view_in_another_form_is_found():
    number, findings = say("review:vote", view='{"b":1,"a":1}')

    assert any(one.startswith(f"rows.json, row {number}, view: ") for one in findings)


def test_a_payload_of_the_decided_version_that_is_another_than_was_seen_is_found():
    findings = seen(lambda view: view.update(payload_version=2))

    assert any("what was seen" in one for one in findings)


DECISIONS = [
    ({"iss": "urn:other"}, "the issuer is not"),
    ({"aud": "urn:other"}, "the audience is not"),
    ({"sub": "req_other"}, "the request is not"),
    ({"ver": 2}, "its version is unknown"),
    ({"exp": 0}, "it may be carried out for too long, or never"),
    ({"exp": 2 * 10**9 + 2 * DAY}, "it may be carried out for too long, or never"),
    ({"iat": "1"}, None),
    ({"iat": True}, "its key was not valid when it was signed"),
    ({"nbf": True}, "a time is no whole second"),
    ({"outcome": "MAYBE"}, "its outcome is none"),
    ({"outcome": "APPROVED"}, "the payload that was submitted"),
    ({"outcome": "REJECTED"}, "only an approval has a payload"),
    ({"payload": None}, "only an approval has a payload"),
    ({"payload": {"amount": 1}}, "the payload is not"),
    ({"payload_sha256": "0" * 64}, "the payload is not"),
    ({"reviewers": []}, "nobody decided it"),
    ({"reviewers": None}, None),
    ({"exp": None}, None),
]


@pytest.mark.parametrize(("changes", "what"), DECISIONS)
def test_a_decision_that_must_not_be_is_found(changes, what):
    findings = wrong(Forger().decided(**changes))

    assert findings[0].startswith("decision.jwt")
    assert what is None or what in findings[0]


def test_a_decision_by_a_rule_needs_no_person():
    findings = wrong(Forger().decided(decided_by={"rule": "small", "version": 1}, reviewers=[]))

    assert not any(one.startswith("decision.jwt") for one in findings)


def test_what_was_carried_out_after_its_time_is_found():
    forger, said = Forger(), Forger().said()
    row = next(row for row in said if row["event"] == "execution:claim")
    for at in ("2027-12-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"):
        row["at"] = at

        assert (
            f"rows.json, row {row['number']}: it was carried out when the decision did not allow it"
        ) in wrong(forger.sealed(said))


def test_a_decision_is_judged_by_when_it_began_not_by_today():
    """The golden file's decision expired four hours after it was made."""
    from audit import verifier
    from tests.audit.evidence.forging import golden, named

    assert verifier.verify(golden("changed"), named()).code == verifier.PROVEN


def test_what_was_carried_out_without_an_approval_is_found():
    forger, said = Forger("rejected"), Forger("rejected").said()
    execution = next(row for row in Forger().said() if row["event"] == "execution:queue")
    said.append(execution | {"number": len(said) + 1, "subject": said[0]["subject"]})

    assert (f"rows.json, row {len(said)}: nothing was approved that could be carried out") in wrong(
        forger.sealed(said)
    )


def test_a_decision_without_its_row_is_found():
    forger = Forger()
    said = [row for row in forger.said() if row["event"] != "decision:sign"]
    for number, row in enumerate(said, start=1):
        row["number"] = number

    assert "decision.jwt: there are 0 rows of a decision" in wrong(forger.sealed(said))


def test_a_row_of_a_decision_without_the_decision_is_found():
    forger = Forger()
    del forger.members["decision.jwt"]

    assert "decision.jwt: there are 1 rows of a decision" in wrong(forger.sealed(forger.said()))


def test_a_status_that_the_decision_does_not_have_is_found():
    for status, what in [
        ("PENDING", "the request's status says otherwise"),
        ("APPROVED", "the outcome is not what it must be"),
    ]:
        forger, said = Forger(), Forger().said()
        next(row for row in said if row["event"] == "request:approve")["fields"]["status"] = status

        assert f"decision.jwt: {what}" in wrong(forger.sealed(said))


def test_rows_that_are_about_no_request_are_found():
    forger = Forger()
    del forger.members["decision.jwt"]
    said = [row for row in forger.said() if row["event"].startswith("execution")]
    for number, row in enumerate(said, start=1):
        row["number"] = number

    assert "rows.json: no row says what was asked" in wrong(forger.sealed(said))


def test_no_rows_at_all_are_found():
    assert wrong(Forger().put("rows.json", []).signed()) == ["rows.json: there are no rows"]


@pytest.mark.parametrize(
    "change",
    [{"form": 2}, {"more": 1}, {"at": "2026-11-27"}, {"at": 7}, {"fields": None}],
    ids=str,
)
def test_a_row_in_another_form_is_found(change):
    forger, said = Forger(), Forger().said()
    said[0] |= change

    assert wrong(forger.sealed(said))[0].startswith(("rows.json, row 1: ", "decision.jwt"))
