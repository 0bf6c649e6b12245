"""The configuration's text: nats-server reads back what was meant, whatever is in a name or a path."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dataflow.server.binary import find
from dataflow.server.config import Account, Heard, Service, Settings, Tls, User, is_loopback, quoted, render

KEY = "UCZ7AON2GRS57MHXCBKPHH3FPUV4O53CMXRUCJJRQLJKXMYB4V6BXM4J"


def test_every_section_is_taken_by_nats_server(tmp_path):
    settings = Settings(
        name="x", store=tmp_path / 'a "b" \\x41 $HOME é {\n}', log=tmp_path / "log", mqtt=1883, websocket=8080,
        max_store=2**30,
        anybody=" any", accounts=(
            Account("log", (User("", (">",), (">",), " any", "x"),), (Service("a.>"), Heard("b.>")), streams=-1,
                    mappings=(("m.>", "$JS.API.>"),)),
            Account("user-O%27Neil", (User(key=KEY, publish=("wf.b.*.O%27Neil.>",), subscribe=("_INBOX.>",)),), (),
                    (Service("a.c", "d"), Service("a.e"), Heard("b.*", "f.*")), "log", connections=8, payload=9),
            Account("device-d", streams=6),
        ),
    )  # fmt: skip
    path = tmp_path / "nats-server.conf"
    path.write_text(render(settings), "utf-8")
    done = subprocess.run([find(), "-t", "-c", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_users_of_one_account_are_taken_too(tmp_path):
    path = tmp_path / "nats-server.conf"
    users = (User(key=KEY, publish=("wf.b.*.O%27Neil.>",), subscribe=("_INBOX.>",)), User("", (), (), "d", "p"))
    path.write_text(render(Settings(name="x", store=tmp_path, users=users)), "utf-8")
    done = subprocess.run([find(), "-t", "-c", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_string_cannot_end_early():
    assert quoted('a"b\\c\n\td\x7f') == '"a\\"b\\\\c\\x0A\\x09d\x7f"'
    text = render(Settings(name='x"\nport: 1', store=Path('s"}\n')))
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "server_name", "host", "port", "max_payload", "write_deadline", "jetstream",
    ]  # fmt: skip


def test_it_is_durable_and_web_pages_wait_for_users():
    text = render(Settings(name="x", store=Path("s"), websocket=80))
    assert 'sync_interval: "always"' in text
    assert "no_tls: true, same_origin: true" in text
    assert 'allowed_origins: ["http://localhost:80", "http://127.0.0.1:80", "http://[::1]:80"]' in text
    tls = Tls(cert=Path("c"), key=Path("k"))
    assert "no_tls: false, same_origin: false" in render(
        Settings(name="x", store=Path("s"), websocket=80, tls=tls, web_pages=True)
    )


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("[::1]", True), ("LocalHost", True), ("0.0.0.0", False),
     ("::", False), ("10.0.0.1", False), ("tower", False), ("localhost.example.org", False), ("", False)],
)  # fmt: skip
def test_what_only_this_machine_reaches(host, here):
    assert is_loopback(host) == here
