"""Every single byte of an evidence file counts."""

import struct
import zlib
from collections.abc import Iterator

import pytest

from audit import verifier
from tests.audit.evidence.forging import Forger, golden, named, wrong

pytestmark = pytest.mark.embedded

WHOLE = golden("changed")
LOCAL = struct.Struct("<4s5H3I2H")


def parts() -> Iterator[tuple[str, int, int]]:
    """Yield each part of the zip: its name, where it begins and ends."""
    place = 0
    for name, content in verifier.unpack(WHOLE).items():
        start = place + LOCAL.size + len(name)
        yield f"header of {name}", place, start
        yield name, start, start + len(content)
        place = start + len(content)
    yield "directory", place, len(WHOLE)


def undetected(places: Iterator[int], flip: int) -> list[int]:
    """Return at which places a changed byte is not found wrong."""
    data = bytearray(WHOLE)
    missed = []
    for place in places:
        data[place] ^= flip
        if verifier.verify(bytes(data), named()).code != verifier.WRONG:
            missed.append(place)
        data[place] ^= flip
    return missed


@pytest.mark.parametrize(
    ("start", "end"), [part[1:] for part in parts()], ids=[p[0] for p in parts()]
)
def test_a_changed_byte_is_found_in_every_part(start, end):
    """Each byte of the small parts, and of large ones each end and every 61st byte."""
    edges = {*range(start, min(start + 40, end)), *range(max(start, end - 40), end)}
    places = sorted(edges | set(range(start, end, 61 if end - start > 1500 else 1)))

    assert undetected(iter(places), 0x01) == []


@pytest.mark.long
@pytest.mark.parametrize("flip", [0x01, 0x80])
@pytest.mark.parametrize("first", range(8))
def test_every_changed_byte_is_found(first, flip):
    """In eight parts, so that two cores share them and none takes minutes."""
    assert undetected(iter(range(first, len(WHOLE), 8)), flip) == []


@pytest.mark.parametrize("name", sorted(verifier.unpack(WHOLE)))
def test_a_changed_byte_is_found_and_named_when_the_checksum_was_repaired(name):
    content = verifier.unpack(WHOLE)[name]
    for place in sorted({0, len(content) // 2, len(content) - 1, *range(0, len(content), 997)}):
        forger = Forger()
        forger.members[name] = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

        [finding, *_] = wrong(forger.pack())

        assert finding.startswith((name, "rows.json, row")), finding


@pytest.mark.parametrize("length", [0, 1, 29, 30, 1000, len(WHOLE) // 2, len(WHOLE) - 1])
def test_a_file_that_was_cut_is_wrong(length):
    assert wrong(WHOLE[:length])


@pytest.mark.parametrize("garbage", [b"\0", b"x" * 100, b"PK\x03\x04", WHOLE])
def test_nothing_stands_before_or_behind(garbage):
    assert wrong(garbage + WHOLE)
    assert wrong(WHOLE + garbage)


def test_a_byte_that_is_missing_or_there_twice_is_found():
    for place in range(0, len(WHOLE), 1009):
        assert wrong(WHOLE[:place] + WHOLE[place + 1 :])
        assert wrong(WHOLE[:place] + WHOLE[place : place + 1] + WHOLE[place:])


def test_the_checksums_of_the_zip_are_those_that_others_read():
    """So that whoever opens the file with another program sees the same contents."""
    for _, start, _ in [part for part in parts() if part[0].startswith("header")]:
        *_, checksum, size, _, name_size, _ = LOCAL.unpack_from(WHOLE, start)
        content = WHOLE[start + LOCAL.size + name_size :][:size]
        assert zlib.crc32(content) == checksum
