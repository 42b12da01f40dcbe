"""HTTP/1.1 on the loopback address: bytes in, one ``Application.answer``, bytes out."""

import select
import socket
import struct
import sys
import threading
import time
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from executors.stripe.sandbox.application import Application
from executors.stripe.sandbox.errors import ApiError, EarlyError
from executors.stripe.sandbox.faults import RUNS, Fault, FaultKind, refusal_of
from executors.stripe.sandbox.messages import Answer, Request, as_bytes

HOST = "127.0.0.1"
#: No request of Stripe's v1 API that this stand-in knows comes near it.
MAX_BODY_BYTES = 1024 * 1024
#: Seconds that an idle connection is kept open.
_IDLE_SECONDS = 75
#: Seconds that a stop waits for answers under way.
_DRAIN_SECONDS = 5.0
#: To linger for no time at all is to reset the connection.
_RESET = struct.pack("ii", 1, 0)


class SandboxServer(ThreadingHTTPServer):
    """One thread per connection; a stop lets the answers under way finish."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, application: Application, *, is_verbose: bool = False) -> None:
        self.application = application
        self.is_verbose = is_verbose
        self._under_way = 0
        self._changed = threading.Condition()
        super().__init__((HOST, port), SandboxHandler)

    def begin(self) -> None:
        """Count a request whose answer a stop must wait for."""
        with self._changed:
            self._under_way += 1

    def end(self) -> None:
        """Count it out again."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def drain(self) -> None:
        """Wait until no answer is under way, but not for ever."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0, timeout=_DRAIN_SECONDS)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; one that is to be reset says no good-bye before."""
        linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET))
        if linger == _RESET:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that left; everything else is worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class SandboxHandler(BaseHTTPRequestHandler):
    """Reads requests from one connection and writes their answers."""

    server: SandboxServer
    protocol_version = "HTTP/1.1"
    server_version = "LocalStripe"
    sys_version = ""
    timeout = _IDLE_SECONDS
    # Answers are one segment: without this a client on loopback waits 40 ms for each.
    disable_nagle_algorithm = True
    wbufsize = -1

    def _exchange(self) -> None:
        """Answer one request."""
        self.server.begin()
        try:
            try:
                request = self._read_request()
            except EarlyError as error:
                # The body was not read, so the connection cannot be used again.
                self.close_connection = True
                self._write_answer(_refusal(error))
                return
            fault = self.server.application.faults.take(request)
            if fault is not None:
                self._misbehave(request, fault)
            else:
                self._write_answer(self.server.application.answer(request))
        finally:
            self.server.end()

    # The base class looks its methods up by these names.
    do_GET = do_HEAD = do_POST = _exchange  # noqa: N815
    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _exchange  # noqa: N815

    def _read_request(self) -> Request:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            if name.lower() in headers:
                raise EarlyError(f"Invalid request: the header {name} occurs twice.")
            headers[name.lower()] = value
        if "transfer-encoding" in headers:
            raise EarlyError("Invalid request: send a Content-Length.", status=411)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise EarlyError("Invalid request: the Content-Length is not a number.")
        if int(length) > MAX_BODY_BYTES:
            message = f"Invalid request: the body is larger than {MAX_BODY_BYTES} bytes."
            raise EarlyError(message, status=413)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            # Half a form is another form: "amount=1" of "amount=1000".
            raise ConnectionResetError("The client left in the middle of its request.")
        return Request(method=self.command, target=self.path, headers=headers, body=body)

    def _misbehave(self, request: Request, fault: Fault) -> None:
        """Do to one request what the script says (see ``faults``)."""
        kind = fault.kind
        if kind == FaultKind.SLOW:
            time.sleep(min(fault.seconds, _IDLE_SECONDS))
        refusal = refusal_of(fault, request)
        if refusal is not None:
            answer = _refusal(refusal)
            waits = {"Retry-After": str(fault.retry_after)} if refusal.status == 429 else {}
            self._write_answer(replace(answer, headers={**answer.headers, **waits}))
        elif kind in (FaultKind.SLOW, FaultKind.STORED_500):
            breaks = kind == FaultKind.STORED_500
            self._write_answer(self.server.application.answer(replace(request, breaks=breaks)))
        else:
            answer = self.server.application.answer(request) if kind in RUNS else _EMPTY
            self._break_off(answer, fault)

    def _break_off(self, answer: Answer, fault: Fault) -> None:
        """End the connection without a whole answer."""
        self.close_connection = True
        if fault.kind == FaultKind.REFUSE:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif fault.kind in (FaultKind.HANG, FaultKind.HANG_AFTER):
            # The client leaves, or the time is over; nothing more is read from it.
            select.select([self.connection], [], [], min(fault.seconds, _IDLE_SECONDS))
        elif fault.kind == FaultKind.TRUNCATE:
            self._write_answer(answer, part=len(answer.body) // 2)
        elif fault.kind == FaultKind.NOT_JSON:
            self._write_answer(Answer(status=200, body=b"<html>It works!</html>"))

    def _write_answer(self, answer: Answer, *, part: int | None = None) -> None:
        """Write an answer; of its body only the first ``part`` bytes where that was asked for."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[:part])
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not HTTP in Stripe's shape instead of the base class's HTML."""
        self.close_connection = True
        text = message or HTTPStatus(code).phrase
        self.command = self.command or ""
        # What is no HTTP at all is taken for version 0.9, which would get no status line.
        self.request_version = self.protocol_version
        self._write_answer(_refusal(EarlyError(f"Invalid request: {text}.", status=code)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log one line per request where that was asked for; never a header, so never a key."""
        if self.server.is_verbose:
            sys.stderr.write(f"{self.log_date_time_string()} {format % args}\n")


_EMPTY = Answer(status=200, body=b"")


def _refusal(error: ApiError) -> Answer:
    headers = {"Content-Type": "application/json"}
    return Answer(status=error.status, body=as_bytes(error.body()), headers=headers)
