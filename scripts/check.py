"""``make check``: every linter and checker, each able to fail; all run, then the verdict."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["config", "approvals", "executors", "audit"]
BIN = Path(sys.executable).parent

#: What each check is for, and its command.
CHECKS: list[tuple[str, list[str]]] = [
    ("style and likely mistakes", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy", *FLOORS, "scripts", "manage.py"]),
    ("imports go downwards", ["lint-imports", "--no-cache"]),
    ("migrations are complete", ["python", "manage.py", "makemigrations", "--check", "--dry-run"]),
    ("security of the code", ["bandit", "-q", "-ll", "-c", "pyproject.toml", "-r", *FLOORS]),
]
DEPLOY = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]


def main() -> int:
    """Run every check; returns how many failed."""
    failed = [what for what, command in CHECKS if not passes(what, command, {})]
    with tempfile.TemporaryDirectory() as directory:
        what = "settings of production"
        if not passes(what, DEPLOY, production(Path(directory))):
            failed.append(what)
    total = len(CHECKS) + 1
    print(f"\n{total - len(failed)} of {total} checks passed. {'; '.join(failed)}".rstrip())
    return len(failed)


def passes(what: str, command: list[str], extra: dict[str, str]) -> bool:
    """Run one command from the repository; its output is shown as it comes."""
    print(f"\n== {what}: {' '.join(command)}", flush=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COUNTERSIGN_", "STRIPE_", "DJANGO_"))
        and name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "PORT"}
    }
    environment = kept | {"COUNTERSIGN_ENV": "test"} | extra
    program = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(program, cwd=ROOT, env=environment, check=False).returncode == 0


def production(directory: Path) -> dict[str, str]:
    """A production environment with throwaway values, as the web process would have it."""
    for name in ("signing.pem", "trusted.json"):
        (directory / name).touch(mode=0o600)
    return {
        "COUNTERSIGN_ENV": "production",
        "COUNTERSIGN_ROLE": "web",
        "COUNTERSIGN_ISSUER": "urn:countersign:check",
        "COUNTERSIGN_BASE_URL": "https://countersign.example",
        "ALLOWED_HOSTS": "countersign.example",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "COUNTERSIGN_PEPPER": secrets.token_urlsafe(50),
        "COUNTERSIGN_HISTORY_KEY": secrets.token_urlsafe(50),
        "COUNTERSIGN_SIGNING_KEY_FILE": str(directory / "signing.pem"),
        "COUNTERSIGN_TRUSTED_KEYS_FILE": str(directory / "trusted.json"),
        "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "STRIPE_READ_KEY": f"rk_live_{secrets.token_hex(12)}",
    }


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
