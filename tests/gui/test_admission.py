"""A real window on a real server with TLS and users: it says why it is not let in, and by --ca and --identity it is."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys

import nats
import pytest

from dataflow.nats import subjects
from dataflow.nats.identity import public_key, read
from dataflow.server.identities import Identities
from dataflow.server.permissions import everything
from dataflow.session import Status
from gui.reporting.offline_notices import OfflineNotices
from tests.certificates import Authority
from tests.dataflow.desks import BOARD
from tests.nats import make_server  # noqa: F401  fixture


@pytest.fixture
def opened(tmp_path):
    """Windows in processes of their own, on a board of notes."""
    path, running = tmp_path / "notes.toml", []
    path.write_text(BOARD)
    homes = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "CACHE", "STATE")}

    def run(*arguments):
        running.append(subprocess.Popen(
            [sys.executable, "-m", "gui.cli", "open", path, *map(str, arguments)], stderr=subprocess.PIPE, text=True,
            env=os.environ | homes | {"QT_QPA_PLATFORM": "offscreen"},
        ))  # fmt: skip
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


def test_a_window_says_why_it_is_not_let_in_and_then_is(opened, make_server, tmp_path):  # noqa: F811
    authority, identities = Authority(tmp_path), Identities(tmp_path / "access")
    files = {name: identities.add(name, role) for name, role in (("amy", "operator"), ("boss", "admin"))}
    keys = {name: read(file) for name, file in files.items()}
    users = tuple(everything(public_key(key.seed)) for key in keys.values())
    url = make_server(tls=authority.issue(), users=users).start().url

    stranger = opened("--server", url, "--identity", files["amy"])
    assert stranger.stderr.readline() == (
        f"Refused: the certificate of {url} is signed by nobody whom this machine trusts; "
        "if it is your own, name who signed it: --ca FILE\n"
    )
    stranger.kill()

    async def main() -> str:
        context = ssl.create_default_context(cafile=str(authority.cert))
        boss = await nats.connect(url, tls=context, nkeys_seed_str=keys["boss"].seed)
        try:
            from dataflow.nats.streams import ensure

            await ensure(boss, "notes")
            there = await boss.subscribe(subjects.everybody("notes"))
            await boss.flush()
            opened("--ca", authority.cert)
            return (await there.next_msg(timeout=30)).subject
        finally:
            await boss.close()

    assert asyncio.run(main()) == subjects.presence("notes", "amy")


def test_each_reason_is_said_once_until_all_was_well():
    said = []
    complaints = OfflineNotices(said.append)
    silent, well, between = ("offline", "no answer"), ("live", ""), ("catching up", "")
    for state, detail in (between, silent, silent, between, silent, well, silent, ("refused", "who are you")):
        complaints(Status(state=state, detail=detail))
    assert said == ["Offline: no answer", "Offline: no answer", "Refused: who are you"]
