"""Attacks of those who write: as a device, as another device, without end. Real users and a real server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import suppress
from uuid import uuid5

import nats
import pytest
from nats.js.errors import APIError

from dataflow.devices.sources import NAMESPACE
from dataflow.nats import subjects
from dataflow.nats.identity import read
from dataflow.server import config, quotas
from dataflow.server.identities import Limits
from tests.dataflow.server.served import (  # noqa: F401
    BOARD,
    OPERATOR,
    STREAM,
    TIMEOUT,
    as_users,
    event,
    served,
)
from tests.mqtt import Device, Refused

KITCHEN, REACTOR = "tele.kitchen.SENSOR", "tele.reactor.SENSOR"


@pytest.fixture(scope="module", autouse=True)
def short_queue():
    """Each message in it is an fsync of the machine that the tests run on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "QUEUE", 500)
        yield


async def said_since(caller, position: int) -> list[str]:
    """The subjects of what is in the log after a position."""
    last = await caller.last()
    found = [await caller.ask(f"STREAM.MSG.GET.{STREAM}", {"seq": seq}) for seq in range(position + 1, last + 1)]
    return [each["message"]["subject"] for each in found]


async def until_logged(caller, position: int) -> None:
    """A device's acknowledgement may come before its message is in the log, which is in another account."""
    async with asyncio.timeout(TIMEOUT):
        while await caller.last() < position:
            await asyncio.sleep(0.01)


def device(served, name: str) -> Device:  # noqa: F811
    return Device(served.settings.mqtt, id=name, user=name, password=read(served.files[name]).password)


def test_ids_of_device_messages_that_are_taken_in_advance_keep_none_out_of_the_log(served, as_users):  # noqa: F811
    """(d) The server drops none: neither does it know their ids. What the desk makes of it is the desk's."""

    async def main(operator, boss):
        last = await boss.last()
        log = (await boss.ask(f"STREAM.INFO.{STREAM}"))["config"]["metadata"]["watchfloor.log"]
        message = event(OPERATOR)
        for sequence in range(last + 2, last + 4):
            headers = message.headers | {"Nats-Msg-Id": str(uuid5(NAMESPACE, f"{log}/{sequence}"))}
            await operator.nats.publish(message.subject, message.body, headers=headers)
        await operator.last()
        with device(served, "kitchen") as kitchen:
            for _ in range(2):
                kitchen.publish("tele/kitchen/SENSOR", b'{"n": 1}', qos=1)
        await until_logged(boss, last + 4)
        assert (await said_since(boss, last)) == [message.subject] * 2 + [KITCHEN] * 2

    as_users(main, OPERATOR, "boss")


def test_no_answer_of_the_servers_becomes_a_devices_message(served, as_users):  # noqa: F811
    """(e) Whatever is asked, and wherever the answer is wanted: it stays in the asker's account."""

    async def main(vee, operator, boss):
        last = await boss.last()
        entered = event(OPERATOR)
        targets = KITCHEN, subjects.encode(BOARD, "UA1", "amy", "flight.held"), f"wfu.{BOARD}.amy.feed"
        for target in targets:
            for caller in (vee, operator):
                await caller.forbidden(target, b"{}")
                await caller.nats.publish(f"{caller.api}.STREAM.INFO.{STREAM}", b"", reply=target)
                await caller.nats.publish(f"{caller.api}.STREAM.MSG.GET.{STREAM}", b'{"seq":1}', reply=target)
                await caller.nats.publish(f"{caller.api}.CONSUMER.INFO.{STREAM}.x", b"", reply=target)
                await caller.nats.publish(subjects.feed(BOARD), b"{}", reply=target)
                await caller.nats.publish(subjects.presence(BOARD, caller.identity.name), b"{}", reply=target)
            await operator.nats.publish(entered.subject, entered.body, reply=target, headers=entered.headers)
            stale = {"Nats-Expected-Last-Sequence": "99999"}
            await operator.nats.publish(entered.subject, entered.body, reply=target, headers=stale)
        for caller in (vee, operator):
            await caller.last()
        assert set(await said_since(boss, last)) == {entered.subject}

    as_users(main, "vee", OPERATOR, "boss")


def test_a_device_is_no_other_device(served, as_users):  # noqa: F811
    """(h) Neither by MQTT nor by NATS, neither directly nor by an answer."""

    async def main(kitchen, boss):
        last = await boss.last()
        with device(served, "kitchen") as sensor:
            for topic in ("tele/reactor/SENSOR", "tele/kitchen/x/SENSOR", f"wf/{BOARD}/UA1/amy/t", f"wfp/{BOARD}/amy",
                          "$JS/API/STREAM/INFO/" + STREAM, "tele/kitchen", "tele/kitchen/SENSOR"):  # fmt: skip
                sensor.publish(topic, b"{}", qos=1)
        for subject in (REACTOR, "tele.kitchen.x", f"$JS.API.STREAM.INFO.{STREAM}", subjects.feed(BOARD)):
            await kitchen.forbidden(subject)
        await kitchen.nats.publish(KITCHEN, b"{}", reply=REACTOR)
        await kitchen.nats.publish(KITCHEN, b"{}", reply=f"wf.{BOARD}.UA1.amy.t")
        await kitchen.nats.flush()
        heard = await kitchen.nats.subscribe(">")
        assert "permissions violation for subscription" in await asyncio.wait_for(kitchen.violations.get(), TIMEOUT)
        assert heard.pending_msgs == 0
        async with asyncio.timeout(TIMEOUT):
            while await boss.last() < last + 3:
                await asyncio.sleep(0)
        assert await said_since(boss, last) == [KITCHEN] * 3

    as_users(main, "kitchen", "boss")


def test_a_message_of_a_device_is_no_larger_than_it_may_be(served, as_users):  # noqa: F811
    async def main(boss):
        last = await boss.last()
        with device(served, "reactor") as sensor:
            sensor.publish("tele/reactor/SENSOR", b"x" * (quotas.LARGEST - 100), qos=1)
        with device(served, "reactor") as sensor, suppress(OSError, AssertionError):
            sensor.publish("tele/reactor/SENSOR", b"x" * (quotas.LARGEST + 1), qos=1)
        with device(served, "reactor") as sensor:
            sensor.publish("tele/reactor/SENSOR", b"{}", qos=1)
        await until_logged(boss, last + 2)
        sizes = [len((await boss.ask(f"STREAM.MSG.GET.{STREAM}", {"seq": seq}))["message"]["data"])
                 for seq in range(last + 1, await boss.last() + 1)]  # fmt: skip
        assert len(sizes) == 2

    as_users(main, "boss")


def flood(served, name: str, message: bytes, seconds: float = 20) -> int:  # noqa: F811
    """By NATS, as fast as it goes, until the server hangs up; about how many messages were sent."""
    who = {"user": name, "pass": read(served.files[name]).password, "verbose": False, "pedantic": False}
    line = f"PUB tele.{name}.SENSOR {len(message)}\r\n".encode() + message + b"\r\n"
    sent, end = 0, time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", served.settings.port), TIMEOUT) as connection, suppress(OSError):
        connection.sendall(b"CONNECT " + json.dumps(who).encode() + b"\r\n")
        while time.monotonic() < end:
            connection.sendall(line * 500)
            sent += 500
    return sent


@pytest.mark.usefixtures("quick_return")
def test_a_device_without_end_is_shut_out_for_a_time_and_others_are_not_held_up(served, as_users):  # noqa: F811
    """(h) 933,900 messages in 20 s were 15 s for everybody else's entries."""

    async def main(operator, boss):
        last, said = await boss.last(), len(served.said)
        await asyncio.get_running_loop().run_in_executor(None, flood, served, "kitchen", b"{}")
        async with asyncio.timeout(TIMEOUT):
            while len(served.said) == said:
                await asyncio.sleep(0)
        assert served.said[said] == "Shut out for 0 min: kitchen sends more than 200 messages a second"
        async with asyncio.timeout(4 * TIMEOUT):  # each of the messages in the queue is an fsync
            while await entry_is_refused(operator):
                await asyncio.sleep(0)
        assert await boss.last() - last < 10 * config.QUEUE
        with device(served, "reactor") as sensor:
            sensor.publish("tele/reactor/SENSOR", b"{}", qos=1)
        async with asyncio.timeout(20):
            while not served.said[-1].startswith("Let in again: kitchen"):
                await asyncio.sleep(0)
        with device(served, "kitchen") as sensor:
            sensor.publish("tele/kitchen/SENSOR", b"{}", qos=1)
        assert len(served.said) == said + 2

    async def entry_is_refused(operator) -> bool:
        """A desk tries again when too many messages wait at the server."""
        try:
            await operator.enter(OPERATOR)
        except (APIError, nats.errors.TimeoutError):
            return True
        return False

    as_users(main, OPERATOR, "boss")


@pytest.fixture
def quick_return(monkeypatch):
    monkeypatch.setattr(quotas, "OUT_S", 0.5)


def test_a_device_that_has_used_up_its_share_of_the_disk_is_out_until_it_gets_more(served, as_users):  # noqa: F811
    async def main(boss):
        served.identities.limit("reactor", Limits(rate=1e6, disk=200_000))
        served.server.refresh()
        last, said = await boss.last(), len(served.said)
        await asyncio.get_running_loop().run_in_executor(None, flood, served, "reactor", b"x" * 1000)
        async with asyncio.timeout(TIMEOUT):
            while len(served.said) == said:
                await asyncio.sleep(0)
        assert served.said[said:] == [
            "Shut out: reactor: its share of the disk, 195.3 KiB, is used up; "
            "to give it more: watchfloor user limit reactor --disk SIZE"
        ]
        assert await boss.last() > last
        with pytest.raises(Refused):
            device(served, "reactor")
        served.identities.limit("reactor", Limits(disk=2**40))
        served.server.refresh()
        with device(served, "reactor") as sensor:
            sensor.publish("tele/reactor/SENSOR", b"{}", qos=1)

    as_users(main, "boss")
