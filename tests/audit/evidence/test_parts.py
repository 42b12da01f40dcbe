"""Keys, manifest, checkpoint and JSON in any other form than the one."""

import base64

import pytest

from audit import verifier
from audit.canonical import canonical_bytes
from audit.evidence import package
from audit.log import checkpoints, merkle, notes
from audit.log.checkpoints import TreeHead
from tests.audit.evidence.forging import (
    DECISIONS,
    LOG,
    STRANGER,
    Forger,
    claims_of,
    jws,
    private_key,
    thumbprint,
    wrong,
)

pytestmark = pytest.mark.embedded

MANIFEST = {"alg": "EdDSA", "kid": thumbprint(DECISIONS), "typ": package.TYPE}


def checkpoint():
    return Forger().members["checkpoint"].decode()


def resigned(size=None, root=None, origin="urn:countersign:golden", key=LOG):
    _, old_size, old_root, *_ = checkpoint().split("\n")
    head = TreeHead(
        origin=origin, size=size or int(old_size), root=root or base64.b64decode(old_root)
    )
    return checkpoints.sign(head, private_key(key))


def twice():
    text = checkpoint()
    return text + text.split("\n")[-2] + "\n"


def unused_bits():
    *rest, last, _, _ = checkpoint()
    return "".join([*rest, chr(ord(last) + 1), "=\n"])


CHECKPOINTS = {
    "signed by a stranger": lambda: resigned(key=STRANGER),
    "signed by the key of decisions": lambda: resigned(key=DECISIONS),
    "of another log": lambda: resigned(origin="urn:countersign:other"),
    "with an extension": lambda: notes.sign(
        checkpoint().split("\n\n")[0] + "\nextension\n",
        name="urn:countersign:golden",
        key=private_key(LOG),
    ),
    "signed twice": twice,
    "without a signature": lambda: checkpoint().split("\n\n")[0] + "\n\n",
    "with another line end": lambda: checkpoint().replace("\n", "\r\n"),
    "with a byte behind": lambda: checkpoint() + "\n",
    "with base64 in another form": lambda: (
        checkpoint()[:-3] + chr(ord(checkpoint()[-3]) + 1) + "=\n"
    ),
    "with another size": lambda: checkpoint().replace("\n2", "\n3", 1),
    "with a root that is none": lambda: notes.sign(
        "urn:countersign:golden\n9\nAAAA\n", name="urn:countersign:golden", key=private_key(LOG)
    ),
    "with a size with a zero before": lambda: notes.sign(
        checkpoint().split("\n\n")[0].replace("\n2", "\n02", 1) + "\n",
        name="urn:countersign:golden",
        key=private_key(LOG),
    ),
    "empty": lambda: "",
}


@pytest.mark.parametrize("what", CHECKPOINTS)
def test_another_checkpoint_is_found(what):
    findings = wrong(Forger().put("checkpoint", CHECKPOINTS[what]()).signed())

    assert findings[0].startswith("checkpoint"), findings


@pytest.mark.parametrize("change", [{"root": merkle.EMPTY_ROOT}, {"size": 1}])
def test_a_checkpoint_that_says_something_else_does_not_have_the_rows(change):
    findings = wrong(Forger().put("checkpoint", resigned(**change)).signed())

    assert findings[0].startswith("rows.json, row 1: ")


KEYS = {
    "another thumbprint": {"kid": "A" * 43},
    "another kind": {"kty": "RSA"},
    "another curve": {"crv": "X25519"},
    "another use": {"use": "enc"},
    "something else to sign": {"signs": "everything"},
    "more": {"alg": "EdDSA"},
    "a private half": {"d": "AAAA"},
    "no instant": {"not_before": "yesterday"},
    "a window that is over": {"not_after": "2026-01-02T00:00:00.000000Z"},
    "a window that comes later": {"not_before": "2200-01-01T00:00:00.000000Z"},
}


@pytest.mark.parametrize("what", KEYS)
def test_a_key_in_another_form_is_found(what):
    forger = Forger()
    keys = forger.json("keys.json")
    for key in keys["keys"]:
        key.update(KEYS[what])

    findings = wrong(forger.put("keys.json", keys).signed())

    assert findings[0].startswith(("keys.json: ", "decision.jwt: "))


@pytest.mark.parametrize(
    "change",
    [
        lambda keys: {"keys": keys["keys"][::-1]},
        lambda keys: {"keys": [*keys["keys"], keys["keys"][-1]]},
        lambda keys: keys | {"more": 1},
        lambda keys: keys["keys"],
        lambda keys: {"keys": [1]},
        lambda keys: {},
    ],
)
def test_a_set_of_keys_in_another_form_is_found(change):
    forger = Forger()

    findings = wrong(forger.put("keys.json", change(forger.json("keys.json"))).signed())

    assert findings[0].startswith("keys.json: ")


def test_a_key_that_signs_nothing_has_no_place():
    forger = Forger()
    keys = forger.json("keys.json")
    raw = private_key(STRANGER).public_key().public_bytes_raw()
    spare = {"kid": thumbprint(STRANGER), "x": base64.urlsafe_b64encode(raw)[:-1].decode()}
    keys["keys"] = sorted([*keys["keys"], keys["keys"][0] | spare], key=lambda key: key["kid"])

    findings = wrong(forger.put("keys.json", keys).signed())

    assert findings == [f"keys.json: nothing here is signed by {thumbprint(STRANGER)}"]


MANIFESTS = {
    "none": lambda claims: jws(MANIFEST | {"alg": "none"}, canonical_bytes(claims)),
    "jwk": lambda claims: jws(MANIFEST | {"jwk": {}}, canonical_bytes(claims)),
    "a decision's type": lambda claims: jws(
        MANIFEST | {"typ": "countersign-decision+jwt"}, canonical_bytes(claims)
    ),
    "signed by another": lambda claims: jws(MANIFEST, canonical_bytes(claims), STRANGER),
    "more claims": lambda claims: jws(MANIFEST, canonical_bytes(claims | {"more": 1})),
    "another version": lambda claims: jws(MANIFEST, canonical_bytes(claims | {"ver": 2})),
    "no members": lambda claims: jws(MANIFEST, canonical_bytes(claims | {"members": []})),
    "empty": lambda claims: "",
    "claims twice": lambda claims: jws(MANIFEST, b'{"iss":"a","iss":"a"}'),
}


@pytest.mark.parametrize("what", MANIFESTS)
def test_another_manifest_is_found(what):
    claims = claims_of(Forger().members["manifest.jws"].decode())

    findings = wrong(Forger().put("manifest.jws", MANIFESTS[what](claims)).pack())

    assert findings[0].startswith("manifest.jws")


def test_a_manifest_about_another_request_is_found():
    assert wrong(Forger().signed(sub="req_other"))[0].startswith("decision.jwt: the request")


def test_a_manifest_of_another_issuer_is_found():
    assert wrong(Forger().signed(iss="urn:other"))[0].startswith("checkpoint: it is of another log")


def test_a_manifest_that_names_a_member_that_is_not_there_is_found():
    forger = Forger()
    claims = claims_of(forger.members["manifest.jws"].decode())
    claims["members"]["more"] = "0" * 64
    forger.put("manifest.jws", jws(MANIFEST, canonical_bytes(claims)))

    assert wrong(forger.pack()) == ["more: this member is not the one that the manifest has"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]]",
        b" {}",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":NaN}',
        b'{"a":-0}',
        b'{"a":9007199254740992}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
    ],
)
def test_json_in_another_form_is_refused(text):
    with pytest.raises(verifier.WrongError):
        verifier.parse("here", text)


@pytest.mark.parametrize(
    "value",
    [{"a": [None, True, -1, 2**53 - 1]}, {"\U0001f600": 1, "\ufb33": 2, "": {}}, '"\\\n\x7f\u2028'],
)
def test_json_in_the_one_form_is_the_servers_own(value):
    assert verifier.canonical(value).encode() == canonical_bytes(value)
    assert verifier.parse("here", canonical_bytes(value)) == value


@pytest.mark.parametrize("name", ["keys.json", "rows.json", "evidence.json"])
@pytest.mark.parametrize("value", [None, [], {}, 7, "x", [[]], [None], {"keys": None}])
def test_whatever_a_member_holds_is_found_and_never_raises(name, value):
    forger = Forger()
    forger.members[name] = canonical_bytes(value)

    assert wrong(forger.signed())[0].startswith(name)
