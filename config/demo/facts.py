"""``var/demo.json``: what a person or a script needs to use the demonstration."""

import json
from pathlib import Path
from typing import Any

from config import demo_secrets


def path(var_dir: Path) -> Path:
    """Where the facts are kept."""
    return var_dir / "demo.json"


def read(var_dir: Path) -> dict[str, Any]:
    """The facts of the last run; empty before the first."""
    try:
        facts: dict[str, Any] = json.loads(path(var_dir).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return facts


def write(var_dir: Path, facts: dict[str, Any]) -> None:
    """Keep the facts, for their owner's eyes only."""
    demo_secrets.write_private(path(var_dir), json.dumps(facts, indent=2) + "\n")
