"""The local Stripe on the wire: forms, bodies, connections and what is no HTTP."""

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.form import decode
from executors.stripe.sandbox.messages import Request
from executors.stripe.sandbox.process import RunningSandbox
from executors.stripe.sandbox.server import MAX_BODY_BYTES, SandboxServer
from tests.executors.stripe.conftest import Shop, Stage, error_of

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def connection(local: RunningSandbox) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(local.base_url).netloc, timeout=10)
    yield connection
    connection.close()


def exchange(
    connection: http.client.HTTPConnection,
    sandbox: RunningSandbox,
    method: str = "POST",
    path: str = "/v1/refunds",
    body: bytes = b"",
    **headers: str,
) -> tuple[http.client.HTTPResponse, Any]:
    sent = {"Authorization": f"Bearer {sandbox.secret_key}", "Content-Type": FORM}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, sent)
    response = connection.getresponse()
    text = response.read()
    return response, json.loads(text) if text else None


def test_a_form_is_nested_by_its_brackets() -> None:
    text = b"a=1&b[c]=2&b[d][e]=3&f[]=x&f[]=y&g[0]=z&h=%C3%A9+%26&i=&"

    assert decode(text) == {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}},
        "f": {"0": "x", "1": "y"},
        "g": {"0": "z"},
        "h": "é &",
        "i": "",
    }


@pytest.mark.parametrize(
    "form",
    [
        b"amount=%zz",
        b"amount=%",
        b"amount=%ff",
        b"metadata[a]=%00",
        b"amount=1&amount=2",
        b"metadata[a]=1&metadata=2",
        b"metadata=2&metadata[a]=1",
        b"metadata[a=1",
        b"metadata]a[=1",
        b"[a]=1",
        b"=1",
        b"metadata[a][b][c][d][e][f]=1",
        b"&".join(b"metadata[%d]=1" % number for number in range(1001)),
    ],
)
def test_a_malformed_form_is_refused(form: bytes) -> None:
    with pytest.raises(EarlyError, match=r"Invalid request|more than 1000"):
        decode(form)


def test_a_refused_form_is_an_answer(stage: Stage) -> None:
    plain = {"content-type": f"{FORM}; charset=utf-8"}

    answer = stage.application.answer(stage_request(stage, body=b"amount=%ff", **plain))

    assert (answer.status, error_of(answer)["type"]) == (400, "invalid_request_error")


def stage_request(stage: Stage, *, body: bytes, **headers: str) -> Request:
    bearer = {"authorization": f"Bearer {stage.secrets['secret']}"}
    return Request(method="POST", target="/v1/refunds", headers={**bearer, **headers}, body=body)


def test_several_unknown_parameters_are_named_together(stage: Stage) -> None:
    answer = stage.send("POST", "/v1/refunds", {"colour": "blue", "size": 1})

    assert error_of(answer)["message"] == "Received unknown parameters: colour, size"


def test_an_api_version_must_look_like_one(stage: Stage) -> None:
    answer = stage.application.answer(stage_request(stage, body=b"", **{"stripe-version": "new"}))

    assert answer.status == 400
    assert "Invalid Stripe API version" in error_of(answer)["message"]


@pytest.mark.process
def test_a_json_body_is_refused(
    connection: http.client.HTTPConnection, local: RunningSandbox
) -> None:
    response, body = exchange(connection, local, body=b"{}", Content_Type="application/json")

    assert response.status == 400
    assert FORM in body["error"]["message"]


@pytest.mark.process
def test_a_connection_serves_many_requests(
    connection: http.client.HTTPConnection, local: RunningSandbox
) -> None:
    sockets = set()
    for _ in range(3):
        response, _ = exchange(connection, local, "GET", "/v1/balance")
        assert response.status == 200
        sockets.add(connection.sock)

    assert len(sockets) == 1


@pytest.mark.process
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content_Length": str(MAX_BODY_BYTES + 1)}, 413),
        ({"Content_Length": "ten"}, 400),
        ({"Content_Length": "-1"}, 400),
        ({"Transfer_Encoding": "chunked"}, 411),
    ],
)
def test_a_body_that_cannot_be_read_ends_the_connection(
    connection: http.client.HTTPConnection,
    local: RunningSandbox,
    headers: dict[str, str],
    status: int,
) -> None:
    response, body = exchange(connection, local, **headers)

    assert response.status == status
    assert response.getheader("Connection") == "close"
    assert body["error"]["type"] == "invalid_request_error"


@pytest.mark.process
def test_a_header_given_twice_is_refused(
    connection: http.client.HTTPConnection, local: RunningSandbox
) -> None:
    connection.putrequest("POST", "/v1/refunds")
    for key in ("one", "two"):
        connection.putheader("Idempotency-Key", key)
    connection.endheaders()

    assert connection.getresponse().status == 400


@pytest.mark.process
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_an_unknown_address(
    connection: http.client.HTTPConnection, local: RunningSandbox, method: str
) -> None:
    response, body = exchange(connection, local, method, "/v1/refunds")

    assert response.status == 404
    assert body["error"]["message"].startswith(f"Unrecognized request URL ({method}: /v1/refunds)")


@pytest.mark.process
def test_a_head_request_has_no_body(
    connection: http.client.HTTPConnection, local: RunningSandbox
) -> None:
    response, body = exchange(connection, local, "HEAD", "/")
    assert (response.status, body) == (200, None)

    again, _ = exchange(connection, local, "GET", "/v1/balance")
    assert again.status == 200


@pytest.mark.process
def test_half_a_request_is_not_carried_out(local: RunningSandbox, local_shop: Shop) -> None:
    payment = local_shop.pay()
    whole = f"payment_intent={payment.id}&amount=1000".encode()
    with talking_to(local) as raw:
        head = (
            "POST /v1/refunds HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {local.secret_key}\r\n"
            f"Content-Type: {FORM}\r\nContent-Length: {len(whole)}\r\n\r\n"
        )
        raw.sendall(head.encode() + whole[:-3])
        raw.shutdown(socket.SHUT_WR)
        answer = raw.makefile("rb").read()

    assert answer == b""
    assert local_shop.refunds_of(payment) == []


def talking_to(sandbox: RunningSandbox) -> socket.socket:
    address = urlsplit(sandbox.base_url)
    assert address.hostname
    assert address.port
    return socket.create_connection((address.hostname, address.port), timeout=10)


@pytest.mark.process
def test_what_is_no_http_is_refused_in_words(local: RunningSandbox) -> None:
    with talking_to(local) as raw:
        raw.sendall(b"GIVE ME MY MONEY\r\n\r\n")
        answer = raw.makefile("rb").read()

    assert b" 400 " in answer.splitlines()[0]
    assert b"invalid_request_error" in answer


def test_only_a_client_that_left_is_passed_over(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    with SandboxServer(0, stage.application) as server:
        for error in (BrokenPipeError("gone"), RuntimeError("broken on purpose")):
            try:
                raise error
            except (BrokenPipeError, RuntimeError):
                server.handle_error(None, ("127.0.0.1", 1))

    text = capsys.readouterr().err
    assert "broken on purpose" in text
    assert "gone" not in text
