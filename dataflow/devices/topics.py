"""MQTT topics and the NATS subjects that nats-server makes of them: pure functions.

`/` parts levels where NATS has `.`; a `.` within a level becomes `//`, an empty level `/`; `+` is `*` and `#` is `>`.
As MQTT has it, `a/#` also takes `a` itself, which are two subjects for NATS. A topic with white space has no subject.
Source: https://docs.nats.io/learn/mqtt/topics-and-subjects, held against nats-server 2.15 by the tests.
"""

from __future__ import annotations

import re

ONE, REST = "+", "#"
USER = "{user}"
"""A level that is the name of the device which speaks, as it stands in subjects: a served board lets no other."""
_OWN = dict.fromkeys(("wf", "wfp", "wfs", "wfu"), "Watchfloor's own") | {"_INBOX": "for answers to requests"}
_ODD = re.compile(r"[\s*>\x00-\x1f\x7f]")


def subjects(pattern: str) -> tuple[str, ...]:
    """Return the subjects of all topics that a topic filter takes."""
    return tuple(map(for_everybody, templates(pattern)))


def templates(pattern: str) -> tuple[str, ...]:
    """Return the same with `{user}` where the device's own name stands."""
    levels = pattern.split("/")
    subject = ".".join(map(_token, levels))
    if levels[-1] != REST or levels[:-1] in ([], [""]):
        return (subject,)
    return ".".join(map(_token, levels[:-1])), subject


def for_everybody(template: str) -> str:
    """Return the subjects of all devices."""
    return template.replace(USER, "*")


def for_user(template: str, name: str) -> str:
    """Return the subjects of the device with this name, which is one token."""
    return template.replace(USER, name)


def topic(subject: str) -> str:
    """Return the topic that nats-server makes into this subject. Raises ValueError if there is none."""
    levels = ["" if token == "/" else token.replace("//", ".") for token in subject.split(".")]
    if any("/" in level for level in levels):
        raise ValueError(subject)
    return "/".join(levels)


def matcher(pattern: str) -> re.Pattern[str]:
    """Match whole topics; the groups are what the wildcards stand for, in order (None: nothing, for a `#`)."""
    *levels, last = pattern.split("/")
    before = "/".join(map(_expression, levels))
    if last != REST:
        return re.compile("/".join(map(_expression, [*levels, last])), re.DOTALL)
    return re.compile(f"{before}(?:/(.*))?", re.DOTALL)


def number_of_user(pattern: str) -> int | None:
    """Which wildcard the device's own name is, from 1; None: it does not stand in the topic."""
    wild = [level for level in pattern.split("/") if level in (ONE, REST, USER)]
    return wild.index(USER) + 1 if USER in wild else None


def is_open(template: str) -> bool:
    """Whether a device may speak there as another one: its own name does not stand in it, and not one topic alone."""
    return USER not in template and not {"*", ">"}.isdisjoint(template.split("."))


def wildcards(pattern: str) -> int:
    """How many there are."""
    return sum(level in (ONE, REST, USER) for level in pattern.split("/"))


def overlap(one: str, other: str) -> bool:
    """Whether some topic is taken by both filters."""
    left, right = (pattern.replace(USER, ONE).split("/") for pattern in (one, other))
    for mine, theirs in zip(left, right, strict=False):
        if REST in (mine, theirs):
            return True
        if mine != theirs and ONE not in (mine, theirs):
            return False
    longer = max(left, right, key=len)
    return longer[min(len(left), len(right)) :] in ([], [REST])


def problem(pattern: str) -> tuple[str, str] | None:
    """Why this can't be a source's topic, and what to do; None: it can."""
    first, *_ = levels = pattern.split("/")
    if not pattern:
        return "a topic is empty", "write it as the device does: tele/kitchen/SENSOR"
    if odd := _ODD.search(pattern):
        return f"{odd[0]!r} cannot stand in a topic", "a level is letters and digits; + and # are the wildcards"
    if any(wild in level and level != wild for level in levels for wild in (ONE, REST)):
        return "a wildcard is a whole level", "write tele/+/SENSOR, or tele/#"
    if any("{" in level and level != USER for level in levels):
        return "{user} is a whole level, and the only name in braces", "write tele/{user}/SENSOR"
    if levels.count(USER) > 1:
        return "{user} stands in it twice", "name the device once, and write + for the other level"
    if REST in levels[:-1]:
        return "# takes all that follows", "it is the last level: tele/#"
    if first in (ONE, REST, USER):
        return f'"{pattern}" would take what is not for it too', "begin with a fixed level: tele/+/SENSOR"
    whose = "the server's own" if first.startswith("$") else _OWN.get(first)
    return (f"topics below `{first}` are {whose}", "choose another first level") if whose else None


def _token(level: str) -> str:
    return {ONE: "*", REST: ">", "": "/"}.get(level) or level.replace(".", "//")


def _expression(level: str) -> str:
    return "([^/]*)" if level in (ONE, USER) else re.escape(level)
