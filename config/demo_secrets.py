"""What the demonstration makes once and keeps in ``var/``, for its owner's eyes only.

``demo.env`` is made once. ``demo.running.env`` is there while it runs and says where. Both are for
every process; ``demo.<role>.env`` only for the processes of that role, so that the money worker
alone reads the key that moves money.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

#: The role of the process that makes these files: it reads only what is made once.
SUPERVISOR = "supervisor"
RUNNING = "running"


def path(var_dir: Path, part: str = "") -> Path:
    """The file of every process, or of one role, or of the present run."""
    return var_dir / (f"demo.{part}.env" if part else "demo.env")


def ensure(var_dir: Path) -> None:
    """Make the secrets of a new demonstration; those of an old one stay as they are."""
    if path(var_dir).is_file():
        return
    write(
        var_dir,
        {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "COUNTERSIGN_PEPPER": secrets.token_urlsafe(50),
            "COUNTERSIGN_HISTORY_KEY": secrets.token_urlsafe(50),
            "COUNTERSIGN_ISSUER": f"urn:countersign:demo:{secrets.token_hex(4)}",
        },
    )


def read(var_dir: Path, role: str) -> dict[str, str]:
    """What this role may know; nothing when there is no demonstration yet."""
    values: dict[str, str] = {}
    for part in ("",) if role == SUPERVISOR else ("", RUNNING, role):
        file = path(var_dir, part)
        if file.is_file():
            for line in file.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                values[name] = value
    return values


def write(var_dir: Path, values: Mapping[str, str], part: str = "") -> None:
    """Write one file, replacing the old one in one step."""
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    write_private(path(var_dir, part), text)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read; a reader sees the old text or the new one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
