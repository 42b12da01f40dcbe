"""What talks to the web process from outside: an agent with its key, a person with a browser."""

import http.client
import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urlsplit

#: Longer than anything may take, so that a test fails with an answer and not with a hang.
TIMEOUT = 30

_HIDDEN = r'name="{}" value="([^"]*)"'


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, text, headers and the address it came from at last."""

    status: int
    text: str
    headers: http.client.HTTPMessage
    url: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    def hidden(self, name: str) -> str:
        """The value of a hidden input of the page."""
        found = re.search(_HIDDEN.format(name), self.text)
        assert found is not None, f"no input {name!r} on {self.url}: {self.text[:2000]}"
        return found[1]


class AgentClient:
    """An agent: it knows an address and its key."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def submit(self, payload: dict[str, Any], idempotency_key: str, **fields: Any) -> Answer:
        """POST a request for a refund."""
        body = {"service": "support", "action": "stripe.refund", "payload": payload, **fields}
        headers = {**self._headers, "Idempotency-Key": idempotency_key}
        return _call(f"{self.base_url}/api/v1/requests", body=body, headers=headers)

    def get(self, path: str) -> Answer:
        """GET an address below ``/api/v1``."""
        return _call(f"{self.base_url}/api/v1/{path}", headers=self._headers)

    def post(self, path: str) -> Answer:
        """POST nothing to an address below ``/api/v1``."""
        headers = {name: self._headers[name] for name in ("Authorization",)}
        return _call(f"{self.base_url}/api/v1/{path}", data=b"", headers=headers)

    def request(self, request_id: str) -> dict[str, Any]:
        """Read a request as it is now."""
        answer = self.get(f"requests/{request_id}")
        assert answer.status == 200, answer.text
        found: dict[str, Any] = answer.json
        return found


class Browser:
    """A signed-in person: cookies and CSRF tokens as a browser carries them."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> Answer:
        """Open a page."""
        return _call(f"{self.base_url}{path}", opener=self._opener)

    def post(self, page: Answer, path: str = "", **fields: str) -> Answer:
        """Send the form of a page that is open, to the page itself or to ``path``."""
        url = f"{self.base_url}{path}" if path else page.url
        data = {"csrfmiddlewaretoken": page.hidden("csrfmiddlewaretoken"), **fields}
        headers = {"Referer": page.url, "Origin": self.base_url}
        return _call(url, data=urlencode(data).encode(), headers=headers, opener=self._opener)

    def sign_in(self, username: str, password: str) -> "Browser":
        """Sign in with username and password."""
        page = self.get("/admin/login/?next=/admin/")
        answer = self.post(page, username=username, password=password)
        assert urlsplit(answer.url).path == "/admin/", answer.text
        return self

    def decide_path(self, request_id: str) -> str:
        """Where a request is decided."""
        return f"/admin/approvals/approvalrequest/{request_id}/decide/"

    def decide(self, request_id: str, outcome: str, reason: str, **fields: str) -> Answer:
        """Open the decide page, and decide on what it shows."""
        page = self.get(self.decide_path(request_id))
        assert page.status == 200, page.text
        return self.post(
            page, outcome=outcome, reason=reason, digest=page.hidden("digest"), **fields
        )


def _call(
    url: str,
    *,
    body: dict[str, Any] | None = None,
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
    opener: urllib.request.OpenerDirector | None = None,
) -> Answer:
    content = data if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=content, headers=headers or {})
    call = opener or urllib.request.build_opener()
    try:
        response = call.open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        text = response.read().decode()
        return Answer(response.status, text, response.headers, response.url)
