"""The ways into a desk, from outside it: into its store, into the shared log, over the wire, and by its board file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from dataflow.nats import subjects
from dataflow.nats.connection import Unreachable, connect
from tests.faults.proxy import Link
from tests.fuzz import fuzz_board, hostile
from tests.mqtt import Device

Way = Callable[[], Awaitable[None]]


async def save_board(random: Random, path: Path) -> None:
    """A board file saved: with another query, garbled, or as it was; never left broken."""
    text = fuzz_board.with_query(random)
    if random.random() < 0.5:
        path.write_bytes(hostile.garbled(random, text.encode()))
        await asyncio.sleep(0.6)
        text = fuzz_board.TEXT if random.random() < 0.7 else text
    path.write_text(text, "utf-8")
    await asyncio.sleep(1)


async def import_file(random: Random, board: Path, store: Path, folder: Path) -> None:
    """`watchfloor import` of CloudEvents, whole or garbled, or of CSV."""
    lines = [hostile.encoded(hostile.event(random, fuzz_board.TYPES)) for _ in range(random.randint(1, 300))]
    body = b"\n".join(lines)
    if random.random() < 0.4:
        body = hostile.garbled(random, body)
    file = folder / "in.ndjson"
    options = []
    if random.random() < 0.3:
        file, options = folder / "in.csv", ["--type", "seen", "--time", "time"]
        body = b"time,what,n,x\n" + b"\n".join(
            f"2026-11-23 12:00:{i % 60:02},{json.dumps(hostile.text(random, 300))},{hostile.field(random, 'int')},"
            f"{hostile.number(random)}".encode("utf-8", "surrogatepass") for i in range(50)
        )  # fmt: skip
    file.write_bytes(body)
    await run("import", str(board), str(file), "--store", str(store), *options)


async def emit(random: Random, board: Path, store: Path) -> None:
    words = hostile.text(random, 3000).replace("\x00", "")[:3000]
    await run("emit", str(board), "said", "what=w", f"words={words}", "--store", str(store))


async def run(*arguments: str) -> None:
    """A command, whose exit code does not matter; that it ends, and says no more than it should, does."""
    process = await asyncio.create_subprocess_exec(
        "watchfloor", *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await asyncio.wait_for(process.communicate(), 120)
    except TimeoutError:
        process.kill()
        raise AssertionError(f"watchfloor {arguments[0]} did not end") from None
    assert process.returncode in (0, 1, 2), f"{arguments[0]} ended by {process.returncode}: {said!r:.500}"
    for bad in (b"Traceback", b"this is a bug"):
        assert bad not in said, said.decode("utf-8", "replace")[:2000]


async def publish(random: Random, url: str) -> None:
    """Events and what is none, on all subjects of the board, in bursts."""
    with suppress(Unreachable, OSError, TimeoutError):
        connection = await connect([url], "fuzzer", None, lambda: None, lambda _: None)
        try:
            for _ in range(random.randint(1, 400)):
                subject, headers, body = message(random)
                with suppress(ValueError):
                    await connection.client.publish(subject, body[: 900 * 1024], headers=headers)
            await connection.client.flush(10)
        finally:
            await connection.close()


def message(random: Random) -> tuple[str, dict[str, str] | None, bytes]:
    """A subject, headers and a body; most fit together."""
    event = hostile.event(random, fuzz_board.TYPES)
    body, chance = hostile.encoded(event), random.random()
    if chance < 0.15:
        body = hostile.garbled(random, body)
    if chance < 0.25:
        body = json.dumps({"x": hostile.number(random), "n": 1}, allow_nan=True).encode()
        return "meters." + random.choice(["kitchen", "a b".replace(" ", "_"), "x" * 100]) + ".state", None, body
    type, entity = str(event.get("type", "seen")), str(event.get("subject") or "")
    try:
        subject = subjects.encode(fuzz_board.ID, entity, "fuzzer", type)
    except ValueError:
        subject = f"wf.{fuzz_board.ID}.x.fuzzer.seen"
    if random.random() < 0.1:
        subject = random.choice(
            [
                f"wf.{fuzz_board.ID}.%zz.fuzzer.seen",
                f"wf.{fuzz_board.ID}._.fuzzer",
                f"wf.{fuzz_board.ID}.a.%.seen",
                f"wfp.{fuzz_board.ID}.eve",
            ]
        )
    headers = random.choice(
        [
            None,
            None,
            {"Content-Type": "application/cloudevents+json"},
            {"ce-id": "1", "ce-type": "seen"},
            {"Nats-Msg-Id": "x"},
        ]
    )
    return subject[:500], headers, body


async def speak_mqtt(random: Random, port: int) -> None:
    def publish_all() -> None:
        with Device(port, f"d{random.getrandbits(20)}") as device:
            for _ in range(random.randint(1, 60)):
                body = random.choice(
                    [
                        b"",
                        b"{}",
                        b"ON",
                        b'{"x": nan}',
                        hostile.encoded(hostile.document(random)),
                        b'{"x": 1.7e308, "n": 3}',
                        b"\xff" * 50,
                    ]
                )
                device.publish(
                    f"meters/{random.choice(['a', 'b', 'kitchen'])}/state", body[:100_000], qos=random.randrange(2)
                )

    with suppress(OSError, AssertionError, ConnectionError):
        await asyncio.to_thread(publish_all)


async def shout(random: Random, port: int) -> None:
    """Bytes that are no protocol, at the server's port."""
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            hostile.garbled(random, b'CONNECT {"verbose":false}\r\nSUB wf.> 1\r\nPUB wf.fuzz.a.b.seen 5\r\nhello\r\n')
        )
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()


async def disturb(random: Random, link: Link) -> None:
    """The desk's line: cut, cut in the middle of what it says, held, or with words of the server's lost or garbled."""
    way = random.randrange(5)
    if way == 0:
        link.cut()
    elif way == 1:
        link.fuse = random.randrange(2000)
    elif way == 2:
        link.held = True
        await asyncio.sleep(random.choice([0.5, 3, 8]))
        link.held = False
    elif way == 3:
        link.drops = lambda _: random.random() < 0.02
        await asyncio.sleep(2)
        link.drops = lambda _: False
    else:
        link.garbles = lambda data: hostile.garbled(random, data) if random.random() < 0.1 else data
        await asyncio.sleep(2)
        link.garbles = None
