"""Names on the shared log: every name has one spelling, and no other spelling is taken."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.nats import subjects
from storage.errors import CloudEventError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NAME = st.none() | TEXT | st.sampled_from(["_", "%", ".", "*", ">", "a b", "UA1545", "Ä/ö", "%5F", "%41"])
TYPE = TEXT | st.sampled_from(["a.b", "flight.departed", "..", ".", "%", "_"])


@settings(deadline=None)
@given(board=TEXT, entity=NAME, operator=NAME, type=TYPE)
def test_names_round_trip(board, entity, operator, type):
    subject = subjects.encode(board, entity, operator, type)
    assert subjects.decode(board, subject) == subjects.Named(entity, operator, type)
    assert re.fullmatch(r"wf(\.[A-Za-z0-9_%-]+){4,}", subject)


@settings(deadline=None)
@given(board=TEXT, entity=NAME, operator=NAME, type=TYPE, other=NAME)
def test_different_names_never_share_a_spelling(board, entity, operator, type, other):
    one, two = (subjects.encode(board, name, operator, type) for name in (entity, other))
    assert (one == two) == (entity == other)


@settings(deadline=None)
@given(TEXT)
def test_whatever_is_decoded_has_this_one_spelling(text):
    try:
        named = subjects.decode("b", f"wf.b.{text}")
    except CloudEventError:
        return
    assert subjects.encode("b", named.entity, named.operator, named.type) == f"wf.b.{text}"


@pytest.mark.parametrize(
    "subject",
    ["", "wf", "wf.b", "wf.b.e.o", "wf.c.e.o.t", "wf.b..o.t", "wf.b.e.o.", "wf.b.%41.o.t", "wf.b.%5f.o.t",
     "wf.b.%FF.o.t", "wf.b.e.%.t", "wf.b.e o.x.t", "wf.b.\ufffd.o.t", "x" * 5000],
)  # fmt: skip
def test_other_subjects_are_refused_with_the_reason(subject):
    with pytest.raises(CloudEventError) as caught:
        subjects.decode("b", subject)
    assert "subject" in caught.value.reason
    assert len(caught.value.reason) < 400


def test_the_names_that_the_server_is_told():
    assert subjects.stream("nyc") == "WF_nyc"
    assert subjects.everything("nyc") == "wf.nyc.>"
    assert subjects.of_entity("nyc", "UA 1") == "wf.nyc.UA%201.>"
    assert subjects.of_operator("nyc", "amy@ops") == "wf.nyc.*.amy%40ops.>"
    assert subjects.operator_of("nyc", subjects.presence("nyc", "amy@ops")) == "amy@ops"


@pytest.mark.parametrize("subject", ["wf.nyc.e.eve.amy", "wfp.other.amy", "wfp.nyc.x.amy", "wfp.nyc.", "wfp.nyc"])
def test_nobody_is_there_by_another_subject(subject):
    with pytest.raises(CloudEventError):
        subjects.operator_of("nyc", subject)
