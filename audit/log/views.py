"""The log as monitors and witnesses read it: the checkpoint and the tiles of C2SP tlog-tiles.

Anybody may read it. It tells how much is recorded and when, and nothing else: an entry is a salted
digest.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from audit.errors import TileError
from audit.log import storage, tiles
from audit.log.tiles import Bundle, Tile


@require_safe
@cache_control(public=True, max_age=1)
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Answer with what was signed last."""
    last = storage.last_checkpoint()
    if last is None:
        raise Http404("Nothing was sealed yet.")
    return HttpResponse(last.note, content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)
def tile(request: HttpRequest, place: str) -> HttpResponse:
    """Answer with a tile or a bundle of entries, if the last checkpoint covers all of it."""
    last = storage.last_checkpoint()
    try:
        wanted = tiles.parse_path(f"tile/{place}")
        if last is None or not tiles.has_tile(last.size, _hashes_of(wanted)):
            raise TileError("The log is not as large as that.")
        data = _read(wanted)
    except TileError as error:
        raise Http404(str(error)) from error
    return HttpResponse(data, content_type="application/octet-stream")


def _hashes_of(wanted: Tile | Bundle) -> Tile:
    """Return the tile itself, or the one over the entries of a bundle."""
    if isinstance(wanted, Tile):
        return wanted
    return Tile(level=0, index=wanted.index, width=wanted.width)


def _read(wanted: Tile | Bundle) -> bytes:
    if isinstance(wanted, Bundle):
        return storage.read_bundle(wanted)
    return storage.read_tiles([wanted])[wanted]
