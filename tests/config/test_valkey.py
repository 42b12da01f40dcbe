"""The embedded broker is a real one, private, and keeps what it was told."""

import shutil
import socket
import stat
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.embedded import valkey
from config.environment import ConfigurationError
from config.processes import ask_to_stop, finish, spawn
from tests.config.test_processes import eventually

pytestmark = [pytest.mark.embedded, pytest.mark.process]


@contextmanager
def running(server, log):
    process = spawn(server.command(), log=log)
    try:
        eventually(server.is_ready)
        yield
    finally:
        ask_to_stop(process)
        assert finish(process, within=20)


@pytest.fixture
def server(tmp_path):
    server = valkey.prepare(tmp_path / "data")
    yield server
    shutil.rmtree(server.socket.parent)


def ask(server, *words):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        connection.sendall(" ".join(words).encode() + b"\r\n")
        return connection.recv(1000).decode()


def test_it_answers_at_a_socket_for_its_owner_alone(server, tmp_path):
    assert not server.is_ready()

    with running(server, tmp_path / "log"):
        assert server.socket.stat().st_mode & 0o777 == 0o700
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
        assert stat.S_ISSOCK(server.socket.stat().st_mode)
        assert server.url == f"redis+socket://{server.socket}?virtual_host=0"


def test_it_keeps_its_messages_over_a_restart(server, tmp_path):
    with running(server, tmp_path / "log"):
        ask(server, "RPUSH", "money", "message")

    with running(server, tmp_path / "log"):
        assert "message" in ask(server, "LRANGE", "money", "0", "-1")


def test_it_never_forgets_a_message_for_room(server, tmp_path):
    with running(server, tmp_path / "log"):
        assert "noeviction" in ask(server, "CONFIG", "GET", "maxmemory-policy")


def test_a_server_on_the_path_is_preferred(tmp_path, monkeypatch):
    program = tmp_path / "redis-server"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert valkey.find_server() == program


@pytest.mark.parametrize("found", [None, "no binary for this machine"])
def test_without_any_server_it_says_what_to_install(tmp_path, monkeypatch, found):
    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(valkey, "find_spec", lambda _name: Spec() if found else None)

    with pytest.raises(ConfigurationError, match=r"apt-get install redis-server.*REDIS_URL"):
        valkey.find_server()


def test_a_long_temporary_directory_is_avoided(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(valkey.tempfile, "gettempdir", lambda: str(deep))

    server = valkey.prepare(tmp_path / "data")

    assert server.socket.parent.parent == Path("/tmp")
    server.socket.parent.rmdir()
