"""Whoever has the key of decisions, but not that of the log, changes what happened."""

import json

import pytest

from audit.canonical import canonical_bytes, canonical_text
from audit.signing import tokens
from tests.audit.evidence.forging import (
    DECISIONS,
    LOG,
    STRANGER,
    Forger,
    claims_of,
    jws,
    thumbprint,
    wrong,
)

pytestmark = pytest.mark.embedded

SEALED = "its bytes are not those that were sealed, or not in this log"
HEADER = {"alg": "EdDSA", "kid": thumbprint(DECISIONS), "typ": tokens.TYPE}


def number_of(event: str) -> int:
    """Return the number of the first row with this event."""
    return next(row["number"] for row in Forger().said() if row["event"] == event)


def with_row(event, change):
    """Return the file with one row changed."""
    forger, rows = Forger(), Forger().json("rows.json")
    row = rows[number_of(event) - 1]
    said = json.loads(row["bytes"])
    change(said)
    row["bytes"] = canonical_text(said)
    return forger.put("rows.json", rows)


def token():
    return Forger().members["decision.jwt"].decode()


CHANGES = {
    "reviewer": ("review:vote", lambda said: said["fields"].update(reviewer_id=99)),
    "name of the reviewer": ("review:vote", lambda said: said.update(actor="person:mallory")),
    "what was seen": ("review:vote", lambda said: said["fields"].update(view="{}")),
    "amount": ("request:submit", lambda said: said["fields"].update(amount_minor=1)),
    "amount of the receipt": (
        "execution:succeed",
        lambda said: said["fields"]["receipt"].update(amount=1),
    ),
    "time": ("decision:sign", lambda said: said.update(at="2026-01-01T00:00:00.000000Z")),
    "key": ("decision:sign", lambda said: said["fields"].update(kid=thumbprint(STRANGER))),
    "what was sent": ("execution:intent", lambda said: said.update(reason="POST /v1/payouts")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_row_that_was_changed_is_named(what):
    event, change = CHANGES[what]
    forger = with_row(event, change)

    assert wrong(forger.pack()) == ["rows.json: this member is not the one that the manifest has"]
    assert wrong(forger.signed()) == [f"rows.json, row {number_of(event)}: {SEALED}"]


def test_a_row_that_was_removed_is_missed_at_its_place():
    forger = Forger()
    rows = forger.json("rows.json")
    del rows[2]

    findings = wrong(forger.put("rows.json", rows).signed())

    assert findings[0] == "rows.json, row 3: its number is not what it must be"


def test_a_last_row_that_was_removed_is_missed_on_the_page():
    forger = Forger()

    [finding] = wrong(forger.put("rows.json", forger.json("rows.json")[:-1]).signed())

    assert finding.startswith("evidence.json")


def test_a_row_that_was_put_in_is_found():
    forger = Forger()
    rows = forger.json("rows.json")
    said = json.loads(rows[-1]["bytes"]) | {"number": len(rows) + 1}
    rows.append(rows[-1] | {"bytes": canonical_text(said), "leaf": 0})

    [finding] = wrong(forger.put("rows.json", rows).signed())

    assert finding.startswith(f"rows.json, row {len(rows)}: its ")


def test_a_row_that_was_replayed_is_found():
    forger = Forger()
    rows = forger.json("rows.json")
    rows.append(rows[-1])

    [finding] = wrong(forger.put("rows.json", rows).signed())

    assert finding == f"rows.json, row {len(rows)}: its number is not what it must be"


def test_rows_in_another_order_are_found():
    forger = Forger()
    rows = forger.json("rows.json")
    rows[0], rows[1] = rows[1], rows[0]

    findings = wrong(forger.put("rows.json", rows).signed())

    assert [one.split(":")[0] for one in findings] == ["rows.json, row 1", "rows.json, row 2"]


def test_a_row_from_another_request_is_found():
    forger = Forger()
    rows = forger.json("rows.json")
    rows[0] = Forger("rejected").json("rows.json")[0]

    findings = wrong(forger.put("rows.json", rows).signed())

    assert "rows.json, row 1: what it is about is not what it must be" in findings


def test_the_rows_of_another_request_are_found():
    forger = Forger()

    findings = wrong(forger.put("rows.json", Forger("rejected").json("rows.json")).signed())

    assert "rows.json, row 1: what it is about is not what it must be" in findings


def test_two_rows_with_one_leaf_are_found():
    forger = Forger()
    rows = forger.json("rows.json")
    rows[1]["leaf"] = rows[0]["leaf"]

    findings = wrong(forger.put("rows.json", rows).signed())

    assert findings == ["rows.json, row 2: its leaf is another row's"]


@pytest.mark.parametrize("salt", ["", "00" * 32, "0" * 63, "G" * 64, 7, None])
def test_another_salt_is_found(salt):
    forger = Forger()
    rows = forger.json("rows.json")
    rows[0]["salt"] = salt

    [finding] = wrong(forger.put("rows.json", rows).signed())

    assert finding.startswith("rows.json, row 1: ")


@pytest.mark.parametrize("leaf", [-1, 10**9, True, "0", None, 0.0])
def test_another_leaf_is_found(leaf):
    forger = Forger()
    rows = forger.json("rows.json")
    rows[0]["leaf"] = leaf
    forger.members["rows.json"] = json.dumps(
        rows, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()

    assert wrong(forger.signed())[0].startswith("rows.json")


PROOFS = {
    "empty": lambda proof: [],
    "too short": lambda proof: proof[:-1],
    "too long": lambda proof: [*proof, proof[0]],
    "reversed": lambda proof: proof[::-1],
    "bit flip": lambda proof: [f"{int(proof[0], 16) ^ 1:064x}", *proof[1:]],
    "no hashes": lambda proof: ["", *proof[1:]],
    "upper case": lambda proof: [proof[0].upper(), *proof[1:]],
}


@pytest.mark.parametrize("what", PROOFS)
def test_another_proof_is_found(what):
    forger = Forger()
    rows = forger.json("rows.json")
    rows[0]["proof"] = PROOFS[what](rows[0]["proof"])

    [finding] = wrong(forger.put("rows.json", rows).signed())

    assert finding.startswith("rows.json, row 1: ")


def unsigned():
    return jws(HEADER | {"alg": "none"}, canonical_bytes(claims_of(token()))).rpartition(".")[0]


def renamed(algorithm):
    return jws(HEADER | {"alg": algorithm}, canonical_bytes(claims_of(token())))


TOKENS = {
    "signed by another key": lambda: jws(HEADER, canonical_bytes(claims_of(token())), STRANGER),
    "a key that is not there": lambda: jws(
        HEADER | {"kid": thumbprint(STRANGER)}, canonical_bytes(claims_of(token())), STRANGER
    ),
    "the key of the log": lambda: jws(
        HEADER | {"kid": thumbprint(LOG)}, canonical_bytes(claims_of(token())), LOG
    ),
    "none": lambda: renamed("none"),
    "none, unsigned": lambda: f"{unsigned()}.",
    "another algorithm": lambda: renamed("HS256"),
    "jwk": lambda: jws(HEADER | {"jwk": {}}, canonical_bytes(claims_of(token()))),
    "jku": lambda: jws(HEADER | {"jku": "https://x"}, canonical_bytes(claims_of(token()))),
    "crit": lambda: jws(HEADER | {"crit": ["b64"]}, canonical_bytes(claims_of(token()))),
    "another type": lambda: jws(HEADER | {"typ": "JWT"}, canonical_bytes(claims_of(token()))),
    "the manifest": Forger().members["manifest.jws"].decode,
    "no claims": lambda: jws(HEADER, b""),
    "claims not canonical": lambda: jws(HEADER, b" " + canonical_bytes(claims_of(token()))),
    "truncated": lambda: token()[:-1],
    "cut in the middle": lambda: token()[: len(token()) // 2],
    "two parts": lambda: token().rpartition(".")[0],
    "four parts": lambda: token() + ".",
    "line end": lambda: token() + "\n",
    "padding": lambda: token() + "==",
    "unused bits": lambda: token()[:-1] + chr(ord(token()[-1]) + 1),
    "of another request": Forger("rejected").members["decision.jwt"].decode,
    "nothing": lambda: "",
}


@pytest.mark.parametrize("what", TOKENS)
def test_another_decision_is_found(what):
    findings = wrong(Forger().put("decision.jwt", TOKENS[what]()).signed())

    assert findings[0].startswith("decision.jwt"), findings


def test_a_decision_that_was_signed_anew_is_not_the_one_in_the_rows():
    claims = claims_of(token()) | {"service": "another"}
    forger = Forger().put("decision.jwt", jws(HEADER, canonical_bytes(claims)))

    number = number_of("decision:sign")
    assert f"rows.json, row {number}: the token is not what it must be" in wrong(forger.signed())


def test_the_name_of_the_algorithm_may_be_the_new_one():
    claims = canonical_bytes(claims_of(token()))
    findings = wrong(
        Forger().put("decision.jwt", jws(HEADER | {"alg": "Ed25519"}, claims)).signed()
    )

    assert "the algorithm" not in str(findings)
    assert "the token is not what it must be" in findings[0], "the rows hold the one that was sent"
