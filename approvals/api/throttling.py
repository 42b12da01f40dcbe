"""At most so many calls per second and key: a token bucket, shared by all web processes.

The bucket lives in Redis (or Valkey). When that is absent or frozen, each process counts for
itself: the limit then holds per process, and no call waits for a dead server.
"""

import functools
import logging
import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from approvals.models import AgentKey

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

#: Seconds that a call may wait for Redis; a healthy one answers within a millisecond.
PATIENCE = 0.2
#: Seconds without Redis after it failed once, so that a frozen one costs one wait, not one a call.
PAUSE = 5.0
#: Buckets that one process remembers by itself; beyond it the oldest are full again anyway.
MOST_LOCAL = 10_000

#: Takes one token; returns the microseconds to wait, 0 when it was taken. Redis' own clock, so
#: that web machines with different clocks share one bucket. Numbers are written with all their
#: digits: Lua's default keeps 14 of the 16 that microseconds have.
_TAKE = """
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(bucket[1]) or burst
local at = tonumber(bucket[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000000)
local wait = 0
if tokens >= 1 then
  tokens = tokens - 1
else
  wait = math.ceil((1 - tokens) * 1000000 / rate)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens),
           'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
return wait
"""


class KeyRateThrottle(BaseThrottle):
    """Counts the calls of one agent key."""

    _wait = 0.0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Take a token for the key that the call was authenticated with."""
        if isinstance(request.auth, AgentKey):
            self._wait = take(request.auth.pk)
        return self._wait == 0

    def wait(self) -> float:
        """Return the seconds until there is a token again."""
        return self._wait


def take(key_id: str) -> float:
    """Take one token of a key's bucket; return the seconds to wait, 0 when there was one."""
    rate, burst = settings.COUNTERSIGN_RATE_PER_SECOND, settings.COUNTERSIGN_RATE_BURST
    if settings.REDIS_URL and _breaker.is_closed():
        try:
            script = _script(settings.REDIS_URL)
            return float(script(keys=[f"countersign:rate:{key_id}"], args=[rate, burst])) / 1e6
        except (redis.RedisError, OSError) as error:
            _breaker.open(error)
    return _local.take(key_id, rate, burst)


def redis_address(url: str) -> str:
    """Return the address as the redis client writes it; Celery has its own form for sockets.

    ``redis+socket:///run/valkey.sock?virtual_host=1`` is ``unix:///run/valkey.sock?db=1`` there.
    """
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
    return f"unix://{parts.path}?db={database.lstrip('/') or '0'}"


def connect(url: str, *, patience: float = PATIENCE) -> redis.Redis:
    """Return a client that waits at most ``patience`` seconds for anything, and never retries."""
    return redis.Redis.from_url(
        redis_address(url),
        socket_timeout=patience,
        socket_connect_timeout=patience,
        retry=Retry(NoBackoff(), 0),
    )


@functools.cache
def _script(url: str) -> Any:
    return connect(url).register_script(_TAKE)


@dataclass
class _Bucket:
    tokens: float
    at: float


class LocalBuckets:
    """The same buckets within one process, on its monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key_id: str, rate: float, burst: float) -> float:
        """Take one token; return the seconds to wait, 0 when there was one."""
        with self._lock:
            now = monotonic()
            # Taken out and put back, so that the dictionary is ordered by last use.
            bucket = self._buckets.pop(key_id, None) or _Bucket(tokens=burst, at=now)
            self._buckets[key_id] = bucket
            if len(self._buckets) > MOST_LOCAL:
                del self._buckets[next(iter(self._buckets))]
            bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / rate
            bucket.tokens -= 1
            return 0.0


class Breaker:
    """Remembers that Redis failed, for a few seconds."""

    def __init__(self) -> None:
        self._open_until = 0.0

    def is_closed(self) -> bool:
        """Tell whether Redis may be asked."""
        return monotonic() >= self._open_until

    def open(self, error: Exception) -> None:
        """Leave Redis alone for a while."""
        self._open_until = monotonic() + PAUSE
        logger.warning(
            "Rate limits hold per process for %s s, Redis does not answer: %s", PAUSE, error
        )


_local = LocalBuckets()
_breaker = Breaker()
