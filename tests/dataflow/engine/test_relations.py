"""What the engine keeps of relations: rows, pending rows, columns; a push is prepared first, then applied."""

from __future__ import annotations

import pytest

from dataflow.engine.push import Push
from dataflow.engine.relations import Relations, Table

EVENTS = {"position": "int", "pending": "bool", "data": "json"}
STOCK = {"n": "int", "note": "json"}
WAITS = (9, True, None)


def make() -> Relations:
    tables = {"gates": Table({"gate": "text"}, [("A1",), ("A1",)]), "belts": Table({"belt": "int"}, [(1,)])}
    return Relations({"events": EVENTS, "stock": STOCK}, tables, ["belts"])


def test_columns_tables_and_which_change_rarely():
    relations = make()
    assert list(relations.columns) == ["events", "stock", "gates", "belts"]
    assert relations.constant == {"gates"}
    assert [*relations.rows("gates")] == [("A1",), ("A1",)]
    assert [*relations.rows("stock")] == []


def test_preparing_changes_nothing_applying_does():
    relations = make()
    push = relations.prepare("gates", [("A1",), ("B2",)], [-2, 1])
    assert push == Push("gates", [("B2",)], retracted=[("A1",), ("A1",)])
    assert [*relations.rows("gates")] == [("A1",), ("A1",)]
    relations.apply(push)
    assert [*relations.rows("gates")] == [("B2",)]


def test_pending_rows_are_counted_and_the_log_rises():
    relations = make()
    relations.apply(relations.prepare("events", [WAITS, WAITS, (4, False, None)], None))
    assert relations.pending == {WAITS: 2}
    assert relations.log.position == 4
    relations.apply(relations.prepare("events", [WAITS], [-1]))
    assert relations.pending == {WAITS: 1}
    assert relations.log.position == 4
    with pytest.raises(ValueError, match="not there: \\(9, True, None\\)"):
        relations.prepare("events", [WAITS], [-2])
    with pytest.raises(ValueError, match="not there"):
        relations.prepare("events", [WAITS, WAITS], [1, -2])  # those that come with it do not count
    relations.apply(relations.prepare("events", [WAITS], [-1]))
    assert relations.pending == {}


def test_pending_rows_alone_do_not_begin_the_log():
    relations = make()
    relations.apply(relations.prepare("events", [WAITS], None))
    assert (relations.log.begun, relations.log.position) == (False, 0)


def test_what_there_is_beside_history():
    relations = make()
    pushes = {push.relation: push for push in relations.contents()}
    assert list(pushes) == ["stock", "gates", "belts"]
    assert pushes["gates"] == Push("gates", [("A1",), ("A1",)])
    relations.apply(relations.prepare("events", [WAITS, WAITS], None))
    assert next(relations.contents()) == Push("events", pending_added=[WAITS, WAITS])


def test_json_becomes_text_and_what_is_unknown_is_refused():
    relations = make()
    assert relations.to_text("stock", [(1, {"a": [1]}), (2, None)]) == [(1, '{"a":[1]}'), (2, None)]
    plain = [(1, None)]
    assert relations.to_text("stock", plain) is plain
    assert relations.to_text("gates", [("A1",)]) == [("A1",)]
    with pytest.raises(KeyError, match="there is no relation 'nothing'"):
        relations.to_text("nothing", [])


def test_history_is_cut_and_its_json_is_text():
    history = [(1, False, {"a": 1}), (2, False, None), (3, False, None)]
    assert make().read_history(history, 2) == [(1, False, '{"a":1}'), (2, False, None)]
