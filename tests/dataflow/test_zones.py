"""Zones by name: IANA's, and nothing else that a name could lead to."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from dataflow.zones import UnknownZone, find_zone, known_zones

ODD = (
    "", " ", ".", "..", "../etc/passwd", "/etc/passwd", "/usr/share/zoneinfo/UTC", "Europe/../UTC", "Europe//Berlin",
    "Europe/", "Europe", "UTC\0", "UTC\n", "\ud800", "x" * 65, "x" * 1_000_000, "a/" * 2000, "tzdata.zi", "zone.tab",
    "posix/UTC", "right/UTC", "localtime", "posixrules", "C:\\zone", "\u202eUTC", "leap-seconds.list", "+VERSION",
)  # fmt: skip


@pytest.mark.parametrize("name", ODD, ids=lambda name: ascii(name[:12]))
def test_what_is_no_zone_is_refused_in_one_short_line(name):
    with pytest.raises(UnknownZone) as caught:
        find_zone(name)
    assert len(str(caught.value)) < 100
    assert caught.value.hint
    assert isinstance(caught.value, ValueError)


def test_every_name_of_ianas_is_known():
    known = known_zones()
    assert {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+12"} <= known
    assert all(find_zone(name).key == name for name in known)
    assert known >= {name for name in available_timezones() if "/" in name}


def test_a_misspelt_one_is_told():
    with pytest.raises(UnknownZone) as caught:
        find_zone("Europe/Brelin")
    assert caught.value.hint == "did you mean `Europe/Berlin`?"
