"""Names that can't be told apart by eye are refused, and what is hidden in a name is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.text import user_names

ORDINARY = "amy", "O'Neil. *>", "Ödön", "田中さん", "김철수", "李 Wei", "Ада", "Αντώνης", "محمد", "x 2", "☎ 3"


@pytest.mark.parametrize("name", ORDINARY)
def test_a_name_in_one_script_is_one(name):
    assert user_names.problem(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("аmy", "mixes letters of several scripts (Cyrillic, Latin)"),
        ("amу", "mixes letters of several scripts (Latin, Cyrillic)"),
        ("Αdmin", "mixes letters of several scripts (Greek, Latin)"),
        ("am\u200by", "U+200B"), ("am\u00ady", "U+00AD"), ("\u202eyma", "U+202E"), ("amy\u2066", "U+2066"),
        ("amy\u3164", "U+3164"), ("a\ufe0fmy", "U+FE0F"), ("a\x1b[2J", "U+001B"), ("amy\ue000", "U+E000"),
        ("amy\U000e0061", "U+E0061"), ("a\u0301my", "NFC"),
    ],
)  # fmt: skip
def test_a_name_that_hides_something_is_none(name, why):
    assert why in user_names.problem(name)


@pytest.mark.parametrize(
    "other", ["аму", "АМУ", "ΑΜΥ", "AMY", "Amy", "ａｍｙ", "arny", "am y", "𝐚𝐦𝐲", "ᎪᎷY", "аmy"]
)
def test_what_looks_like_a_user_is_found(other):
    assert user_names.alike(other, ["bob", "amy"]) == "amy"


@pytest.mark.parametrize(
    ("name", "other"), [("Muller", "Müller"), ("Ali", "All"), ("unit 1", "unit 2"), ("Ada", "Ида"), ("amy", "amy")]
)
def test_what_differs_to_the_eye_is_another(name, other):
    assert user_names.alike(name, [other]) is None


@pytest.mark.parametrize(("one", "other"), [("paypal", "раураӏ"), ("room1", "roomI"), ("Ill", "lll"), ("O7", "07")])
def test_look_alikes(one, other):
    assert user_names.alike(one, [other]) == other


def test_a_name_from_elsewhere_is_shown_with_what_is_hidden_in_it():
    assert user_names.describe("Amy O'Neil 3") == "Amy O'Neil 3"
    assert user_names.describe("\u202eyma\x1b[2J") == "\\u202eyma\\u001b[2J"
    assert user_names.describe("аmy") == "аmy (Cyrillic, Latin)"
    assert user_names.describe("a\U000e0061") == "a\\U000e0061"


def test_two_that_look_alike_are_shown_with_their_script():
    assert user_names.distinguish(["amy", "Ада", "bob"]) == ["amy", "Ада", "bob"]
    assert user_names.distinguish(["amy", "аму", "b\u202eb", "bоb"]) == [
        "amy", "аму (Cyrillic)", "b\\u202eb", "bоb (Latin, Cyrillic)",
    ]  # fmt: skip


@given(st.text())
def test_whatever_is_shown_hides_nothing_and_nothing_raises(name):
    assert not any(map(user_names.is_hidden, user_names.describe(name)))
    skeleton = user_names.skeleton(name)
    assert user_names.skeleton(skeleton) == skeleton
    assert user_names.alike(name, [name]) is None
    user_names.problem(name)
