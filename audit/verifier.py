"""Checks an evidence file of Countersign, offline: ``python verifier.py FILE --key THUMBPRINT``.

It needs Python and the package ``cryptography``, nothing else, and nothing of the program that made
the file. Take this verifier, and the thumbprints of the keys (one signs decisions, one the log),
from somewhere else than from the file.

Exit codes: 0, proven, and every signature in it is by a key that was named; 3, all of it agrees,
but a signer was not named or was revoked; 1, something is wrong, and the lines say what and where;
2, it could not be checked.
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION = 1
PROVEN, WRONG, NOT_CHECKED, NOT_CONFIRMED = 0, 1, 2, 3
MOST_BYTES = 64 * 1024 * 1024
LONGEST_LIFE = 23 * 3600

TOKEN = "decision.jwt"  # noqa: S105 - the name of a member
MANIFEST = "manifest.jws"
NEEDED = {"checkpoint", "evidence.json", "index.html", "keys.json", MANIFEST, "rows.json"}
ALLOWED = NEEDED | {TOKEN, "verifier.py"}

REQUEST = "approvals_historicalapprovalrequest"
REVIEW = "approvals_historicalreview"
DECISION = "approvals_historicaldecision"
EXECUTION = "executors_historicalexecution"


class WrongError(Exception):
    """Something in the file is not what it must be: where, and what."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what


@dataclass
class Report:
    """What came of it. ``signers`` are the ids of the keys that signed anything in the file."""

    named: Collection[str] = ()
    subject: str = ""
    issuer: str = ""
    findings: list[tuple[str, str]] = field(default_factory=list)
    signers: dict[str, str] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    @property
    def unconfirmed(self) -> list[str]:
        """Return the signers that the caller did not name, or that were revoked."""
        return sorted(kid for kid in self.signers if kid not in self.named or kid in self.revoked)

    @property
    def code(self) -> int:
        """Return the exit code."""
        if self.findings:
            return WRONG
        return NOT_CONFIRMED if self.unconfirmed else PROVEN

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Keep what is found wrong in this block; whatever is malformed in it is found wrong."""
        try:
            yield
        except WrongError as error:
            self.findings.append((error.where, error.what))
        except (ArithmeticError, AttributeError, LookupError, RecursionError) as error:
            self.findings.append((where, f"it is malformed: {error!r}"))
        except (TypeError, ValueError) as error:
            self.findings.append((where, f"it is malformed: {error!r}"))


@dataclass
class Bundle:
    """What has been read of the file so far, each part after its own check."""

    members: Mapping[str, bytes]
    keys: dict[str, Any] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    rows: list[Any] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a member as text."""
        return self.members[name].decode()

    def of(self, table: str) -> list[Any]:
        """Return what the rows of one history table say, oldest first."""
        return [row for row in self.rows if row["table"] == table]


def verify(data: bytes, named: Collection[str] = ()) -> Report:
    """Check a file against the thumbprints of the keys that the caller trusts."""
    report = Report(named=named)
    bundle = Bundle(members={})
    with report.at("zip"):
        bundle.members = unpack(data)
    for where, stage in _STAGES:
        if not report.findings:  # each rests on those before it
            with report.at(where):
                stage(bundle, report)
    if not report.findings:
        for where, check in _CONTENT:
            with report.at(where):
                check(bundle, report)
    return report


# The zip: every byte is determined by the names and contents of the members.

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = 0x21  # 1 January 1980


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip in the one accepted form."""
    if len(data) > MOST_BYTES:
        raise WrongError("zip", "it is too large")
    members: dict[str, bytes] = {}
    directory, place = b"", 0
    while data[place : place + 4] == b"PK\x03\x04":
        name, content, end = _member(data, place)
        if members and name <= max(members):
            raise WrongError(name, "the member is out of order, or there twice")
        members[name] = content
        directory += _directory_entry(name, content, place)
        place = end
    count = len(members)
    last = _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), place, 0)
    _require_same(data[place:], directory + last, place)
    if not NEEDED <= set(members) <= ALLOWED:
        odd = sorted(NEEDED - set(members)) + sorted(set(members) - ALLOWED)
        raise WrongError("zip", f"members are missing, or of another kind: {', '.join(odd)}")
    return members


def _member(data: bytes, place: int) -> tuple[str, bytes, int]:
    if len(data) < place + _LOCAL.size:
        raise WrongError("zip", f"it is cut at byte {place}")
    *_, size, _, name_size, _ = _LOCAL.unpack_from(data, place)
    start = place + _LOCAL.size + name_size
    raw_name, content = data[place + _LOCAL.size : start], data[start : start + size]
    name = raw_name.decode("ascii", "backslashreplace")
    if name not in ALLOWED:
        raise WrongError("zip", f"a member at byte {place} is named {name[:40]!r}")
    if len(content) != size:
        raise WrongError(name, "the member is cut")
    sizes = (zlib.crc32(content), size, size, len(raw_name))
    expected = _LOCAL.pack(b"PK\x03\x04", 20, 0, 0, 0, _DATE, *sizes, 0)
    if data[place : place + _LOCAL.size] != expected:
        raise WrongError(name, "its header in the zip is another, or its content was changed")
    return name, content, start + size


def _directory_entry(name: str, content: bytes, place: int) -> bytes:
    sizes = (zlib.crc32(content), len(content), len(content), len(name))
    head = (b"PK\x01\x02", 0x0314, 20, 0, 0, 0, _DATE)
    return _CENTRAL.pack(*head, *sizes, 0, 0, 0, 0, 0o644 << 16, place) + name.encode()


def _require_same(found: bytes, expected: bytes, place: int) -> None:
    if found != expected:
        pairs = zip(found, expected, strict=False)
        same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
        at = place + (min(len(found), len(expected)) if same is None else same)
        raise WrongError("zip", f"its directory is another than it must be, from byte {at} on")


# JSON in one form (RFC 8785 without floats), base64 in one form, digests, signatures.


def parse(where: str, data: bytes | str) -> Any:
    """Return a JSON value that is in canonical form."""
    try:
        text = data if isinstance(data, str) else data.decode()
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        same = canonical(value) == text
    except (ValueError, RecursionError) as error:
        raise WrongError(where, f"this is not the JSON that it must be: {error}") from error
    if not same:
        raise WrongError(where, "the JSON is not in canonical form")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refuse_number(text: str) -> None:
    raise ValueError(f"{text} is no integer")


def canonical(value: Any) -> str:
    """Return the one text of a JSON value (RFC 8785, integers up to 2^53 - 1 only)."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        inside = (f"{canonical(name)}:{canonical(value[name])}" for name in names)
        return "{" + ",".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, int) and abs(value) >= 2**53:
        raise ValueError("a number is too large")
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    return text


def sha256(data: bytes | str) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def _base64url(where: str, text: str) -> bytes:
    data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _to_base64url(data) != text:
        raise WrongError(where, "its base64url is not in canonical form")
    return data


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _instant(text: str) -> float:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text):
        raise ValueError(f"{text!r} is no instant in UTC")
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _open_jws(where: str, text: str, typ: str, keys: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return header and claims of a JWS whose signature is good; nothing but Ed25519 counts."""
    parts = text.split(".")
    if len(parts) != 3:
        raise WrongError(where, "this is no JWS in compact form")
    header, claims, signature = (_base64url(where, part) for part in parts)
    said = parse(f"{where} (header)", header)
    _require(where, set(said) == {"alg", "kid", "typ"}, "the header has other members")
    _require(where, said["alg"] in ("EdDSA", "Ed25519"), "the algorithm is not Ed25519")
    _require(where, said["typ"] == typ, f"the type is not {typ}")
    _require(where, said["kid"] in keys, f"keys.json does not have its key {said['kid']!r}")
    key = keys[said["kid"]]
    _require(where, key["signs"] == "decision", "its key is not one that signs decisions")
    try:
        key["public"].verify(signature, f"{parts[0]}.{parts[1]}".encode())
    except InvalidSignature as error:
        raise WrongError(where, f"the signature under {said['kid']} is not good") from error
    return said, parse(f"{where} (claims)", claims)


def _require(where: str, good: Any, what: str) -> None:
    if not good:
        raise WrongError(where, what)


def _same(where: str, *pairs: tuple[str, Any, Any]) -> None:
    """Require that two values are the same, with the types that JSON tells apart."""
    for what, one, other in pairs:
        _require(where, canonical(one) == canonical(other), f"{what} is not what it must be")


# The parts of the file, in the order in which each rests on those before.

_KEY = {"crv", "kid", "kty", "use", "x", "signs", "not_before", "not_after", "revoked_at"}


def _check_keys(bundle: Bundle, report: Report) -> None:
    where = "keys.json"
    found = parse(where, bundle.members[where])
    ids = [key["kid"] for key in found["keys"]]
    _require(where, set(found) == {"keys"} and ids == sorted(set(ids)), "its form is another")
    for key in found["keys"]:
        fixed = (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
        _require(where, set(key) == _KEY and fixed, "a key has another form")
        public = {"crv": key["crv"], "kty": key["kty"], "x": key["x"]}
        thumbprint = _to_base64url(hashlib.sha256(canonical(public).encode()).digest())
        _require(where, key["kid"] == thumbprint, f"{key['kid']!r} is not its key's thumbprint")
        _require(where, key["signs"] in ("decision", "log"), "a key signs something else")
        raw = _base64url(where, key["x"])
        bundle.keys[thumbprint] = key | {"public": Ed25519PublicKey.from_public_bytes(raw)}


def _check_manifest(bundle: Bundle, report: Report) -> None:
    text = bundle.text(MANIFEST)
    header, claims = _open_jws(MANIFEST, text, "countersign-evidence+jwt", bundle.keys)
    _require(MANIFEST, set(claims) == {"iss", "sub", "ver", "members"}, "its form is another")
    _require(MANIFEST, claims["ver"] == VERSION, "its version is unknown to this verifier")
    present = {name: sha256(data) for name, data in bundle.members.items() if name != MANIFEST}
    for name in sorted(present.keys() | claims["members"].keys()):
        same = present.get(name) == claims["members"].get(name)
        _require(name, same, "this member is not the one that the manifest has")
    report.subject, report.issuer = str(claims["sub"]), str(claims["iss"])
    _used(bundle, report, header["kid"])


def _used(bundle: Bundle, report: Report, kid: str) -> None:
    report.signers[kid] = bundle.keys[kid]["signs"]
    if bundle.keys[kid]["revoked_at"] is not None:
        report.revoked.add(kid)


_NOTE = re.compile(r"([^\s+]+)\n(0|[1-9]\d{0,18})\n(\S+)\n\n\u2014 ([^\s+]+) (\S+)\n", re.ASCII)


def _check_checkpoint(bundle: Bundle, report: Report) -> None:
    where = "checkpoint"
    note = bundle.text(where)
    found = _NOTE.fullmatch(note)
    if found is None:
        raise WrongError(where, "this is no checkpoint with one signature")
    origin, size, root, name, signature = found.groups()
    _require(where, origin == name == report.issuer, "it is of another log than the manifest says")
    signed = _base64(where, signature)
    kid = next((kid for kid in bundle.keys if _note_id(bundle, kid, name) == signed[:4]), "")
    _require(where, kid, "keys.json does not have its key")
    try:
        bundle.keys[kid]["public"].verify(signed[4:], f"{origin}\n{size}\n{root}\n".encode())
    except InvalidSignature as error:
        raise WrongError(where, f"the signature under {kid} is not good") from error
    bundle.head = {"origin": origin, "size": size, "root": root, "key": kid}
    _require(where, len(_base64(where, root)) == 32, "its root is no hash")
    _used(bundle, report, kid)


def _base64(where: str, text: str) -> bytes:
    data = base64.b64decode(text)
    _require(where, base64.b64encode(data).decode() == text, "its base64 is not canonical")
    return data


def _note_id(bundle: Bundle, kid: str, name: str) -> bytes:
    key = bundle.keys[kid]
    named = f"{name}\n".encode() + b"\x01" + key["public"].public_bytes_raw()
    return hashlib.sha256(named).digest()[:4] if key["signs"] == "log" else b""


def _check_token(bundle: Bundle, report: Report) -> None:
    if TOKEN not in bundle.members:
        return
    text = bundle.text(TOKEN)
    bundle.header, claims = _open_jws(TOKEN, text, "countersign-decision+jwt", bundle.keys)
    bundle.claims = claims
    key = bundle.keys[bundle.header["kid"]]
    _require(TOKEN, claims["ver"] == 1, "its version is unknown to this verifier")
    _same(
        TOKEN,
        ("the issuer", claims["iss"], report.issuer),
        ("the audience", claims["aud"], f"{report.issuer}#executor"),
        ("the request", claims["sub"], report.subject),
    )
    begins = _instant(key["not_before"])
    ends = _instant(key["not_after"]) if key["not_after"] is not None else float("inf")
    _require(TOKEN, begins <= claims["iat"] < ends, "its key was not valid when it was signed")
    times = (claims["iat"], claims["nbf"], claims["exp"])
    _require(TOKEN, all(type(one) is int for one in times), "a time is no whole second")
    life = claims["exp"] - min(claims["iat"], claims["nbf"])
    _require(TOKEN, 0 < life <= LONGEST_LIFE, "it may be carried out for too long, or never")
    _check_authorised(claims)
    _used(bundle, report, bundle.header["kid"])


def _check_authorised(claims: Mapping[str, Any]) -> None:
    approves = claims["outcome"] in ("APPROVED", "APPROVED_WITH_MODIFICATIONS")
    _require(TOKEN, approves or claims["outcome"] == "REJECTED", "its outcome is none")
    _require(TOKEN, approves == ("payload" in claims), "only an approval has a payload")
    if approves:
        digest = sha256(canonical(claims["payload"]))
        _same(TOKEN, ("the payload", digest, claims["payload_sha256"]))
    if claims["outcome"] == "APPROVED":
        digests = (claims["payload_sha256"], claims["original_payload_sha256"])
        _same(TOKEN, ("the payload that was submitted", *digests))
    by_people = claims["decided_by"] == "people"
    _require(TOKEN, not by_people or claims["reviewers"], "nobody decided it")


_ROW = {"bytes", "salt", "leaf", "proof"}
_SAID = {"form", "table", "type", "subject", "number", "at", "actor", "event", "reason", "fields"}


def _check_rows(bundle: Bundle, report: Report) -> None:
    leaves: set[int] = set()
    for number, row in enumerate(parse("rows.json", bundle.members["rows.json"]), start=1):
        where = f"rows.json, row {number}"
        with report.at(where):
            _require(where, set(row) == _ROW, "its form is another")
            said = parse(where, row["bytes"])
            _require(where, set(said) == _SAID and said["form"] == 1, "its bytes have another form")
            _same(where, ("its number", said["number"], number))
            _same(where, ("what it is about", said["subject"], report.subject))
            _instant(said["at"])
            _require(where, row["leaf"] not in leaves, "its leaf is another row's")
            leaves.add(row["leaf"])
            _check_proof(where, row, bundle.head)
            bundle.rows.append(said | {"leaf": row["leaf"]})
    _require("rows.json", leaves or report.findings, "there are no rows")


def _check_proof(where: str, row: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    """Follow the proof from the row's bytes to the root (RFC 9162, 2.1.3.2)."""
    salt = _hash(where, row["salt"])
    entry = hashlib.sha256(salt + row["bytes"].encode()).digest()
    found = hashlib.sha256(b"\x00" + entry).digest()
    place, last = row["leaf"], int(head["size"]) - 1
    _require(where, type(place) is int and 0 <= place <= last, "the log has no such leaf")
    for sibling in (_hash(where, one) for one in row["proof"]):
        _require(where, last > 0, "its proof is too long")
        if place & 1 or place == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        place, last = place >> 1, last >> 1
    _require(where, last == 0, "its proof is too short")
    same = found == _base64("checkpoint", head["root"])
    _require(where, same, "its bytes are not those that were sealed, or not in this log")


def _hash(where: str, text: str) -> bytes:
    _require(where, re.fullmatch(r"[0-9a-f]{64}", text), "a hash or salt is malformed")
    return bytes.fromhex(text)


def _check_signers(bundle: Bundle, report: Report) -> None:
    spare = sorted(set(bundle.keys) - set(report.signers))
    _require("keys.json", not spare, f"nothing here is signed by {', '.join(spare)}")


# What the rows, the decision and the page say of each other.


def _check_decision(bundle: Bundle, report: Report) -> None:
    decisions, claims = bundle.of(DECISION), bundle.claims
    count = 1 if claims else 0
    _require(TOKEN, len(decisions) == count, f"there are {len(decisions)} rows of a decision")
    for row in decisions:
        kept, where = row["fields"], f"rows.json, row {row['number']}"
        text = bundle.text(TOKEN)
        _same(
            where,
            ("the token", kept["token"], text),
            ("the token's digest", kept["token_sha256"], sha256(text)),
            ("the decision's id", kept["id"], claims["jti"]),
            ("the request", kept["request_id"], report.subject),
            ("the key", kept["kid"], bundle.header["kid"]),
            ("the outcome", kept["outcome"], claims["outcome"]),
            ("the payload's version", kept["payload_version"], claims["payload_version"]),
            ("when it was decided", int(_instant(kept["decided_at"])), claims["iat"]),
            ("until when it may run", int(_instant(kept["expires_at"])), claims["exp"]),
        )
    requests = bundle.of(REQUEST)
    _require("rows.json", requests, "no row says what was asked")
    for row in requests:
        _same(f"rows.json, row {row['number']}", ("its id", row["fields"]["id"], report.subject))
    status = requests[-1]["fields"]["status"]
    decided = status in ("APPROVED", "APPROVED_WITH_MODIFICATIONS", "REJECTED")
    _require(TOKEN, decided == bool(claims), "the request's status says otherwise")
    _same(TOKEN, ("the outcome", claims.get("outcome", status), status))


def _check_reviews(bundle: Bundle, report: Report) -> None:
    for row in bundle.of(REVIEW):
        where, kept = f"rows.json, row {row['number']}", row["fields"]
        view = parse(f"{where}, view", kept["view"])
        _same(
            where,
            ("the digest of what was seen", kept["viewed_sha256"], sha256(kept["view"])),
            ("the request", kept["request_id"], report.subject),
            ("the request that was seen", view["request"]["id"], report.subject),
        )
        digest, version = sha256(canonical(view["payload"])), view["payload_version"]
        if version == 1 and bundle.claims:
            _same(where, ("what was seen", digest, bundle.claims["original_payload_sha256"]))
        if version == bundle.claims.get("payload_version"):
            _same(where, ("what was seen", digest, bundle.claims["payload_sha256"]))
    reviewers = bundle.claims.get("reviewers", [])
    rows = [_review_of(bundle, reviewer) for reviewer in reviewers]
    if "facts" in bundle.claims and rows:
        seen = [json.loads(row["fields"]["view"])["facts"] for row in rows]
        stated, provider = bundle.claims["facts"], bundle.claims["provider"]
        same = any(
            canonical([facts["material"], facts["read_at"], facts["provider"]])
            == canonical([stated["material"], stated["read_at"], provider])
            for facts in seen
        )
        _require(TOKEN, same, "the facts are not those that a reviewer saw")


def _review_of(bundle: Bundle, reviewer: Mapping[str, Any]) -> Any:
    """Return the row of a vote that the decision names."""
    for row in bundle.of(REVIEW):
        kept = row["fields"]
        stored = {
            "id": kept["reviewer_id"],
            "username": row["actor"].removeprefix("person:"),
            "verdict": kept["verdict"],
            "at": kept["reviewed_at"],
            "payload_version": kept["payload_version"],
            "viewed_sha256": kept["viewed_sha256"],
            "method": kept["method"],
            "reason_sha256": sha256(kept["reason"]),
        }
        if all(canonical(reviewer[name]) == canonical(stored[name]) for name in stored):
            return row
    raise WrongError(TOKEN, f"no row holds the vote of {reviewer['username']!r}")


def _check_executions(bundle: Bundle, report: Report) -> None:
    claims = bundle.claims
    for row in bundle.of(EXECUTION):
        where, kept = f"rows.json, row {row['number']}", row["fields"]
        _require(where, "payload" in claims, "nothing was approved that could be carried out")
        _same(
            where,
            ("the token", kept["token"], bundle.text(TOKEN)),
            ("the decision", kept["jti"], claims["jti"]),
            ("the request", kept["subject"], report.subject),
            ("the action", kept["action"], claims["action"]),
        )
        # A decision is judged by when it began to be carried out, not by today.
        if row["event"] == "execution:claim":
            in_time = claims["nbf"] <= _instant(row["at"]) < claims["exp"]
            _require(where, in_time, "it was carried out when the decision did not allow it")
        receipt = kept["receipt"]
        if receipt is not None and "token_sha256" in receipt:
            digest = sha256(bundle.text(TOKEN))
            _same(where, ("the receipt's decision", receipt["token_sha256"], digest))
        if receipt is not None and {"amount", "currency"} <= set(receipt) & set(claims["payload"]):
            paid, asked = ([one["amount"], one["currency"]] for one in (receipt, claims["payload"]))
            _same(where, ("the amount of the receipt", paid, asked))


_DOCUMENT = {"version", "issuer", "subject", "title", "notes", "sections", "record"}


def _check_document(bundle: Bundle, report: Report) -> None:
    where = "evidence.json"
    document = parse(where, bundle.members[where])
    _require(where, set(document) == _DOCUMENT, "its form is another")
    _same(
        where,
        ("the version", document["version"], VERSION),
        ("the issuer", document["issuer"], report.issuer),
        ("the subject", document["subject"], report.subject),
    )
    for section in document["sections"]:
        for line in section["lines"]:
            _check_line(f"{where}, {section['title']}, {line['label']}", line, bundle)
    names = ("number", "at", "actor", "event", "reason", "leaf")
    told = [{name: row[name] for name in names} for row in document["record"]["rows"]]
    said = [{name: row[name] for name in names} for row in bundle.rows]
    _same(where, ("the list of rows", told, said))
    page = Page()
    page.feed(bundle.text("index.html"))
    page.close()
    for found, expected in zip(page.texts, _texts(document), strict=False):
        _require("index.html", found == expected, f"{found[:60]!r} is not in evidence.json")
    _require("index.html", len(page.texts) == len(_texts(document)), "something is missing")


_SOURCE = re.compile(
    r"(digest in |part of )?(?:row ([1-9]\d*)|(token|checkpoint)): (.+)", re.DOTALL
)


def _check_line(where: str, line: Mapping[str, str], bundle: Bundle) -> None:
    """Hold a line to the place that it names; one that names none claims no proof."""
    _require(where, set(line) == {"label", "value", "source"}, "its form is another")
    if line["source"] == "":
        return
    found = _SOURCE.fullmatch(line["source"])
    if found is None:
        raise WrongError(where, "it names no place that can be")
    how, number, document, path = found.groups()
    sources = {"token": bundle.claims, "checkpoint": bundle.head}
    value: Any = bundle.rows[int(number) - 1] if number else sources[document]
    for part in path.split("/"):
        value = json.loads(value) if isinstance(value, str) else value
        value = value[part.replace("~1", "/").replace("~0", "~")]
    text = value if isinstance(value, str) else canonical(value)
    good = {
        None: line["value"] == text,
        "digest in ": sha256(line["value"]) in text,
        "part of ": line["value"] != "" and line["value"] in text,
    }
    _require(where, good[how], f"this is not what stands in {line['source']}")


def _texts(document: Mapping[str, Any]) -> list[str]:
    """Return what the page must show, piece by piece, and nothing else."""
    texts = [document["title"], document["title"], *document["notes"]]
    for section in document["sections"]:
        texts += [section["title"], *filter(None, [section["note"]])]
        for line in section["lines"]:
            texts += [line["label"], line["value"], line["source"]]
    record = document["record"]
    texts += [record["title"], *record["columns"]]
    for row in record["rows"]:
        names = ("number", "at", "actor", "words", "event", "reason", "leaf")
        texts += [str(row[name]) for name in names]
    return texts


class Page(HTMLParser):
    """The texts of a page, if it consists of nothing but headings, lines and one table."""

    _PIECES = frozenset({"title", "h1", "h2", "p", "dt", "div", "small", "th", "td"})
    _FRAME = frozenset({"html", "head", "meta", "style", "body", "dl", "dd"})
    _TABLE = frozenset({"table", "thead", "tbody", "tr", "span"})
    _ATTRIBUTES = frozenset({"lang", "charset", "name", "content", "http-equiv", "class", "title"})
    _STYLE = re.compile(r"url|import|content|expression|display: none|hidden|[\\<]")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._open = ""
        self._badge = ""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Refuse whatever could run, load, hide or point elsewhere."""
        names = dict(attrs)
        known = tag in self._PIECES | self._FRAME | self._TABLE and names.keys() <= self._ATTRIBUTES
        refresh = names.get("http-equiv", "Content-Security-Policy") != "Content-Security-Policy"
        _require("index.html", known and not refresh, f"<{tag}> has no place on this page")
        if tag == "span":
            self._badge = str(names.get("class"))
        elif tag in self._PIECES | {"style"}:
            _require("index.html", not self._open, f"<{tag}> stands inside <{self._open}>")
            self._open = tag
            if tag != "style":
                self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        """End a piece, or the mark of a character."""
        if tag == "span":
            self._badge = ""
        elif tag == self._open:
            self._open = ""

    def handle_data(self, data: str) -> None:
        """Add to the piece that is open; nothing stands outside of one."""
        if self._badge:
            self._mark(data)
        elif self._open == "style":
            _require("index.html", not self._STYLE.search(data), "its style may hide or load")
        elif self._open:
            self.texts[-1] += data
        else:
            _require("index.html", not data.strip(), f"{data.strip()[:60]!r} is out of place")

    def _mark(self, data: str) -> None:
        """Put a character that is shown by its code point back, or check the note behind one."""
        _require("index.html", re.fullmatch(r"U\+[0-9A-F]{4,6}", data), "a mark is malformed")
        character = chr(int(data[2:], 16))
        if self._badge == "cs-esc":
            self.texts[-1] += character
        else:
            same = self._badge == "cs-odd" and self.texts[-1].endswith(character)
            _require("index.html", same, "a mark is of another character")

    def handle_decl(self, decl: str) -> None:
        """Let only the document type stand."""
        _require("index.html", decl == "doctype html", "it has another declaration")

    def handle_comment(self, data: str) -> None:
        """Refuse what is not shown."""
        raise WrongError("index.html", "it has a comment")

    handle_pi = unknown_decl = handle_comment


_STAGES = (
    ("keys.json", _check_keys),
    (MANIFEST, _check_manifest),
    ("checkpoint", _check_checkpoint),
    (TOKEN, _check_token),
    ("rows.json", _check_rows),
    ("keys.json", _check_signers),
)
_CONTENT = (
    (TOKEN, _check_decision),
    ("rows.json", _check_reviews),
    ("rows.json", _check_executions),
    ("evidence.json", _check_document),
)


def _joined(arguments: Sequence[str]) -> list[str]:
    """Write ``--key X`` as ``--key=X``: one thumbprint in 64 begins with a dash."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--key":
            joined[-1] = f"--key={argument}"
        else:
            joined.append(argument)
    return joined


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the file that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.epilog = __doc__.split("\n\n")[-1]
    parser.add_argument("file", type=Path, metavar="FILE", help="the evidence file")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="THUMBPRINT",
        help="a key (RFC 7638) that you trust, from elsewhere; once for each key",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        data = options.file.read_bytes()
    except OSError as error:
        print(f"{options.file} cannot be read: {error.strerror}.", file=sys.stderr)
        return NOT_CHECKED
    report = verify(data, options.key)
    print(json.dumps(_as_json(report)) if options.json else "\n".join(_lines(report)))
    return report.code


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "code": report.code,
        "subject": report.subject,
        "issuer": report.issuer,
        "findings": [{"where": where, "what": what} for where, what in report.findings],
        "signers": report.signers,
        "unconfirmed": report.unconfirmed,
        "revoked": sorted(report.revoked),
    }


def _lines(report: Report) -> Iterator[str]:
    """Return the lines for a person; nothing out of the file steers the terminal."""
    for where, what in report.findings:
        yield f"WRONG  {_plain(where)}: {_plain(what)}"
    if report.findings:
        yield "This file proves nothing as it is."
        return
    yield f"Consistent: {_plain(report.subject)}, issued by {_plain(report.issuer)}."
    for kid, signs in sorted(report.signers.items()):
        word = "named by you" if kid in report.named else "NOT named by you"
        word = f"{word}, REVOKED" if kid in report.revoked else word
        yield f"Signed ({signs}) by {_plain(kid)}: {word}."
    if report.unconfirmed:
        yield "Not confirmed: name each key with --key after you compared it with a copy elsewhere."
    else:
        yield "Proven under the keys that you named."


def _plain(text: str) -> str:
    return "".join(one if " " <= one <= "~" else f"\\u{{{ord(one):x}}}" for one in text)


if __name__ == "__main__":
    sys.exit(main())
