"""Lines of keys, and places within strings, in whatever way TOML lets one write them."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.boards.toml_lines import TomlLines, written


def paths(value: Any, path=()):
    """Every path of a decoded document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*path, step)
        yield from paths(inner, (*path, step))


TRICKY = """\
# sql = "not this one"
id = "a#b" # nor = this
"quoted.key" = 1
'lit"eral' = [ # [not.a.header]
  1, { x = 1, "y z".w = "}" }, ']', [[2], []],
]
dotted . "k" . name = 1979-05-27 07:32:00
multi = \"\"\"
[panels]
sql = \"escaped\" \\\"\"\" still \\
   inside
\"\"\"
raw = '''
"''' # comment
ends = \"\"\"two quotes\"\"\"\"\"
empty = ""
[events."flight.held".fields]
gate = {}
[[panels]]
title = "one"
  [panels.columns.a]
  label = "A"
  [[panels.actions]]
  event = "x"
  [[panels.actions]]
  event = "y"
[[panels]]
title = "two"
[panels.columns]
b.label = "B"
"""


def test_finds_every_key_of_a_tricky_file():
    lines = TomlLines(TRICKY)
    assert set(lines.keys) == set(paths(tomllib.loads(TRICKY)))
    at = {written(path): lines.line(path) for path in lines.keys}
    assert at["id"] == 2
    assert at['"quoted.key"'] == 3
    assert at["'lit\"eral'[1].\"y z\".w".replace("'lit\"eral'", '"lit\\"eral"')] == 5
    assert at["dotted.k.name"] == 7
    assert at["raw"] == 13
    assert at["ends"] == 15
    assert at['events."flight.held".fields'] == 17
    assert at["panels[0].columns.a.label"] == 22
    assert [at[f"panels[0].actions[{i}].event"] for i in (0, 1)] == [24, 26]
    assert at["panels[1]"] == 27
    assert at["panels[1].columns.b.label"] == 30


def test_a_key_that_is_not_there_has_the_line_of_what_is_around_it():
    lines = TomlLines("a = 1\n[b]\n[[c]]\nd = 1\n")
    assert lines.line(("c", 0, "missing")) == 3
    assert lines.line(("b", "x", "y")) == 2
    assert lines.line(("nothing",)) == 1
    assert lines.line(()) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("literal", "inside", "place"),
    [
        ('"SELECT x"', (1, 8), (1, 13)),
        ("'SELECT x'", (1, 8), (1, 13)),
        ('"\\tx\\ny z"', (2, 3), (1, 13)),
        ('"\\u00e9x"', (1, 2), (1, 12)),
        ('"""\nSELECT\n  x"""', (2, 3), (3, 3)),
        ('"""SELECT\n  x"""', (2, 3), (2, 3)),
        ("'''\n\nSELECT\n  x'''", (3, 3), (4, 3)),
        ('"""\na \\\n   b\nc"""', (1, 3), (3, 4)),
        ('"""\na \\\n   b\nc"""', (2, 1), (4, 1)),
        ('"""\nab\n"""', (9, 9), (3, 1)),
    ],
)
def test_places_within_strings(literal, inside, place, newline):
    lines = TomlLines(f"k = {literal}\n".replace("\n", newline))
    assert lines.within(("k",), *inside) == place


def test_there_is_no_place_within_what_is_no_string():
    assert TomlLines("k = 1\n").within(("k",), 1, 1) is None
    assert TomlLines("").within(("k",), 1, 1) is None


visible = st.characters(codec="utf-8", exclude_categories=["C"])
keys = st.text(visible, max_size=4) | st.sampled_from(["a", "b", "c-1"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.integers(-9, 9) | st.booleans() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(c):08x}" if ord(c) < 32 or c in '"\\\x7f' else c for c in text) + '"'


@st.composite
def literals(draw, value):
    """One of the ways to write a value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        plain = value and not set(value) & set("'\n\r\t") and value.isprintable()
        lines = '"""\n' + quoted(value)[1:-1].replace("\\U0000000a", "\n") + '"""'
        raw = [f"'{value}'", f"'''{value}'''"] if plain else []
        return draw(st.sampled_from([quoted(value), lines, *raw]))
    if isinstance(value, list):
        gap = draw(st.sampled_from(["", " ", "\n", " # ]\n"]))
        return "[" + "".join(f"{gap}{draw(literals(v))}{gap}," for v in value) + gap + "]"
    return "{" + ", ".join(f"{quoted(k)} = {draw(literals(v))}" for k, v in value.items()) + "}"


@st.composite
def documents(draw):
    """TOML text of a table, and the line on which each of its top keys stands."""
    table = draw(st.dictionaries(keys, values, max_size=5))
    text, lines, later = "", {}, []
    for key, value in table.items():
        text += draw(st.sampled_from(["", "\n", "# note = 1\n"]))
        if isinstance(value, dict):
            later.append((key, value))
            continue
        lines[key] = text.count("\n") + 1
        text += f"{quoted(key)} = {draw(literals(value))}\n"
    for key, value in later:
        lines[key] = text.count("\n") + 1
        text += f"[{quoted(key)}]\n"
        for inner, deep in value.items():
            text += f"  {quoted(inner)} = {draw(literals(deep))} # x\n"
    return text, lines


@given(documents())
def test_any_document_is_followed_to_its_end(document):
    text, lines = document
    index = TomlLines(text)
    assert set(index.keys) == set(paths(tomllib.loads(text)))
    assert {key: index.line((key,)) for key in lines} == lines


@given(texts, st.data())
def test_a_place_within_a_string_is_that_characters_own(text, data):
    text = text.replace("\r", "") + "§"
    document = f"k = {data.draw(literals(text))}\n"
    lines = text.split("\n")
    place = TomlLines(document).within(("k",), len(lines), len(lines[-1]))
    assert document.split("\n")[place.line - 1][place.column - 1] == "§"
