"""Which server a board is on: what is kept, what goes before it, and what is refused."""

from __future__ import annotations

import asyncio
import getpass

import pytest

from dataflow.server.identities import Identities
from gui import app, cli
from gui.paths import connection_of, store_of
from gui.server_settings import default_store, recall, servers
from storage.database import Database
from tests.certificates import Authority
from tests.dataflow.desks import BOARD, note
from tests.faults.desks import stream
from tests.nats import free_port, make_server, server  # noqa: F401  fixtures


@pytest.fixture
def amy(tmp_path):
    return str(Identities(tmp_path).add("amy", "operator"))


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Run `watchfloor open` on a board of notes; what the window would have been opened with, in order."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    path, windows = tmp_path / "notes.toml", []
    path.write_text(BOARD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "run", lambda options: windows.append(options) or 0)

    def run(*arguments):
        code = cli.run(["open", str(path), *arguments])
        return windows[-1] if code == 0 else code

    return run


def test_addresses_have_a_port_and_stand_once():
    assert servers("nats://tower, tls://Tower-2:4333,nats://tower:4222") == ("nats://tower:4222", "tls://tower-2:4333")
    assert servers("nats://[::1]:99/") == ("nats://[::1]:99",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no server; write it as nats://HOST:4222"),
        ("tower:4222", "is no server"),
        ("http://tower", "is no server"),
        ("nats://tower/x", "is no server"),
        ("nats://tower,", "'' is no server"),
        ("nats://tower:70000", "a port is a number up to 65535"),
        ("nats://amy:secret@tower", "use --identity FILE"),
    ],
)
def test_what_is_no_address_is_wrong_usage(opened, capsys, text, said):
    assert opened("--server", text) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "secret" not in line
    assert recall("notes") is None


def test_a_board_is_local_until_a_server_is_named(opened):
    local = opened()
    assert (local.connection, local.store, local.author) == (None, store_of("notes"), getpass.getuser())


def test_server_and_identity_are_kept_for_the_next_time(opened, amy):
    first = opened("--server", "nats://tower,nats://tower-2", "--identity", amy)
    assert first.connection.urls == ("nats://tower:4222", "nats://tower-2:4222")
    assert first.connection.identity == amy
    assert (first.author, first.store) == ("amy", default_store("notes", first.connection.urls))
    again = opened()
    assert (again.connection, again.author, again.store) == (first.connection, "amy", first.store)
    bob = opened("--as", "bob")
    assert (bob.author, bob.connection.identity, opened().author) == ("bob", None, "bob")


def test_the_shared_log_never_has_the_local_store(opened):
    stores = {opened().store, opened("--server", "nats://tower").store, opened("--server", "nats://other").store}
    assert [store.name for store in sorted(stores)] == ["notes.db", "notes@other_4222.db", "notes@tower_4222.db"]


def test_another_server_of_the_same_cluster_keeps_store_and_name(opened):
    first = opened("--server", "nats://tower,nats://tower-2", "--as", "amy")
    second = opened("--server", "nats://tower-2,nats://tower-3")
    assert (second.store, second.author) == (first.store, "amy")
    assert second.connection.urls == ("nats://tower-2:4222", "nats://tower-3:4222")


def test_local_goes_back_and_the_server_can_be_named_again(opened, amy, capsys):
    first = opened("--server", "nats://tower", "--as", "amy")
    for local in (opened("--local"), opened()):
        assert (local.connection, local.store) == (None, store_of("notes"))
    assert opened("--server", "nats://tower").connection == first.connection
    assert opened("--server", "nats://tower", "--local") == 2
    assert opened("--local", "--identity", amy) == 2
    capsys.readouterr()


def test_a_store_that_is_named_is_the_servers_until_it_is_opened_locally(opened, tmp_path):
    opened("--server", "nats://tower")
    assert opened("--store", "other.db").store == opened().store == tmp_path / "other.db"
    local = opened("--store", "mine.db", "--local")
    assert (local.connection, local.store.name) == (None, "mine.db")
    assert opened("--server", "nats://tower").store == tmp_path / "other.db"


def test_who_is_trusted_is_kept_with_the_server(opened, tmp_path, capsys):
    ours = str(Authority(tmp_path).cert)
    assert opened("--server", "tls://tower", "--ca", ours).connection.ca == opened().connection.ca == ours
    assert opened("--server", "tls://tower,tls://tower-2").connection.ca == ours
    assert opened("--ca", "system").connection.ca is None
    assert opened().connection.ca is None
    opened("--ca", ours)
    assert opened("--server", "tls://other").connection.ca is None
    assert opened("--local", "--ca", ours) == 2
    opened("--local")
    assert opened("--ca", ours) == 2
    assert "--ca goes with --server" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "name", "code", "said"),
    [
        ("--ca", "none.pem", 2, "none.pem"),
        ("--ca", "notes.toml", 1, "notes.toml: there is no certificate in it"),
        ("--identity", "odd.creds", 1, "odd.creds: not a file of credentials as `nsc` writes it"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_nothing_is_kept(opened, tmp_path, capsys, option, name, code, said):
    (tmp_path / "odd.creds").write_text("hello")
    assert opened("--server", "tls://tower", option, name) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert recall("notes") is None


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--identity", "{amy}"], 2, "--identity goes with --server"),
        (["--server", "nats://tower", "--identity", "none.toml"], 2, "none.toml"),
        (["--server", "nats://tower", "--identity", "{amy}", "--as", "eve"], 2, "the file says who you are"),
        (["--server", "nats://tower", "--identity", "notes.toml"], 1, "notes.toml"),
    ],
)
def test_an_identity_that_cannot_be_used_is_told_and_nothing_is_kept(opened, amy, capsys, arguments, code, said):
    assert opened(*(each.format(amy=amy) for each in arguments)) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert recall("notes") is None


def test_what_was_kept_and_cannot_be_read_is_told_and_can_be_replaced(opened, capsys):
    opened("--server", "nats://tower")
    connection_of("notes").write_text('{"urls": 7}')
    assert opened() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{connection_of('notes')}: ")
    assert "--server" in line
    assert opened("--local").connection is None
    assert opened().connection is None


def test_commands_read_the_shared_store_and_do_not_write_to_it(opened, capsys):
    board = str(opened("--server", "nats://tower").board.path)
    assert cli.run(["emit", board, "note.made", "place=north"]) == 1
    assert "this board is on nats://tower:4222" in capsys.readouterr().err
    assert cli.run(["query", board, "SELECT id FROM events"]) == 1
    assert "notes@tower_4222.db" in capsys.readouterr().err


def test_a_fresh_store_takes_along_what_waits_and_is_kept(opened, server, tmp_path, capsys):  # noqa: F811
    old = opened("--server", server.url, "--as", "amy").store
    old.parent.mkdir(parents=True, exist_ok=True)
    entry = note("north")
    with Database.open(old) as database:
        database.outbox.add([entry]).result(5)
    assert opened("--fresh-store") == 1
    assert "the server has no stream WF_notes" in capsys.readouterr().err
    asyncio.run(stream(server.url, "notes"))
    fresh = opened("--fresh-store")
    assert (fresh.store, opened().store) == (old.with_name(f"{old.stem}-2.db"), fresh.store)
    said = capsys.readouterr().out
    assert f"{fresh.store} follows the server from now on; {old} is kept as it is" in said
    assert "Of your entries go along: 1 that wait" in said
    with Database.open(fresh.store, create=False) as database:
        assert [each.id for each in database.outbox.pending()] == [entry.id]


def test_a_fresh_store_goes_with_a_server_that_answers(opened, capsys):
    assert opened("--fresh-store") == 2
    assert "--fresh-store goes with a board on a server" in capsys.readouterr().err
    nowhere = f"nats://127.0.0.1:{free_port()}"
    store = opened("--server", nowhere).store
    assert opened("--fresh-store").store == store, "there is no old one"
    store.parent.mkdir(parents=True, exist_ok=True)
    Database.open(store).close()
    assert opened("--fresh-store") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no answer from" in line
    assert (opened().store, list(store.parent.glob("*-2.db"))) == (store, [])
