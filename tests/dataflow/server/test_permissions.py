"""Each role against a real server: who may enter what, and that everybody can read."""

from __future__ import annotations

import json
import socket

import pytest

from dataflow.nats import subjects
from dataflow.nats.identity import new_seed, public_key
from dataflow.server.permissions import desk_account
from tests.dataflow.server.served import BOARD, OPERATOR, STREAM, TIMEOUT, as_users, served  # noqa: F401
from tests.nats import make_server  # noqa: F401


def test_authorship_is_proved_by_the_server(as_users):  # noqa: F811
    async def main(vee, operator, boss):
        first = await boss.last() + 1
        assert await operator.enter(OPERATOR) == first
        assert await operator.enter(OPERATOR, entity="UA 1.*>", type="a.b.c") == first + 1
        assert await boss.enter("boss") == first + 2
        assert await operator.enter(OPERATOR, type="entry.withdrawn") == first + 3
        await operator.forbidden(subjects.encode(BOARD, "UA1", "boss", "entry.withdrawn"))
        await vee.forbidden(subjects.encode(BOARD, "UA1", "vee", "entry.withdrawn"))
        for desk in (vee, operator):
            for name in ("boss", "vee" if desk is operator else OPERATOR, "O", OPERATOR + "2", ""):
                await desk.forbidden(subjects.encode(BOARD, "UA1", name, "flight.held"))
            await desk.forbidden(subjects.encode("other", "UA1", OPERATOR, "flight.held"))
            await desk.forbidden(subjects.presence(BOARD, "boss"))
        await vee.forbidden(subjects.encode(BOARD, "UA1", "vee", "flight.held"))
        assert await boss.last() == first + 3
        assert vee.violations.empty()
        assert operator.violations.empty()

    as_users(main)


def test_everybody_reads_and_tells_that_they_are_there(as_users):  # noqa: F811
    async def main(vee, operator, boss):
        for number in range(20):
            await operator.enter(OPERATOR, entity=str(number))
        there = await vee.nats.subscribe(subjects.everybody(BOARD))
        await vee.nats.flush()
        for desk, name in ((operator, OPERATOR), (boss, "boss"), (vee, "vee")):
            assert len(await desk.read(20)) == 20
            assert await desk.last() >= 20
            await desk.nats.publish(subjects.presence(BOARD, name))
            assert subjects.operator_of(BOARD, (await there.next_msg(TIMEOUT)).subject) == name
            assert desk.violations.empty()

    as_users(main)


def test_nobody_but_an_admin_changes_the_log(as_users):  # noqa: F811
    async def main(vee, operator, boss):
        before = await boss.last()
        for desk in (vee, operator):
            for request in ("STREAM.DELETE", "STREAM.UPDATE", "STREAM.PURGE", "STREAM.MSG.DELETE", "STREAM.CREATE"):
                await desk.forbidden(f"$JS.API.{request}.{STREAM}")
                await desk.forbidden(f"{desk.api}.{request}.{STREAM}")
            await desk.forbidden("$SYS.REQ.SERVER.PING")
        assert await boss.last() == before

    as_users(main)


def test_an_admin_has_all_of_jetstream(as_users):  # noqa: F811
    async def main(boss):
        assert (await boss.nats.jetstream().stream_info(STREAM)).config.name == STREAM
        made = await boss.ask("STREAM.CREATE.mine", {"name": "mine", "subjects": ["mine"]})
        assert made["config"]["name"] == "mine"
        assert await boss.nats.jetstream().delete_stream("mine")

    as_users(main, "boss")


STRANGERS = (
    {}, {"nkey": public_key(new_seed()), "sig": "A" * 86}, {"user": "vee", "pass": "x"}, {"auth_token": "x"},
    {"user": " anybody"},
)  # fmt: skip


@pytest.mark.parametrize("who", STRANGERS)
def test_without_a_key_nobody_gets_in(served, who):  # noqa: F811
    with socket.create_connection(("127.0.0.1", served.settings.port), TIMEOUT) as connection:
        connection.sendall(b"CONNECT " + json.dumps({"verbose": False} | who).encode() + b"\r\nPING\r\n")
        lines = connection.makefile("rb").readlines()
    assert lines[0].startswith(b"INFO ")
    assert lines[1:] == [b"-ERR 'Authorization Violation'\r\n"]


def test_a_viewer_is_not_granted_what_enters_events():
    key = public_key(new_seed())
    viewer, operator = (desk_account(role, "b", "ada", key) for role in ("viewer", "operator"))
    assert set(operator.users[0].publish) - set(viewer.users[0].publish) == {"wf.b.*.ada.>"}
    assert viewer.users[0].subscribe == operator.users[0].subscribe == ("_INBOX.>", "wfs.b.to.*", "wfp.b.*")


def test_a_request_that_is_none_is_refused(as_users):  # noqa: F811
    async def main(vee):
        good = {"name": "a" * 22, "start": 1, "heartbeat_s": 2}
        names = "../../x" * 4, "a" * 65, "short", "a" * 21 + "."
        bad = *({"name": name} for name in names), {"start": 0}, {"start": 2**63}, {"heartbeat_s": 1e300}
        for body in ({}, [], "x", *(good | each for each in bad)):
            assert (await vee.feed(body))["error"]["description"] == "not a request for a consumer"
        assert vee.violations.empty()

    as_users(main, "vee")
