"""`[sources]` of a board: what is wrong is said with its line, its key and the way to write it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dataflow.boards.file import BoardError, load
from dataflow.devices.sources import Sources, templates
from dataflow.times import parse
from gui import cli

GOOD = """\
id = "house"
title = "House"

[events."room.measured"]
subject = "room"
[events."room.measured".fields]
room = {}
temp = { type = "float", required = true }

[events."meter.read"]
subject = "meter"
[events."meter.read".fields]
meter = { type = "int" }
kwh = { type = "float" }

[sources.rooms]
topic = "tele/+/SENSOR"
type = "room.measured"
subject = "{1}"
time = "Time"
fields = { temp = "AM2301.Temperature" }

[sources.meters]
topic = "meters/#"
type = "meter.read"
"""


def problems(folder, *changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "house.toml"
    path.write_text(text)
    try:
        load(path)
    except BoardError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


def test_a_topic_by_device_name_names_the_entity(tmp_path):
    text = GOOD.replace('"tele/+/SENSOR"', '"tele/{user}/SENSOR"').replace('"{1}"', '"{user}"')
    (tmp_path / "house.toml").write_text(text)
    board = load(tmp_path / "house.toml").board
    assert templates(board) == ("meters", "meters.>", "tele.{user}.SENSOR")
    body = b'{"Time":"2026-11-23T12:00:00","AM2301":{"Temperature":21.5},"user":"reactor"}'
    assert Sources(board).event("log", "tele.kitchen.SENSOR", body, 1, 1).subject == "kitchen"


def test_a_good_board_has_sources(tmp_path):
    assert problems(tmp_path) == []
    board = load(tmp_path / "house.toml").board
    assert Sources(board).subjects == ("meters", "meters.>", "tele.*.SENSOR")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"tele/+/SENSOR"', '"#"',
         '17: sources.rooms.topic: "#" would take what is not for it too. Begin with a fixed level: tele/+/SENSOR'),
        ('"tele/+/SENSOR"', '"$JS/+"',
         "17: sources.rooms.topic: topics below `$JS` are the server's own. Choose another first level"),
        ('"tele/+/SENSOR"', '"tele/SENSOR+/x"',
         "17: sources.rooms.topic: a wildcard is a whole level. Write tele/+/SENSOR, or tele/#"),
        ('"meters/#"', '"tele/#"',
         '24: sources.meters.topic: overlaps with "tele/+/SENSOR" of [sources.rooms]: a message is one event. '
         "Part the topics, or read all of it in one source"),
        ('type = "meter.read"', 'type = "meter.red"',
         "25: sources.meters.type: there is no event type `meter.red`. Did you mean `meter.read`?"),
        ("{ temp =", "{ tmp =",
         "21: sources.rooms.fields.tmp: `room.measured` has no field `tmp`. Did you mean `temp`?"),
        ("AM2301.Temperature", "AM2301..Temperature",
         '21: sources.rooms.fields.temp: "AM2301..Temperature" is no path. '
         "Write the keys on the way down, joined by dots: AM2301.Temperature; `.` is the message itself"),
        ('"Time"', '""', '20: sources.rooms.time: "" is no path. '
         "Write the keys on the way down, joined by dots: AM2301.Temperature; `.` is the message itself"),
        ('"{1}"', '"{2}"', '19: sources.rooms.subject: `{2}` is no wildcard: "tele/+/SENSOR" has 1 wildcard. '
         "Write text, {1} for what the first wildcard of the topic stands for, {Id} for a field of the message"),
        ('"{1}"', '"{"', '19: sources.rooms.subject: "{" cannot be read. '
         "Write text, {1} for what the first wildcard of the topic stands for, {Id} for a field of the message"),
        ('"{1}"', '""', "19: sources.rooms.subject: names nothing. "
         "Write text, {1} for what the first wildcard of the topic stands for, {Id} for a field of the message"),
        ('type = "meter.read"', 'type = "meter.read"\nsubject = "main"',
         '26: sources.meters.subject: "main" is no whole number, and `meter` is int'),
        ("fields = { temp", "field = { temp",
         "21: sources.rooms.field: unknown key. Did you mean `fields`?"),
        ('topic = "meters/#"\n', "", "23: sources.meters: missing key `topic`"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_line(tmp_path, old, new, said):
    assert problems(tmp_path, (old, new)) == [said]


def test_one_problem_is_told_once_where_a_type_is_damaged(tmp_path):
    assert len(problems(tmp_path, ('temp = { type = "float", required = true }', "temp = 7"))) == 1


def test_the_readmes_example_is_true(tmp_path):
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    (tmp_path / "house.toml").write_text('id = "house"\ntitle = "House"\n' + next(
        block for block in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL) if "[sources." in block
    ))  # fmt: skip
    topic, body = re.search(r"mosquitto_pub .* -t (\S+) -m '(.*)'", readme).groups()
    event = Sources(load(tmp_path / "house.toml").board).event("log", topic.replace("/", "."), body.encode(), 1, 0)
    assert (event.subject, json.loads(event.data)) == ("kitchen", {"temp": 21.5, "room": "kitchen"})
    assert event.time == parse("2026-11-23T12:00:00Z")


def test_the_schema_for_editors_knows_them(capsys):
    assert cli.run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$defs"]["Source"]["required"] == ["topic", "type"]
