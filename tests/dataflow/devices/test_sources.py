"""Plain JSON messages as events: where each part comes from, what is refused and why, and that nothing else happens."""

from __future__ import annotations

import json
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.board import Board, EventType, Field, Source
from dataflow.devices.sources import Sourced, Sources, is_sourced
from dataflow.events.schema import Schema
from dataflow.times import parse
from storage import cloudevents
from storage.errors import CloudEventError
from storage.event import without_position

LOG = "0123456789abcdef0123456789abcdef"
RECEIVED = 1_700_000_000_000_000
FIELDS = {
    "room": Field(), "temp": Field(type="float"), "count": Field(type="int"), "on": Field(type="bool"),
    "seen_at": Field(type="timestamp"), "raw": Field(type="json"),
}  # fmt: skip


def board(fields=FIELDS, entity="room", zone="Europe/Berlin", **source) -> Board:
    told = {"topic": "tele/+/SENSOR", "type": "room.measured"} | source
    return Board(
        id="house", title="House", timezone=zone, events={"room.measured": EventType(subject=entity, fields=fields)},
        sources={"rooms": Source(**told)},
    )  # fmt: skip


def event(message, of: Board | None = None, subject="tele.kitchen.SENSOR", sequence=7):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Sources(of or board(subject="{1}")).event(LOG, subject, body, sequence, RECEIVED)


def data(message, of: Board | None = None, **given):
    return json.loads(event(message, of, **given).data)


def refused(message, of: Board | None = None, **given) -> str:
    with pytest.raises(CloudEventError) as caught:
        event(message, of, **given)
    return caught.value.reason


class TestAnEvent:
    def test_what_it_is(self):
        found = event({"temp": 21.5})
        assert (found.type, found.subject, found.source) == ("room.measured", "kitchen", "mqtt:tele/kitchen/SENSOR")
        assert (found.time, found.position, found.authid) == (RECEIVED, 7, None)
        assert json.loads(found.data) == {"temp": 21.5, "room": "kitchen"}
        assert is_sourced(found)
        assert cloudevents.decode(cloudevents.encode(found)) == without_position(found)

    def test_its_id_is_told_by_its_place_in_the_log_alone(self):
        found = event({"temp": 1})
        assert found.id == "c2bc2c69-8a84-5ff8-82bb-6df0bccbec24"
        assert event({"temp": 2}, board(subject="hall"), subject="tele.hall.SENSOR").id == found.id
        assert event({"temp": 1}, sequence=8).id != found.id
        assert Sources(board()).event("another log", "tele.a.SENSOR", b'{"temp":1}', 7, RECEIVED).id != found.id

    def test_its_source_is_a_uri(self):
        assert event({"temp": 1}, subject="tele.küche%.SENSOR").source == "mqtt:tele/k%C3%BCche%25/SENSOR"
        assert event({"temp": 1}, subject="tele.a//b.SENSOR").source == "mqtt:tele/a.b/SENSOR"


class TestWhatItIsAbout:
    @pytest.mark.parametrize(
        ("template", "message", "subject"),
        [
            ("{1}", {"temp": 1}, "kitchen"), ("hall", {"temp": 1}, "hall"), ("{id}", {"temp": 1, "id": "a"}, "a"),
            ("{a.b}-{1}", {"temp": 1, "a": {"b": 3}}, "3-kitchen"), ("{{{1}}}", {"temp": 1}, "{kitchen}"),
        ],
    )  # fmt: skip
    def test_by_a_template(self, template, message, subject):
        found = event(message, board(subject=template))
        assert (found.subject, json.loads(found.data)["room"]) == (subject, subject)

    def test_by_the_field_that_names_it(self):
        assert event({"temp": 1, "room": "hall"}, board()).subject == "hall"
        assert event({"temp": 1}, board()).subject is None
        assert event({"temp": 1, "room": "hall"}, board(entity=None)).subject is None
        both = event({"temp": 1, "r": "hall"}, board_with(subject="{1}", room="r"))
        assert (both.subject, json.loads(both.data)["room"]) == ("kitchen", "hall")

    def test_a_whole_number(self):
        numbered = board({"count": Field(type="int"), "temp": Field(type="float")}, "count", subject="{1}")
        assert data({"temp": 1}, numbered, subject="tele.42.SENSOR") == {"count": 42, "temp": 1}
        assert "whole number" in refused({"temp": 1}, numbered)
        assert "whole number" in refused({"temp": 1}, numbered, subject=f"tele.{2**63}.SENSOR")

    def test_nothing(self):
        assert "has no name" in refused({"temp": 1}, subject="tele./.SENSOR")
        assert "not in the message" in refused({"temp": 1}, board(subject="{id}"))
        assert "is 1.5" in refused({"temp": 1, "id": 1.5}, board(subject="{id}"))
        assert "2,000 characters" in refused({"temp": 1, "id": "x" * 2000}, board(subject="{id}"))

    def test_what_stands_for_the_rest(self):
        found = event({"temp": 1}, board(topic="home/+/#", subject="{2}"), subject="home.a.b.c")
        assert found.subject == "b/c"


class TestWhenItWas:
    @pytest.mark.parametrize(
        ("time", "said"),
        [
            ("2024-07-01T12:00:00Z", "2024-07-01T12:00:00+00:00"),
            ("2024-07-01 14:00:00.5+02:00", "2024-07-01T12:00:00.5+00:00"),
            ("2024-07-01T12:00:00", "2024-07-01T10:00:00+00:00"),
            (1_719_835_200, "2024-07-01T12:00:00+00:00"),
            (1_719_835_200.25, "2024-07-01T12:00:00.25+00:00"),
            (1_719_835_200_123, "2024-07-01T12:00:00.123+00:00"),
            (0, "1970-01-01T00:00:00+00:00"),
        ],
    )  # fmt: skip
    def test_by_a_field(self, time, said):
        assert event({"temp": 1, "Time": time}, board(time="Time")).time == parse(said)
        assert parse(data({"seen_at": time})["seen_at"]) == parse(said)

    @pytest.mark.parametrize(
        "time",
        ["", "noon", "12:00", "2024-07-01", True, 1e15, -1e15, [], {}, "2024-07-01T25:00Z", "0001-01-01T00:00+14:00",
         "9999-12-31T23:59-14:00", "2024-07-01T12:00" + "0" * 99],
    )  # fmt: skip
    def test_no_time(self, time):
        assert "is no time" in refused({"temp": 1, "Time": time}, board(time="Time"))
        assert "is no time" in refused({"seen_at": time})

    def test_none(self):
        for message in ({"temp": 1}, {"temp": 1, "Time": None}):
            assert "there is no `Time` in the message" in refused(message, board(time="Time"))


class TestFields:
    def test_paths(self):
        deep = board_with(temp="AM2301.Temperature", count="list.1.n")
        assert data({"AM2301": {"Temperature": 21}, "list": [0, {"n": 3}]}, deep) == {"temp": 21, "count": 3}
        assert data({"AM2301": {"Temperature": 21}, "list": [0]}, deep) == {"temp": 21}
        assert data({"AM2301": {"Temperature": 21}, "list": {"1": {"n": 4}}}, deep) == {"temp": 21, "count": 4}

    def test_the_message_itself(self):
        plain = board_with(temp=".")
        assert data(b"21.5", plain) == {"temp": 21.5}
        assert "'hot' is not a number" in refused(b'"hot"', plain)

    @pytest.mark.parametrize(
        ("field", "value", "taken"),
        [("count", 21.0, 21), ("temp", 21, 21), ("temp", 2**70, float(2**70)), ("on", False, False),
         ("raw", {"a": [1, None]}, {"a": [1, None]}), ("raw", 0, 0), ("count", -(2**63), -(2**63)),
         ("raw", 2**70, 2**70)],
    )  # fmt: skip
    def test_values_that_fit(self, field, value, taken):
        assert data({field: value}, board()) == {field: taken}

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [("count", 2**63, "is not a whole number"), ("count", 21.5, "21.5 is not a whole number"),
         ("count", True, "true is not a whole number"), ("temp", "21", "'21' is not a number"),
         ("temp", True, "true is not a number"), ("temp", 10**400, "is not a number"), ("temp", [], "an array of 0"),
         ("temp", {}, "an object is not a number"), ("on", 1, "1 is not true or false"),
         ("on", "ON", "'ON' is not true or false"), ("room", 5, "5 is not text")],
    )  # fmt: skip
    def test_values_that_do_not(self, field, value, said):
        assert said in refused({field: value}, board())

    def test_what_is_not_there(self):
        needed = board({"temp": Field(type="float", required=True), "count": Field(type="int")}, None)
        for message in ({"count": 1}, {"count": 1, "temp": None}):
            assert refused(message, needed) == (
                "tele/kitchen/SENSOR (source `rooms`): there is no `temp` in the message, and `temp` is required"
            )
        assert "there is nothing of `room`, `temp`" in refused({"Time": 1}, board())
        assert data({}, board({}, None)) == {}


class TestWhatIsNoMessage:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"", "the message is empty"), (b"ON", "not JSON"), (b"{", "not JSON"), (b'{"temp":1}x', "not JSON"),
            (b"\xff\xfe", "not JSON"), (b'{"a":"\xff"}', "not JSON"), (b'{"temp":1e999}', "not JSON"),
            (b'{"temp":NaN}', "not JSON"), (b"21.5", "a JSON object is expected, and the message is 21.5"),
            (b"[1]", "an array of 1"), (b"null", "is null"),
            (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "nested too deeply"), (b"[" * 100_000, "nested too deeply"),
            (b'{"temp":"' + b"x" * 2**20 + b'"}', "at the most"), (b'"' + b'\\"' * 200_000, "not JSON"),
        ],
    )  # fmt: skip
    def test_bodies(self, body, said):
        assert said in refused(body)

    @pytest.mark.parametrize(
        "answer",
        [
            {"stream": "WF_house", "seq": 7}, {"stream": "WF_house", "domain": "hub", "seq": 7, "duplicate": True},
            {"error": {"code": 400, "err_code": 10071, "description": "wrong last sequence"}, "stream": "", "seq": 0},
            {"stream": "WF_house", "seq": 7, "batch": "b1", "count": 3}, {"server": {"id": "N"}, "data": {"user": "U"}},
            {"type": "io.nats.jetstream.api.v1.stream_info_response", "total": 0},
        ],
    )  # fmt: skip
    def test_the_servers_answers_to_somebody(self, answer):
        assert "an answer of the server's" in refused(json.dumps(answer, separators=(",", ":")).encode())

    def test_what_only_resembles_them_is_a_devices(self):
        streams = board_with(temp="seq", room="stream")
        assert data(b'{"stream":"a","seq":1,"level":3}', streams) == {"temp": 1, "room": "a"}
        assert data(b'{"seq":1,"stream":"a"}', streams) == {"temp": 1, "room": "a"}

    @pytest.mark.parametrize(
        ("subject", "said"),
        [
            ("tele.kitchen.STATE", "'tele/kitchen/STATE', which no source of this board takes"),
            ("tele.a/b.SENSOR", "no MQTT topic"), ("tele.a.b.SENSOR", "no source"), ("", "no source"),
        ],
    )  # fmt: skip
    def test_subjects(self, subject, said):
        assert said in refused({"temp": 1}, subject=subject)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FIELDS, "Time", "id"]), inner),
)


class TestHostile:
    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
    def test_it_is_an_event_that_fits_or_it_is_refused(self, body):
        for of in (HARD, board(subject="{1}")):
            taken(Sources(of), Schema(of), body)

    def test_tens_of_thousands_of_mangled_messages(self):
        random_ = random.Random(7)
        good = {"room": "a", "temp": 1.5, "count": 3, "on": True, "Time": "2024-01-01T00:00:00Z", "seen_at": 17,
                "raw": {"a": [1, {"b": None}]}, "id": "x"}  # fmt: skip
        sources, schema, count = Sources(HARD), Schema(HARD), 0
        for _ in range(30_000):
            body = bytearray(json.dumps(good), "utf-8")
            for _ in range(random_.randint(0, 3)):
                mangle(body, random_)
            count += taken(sources, schema, bytes(body))
        assert 5_000 < count < 25_000


class TestSourced:
    def test_it_follows_the_board(self):
        boards = [board(subject="{1}")]
        sourced = Sourced(lambda: boards[-1])
        sourced.log = LOG
        error = CloudEventError("no event")
        assert sourced.read_message("tele.a.SENSOR", b'{"temp":1}', 1, 2, error).subject == "a"
        boards.append(board(subject="hall"))
        assert sourced.read_message("tele.a.SENSOR", b'{"temp":1}', 1, 2, error).subject == "hall"
        assert "not JSON" in sourced.read_message("tele.a.SENSOR", b"x", 1, 2, error)

    def test_what_comes_as_an_event_is_none_of_its_business(self):
        error = CloudEventError("no event")
        assert Sourced(board).read_message("wf.house.a.b.c", b'{"temp":1}', 1, 2, error) == "no event"
        assert Sourced().read_message("tele.a.SENSOR", b'{"temp":1}', 1, 2, error) == "no event"


def board_with(subject=None, **paths) -> Board:
    told = board()
    source = Source(topic="tele/+/SENSOR", type="room.measured", subject=subject, fields=paths)
    return msgspec.structs.replace(told, sources={"rooms": source})


HARD = msgspec.structs.replace(board(), sources={
    "rooms": Source(
        topic="tele/+/SENSOR", type="room.measured", subject="{id}-{1}", time="Time", fields={"raw": "raw.a"}
    )
})  # fmt: skip


def taken(sources: Sources, schema: Schema, body: bytes) -> bool:
    """Whether it is an event, which then fits; else there is a reason."""
    try:
        found = sources.event(LOG, "tele.kitchen.SENSOR", body, 1, RECEIVED)
    except CloudEventError as error:
        if not error.reason.startswith("tele/kitchen/SENSOR (source `rooms`): "):
            raise
        return False
    assert schema.check(found) is None
    assert cloudevents.decode(cloudevents.encode(found)).data == found.data
    return True


def mangle(body: bytearray, random_: random.Random) -> None:
    at = random_.randrange(len(body))
    match random_.randrange(4):
        case 0:
            body[at] = random_.randrange(256)
        case 1:
            body[at:at] = random_.choice([b"{", b"[", b"9" * 30, b'"', b"\\", b"null", b"-", b"e9", b"\xed\xa0\x80"])
        case 2:
            del body[at : at + random_.randint(1, 9)]
        case 3:
            value = random_.choice([b"null", b"1e400", b"[]", b"{}", b'""', b"true", b"99999999999999999999", b'"x"'])
            body[at : body.find(b",", at) if body.find(b",", at) > 0 else len(body)] = value
    if not body:
        body += b"0"
