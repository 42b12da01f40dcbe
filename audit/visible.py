"""Text as a reviewer may safely read it: nothing invisible stays invisible.

Whoever writes a payload or a reason can put characters into it that a screen does not draw, draws
in another order, or draws like other characters. Here every character outside a printable set
becomes a badge with its code point (``U+202E``). Letters that pass for others carry their code
point beside them: in words of mixed scripts, in words that pass for Latin ones as a whole, and
wherever a foreign digit or a styled letter stands. Everything is HTML-escaped, and nothing is left
out, so that the page shows exactly what is signed.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

#: Code points that fonts draw as nothing although their category calls them printable: Unicode's
#: default-ignorables (DerivedCoreProperties) and blanks that look like spaces or like nothing.
_BLANK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U00016fe4"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: Controls, formats, surrogates, private use, unassigned, and separators other than the space.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_WORDS = re.compile(r"\w+|\W+")
#: Scripts that one word of one language mixes as a matter of course.
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO", "HANGUL"})
#: Cyrillic and Greek letters that fonts draw like Latin ones.
_LIKE_LATIN = frozenset("аеіјорѕсухһԁԛԝӏүАВЕІЈКМНОРЅСТУХҺԚԜӀҮανικορυχϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ")
_LATIN = re.compile("[A-Za-z]")


#: What stands where a text was erased (``audit.erasure``).
ERASED = "(erased)"


def is_hidden(character: str) -> bool:
    """Tell whether this character must be shown by its code point."""
    if " " <= character <= "~":
        return False
    return unicodedata.category(character) in _UNPRINTABLE or bool(_BLANK.match(character))


def show(text: str | None) -> SafeString:
    """Return the text as HTML for one line; line breaks are badges too. None was erased."""
    text = ERASED if text is None else text
    # Safe because every piece is escaped on its way.
    return mark_safe("".join(_pieces(text, _has_latin(text))))  # noqa: S308  # nosec B703, B308


def show_block(text: str | None) -> SafeString:
    """Return the text as HTML for an element that keeps line breaks; they alone stay raw."""
    text = ERASED if text is None else text
    latin = _has_latin(text)
    lines = ("".join(_pieces(line, latin)) for line in text.split("\n"))
    return mark_safe("\n".join(lines))  # noqa: S308  # nosec B703, B308


def show_json(value: Any) -> SafeString:
    """Return a JSON value as indented HTML text, whole, in the order of its keys."""
    return show_block(json.dumps(value, indent=2, ensure_ascii=False))


def plain(text: str) -> str:
    """Return one line of plain text, for a terminal or a log, in which nothing is hidden."""
    return "".join(code_point(one) if is_hidden(one) else one for one in text)


def warnings(text: str) -> list[str]:
    """Return what a reader should know about this text before believing it, as sentences."""
    found = []
    if any(is_hidden(character) for character in text if character != "\n"):
        found.append("This text holds characters that a screen does not show.")
    scripts = sorted(_scripts(text))
    if len(scripts) > 1:
        named = ", ".join(name.title() for name in scripts)
        found.append(f"This text mixes scripts ({named}): letters that look alike may differ.")
    return found


def is_mixed(word: str) -> bool:
    """Tell whether the letters of one word come from more than one script."""
    return len(_scripts(word)) > 1


def passes_for_latin(word: str) -> bool:
    """Tell whether every letter of this word is one that looks like a Latin letter."""
    letters = [letter for letter in word if letter.isalpha()]
    return bool(letters) and all(letter in _LIKE_LATIN for letter in letters)


def _scripts(text: str) -> set[str]:
    return {_script(letter) for letter in text if letter.isalpha() and not is_hidden(letter)}


def _pieces(text: str, latin: bool) -> Iterator[str]:
    base = ""
    for word in _WORDS.findall(text):
        odd = is_mixed(word) or (latin and passes_for_latin(word))
        for character in word:
            yield _piece(character, odd=odd, base=base)
            base = character


def _piece(character: str, *, odd: bool, base: str) -> str:
    if is_hidden(character) or (_is_mark(character) and not _may_carry(base)):
        return _badge(character)
    if character > "~" and ((odd and character.isalpha()) or _is_styled(character)):
        return f"{escape(character)}{_note(character)}"
    return escape(character)


def _has_latin(text: str) -> bool:
    return bool(_LATIN.search(text))


def _is_styled(character: str) -> bool:
    """Tell whether this stands for an ASCII letter or digit, or is a digit of another script."""
    plain = unicodedata.normalize("NFKC", character)
    return character.isdecimal() or (
        character.isalnum() and plain != character and plain.isascii() and plain.isalnum()
    )


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _may_carry(base: str) -> bool:
    """Marks belong on letters of scripts that need them; elsewhere they strike out or pile up."""
    return base > "~" and unicodedata.category(base) in {"Lo", "Mn", "Mc"}


def _script(letter: str) -> str:
    """Return the script as Unicode names it: the first word of the letter's name."""
    name = unicodedata.name(letter, "").split(" ")[0]
    return "EAST ASIAN" if name in _EAST_ASIAN else name


def code_point(character: str) -> str:
    """Return ``U+202E``."""
    return f"U+{ord(character):04X}"


def _badge(character: str) -> str:
    name = unicodedata.name(character, "unnamed character").lower()
    return f'<span class="cs-esc" title="{escape(name)}">{code_point(character)}</span>'


def _note(character: str) -> str:
    name = unicodedata.name(character, "unnamed character").lower()
    return f'<span class="cs-odd" title="{escape(name)}">{code_point(character)}</span>'
