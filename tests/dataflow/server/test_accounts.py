"""What each role's account has and may do, word for word; and what becomes of it in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflow.nats.errors import Unsafe
from dataflow.server import config, permissions
from dataflow.server.config import Account, Heard, Service, Settings, Tls, User, check, render

API = ("STREAM.INFO.WF_b", "STREAM.MSG.GET.WF_b", "CONSUMER.INFO.WF_b.*")
HEARS = (Heard("wfu.b.ada.to.*", "wfs.b.to.*"), Heard("wfp.b.*"))
TLS = Tls(Path("c"), Path("k"))


def test_the_logs_account_exports_what_others_need_and_nothing_else():
    users = (permissions.everything("K"),)
    account = permissions.log_account("b", users, ("tele.*", "tele.*", "plant.{user}.x"))
    assert (account.name, account.users, account.streams, account.exporter) == ("WF", users, -1, "")
    services = [each.subject for each in account.exports if isinstance(each, Service)]
    assert services == [
        "wf.b.>", "wfu.b.*.*", *(f"$JS.API.{request}" for request in API), "$JS.FC.WF_b.>", "plant.*.x", "tele.*",
    ]  # fmt: skip
    assert [each.subject for each in account.exports if isinstance(each, Heard)] == ["wfp.b.*", "wfu.b.*.to.*"]
    assert account.mappings == (("wfs.b.api.>", "$JS.API.>"),)
    assert account.imports == ()


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_a_desk_is_alone_in_an_account_and_imports_what_its_role_needs(role):
    account = permissions.desk_account(role, "b", "ada", "K")
    services = (
        Service("wfu.b.ada.here", "wfp.b.ada"), Service("wfu.b.ada.feed", "wfs.b.feed"), Service("$JS.FC.WF_b.>"),
        *(Service(f"$JS.API.{request}", f"wfs.b.api.{request}") for request in API),
        *([Service("wf.b.*.ada.>")] if role == "operator" else []),
    )  # fmt: skip
    assert account.imports == (*services, *HEARS)
    assert (account.name, account.exporter, account.exports, account.streams) == ("user-ada", "WF", (), None)
    assert (account.connections, account.subscriptions, account.payload) == (64, 1000, 2**20)
    (user,) = account.users
    assert (user.key, user.name, user.password) == ("K", "", "")
    assert user.publish == tuple(each.own or each.subject for each in services)
    assert user.subscribe == ("_INBOX.>", "wfs.b.to.*", "wfp.b.*")


def test_a_device_says_what_the_sources_take_and_hears_nothing():
    account = permissions.device_account("gate 7", "secret", ("tele.{user}.x", "all", "all"), 99)
    assert account.users == (User("", ("all", "tele.gate%207.x"), (), "gate 7", "secret"),)
    assert account.imports == (Service("all"), Service("tele.gate%207.x"))
    assert (account.name, account.streams, account.connections, account.payload) == ("device-gate%207", 6, 256, 99)
    assert account.exporter == "WF"


def sections(settings):
    """The configuration's lines by their names."""
    return dict(line.split(": ", 1) for line in render(settings).splitlines())


def test_the_sections_say_what_the_settings_are():
    found = sections(Settings(name="x", store=Path("s"), host="[::1]", port=7))
    assert found == {
        "server_name": '"x"', "host": '"::1"', "port": "7", "max_payload": "1048576", "write_deadline": '"10m"',
        "jetstream": '{store_dir: "s", sync_interval: "always", max_buffered_msgs: 5000}',
    }  # fmt: skip
    more = sections(Settings(
        name="x", store=Path("s"), log=Path("l"), tls=TLS, mqtt=1883, websocket=80, max_store=5, anybody="any",
        users=(User("K", ("a",), ()), User("", (), ("b", "c"), "n", "p")),
    ))  # fmt: skip
    assert more["jetstream"].endswith("max_buffered_msgs: 5000, max_file_store: 5}")
    assert (more["log_file"], more["logfile_size_limit"], more["logfile_max_num"]) == ('"l"', "10485760", "3")
    assert more["tls"] == '{cert_file: "c", key_file: "k"}'
    assert more["no_auth_user"] == '"any"'
    assert more["mqtt"] == '{host: "127.0.0.1", port: 1883, tls: {cert_file: "c", key_file: "k"}}'
    assert "no_tls: false, same_origin: true" in more["websocket"]
    assert '"https://localhost:80"' in more["websocket"]
    assert more["authorization"] == (
        '{users: [{nkey: "K", permissions: {publish: {allow: ["a"]}, subscribe: {deny: [">"]}}}, '
        '{user: "n", password: "p", permissions: {publish: {deny: [">"]}, subscribe: {allow: ["b", "c"]}}}]}'
    )


def test_an_account_says_what_it_has():
    account = Account(
        "A", (), (Service("e"), Heard("f")), (Service("g", "h"), Heard("i")), "LOG", (("m", "n"),), 4, 1, 2, 3
    )
    found = sections(Settings(name="x", store=Path("s"), accounts=(account, Account("B", streams=-1), Account("C"))))
    bare = "users: [], exports: [], imports: [], limits: {max_connections: -1, max_subscriptions: -1, max_payload: -1}"
    none = sections(Settings(name="x", store=Path("s"), accounts=(Account("D", streams=0),)))
    assert none["accounts"].endswith("jetstream: {max_streams: 0}}}")
    assert found["accounts"] == (
        '{"A": {users: [], exports: [{service: "e"}, {stream: "f"}], imports: '
        '[{service: {account: "LOG", subject: "g"}, to: "h"}, {stream: {account: "LOG", subject: "i"}}], '
        "limits: {max_connections: 1, max_subscriptions: 2, max_payload: 3}, "
        f'mappings: {{"m": "n"}}, jetstream: {{max_streams: 4}}}}, "B": {{{bare}, jetstream: "enabled"}}, '
        f'"C": {{{bare}}}}}'
    )


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"host": "127.0.0.1"}, []), ({"host": "0.0.0.0"}, ["TLS", "users"]),
        ({"host": "tower", "tls": TLS}, ["users"]),
        ({"host": "tower", "accounts": (Account("a"),)}, ["TLS"]),
        ({"host": "tower", "tls": TLS, "accounts": (Account("a"),)}, []),
        ({"host": "tower", "tls": TLS, "accounts": (Account("a"),), "anybody": "x"}, ["users"]),
        ({"host": "tower", "tls": TLS, "users": (User("K", (), ()),)}, []),
    ],
)
def test_a_server_that_others_reach_needs_tls_and_users(changes, missing):
    settings = Settings(name="x", store=Path("s"), **changes)
    if not missing:
        check(settings)
        return
    with pytest.raises(Unsafe) as failure:
        check(settings)
    assert [word for word in ("TLS", "users") if f"{word} (" in str(failure.value)] == missing


def test_secrets_are_not_shown():
    assert "secret" not in repr(User("K", (), (), "n", "secret"))
    assert config.quoted("a\x1f ~") == '"a\\x1F ~"'
