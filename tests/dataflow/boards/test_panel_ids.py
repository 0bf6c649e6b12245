"""Ids of panels: unique on a board, and the same whoever else is on it."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.board import Board, FormPanel, TablePanel, ValuePanel
from dataflow.boards.file import BoardError, load
from gui import cli

AT = (0, 0, 1, 1)
ALIKE = ["Delays", "delays", "Delays!", "Délays", "DELAYS ", "", "飛行機", "–", "Delays-2"]
TITLES = st.sampled_from(ALIKE) | st.text(max_size=8)
SHOWN = st.sampled_from(["SELECT 1 AS n", "SELECT 2 AS n"])
PANELS = st.one_of(
    st.builds(ValuePanel, title=TITLES, at=st.just(AT), sql=SHOWN),
    st.builds(TablePanel, title=TITLES, at=st.just(AT), sql=SHOWN),
    st.builds(FormPanel, title=TITLES, at=st.just(AT), events=st.lists(st.sampled_from(["a", "b"]), max_size=2)),
)
HEAD = 'id = "b"\ntitle = "B"\n[events.noted]\nentry = true\nfields.what = {}\n'


def ids(panels):
    return [panel.id for panel in Board(id="b", title="B", panels=list(panels)).panels]


def same(panel):
    """What a made id rests on."""
    return panel.title, type(panel), getattr(panel, "sql", None) or tuple(panel.events)


def section(title, at, *more):
    keys = ['kind = "form"', f'title = "{title}"', f"at = {at}", 'events = ["noted"]', *more]
    return "\n".join(["[[panels]]", *keys, ""])


@given(st.lists(PANELS, max_size=12))
def test_no_two_panels_of_a_board_have_one_id(panels):
    made = ids(panels)
    assert len(set(made)) == len(panels)
    assert all(re.fullmatch("[a-z0-9][a-z0-9-]{0,63}", id) for id in made)


@given(st.lists(PANELS, unique_by=same, max_size=8), st.data())
def test_ids_stay_when_others_come_go_and_move(panels, data):
    """Also beside panels of one title, and of titles that read alike; only what shows the same is told by order."""
    before = dict(zip(map(same, panels), ids(panels), strict=True))
    after = data.draw(st.permutations(panels))[: data.draw(st.integers(0, len(panels)))]
    assert ids(after) == [before[same(panel)] for panel in after]


@given(PANELS, st.integers(2, 9))
def test_panels_that_show_the_same_are_told_apart_by_their_order(panel, count):
    made = ids([panel] * count)
    assert made == [made[0], *(f"{made[0]}-{n}" for n in range(2, count + 1))]


@given(st.lists(PANELS, min_size=1, max_size=6), st.data())
def test_a_made_id_gives_way_to_one_that_is_given(panels, data):
    made = data.draw(st.sampled_from(ids(panels)))
    with_given = [*panels, ValuePanel(id=made, title="Given", at=AT, sql="…")]
    assert ids(with_given)[-1] == made
    assert len(set(ids(with_given))) == len(with_given)


def test_place_and_looks_do_not_change_a_made_id_nor_does_anything_change_a_given_one():
    plain = ValuePanel(title="Open incidents", at=AT, sql="SELECT 1 AS n")
    assert ids([plain])[0].startswith("open-incidents-")
    assert ids([msgspec.structs.replace(plain, at=(3, 3, 1, 1), unit="°C", role="ok")]) == ids([plain])
    assert ids([msgspec.structs.replace(plain, sql="SELECT 2 AS n")]) != ids([plain])
    assert ids([TablePanel(id="open", title="A", at=AT, sql="…")]) == ["open"]


def test_a_panel_keeps_its_id_in_a_board_that_is_made_from_another():
    board = Board(id="b", title="B", panels=[ValuePanel(title="A", at=AT, sql="…")])
    assert msgspec.structs.replace(board, title="C").panels == board.panels
    assert msgspec.convert(msgspec.to_builtins(board), Board) == board


@pytest.mark.parametrize("id", ["", ".", "Open", "a b", "-a", "é", "x" * 65])
def test_what_cannot_be_an_id_is_told_with_its_place(tmp_path, id):
    (tmp_path / "b.toml").write_text(HEAD + section("A", [0, 0, 1, 1], f'id = "{id}"'))
    with pytest.raises(BoardError) as caught:
        load(tmp_path / "b.toml")
    assert [(p.line, p.key) for p in caught.value.problems] == [(11, "panels[0].id")]
    assert f'"{id}" cannot be a panel\'s id' in str(caught.value)


def test_an_id_that_is_given_twice_is_told_with_its_place(tmp_path):
    first, second = section("A", [0, 0, 1, 1], 'id = "x"'), section("B", [1, 0, 1, 1], 'id = "x"')
    path = tmp_path / "b.toml"
    path.write_text(HEAD + first + second)
    with pytest.raises(BoardError) as caught:
        load(path)
    told = 'panels[1].id: the id "x" is taken: it is that of the panel "A". Choose another, or leave this key out'
    assert str(caught.value) == f"{path}:17: {told}"
    path.write_text(HEAD + first + second.replace('"x"', '"y"'))
    assert [panel.id for panel in load(path).board.panels] == ["x", "y"]


def test_the_schema_for_editors_knows_ids_of_every_kind(capsys):
    assert cli.run(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    for kind in ("ValuePanel", "TablePanel", "LinePanel", "BarPanel", "LogPanel", "FormPanel"):
        id = schema["$defs"][kind]["properties"]["id"]
        assert id["type"] == "string"
        assert id["pattern"] == "^[a-z0-9][a-z0-9_-]{0,63}$"
        assert "default" not in id
        assert "id" not in schema["$defs"][kind]["required"]
