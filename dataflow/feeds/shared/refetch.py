"""What a subscription does not bring is fetched from the stream message by message: nobody else has a hand in that.

It is slow (some thousand messages a second) and so the last resort: a new subscription is tried first.
"""

from __future__ import annotations

import asyncio
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from dataflow.feeds.shared.subscription import Delivered
from dataflow.nats import consumer
from dataflow.times import parse

if TYPE_CHECKING:
    from nats.aio.client import Client

TOGETHER = 64
"""Requests that are on their way at once."""


async def fetch(client: Client, stream: str, first: int, last: int) -> Sequence[Delivered | None]:
    """The messages of these sequences, in order; None where the stream gives none. Raises nats' errors."""
    heard = asyncio.get_running_loop().time()
    messages: list[Delivered | None] = []
    for begin in range(first, last + 1, TOGETHER):
        sequences = range(begin, min(begin + TOGETHER, last + 1))
        asked = (consumer.ask(client, f"STREAM.MSG.GET.{stream}", {"seq": sequence}) for sequence in sequences)
        answers = await asyncio.gather(*asked)
        for sequence, answer in zip(sequences, answers, strict=True):
            messages.append(await _read_answer(client, sequence, last, answer, heard))
    return messages


async def _read_answer(
    client: Client, sequence: int, last: int, answer: Mapping[str, Any], heard: float
) -> Delivered | None:
    message = answer.get("message") or {}
    if answer.get("error") or message.get("seq") != sequence:
        return None
    try:
        head, body = binascii.a2b_base64(message.get("hdrs") or ""), binascii.a2b_base64(message.get("data") or "")
        time = parse(re.sub(r"(\.\d{6})\d+", r"\1", message["time"]), UTC)
    except (ValueError, KeyError):
        return None
    headers = await client._process_headers(head) if head else None
    return Delivered(sequence, time, last - sequence, str(message.get("subject")), headers, body, heard)
