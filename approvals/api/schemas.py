"""Everything that goes over the wire, as JSON Schema 2020-12: the OpenAPI components.

The contract tests compare each answer with these, so that they cannot drift from ``serializers``.
"""

from typing import Any

from approvals.api import bodies, errors, text
from approvals.enums import Outcome, Priority, RequestStatus, Verdict
from executors import registry
from executors.enums import ExecutionStatus, Reversibility

Schema = dict[str, Any]

_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SECONDS = {"type": "integer", "minimum": 1}
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-23T09:30:00.000000Z"]}
_ANY_OBJECT = {"type": "object", "additionalProperties": True}
_REQUEST_ID = {
    "type": "string",
    "pattern": text.REQUEST_ID,
    "examples": ["req_01kasx2v7e8m4q9r5t6w1y3z0b"],
}


def _closed(about: str, **properties: Schema) -> Schema:
    """Return an object that has exactly these members, all of them."""
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]}


def _text(about: str) -> Schema:
    return {"type": "string", "description": about}


def _enum(values: list[str], about: str = "") -> Schema:
    return {"type": "string", "enum": values} | ({"description": about} if about else {})


def _decision_members() -> dict[str, Schema]:
    return {
        "id": _text("The decision's id: the token's `jti`."),
        "outcome": _enum(list(Outcome.values)),
        "reason": _or_null(_text("Why, in the reviewer's words; null when they were erased.")),
        "decided_at": _TIME,
        "expires_at": _TIME | {"description": "It is carried out before this time, or never."},
        "payload_version": {
            "type": "integer",
            "minimum": 1,
            "description": "1 is the payload as submitted; a reviewer's change is the next.",
        },
    }


def _submission() -> Schema:
    """Return the body of a submission, with the actions of this installation filled in."""
    schema = bodies.SUBMISSION.schema()
    names = [name for action in registry.catalogue() for name in (action.name, *action.aliases)]
    schema["properties"]["action"] |= {"enum": names}
    schema["properties"]["payload"] |= {"anyOf": [_ref(name) for name in _payloads()]}
    return schema


def _payloads() -> dict[str, Schema]:
    return {
        f"{action.name}.v{action.version}": dict(action.schema) for action in registry.catalogue()
    }


def _request() -> Schema:
    return _closed(
        "A wish to have an action done, and what became of it.",
        id=_REQUEST_ID,
        object={"const": "approval_request"},
        status=_enum(list(RequestStatus.values), "All but `PENDING` are final."),
        service=_text("The label under which it was submitted."),
        action=_text("The catalogue name, also when an alias was submitted."),
        priority=_enum(list(Priority.values)),
        reason=_or_null(_text("The agent's own words; null when they were erased.")),
        payload=_or_null(_ANY_OBJECT)
        | {"description": "The payload as submitted; null when it was erased."},
        payload_sha256=_SHA256 | {"description": "SHA-256 over the RFC 8785 form of `payload`."},
        created_at=_TIME,
        expires_at=_TIME | {"description": "Past this time nobody can approve it."},
        review_url={"type": "string", "description": "Where a person decides it."},
        decision=_or_null(_ref("DecisionSummary")),
        execution=_or_null(_ref("Execution")),
        supersedes=_or_null(_REQUEST_ID),
        superseded_by=_or_null(_REQUEST_ID),
    )


def _decision() -> Schema:
    members = _decision_members()
    return _closed(
        "What was decided, by whom, and the signed token that proves it.",
        object={"const": "decision"},
        request_id=_REQUEST_ID,
        **members,
        payload=_or_null(_ANY_OBJECT)
        | {"description": "The payload as submitted; null when it was erased."},
        patched_payload=_or_null(_ANY_OBJECT)
        | {"description": "As a reviewer changed it; null when nobody did, or it was erased."},
        diff={
            "type": ["array", "null"],
            "items": _ANY_OBJECT,
            "description": "JSON Patch (RFC 6902) from `payload` to `patched_payload`; null when "
            "it was erased.",
        },
        reviewers={"type": "array", "items": _ref("Review")},
        token=_or_null(
            _text(
                "JWS in compact form; verify it with `/.well-known/jwks.json`. Null when its text "
                "was erased."
            )
        ),
    )


def _execution() -> Schema:
    return _closed(
        "The carrying-out of an approval.",
        status=_enum(list(ExecutionStatus.values)),
        provider_status={
            "type": ["string", "null"],
            "description": "The provider's own status, in its own words.",
        },
        receipt={
            "type": ["object", "null"],
            "additionalProperties": True,
            "description": "What the provider did: reference, status, amount and currency.",
        },
        error=_or_null(_closed("Why it went wrong.", code=_text(""), message=_or_null(_text("")))),
    )


def _problem() -> Schema:
    return {
        "type": "object",
        "description": "A problem (RFC 9457). `code` is stable; program against it.",
        "properties": {
            "type": _text(f"`{errors.TYPE_PREFIX}` and the code."),
            "title": _text("What the code means."),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": _text("What is wrong this time, and what to do."),
            "code": _text("One of the codes of the table; actions may add their own.")
            | {"examples": ["unknown_field"]},
            "field": _text("JSON Pointer (RFC 6901) to what is wrong in the body."),
            "parameter": _text("The query parameter or header that is wrong."),
            "request_id": _text("The id of this HTTP call, as in the `Request-Id` header."),
        },
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "additionalProperties": False,
    }


def _action() -> Schema:
    return _closed(
        "Something that agents may propose.",
        object={"const": "action"},
        name=_text("The name to submit it under."),
        version={"type": "integer", "minimum": 1},
        aliases={"type": "array", "items": {"type": "string"}},
        summary=_text("What it does, in a sentence."),
        schema=_ANY_OBJECT | {"description": "JSON Schema 2020-12 of its payload."},
        editable={
            "type": "array",
            "items": {"type": "string"},
            "description": "Payload fields that a reviewer may change.",
        },
        reversibility=_enum(list(Reversibility.values)),
        expires_in=_closed(
            "How long a request may wait for its decision, in seconds.",
            least=_SECONDS,
            most=_SECONDS,
            default=_SECONDS | {"description": "When the request does not say."},
        ),
        execute_within=_SECONDS | {"description": "How long after the decision it may be done."},
    )


def _list_of(name: str, about: str, **more: Schema) -> Schema:
    return _closed(
        about, object={"const": "list"}, data={"type": "array", "items": _ref(name)}, **more
    )


def components() -> dict[str, Schema]:
    """Return every named schema of the OpenAPI document."""
    return {
        "Submission": _submission(),
        **_payloads(),
        "ApprovalRequest": _request(),
        "ApprovalRequestList": _list_of(
            "ApprovalRequest",
            "A page of requests, newest first.",
            has_more={"type": "boolean"},
            next_cursor={"type": ["string", "null"]},
        ),
        "DecisionSummary": _closed("What was decided.", **_decision_members()),
        "Decision": _decision(),
        "Review": _closed(
            "One person's vote.",
            username=_text("Who."),
            verdict=_enum(list(Verdict.values)),
            payload_version={"type": "integer", "minimum": 1},
            reviewed_at=_TIME,
        ),
        "Execution": _execution(),
        "Action": _action(),
        "ActionList": _list_of("Action", "The catalogue."),
        "KeySet": _key_set(),
        "Status": _closed("All is well.", status={"const": "ok"}),
        "Problem": _problem(),
    }


def _key_set() -> Schema:
    key = _closed(
        "An Ed25519 public key (RFC 8037).",
        kty={"const": "OKP"},
        crv={"const": "Ed25519"},
        x=_text("The key."),
        kid=_text("Its RFC 7638 thumbprint."),
        use={"const": "sig"},
    )
    return _closed("A JSON Web Key Set (RFC 7517).", keys={"type": "array", "items": key})
