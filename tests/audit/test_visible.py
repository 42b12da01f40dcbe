"""``audit.visible``: nothing invisible stays invisible, and nothing is lost or let through."""

import json
import re
import unicodedata
from html import unescape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit import visible

NOTE = re.compile(r'<span class="cs-odd" title="[^"]*">U\+[0-9A-F]{4,6}</span>')
BADGE = re.compile(r'<span class="cs-esc" title="[^"]*">U\+([0-9A-F]{4,6})</span>')

#: What a screen draws as nothing, in another order, or over its neighbour.
HIDDEN = {
    "NUL": "\x00",
    "tab": "\t",
    "line feed": "\n",
    "delete": "\x7f",
    "next line": "\x85",
    "no-break space": "\xa0",
    "soft hyphen": "\xad",
    "combining grapheme joiner": "\u034f",
    "arabic letter mark": "\u061c",
    "hangul choseong filler": "\u115f",
    "khmer inherent vowel": "\u17b4",
    "mongolian variation selector": "\u180b",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "line separator": "\u2028",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "first strong isolate": "\u2068",
    "braille blank": "\u2800",
    "ideographic space": "\u3000",
    "hangul filler": "\u3164",
    "private use": "\ue000",
    "variation selector 16": "\ufe0f",
    "byte order mark": "\ufeff",
    "halfwidth hangul filler": "\uffa0",
    "interlinear anchor": "\ufff9",
    "object replacement": "\ufffc",
    "unassigned": "\U0003fffd",
    "musical null notehead": "\U0001d159",
    "tag letter": "\U000e0041",
    "variation selector 256": "\U000e01ef",
}


def restored(html: str) -> str:
    """Undo what showing does: the proof that nothing was left out."""
    without_notes = NOTE.sub("", html)
    return "".join(
        chr(int(part, 16)) if number % 2 else unescape(part)
        for number, part in enumerate(BADGE.split(without_notes))
    )


@pytest.mark.parametrize("character", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_hidden_character_is_shown_by_its_code_point(character):
    shown = visible.show(f"a{character}b")

    assert character not in shown
    assert f">U+{ord(character):04X}</span>" in shown


@pytest.mark.parametrize(
    "text", ["Refund é ü ß 95.00 €", "返金 リクエスト", "Возврат", "نسخة", "👍 – “ok”"]
)
def test_ordinary_text_stays_as_it_is(text):
    assert visible.show(text) == text


def test_a_mark_that_strikes_out_latin_letters_is_shown():
    assert "U+0336" in visible.show("9\u03365")


def test_look_alikes_inside_a_word_carry_their_code_point():
    shown = visible.show("p\u0430ypal")

    assert ">U+0430</span>" in shown
    assert visible.is_mixed("p\u0430ypal")


@pytest.mark.parametrize(
    "word", ["\u0430\u0440\u0440\u04cf\u0435", "\u0391\u0392\u0395", "\u0421\u041e\u0420"]
)
def test_a_word_that_passes_for_latin_carries_its_code_points_beside_latin(word):
    beside = visible.show_block(f"Refund to\n{word}")

    assert all(f">U+{ord(letter):04X}</span>" in beside for letter in word)
    assert visible.show(word) == word


def test_an_honest_foreign_word_carries_none_beside_latin():
    assert visible.show("Refund: Возврат") == "Refund: Возврат"


@pytest.mark.parametrize("letter", ["\uff21", "\U0001d400", "\u210c", "\ufb01", "\u00b2", "\u2460"])
def test_a_styled_letter_or_digit_carries_its_code_point(letter):
    assert f">U+{ord(letter):04X}</span>" in visible.show(f"95{letter}")
    assert f">U+{ord(letter):04X}</span>" in visible.show(letter)


@pytest.mark.parametrize("text", ["\uff11\uff10\uff10", "\u0661\u0660"])
def test_foreign_digits_carry_their_code_point(text):
    assert f"U+{ord(text[0]):04X}" in visible.show(text)


def test_markup_is_text():
    shown = visible.show("<script>\"&'</script>")

    assert "<script" not in shown
    assert restored(shown) == "<script>\"&'</script>"


def test_only_a_block_keeps_its_line_breaks():
    assert visible.show_block("a\nb") == "a\nb"
    assert "U+000A" in visible.show("a\nb")
    assert "U+000D" in visible.show_block("a\r\nb")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Parcel lost, customer upset.\nTwice.", 0),
        ("Parcel\u200b lost", 1),
        ("p\u0430ypal", 1),
        ("\u0441\u043e\u0440 lost", 1),
        ("p\u0430y\u202epal", 2),
        ("返金 リクエスト", 0),
    ],
)
def test_a_reader_is_warned(text, number):
    assert len(visible.warnings(text)) == number


@given(st.text())
@example("\u202e")
@example("a\u0301 \u0928\u093f")
def test_nothing_is_lost_and_nothing_hidden_is_left(text):
    shown = visible.show(text)

    assert restored(shown) == text
    assert not any(visible.is_hidden(character) for character in shown)
    assert "<" not in NOTE.sub("", BADGE.sub("", shown))


@given(st.characters())
def test_every_control_format_and_separator_counts_as_hidden(character):
    category = unicodedata.category(character)

    if category in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or (
        category == "Zs" and character != " "
    ):
        assert visible.is_hidden(character)


LEAVES = st.one_of(st.integers(-(2**53), 2**53), st.text(max_size=30), st.booleans(), st.none())
PAYLOADS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(PAYLOADS)
def test_a_whole_json_value_can_be_read_back_from_what_is_shown(value):
    assert json.loads(restored(visible.show_json(value)), strict=False) == value
