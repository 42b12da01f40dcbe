"""Golden files, and whoever changes one: with no key, with that of decisions, or with both.

The keys are made from their names, so that everybody has them: they prove nothing but that the
verifiers work.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from audit import verifier
from audit.canonical import canonical_bytes, canonical_text
from audit.evidence import package
from audit.log import checkpoints, merkle
from audit.log.checkpoints import TreeHead
from audit.signing import tokens
from audit.signing.keys import SigningKey
from tests.audit.log import naive

GOLDEN = Path(__file__).parent / "golden"
DECISIONS, LOG, STRANGER = "decisions", "log", "stranger"


def golden(name: str) -> bytes:
    """Return a file of the tree: ``changed`` (a refund that was lowered) or ``rejected``."""
    return (GOLDEN / f"{name}.zip").read_bytes()


def private_key(name: str) -> Ed25519PrivateKey:
    """Return the key of this name."""
    seed = hashlib.sha256(f"countersign golden {name}".encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def thumbprint(name: str) -> str:
    """Return what a caller of the verifier knows of a key."""
    return str(OKPKey.import_key(private_key(name)).thumbprint())


def named() -> list[str]:
    """Return the keys that a caller trusts."""
    return [thumbprint(DECISIONS), thumbprint(LOG)]


def jws(header: dict[str, Any], claims: bytes, key: str = DECISIONS) -> str:
    """Return a JWS with whatever header, truly signed."""
    parts = [_encoded(canonical_bytes(header)), _encoded(claims)]
    signature = private_key(key).sign(".".join(parts).encode())
    return ".".join([*parts, _encoded(signature)])


def claims_of(text: str) -> dict[str, Any]:
    """Return the claims of a JWS."""
    part = text.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def wrong(data: bytes) -> list[str]:
    """Return what the verifier finds, each as its line; that is code 1, and nothing else is."""
    report = verifier.verify(data, named())
    assert (report.code == verifier.WRONG) == bool(report.findings)
    return [f"{where}: {what}" for where, what in report.findings]


class Forger:
    """Changes a file, repairs what follows from the change, and packs it again."""

    def __init__(self, name: str = "changed") -> None:
        self.members = verifier.unpack(golden(name))

    def json(self, name: str) -> Any:
        """Return a member as JSON."""
        return json.loads(self.members[name])

    def put(self, name: str, value: Any) -> "Forger":
        """Replace a member: text as it is, anything else as JSON."""
        self.members[name] = value.encode() if isinstance(value, str) else canonical_bytes(value)
        return self

    def said(self) -> list[dict[str, Any]]:
        """Return what the rows say."""
        return [json.loads(row["bytes"]) for row in self.json("rows.json")]

    def pack(self) -> bytes:
        """Pack it without any key."""
        return package._zip(self.members)

    def signed(self, key: str = DECISIONS, **changes: Any) -> bytes:
        """Pack it with a manifest that is right, by the key of decisions."""
        claims = claims_of(self.members["manifest.jws"].decode())
        others = {name: data for name, data in self.members.items() if name != "manifest.jws"}
        claims["members"] = {name: verifier.sha256(data) for name, data in others.items()}
        signer = SigningKey(kid=thumbprint(key), key=OKPKey.import_key(private_key(key)))
        self.put("manifest.jws", tokens.sign(claims | changes, signer, typ=package.TYPE))
        return self.pack()

    def sealed(self, said: list[dict[str, Any]]) -> bytes:
        """Pack it with a log of these rows alone, by both keys."""
        texts = [canonical_text(row) for row in said]
        salt = "00" * 32
        entries = [merkle.entry_of(bytes.fromhex(salt), text.encode()) for text in texts]
        rows = [
            {
                "bytes": text,
                "salt": salt,
                "leaf": leaf,
                "proof": [one.hex() for one in naive.path(leaf, entries)],
            }
            for leaf, text in enumerate(texts)
        ]
        origin = self.members["checkpoint"].decode().split("\n")[0]
        head = TreeHead(origin=origin, size=len(entries), root=naive.root(entries))
        self.put("rows.json", rows)
        self.put("checkpoint", checkpoints.sign(head, private_key(LOG)))
        return self.signed()

    def decided(self, **changes: Any) -> bytes:
        """Pack it with another decision, put into every row that holds it, by both keys."""
        claims = claims_of(self.members["decision.jwt"].decode()) | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "EdDSA", "kid": thumbprint(DECISIONS), "typ": tokens.TYPE}
        token = jws(header, canonical_bytes(claims))
        said = self.said()
        for row in said:
            if "token" in row["fields"]:
                row["fields"]["token"] = token
            if "token_sha256" in row["fields"]:
                row["fields"]["token_sha256"] = verifier.sha256(token)
        self.put("decision.jwt", token)
        return self.sealed(said)
