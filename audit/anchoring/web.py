"""An address that takes a checkpoint by POST, such as an object store or a witness."""

import base64
import socket
import ssl
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer

from audit.errors import AnchorError

#: How long one copy may take, from the first byte to the answer, in seconds.
LIMIT = 10.0


class WebTarget:
    """Sends each checkpoint; an answer from 200 to 299 means that it is copied.

    No redirect is followed: the copy would be somewhere that nobody named.
    """

    pace = timedelta(0)

    def __init__(
        self,
        *,
        host: str,
        port: int | None,
        path: str,
        tls: bool,
        account: str | None = None,
        limit: float = LIMIT,
    ) -> None:
        self._host, self._port, self._path, self._tls = host, port, path, tls
        self._limit = limit
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        if account is not None:
            encoded = base64.b64encode(account.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"
        shown = f"[{host}]" if ":" in host else host
        # Account and query may be secret, and the name is stored.
        self.name = (
            f"{'https' if tls else 'http'}://{shown}{'' if port is None else f':{port}'}"
            f"{path.partition('?')[0]}"
        )

    def check(self) -> None:
        """See ``Target.check``; whether somebody answers is seen with the first checkpoint."""

    def copy(self, note: str) -> None:
        """See ``Target.copy``."""
        connection = self._connection()
        late = Event()
        timer = Timer(self._limit, _cut, [connection, late])
        timer.daemon = True
        try:
            connection.connect()
            # The limit of a socket is for one reading; drop by drop an answer could take for ever.
            timer.start()
            connection.request("POST", self._path, body=note.encode(), headers=self._headers)
            status = connection.getresponse().status
        except (OSError, HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise AnchorError(f"{self.name} does not answer: {reason}.") from error
        finally:
            timer.cancel()
            connection.close()
        # Half an answer that was cut off would otherwise pass for a whole one.
        if late.is_set():
            raise AnchorError(f"{self.name} does not answer within {self._limit:g} seconds.")
        if not 200 <= status < 300:
            raise AnchorError(f"{self.name} answered {status}.")

    def _connection(self) -> HTTPConnection:
        if self._tls:
            context = ssl.create_default_context()
            return HTTPSConnection(self._host, self._port, timeout=self._limit, context=context)
        return HTTPConnection(self._host, self._port, timeout=self._limit)


def _cut(connection: HTTPConnection, late: Event) -> None:
    """End a reading under way; closing alone would let it wait."""
    late.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
