"""An address that takes checkpoints by POST, played by a server on this machine."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from audit.anchoring.targets import parse
from audit.anchoring.web import WebTarget
from audit.errors import AnchorError


class Place:
    """What the server answers, and what it was sent."""

    def __init__(self) -> None:
        self.status = 201
        self.seen: list[tuple[str, dict[str, str], str]] = []
        self.released = threading.Event()
        self.drips = False


@pytest.fixture
def place():
    place = Place()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            place.seen.append((self.path, dict(self.headers), body))
            if place.drips:
                self.wfile.write(b"HTTP/1.1 200 ")
                place.released.wait(30)
                return
            self.send_response(place.status)
            if place.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    place.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield place
    place.released.set()
    server.shutdown()
    server.server_close()


def target(place, path="/log?bucket=1", account="") -> WebTarget:
    return parse(f"http://{account}127.0.0.1:{place.port}{path}", production=False)


def test_the_checkpoint_is_the_body_of_a_post(place):
    target(place, account="me:s%40cret@").copy("origin\n12\nröot\n")

    [(path, headers, body)] = place.seen
    assert (path, body) == ("/log?bucket=1", "origin\n12\nröot\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Authorization"] == "Basic bWU6c0BjcmV0"


@pytest.mark.parametrize("status", [302, 403, 500])
def test_any_other_answer_is_no_copy_and_no_redirect_is_followed(place, status):
    place.status = status

    with pytest.raises(AnchorError, match=rf"/log answered {status}\.$"):
        target(place).copy("note")
    assert len(place.seen) == 1


def test_an_answer_that_never_ends_is_given_up(place):
    place.drips = True
    slow = WebTarget(host="127.0.0.1", port=place.port, path="/", tls=False, limit=1)

    with pytest.raises(AnchorError, match="does not answer"):
        slow.copy("note")


def test_nobody_there_is_a_sentence(place):
    nobody = WebTarget(host="127.0.0.1", port=1, path="/", tls=False)

    with pytest.raises(AnchorError, match=r"^http://127\.0\.0\.1:1/ does not answer: "):
        nobody.copy("note")


def test_a_certificate_is_asked_for(place):
    """The server speaks no TLS: nothing may reach it."""
    with pytest.raises(AnchorError, match="does not answer"):
        parse(f"https://127.0.0.1:{place.port}/", production=True).copy("note")
    assert place.seen == []
