"""What is in a store before it is served: found, moved where it belongs, and cleared of what is not ours."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from dataflow.nats import streams, subjects
from dataflow.nats.errors import LogShortened
from dataflow.server import high_water, inspection, sweep
from dataflow.server.high_water import Mark
from dataflow.server.sweep import Sweeper


def test_a_log_of_an_earlier_version_is_moved_and_never_over_another(tmp_path):
    old, new = inspection.accounts(tmp_path) / "$G", inspection.accounts(tmp_path) / "WF"
    assert not inspection.is_there(tmp_path)
    inspection.migrate(tmp_path)
    assert not new.exists()
    (old / "streams").mkdir(parents=True)
    assert inspection.is_there(tmp_path)
    inspection.migrate(tmp_path)
    assert ((new / "streams").is_dir(), old.exists()) == (True, False)
    assert inspection.is_there(tmp_path)
    old.mkdir()
    inspection.migrate(tmp_path)
    assert ((new / "streams").is_dir(), old.is_dir()) == (True, True)


class Api:
    """JetStream with one stream WF_b: its consumers by name, in pages of two; it is asked as a client is."""

    def __init__(self, **consumers):
        self.consumers = {name: {"name": name, "created": "2020"} | info for name, info in consumers.items()}
        self.streams, self.stream, self.removed = ["WF_b", "$MQTT_msgs"], None, []

    async def request(self, subject, payload, timeout):
        kind, _, rest = subject.removeprefix("$JS.API.").partition(".")
        asked = msgspec.json.decode(payload) if payload else {}
        return SimpleNamespace(data=msgspec.json.encode(self._answer(f"{kind}.{rest}", asked)))

    def _answer(self, request, asked):
        if request == "STREAM.NAMES":
            return {"streams": self.streams}
        if request == "STREAM.INFO.WF_b":
            return self.stream or {"error": {"code": 404, "err_code": 10059}}
        if request.startswith("CONSUMER.DELETE.WF_b."):
            name = request.rpartition(".")[2]
            self.removed.append(name)
            return {"success": self.consumers.pop(name, None) is not None}
        page = list(self.consumers)[asked["offset"] : asked["offset"] + 2]
        found = page if request == "CONSUMER.NAMES.WF_b" else [self.consumers[name] for name in page]
        return {"consumers": found, "total": len(self.consumers)}


def info(log="x", last=5):
    config = streams.configuration("b")
    config["metadata"][streams.LOG] = log
    return {"config": config, "state": {"first_seq": 1, "last_seq": last}}


LISTENED, PULLED, IDLE = {"push_bound": True}, {"num_waiting": 1}, {}


def test_what_is_idle_twice_is_removed_and_what_is_used_or_ours_stays():
    api = Api(ours=IDLE, listened=LISTENED, pulled=PULLED, idle=IDLE, late=LISTENED)
    sweeper = Sweeper(api, "b")
    assert asyncio.run(sweeper.sweep({"ours"})) == 0
    api.consumers["late"].clear()
    api.consumers["late"].update(name="late")
    assert asyncio.run(sweeper.sweep({"ours"})) == 1
    assert api.removed == ["idle"]
    api.consumers["late"].update(LISTENED)
    assert asyncio.run(sweeper.sweep({"ours"})) == 0
    api.consumers["late"].clear()
    api.consumers["late"].update(name="late")
    assert asyncio.run(sweeper.sweep({"ours"})) == 0, "it was used in between"
    assert asyncio.run(sweeper.sweep({"ours"})) == 1
    assert sorted(api.consumers) == ["listened", "ours", "pulled"]


def test_of_a_crowd_the_oldest_go_and_idle_ones_first(monkeypatch):
    monkeypatch.setattr(sweep, "MOST", 2)
    used = {f"c{n}": LISTENED | {"created": f"202{n}"} for n in range(4)}
    api = Api(ours=IDLE, idle={"created": "2029"}, **used)
    assert asyncio.run(Sweeper(api, "b").sweep({"ours"})) == 3
    assert sorted(api.removed) == ["c0", "c1", "idle"]


def test_a_list_that_ends_before_its_total_is_taken_as_it_is():
    """A consumer went while the pages were read."""

    class Shrinking(Api):
        def _answer(self, request, asked):
            answer = super()._answer(request, asked)
            return answer | {"total": 99} if "total" in answer else answer

    api = Shrinking(a=IDLE, b=IDLE, c=IDLE)
    assert asyncio.run(Sweeper(api, "b").clear()) == 3
    assert api.consumers == {}


def test_nothing_foreign_forgets_what_was_idle():
    api = Api(idle=IDLE)
    sweeper = Sweeper(api, "b")
    assert asyncio.run(sweeper.sweep(())) == 0
    assert asyncio.run(sweeper.sweep({"idle"})) == 0
    assert asyncio.run(sweeper.sweep(())) == 0
    assert asyncio.run(sweeper.sweep(())) == 1


def test_an_inspection_tells_of_other_streams_and_clears_consumers(tmp_path):
    api, said = Api(a=LISTENED, b=IDLE, c=IDLE), []
    api.streams += ["z", "other"]
    api.stream = info()
    asyncio.run(inspection.inspect(api, "b", tmp_path, False, said.append))
    assert said == [
        "The server keeps other streams too, which no desk reads: other, z",
        "Removed 3 consumers of the log that were left from an earlier run",
    ]
    assert api.consumers == {}
    asyncio.run(inspection.inspect(Api(), "b", tmp_path, False, pytest.fail))


def test_an_inspection_finds_a_log_that_is_shorter_or_gone(tmp_path):
    api = Api(a=IDLE)
    api.stream = info(last=5)
    high_water.write(tmp_path, Mark("x", 6))
    with pytest.raises(LogShortened, match="ends at 5"):
        asyncio.run(inspection.inspect(api, "b", tmp_path, False, pytest.fail))
    api.stream = None
    with pytest.raises(LogShortened, match="is gone"):
        asyncio.run(inspection.inspect(api, "b", tmp_path, False, pytest.fail))
    assert api.removed == [], "nothing is done to a log that is not served"
    assert subjects.stream("b") == "WF_b"
