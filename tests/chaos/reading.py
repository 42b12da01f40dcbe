"""Reads what several lanes print, as it comes."""

import json
import selectors
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any


def lines_of(lanes: Sequence["subprocess.Popen[str]"]) -> Iterator[dict[str, Any]]:
    """Yield each line of each lane, until all of them have ended."""
    with selectors.DefaultSelector() as selector:
        for lane in lanes:
            assert lane.stdout is not None
            selector.register(lane.stdout, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                # A second line in the buffer is read with the next one, or with the end.
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line:
                    yield json.loads(line)
                else:
                    selector.unregister(key.fileobj)
