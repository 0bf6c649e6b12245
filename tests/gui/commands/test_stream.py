"""`watchfloor stream`: a board's log on servers that run elsewhere."""

from __future__ import annotations

import asyncio

import pytest

from gui import cli
from tests.faults.cluster import Cluster
from tests.nats import free_port, make_server, server  # noqa: F401  fixtures

BOARD = 'id = "ops"\ntitle = "Operations"\n[[panels]]\nkind = "value"\nat = [0, 0, 1, 1]\ntitle = "All"\n'
BOARD += 'sql = "SELECT count(*) AS value FROM events"\n'


@pytest.fixture
def run(tmp_path, capsys):
    (tmp_path / "ops.toml").write_text(BOARD)

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.run(["stream", str(tmp_path / "ops.toml"), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out.replace(str(tmp_path), "~"), said.err

    return run


def test_it_is_made_once_and_found_after_that(run, server):  # noqa: F811
    said = "The log of ops is kept on 1 server (position 0)\n"
    said += f"A desk: watchfloor open ~/ops.toml --server {server.url}\n"
    for _ in range(2):
        assert run("--server", server.url) == (0, said, "")


def test_what_can_not_be_is_one_line(run, server):  # noqa: F811
    nobody = f"nats://127.0.0.1:{free_port()}"
    for arguments, words in [
        (("--server", server.url, "--replicas", 3), "replicas > 1 not supported in non-clustered mode"),
        (("--server", nobody), f"no answer from {nobody}"),
    ]:
        code, out, err = run(*arguments)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert words in err
    assert run("--server", "tower")[0] == 2


def test_a_cluster_keeps_it_on_more_servers_when_told(run, tmp_path):
    servers = Cluster(tmp_path)
    try:
        asyncio.run(servers.start())
        one = servers.nodes[0].url
        assert "is kept on 1 server " in run("--server", one)[1]
        for count in (3, 3):
            code, out, err = run("--server", one, "--replicas", count)
            assert (code, err) == (0, "")
            assert f"is kept on {count} servers " in out
        assert "is kept on 3 servers " in run("--server", servers.url)[1]
    finally:
        servers.kill()
