"""The page and its data: what they may hold, and that they say the same."""

import pytest

from audit import verifier
from tests.audit.evidence.forging import Forger, wrong

pytestmark = pytest.mark.embedded


def page(old, new):
    """Return what is found when the page has ``new`` for ``old``, under a good manifest."""
    forger = Forger()
    text = forger.members["index.html"].decode()
    assert old in text
    return wrong(forger.put("index.html", text.replace(old, new, 1)).signed())


PAGES = {
    "a script": ("<body>", "<body><script>1</script>"),
    "a picture": ("<body>", "<body><img>"),
    "a link": ("<h1>", "<h1><a>"),
    "something loaded": ("<meta charset", '<link rel="stylesheet"><meta charset'),
    "a frame": ("<body>", "<body><iframe></iframe>"),
    "a handler": ("<body>", '<body onload="1">'),
    "a style of its own": ("<h1>", '<h1 style="display:none">'),
    "a way on": ("Content-Security-Policy", "refresh"),
    "a style that loads": ("margin: 0;", "margin: 0; background: url(x);"),
    "a style that writes": ("margin: 0;", 'margin: 0; content: "x";'),
    "a style that hides": ("margin: 0;", "display: none;"),
    "a comment": ("<body>", "<body><!-- x -->"),
    "a condition": ("<body>", "<body><![if IE]>"),
    "an instruction": ("<body>", "<body><?php ?>"),
    "another type": ("<!doctype html>", "<!doctype svg>"),
    "text out of place": ("<body>", "<body>Proven."),
    "text behind": ("</html>", "</html>Proven."),
    "a piece more": ("</dl>", "</dl><p>Proven.</p>"),
    "a piece less": ("<small>row 1: actor</small>", ""),
    "another amount": ("6000", "9500"),
    "another title": ("<title>", "<title>X"),
    "a piece within another": ("<h1>", "<h1><p>"),
    "another character under a mark": ("U+202E", "U+202D"),
    "a mark of another character": ("U+0430", "U+0431"),
    "a mark that is none": ("U+202E", "left"),
    "a mark of another kind": ('class="cs-odd"', 'class="other"'),
    "another letter": ("Parcel", "P\u0430rcel"),
}


@pytest.mark.parametrize("what", PAGES)
def test_a_page_that_shows_or_does_something_else_is_found(what):
    [finding] = page(*PAGES[what])

    assert finding.startswith("index.html: "), finding


def data(change):
    """Return what is found when the data are changed, under a good manifest."""
    forger = Forger()
    document = forger.json("evidence.json")
    change(document)
    return wrong(forger.put("evidence.json", document).signed())


def line_of(document, title, label):
    [section] = [one for one in document["sections"] if one["title"] == title]
    return next(line for line in section["lines"] if line["label"] == label)


LINES = {
    "a row": ("In short", "Asked by"),
    "the decision": ("The signed decision", "Decision"),
    "the checkpoint": ("The seal", "Leaves"),
    "a digest": ("What was sent", "Body"),
    "a part": ("What was sent", "Method and path"),
}


@pytest.mark.parametrize("what", LINES)
def test_a_line_that_its_place_does_not_say_is_named(what):
    title, label = LINES[what]

    [finding] = data(lambda document: line_of(document, title, label).update(value="another"))

    assert finding.startswith(f"evidence.json, {title}, {label}: this is not what stands in ")


@pytest.mark.parametrize(
    "source",
    [
        "row 0: actor",
        "row 99: actor",
        "row 1: nothing",
        "row 1: fields/view/x",
        "row 1: actor/x",
        "rows 1: actor",
        "token: nothing",
        "digest in row 1: fields/amount_minor/x",
        " ",
    ],
)
def test_a_line_that_names_a_place_that_is_not_there_is_found(source):
    [finding] = data(
        lambda document: line_of(document, "In short", "Asked by").update(source=source)
    )

    assert finding.startswith("evidence.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(version=2),
        lambda document: document.update(issuer="urn:other"),
        lambda document: document.update(subject="req_other"),
        lambda document: document.update(more=1),
        lambda document: document["sections"][0]["lines"][0].update(more="x"),
        lambda document: document["record"]["rows"].pop(),
        lambda document: document["record"]["rows"].reverse(),
        lambda document: document["record"]["rows"][0].update(actor="person:mallory"),
        lambda document: document["record"]["rows"][0].update(reason="another"),
        lambda document: document["record"]["rows"][0].update(leaf=99),
    ],
)
def test_data_that_say_something_else_are_found(change):
    [finding] = data(change)

    assert finding.startswith("evidence.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["notes"].append("All is well."),
        lambda document: document["record"]["rows"][0].update(words="did nothing"),
        lambda document: document["sections"][0].update(note="another"),
    ],
)
def test_data_that_the_page_does_not_show_are_found(change):
    [finding] = data(change)

    assert finding.startswith("index.html: ")


def test_a_line_without_a_place_is_held_to_none():
    forger = Forger()
    document = forger.json("evidence.json")
    line = line_of(document, "What was sent", "Mode")
    assert line["source"] == ""
    old, line["value"] = line["value"], "another"
    text = forger.members["index.html"].decode()
    old_piece = f"<dt>Mode</dt><dd><div>{old}</div>"
    assert old_piece in text
    forger.put("index.html", text.replace(old_piece, "<dt>Mode</dt><dd><div>another</div>"))

    assert wrong(forger.put("evidence.json", document).signed()) == []


def test_hidden_characters_are_read_back_from_their_marks():
    shown = verifier.Page()
    shown.feed(Forger().members["index.html"].decode())

    assert any("\u202e\u0430pple" in text for text in shown.texts)
