"""JetStream's API about streams, in memory: what is made, changed and found, as far as `streams` asks for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

PREFIX = "$JS.API."
NOT_FOUND, IN_USE, OVERLAP = 10059, 10058, 10065


class FakeApi:
    """`streams` by name, as they were configured; `asked` are the requests. It stands for a client."""

    def __init__(self) -> None:
        self.streams: dict[str, dict[str, Any]] = {}
        self.state = {"first_seq": 1, "last_seq": 0}
        self.asked: list[str] = []
        self.failures: list[dict[str, Any] | Exception] = []
        """What is answered to the next requests instead."""

    async def request(self, subject: str, payload: bytes, timeout: float) -> Any:
        self.asked.append(subject.removeprefix(PREFIX))
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return SimpleNamespace(data=msgspec.json.encode(failure))
        body = msgspec.json.decode(payload) if payload else {}
        return SimpleNamespace(data=msgspec.json.encode(self._answer(subject.removeprefix(PREFIX), body)))

    def _answer(self, request: str, body: dict[str, Any]) -> dict[str, Any]:
        if request == "STREAM.NAMES":
            return {"streams": [name for name, each in self.streams.items() if body["subject"] in each["subjects"]]}
        _, what, name = request.split(".", 2)
        if what == "INFO" and name not in self.streams:
            return error(NOT_FOUND, "stream not found")
        if what == "CREATE" and name in self.streams:
            return error(IN_USE, "stream name already in use")
        if what in ("CREATE", "UPDATE"):
            others = {subject for other, each in self.streams.items() if other != name for subject in each["subjects"]}
            if others & set(body["subjects"]):
                return error(OVERLAP, "subjects overlap with an existing stream")
            self.streams[name] = body
        return {"config": self.streams[name], "state": self.state}


def error(code: int, description: str, status: int = 400) -> dict[str, Any]:
    return {"error": {"code": status, "err_code": code, "description": description}}
