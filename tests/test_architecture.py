"""The rules of the house, read from the source: what no single test of behaviour can show."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from audit.history import HistoryRow

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("config", "approvals", "executors", "audit")
OURS = ("approvals", "executors", "audit")

MOST_FUNCTION_LINES = 30
MOST_CLASS_LINES = 150
MOST_MODULE_LINES = 300
#: One settings module is easier to read than four, however long (see the layout); and the verifier
#: is one file that can be carried away and read as a whole.
LONG_BY_DESIGN = {Path("config/settings.py"), Path("audit/verifier.py")}

#: Written once and never changed, so that they are their own history.
INSERT_ONLY = {
    "Anchored",
    "Checkpoint",
    "FactsSnapshot",
    "Intent",
    "Leaf",
    "LogTile",
    "PayloadVersion",
    "ProviderEvent",
    "Reading",
    "SavedFilter",  # a search that a person keeps: no fact for the record
    "Scan",
}
#: Changed without a history of their own, each for its reason.
CHANGED = {
    "AgentKeyUse": "when a key was last used is no fact for the record",
    "Attempt": "its end is a fact about its execution: see tests/executors/test_ended_attempts.py",
    "Subject": "the counter of the record itself",
    "VerificationRun": "begun and ended by one verification, which is about the record",
}
#: The two places that end an attempt; each takes a step of the execution in the same transaction.
ENDS_ATTEMPTS = {"executors/services/claiming.py", "executors/services/settling.py"}


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def in_services(path: Path) -> bool:
    return "services" in path.parts or path.name == "services.py"


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    """Lines of a definition without its docstring: explaining more is never a fault."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def test_functions_classes_and_modules_stay_small() -> None:
    too_long = []
    for path, tree in sources(*FLOORS, "tests"):
        lines = len((ROOT / path).read_text().splitlines())
        if lines > MOST_MODULE_LINES and path not in LONG_BY_DESIGN:
            too_long.append(f"{path}: module")
        # A fixture that holds its helpers, or a long list of values, is no long function.
        most = MOST_FUNCTION_LINES * (2 if path.parts[0] == "tests" else 1)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and code_lines(node) > most:
                too_long.append(f"{path}:{node.lineno} {node.name}")
            if isinstance(node, ast.ClassDef) and code_lines(node) > MOST_CLASS_LINES:
                too_long.append(f"{path}:{node.lineno} {node.name}")

    assert not too_long, "\n".join(too_long)


def test_status_is_written_in_services_only() -> None:
    elsewhere = []
    for path, tree in sources(*FLOORS):
        if in_services(path):
            continue
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(t, ast.Attribute) and t.attr == "status" for t in targets):
                elsewhere.append(f"{path}:{node.lineno}")
            if _is_queryset_write(node) and any(k.arg == "status" for k in node.keywords):
                elsewhere.append(f"{path}:{node.lineno}")

    elsewhere = [place for place in elsewhere if not place.startswith("executors/stripe/sandbox")]
    assert not elsewhere, "\n".join(elsewhere)


def test_rows_are_changed_past_their_history_in_one_place_only() -> None:
    """``update``, ``bulk_*`` and ``insert`` write no history: for services and audit.history."""
    elsewhere = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*FLOORS)
        if not in_services(path) and path != Path("audit/history.py")
        for node in ast.walk(tree)
        if _is_queryset_write(node) or _is_import_of_insert(node)
    ]

    assert not elsewhere, "\n".join(elsewhere)


def _is_import_of_insert(node: ast.AST) -> bool:
    if not isinstance(node, ast.ImportFrom) or node.module != "audit.statements":
        return False
    return any(name.name == "insert" for name in node.names)


def _is_queryset_write(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in ("bulk_create", "bulk_update"):
        return True
    return node.func.attr == "update" and bool(node.keywords)


def test_only_the_database_tells_the_time() -> None:
    allowed = {Path("audit/clock.py"), Path("audit/identifiers.py")}
    elsewhere = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*OURS)
        if path not in allowed and "sandbox" not in path.parts
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr)
        in {("timezone", "now"), ("datetime", "now"), ("datetime", "utcnow"), ("time", "time")}
    ]

    assert not elsewhere, "\n".join(elsewhere)


def test_one_module_alone_knows_the_stripe_client() -> None:
    importers = {
        str(path)
        for path, tree in sources(*FLOORS)
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] == "stripe" for a in node.names)
        )
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "stripe")
    }

    assert importers == {"executors/stripe/gateway.py"}


def our_models() -> list[type[models.Model]]:
    return [
        model
        for app in OURS
        for model in apps.get_app_config(app).get_models()
        if not issubclass(model, HistoryRow) and not model.__name__.startswith("Historical")
    ]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_every_model_has_history_or_is_written_once(model: type[models.Model]) -> None:
    tracked = hasattr(model, "history")

    assert tracked != (model.__name__ in {*INSERT_ONLY, *CHANGED})
    assert not INSERT_ONLY & CHANGED.keys()


def test_attempts_are_ended_in_two_places_only() -> None:
    places = {
        str(path)
        for path, tree in sources("executors")
        for node in ast.walk(tree)
        if _is_queryset_write(node) and any(k.arg == "ended_at" for k in node.keywords)
    }

    assert places == ENDS_ATTEMPTS


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_a_time_and_its_author_are_constrained_together(model: type[models.Model]) -> None:
    names = {field.name: field for field in model._meta.get_fields() if hasattr(field, "null")}
    paired = [
        name
        for name, field in names.items()
        if name.endswith("_at") and field.null and f"{name[:-3]}_by" in names
    ]
    conditions = " ".join(str(constraint) for constraint in model._meta.constraints)

    for name in paired:
        if name == "claimed_at":  # a claim is undone by the next one, which the fence tells apart
            continue
        assert name in conditions, f"{model.__name__}.{name} can be set without its author"
