from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.text.slugs import distinct, slug


@pytest.mark.parametrize(
    ("text", "made"),
    [("Open incidents", "open-incidents"), ("  Délai (min) ", "delai-min"), ("a_b", "a-b"), ("飛行機", ""), ("–", "")],
)
def test_a_slug_has_small_letters_digits_and_hyphens(text, made):
    assert slug(text, 40) == made


def test_a_slug_is_cut_at_a_length_without_a_hyphen_at_its_end():
    assert slug("abc def ghi", 7) == "abc-def"
    assert slug("abc def ghi", 8) == "abc-def"


@given(st.lists(st.sampled_from(["a", "a-2", "a-3", "b"])), st.sets(st.sampled_from(["a", "a-2", "b-2"])))
def test_distinct_names_are_all_others_and_begin_with_what_they_were(names, taken):
    made = list(distinct(names, taken))
    assert len({*made, *taken}) == len(made) + len(taken)
    assert all(new == old or new.startswith(f"{old}-") for new, old in zip(made, names, strict=True))


def test_the_first_keeps_its_name_and_the_next_ones_count_past_what_is_taken():
    assert list(distinct(["a", "a", "a", "b"], {"a-2"})) == ["a", "a-3", "a-4", "b"]
