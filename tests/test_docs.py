"""The documentation says what the code does, or this fails."""

import re
from math import prod
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.urls import get_resolver

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = ("log", "evidence", "hardening", "keys", "erasure")
OURS = ("config", "approvals", "executors", "audit")


def test_generated_pages_are_up_to_date():
    call_command("write_docs", "--check")


def settings_read() -> set[str]:
    source = (ROOT / "config" / "settings.py").read_text()
    return set(re.findall(r'env_(?:text|int|flag|path)\(\s*"([A-Z_]+)"', source))


@pytest.mark.parametrize("name", sorted(settings_read()))
def test_every_variable_is_in_the_readme_and_in_the_example(name):
    assert f"| `{name}` |" in README
    assert re.search(rf"^#? ?{name}=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def default_numbers() -> dict[str, str]:
    source = (ROOT / "config" / "settings.py").read_text()
    return dict(re.findall(r'env_int\("([A-Z_]+)", ([0-9 *]+)', source))


def test_the_readme_says_the_numbers_that_are_the_default():
    assert len(default_numbers()) > 8
    for name, number in default_numbers().items():
        assert f"| `{name}` | `{prod(map(int, number.split('*')))}` |" in README


def test_the_readme_names_no_variable_that_nothing_reads():
    table = README.split("## Settings")[1].split("## ")[0]

    assert set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)) == settings_read()


def test_every_address_of_the_api_is_in_the_readme():
    def walk(patterns, prefix=""):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, route)
            else:
                yield "/" + re.sub(r"<(?:\w+:)?\w+>", "{id}", route)

    routes = {
        route
        for route in walk(get_resolver().url_patterns)
        if not route.startswith(("/admin", "/static"))
    }

    missing = {route for route in routes if route not in README}
    assert not missing


def test_every_command_of_ours_has_help_and_is_in_the_readme():
    commands = {name: app for name, app in get_commands().items() if app in OURS}

    assert commands
    for name, app in commands.items():
        assert load_command_class(app, name).help, name
        assert f"manage.py {name}" in README, name


def test_every_target_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z]+(?:-[a-z]+)*)\b", README)) - {"it", "them"}

    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    "page",
    ["README.md", "executors/README.md", *(f"docs/{name}.md" for name in PAGES)],
)
def test_every_link_to_a_file_leads_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert ((ROOT / page).parent / target).exists(), target
