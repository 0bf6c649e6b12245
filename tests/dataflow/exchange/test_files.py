"""Import and export: what is taken, what is set apart with its place, and that doing it twice changes
nothing.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import tracemalloc
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from dataflow.exchange import files as exchange
from dataflow.exchange.csv_events import Shape
from dataflow.exchange.files import Reason, export_csv, export_ndjson, import_csv, import_ndjson
from dataflow.exchange.lines import LONGEST, FileError
from storage.cloudevents import encode
from storage.database import Database
from storage.errors import StoreFull
from storage.event import Event
from tests.storage.samples import event, events, ids

NOTHING_WRONG = lambda event: None  # noqa: E731


@pytest.fixture
def store(tmp_path):
    with Database.open(tmp_path / "board.db") as database:
        yield database


def ndjson(path, *lines: bytes | Event, end: bytes = b"\n"):
    path.write_bytes(b"".join((encode(e) if isinstance(e, Event) else e) + end for e in lines))
    return path


def taken(path, store, check=NOTHING_WRONG):
    return import_ndjson(path, store.log, store.quarantine, check)


def test_a_file_is_imported_once(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 5), event(2))
    first = taken(path, store)
    assert (first.new, first.already, first.quarantined) == (5, 1, 0)
    again = taken(path, store)
    assert (again.new, again.already, again.quarantined) == (0, 6, 0)
    assert ids(store.log) == [f"id-{n}" for n in range(1, 6)]


def test_broken_lines_are_set_apart_and_the_rest_goes_on(tmp_path, store):
    wrong_type = encode(event(9)).replace(b'"id":"id-9"', b'"id":9')
    broken = [b"not json", b"", b"  ", wrong_type, b'{"id":"\xff"}', b"neither"]
    path = ndjson(tmp_path / "a.ndjson", event(1), *broken, event(2))
    imported = taken(path, store)
    assert (imported.new, imported.quarantined, imported.damage) == (2, 4, None)
    assert imported.reasons == {
        "JSON is malformed: invalid character": Reason(2, "a.ndjson:2"),
        "Expected str, got int: id": Reason(1, "a.ndjson:5"),
        "not UTF-8: invalid start byte": Reason(1, "a.ndjson:6"),
    }
    kept = store.quarantine.list()
    assert [each.origin for each in kept] == ["a.ndjson:7", "a.ndjson:6", "a.ndjson:5", "a.ndjson:2"]
    assert kept[1].text == b'{"id":"\xff"}'
    taken(path, store)
    assert store.quarantine.count() == 4


def test_what_does_not_fit_the_board_is_set_apart(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 4))
    imported = taken(path, store, lambda e: "field `n`: odd" if e.id in {"id-2", "id-3"} else None)
    assert (imported.new, imported.quarantined) == (2, 2)
    assert imported.reasons == {"field `n`: odd": Reason(2, "a.ndjson:2")}


def test_reasons_are_told_together_and_not_without_end(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 200))
    imported = taken(path, store, lambda e: f"field `n`: expected text, found {e.data.decode()}")
    assert imported.reasons == {"field `n`: expected text": Reason(200, "a.ndjson:1")}
    imported = taken(path, store, lambda e: f"odd {e.id}")
    assert len(imported.reasons) == 51
    assert imported.reasons["other reasons"] == Reason(150, "a.ndjson:51")


@pytest.mark.parametrize("packed", [False, True])
def test_huge_lines_are_cut_at_bounded_memory(tmp_path, store, packed):
    huge = b'{"x":"' + b"x" * 10_000_000 + b'"}'
    path = tmp_path / "a.ndjson"
    lines = b"\n".join([encode(event(1)), huge, encode(event(2)), huge])
    path.write_bytes(gzip.compress(lines, 1) if packed else lines)
    tracemalloc.start()
    imported = taken(path, store)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (imported.new, imported.quarantined) == (2, 2)
    assert imported.reasons == {f"longer than {LONGEST} bytes": Reason(2, "a.ndjson:2")}
    assert [len(store.quarantine.text(each.key)) for each in store.quarantine.list()] == [65536, 65536]
    assert peak < 12 * LONGEST


def test_a_line_may_be_as_long_as_the_limit(tmp_path, store):
    line = encode(event(1))
    path = ndjson(tmp_path / "a.ndjson", line.ljust(LONGEST), encode(event(2)).ljust(LONGEST + 1), event(3))
    imported = taken(path, store)
    assert (imported.new, imported.quarantined) == (2, 1)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_events(tmp_path, store, content):
    path = tmp_path / "a.ndjson"
    path.write_bytes(content)
    assert taken(path, store) == exchange.Imported()


def test_byte_order_mark_and_carriage_returns(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 2), end=b"\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + encode(event(3)))
    assert taken(path, store).new == 3


def test_gzip_is_told_by_its_content_and_may_have_members(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 3))
    more = b"".join(encode(e) + b"\n" for e in events(4, 6))
    path.write_bytes(gzip.compress(path.read_bytes()) + gzip.compress(b"") + gzip.compress(more))
    imported = taken(path, store)
    assert (imported.new, imported.damage) == (6, None)


def test_a_gzip_that_is_cut_off_gives_what_it_has(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *(noisy(n) for n in range(1, 201)))
    whole = gzip.compress(path.read_bytes())
    path.write_bytes(whole[: len(whole) // 2])
    imported = taken(path, store)
    assert imported.new == store.log.count() > 80
    assert imported.damage.startswith(f"a.ndjson:{imported.new + 1}: the compressed file is cut off here; ")
    assert imported.quarantined == 1
    path.write_bytes(whole)
    imported = taken(path, store)
    assert (imported.new + imported.already, imported.damage) == (200, None)


def test_a_damaged_gzip_gives_what_is_before_the_damage(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *(noisy(n) for n in range(1, 201)))
    whole = bytearray(gzip.compress(path.read_bytes()))
    whole[-8:-4] = b"\0\0\0\0"
    path.write_bytes(whole)
    imported = taken(path, store)
    assert imported.new == 200
    assert "damaged here" in imported.damage


def noisy(n: int) -> Event:
    return event(n, data=b'{"noise":"%s"}' % random.Random(n).randbytes(100).hex().encode())


def test_a_utf16_file_is_refused(tmp_path, store):
    path = tmp_path / "a.ndjson"
    path.write_bytes(encode(event(1)).decode().encode("utf-16"))
    with pytest.raises(FileError, match=r"a\.ndjson: this is UTF-16; save it as UTF-8"):
        taken(path, store)


def test_a_missing_file_is_refused(tmp_path, store):
    with pytest.raises(FileError, match="No such file"):
        taken(tmp_path / "none.ndjson", store)
    with pytest.raises(FileError, match="directory"):
        taken(tmp_path, store)


def test_progress_ends_at_the_whole_file(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 20_000))
    told = []
    import_ndjson(path, store.log, store.quarantine, NOTHING_WRONG, lambda *done: told.append(done))
    size = path.stat().st_size
    assert len(told) > 2
    assert told[-1] == (size, size)


def test_a_full_disk_ends_an_import_and_it_can_be_taken_up_again(tmp_path, store):
    path = ndjson(tmp_path / "a.ndjson", *events(1, 20_000))
    pages = store.rows("PRAGMA page_count")[0][0] + 300
    store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar()).result()
    with pytest.raises(StoreFull):
        taken(path, store)
    kept = store.log.count()
    assert 0 < kept < 20_000
    store.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").scalar()).result()
    imported = taken(path, store)
    assert (imported.new, imported.already) == (20_000 - kept, kept)
    assert ids(store.log) == [f"id-{n}" for n in range(1, 20_001)]


FLIGHT = Shape(
    type="flight.departed",
    time="at",
    subject="flight",
    fields={
        "flight": "text",
        "delay": "int",
        "share": "float",
        "late": "bool",
        "due": "timestamp",
        "more": "json",
    },
    zone=ZoneInfo("America/New_York"),
)


def csv_taken(path, store, check=NOTHING_WRONG):
    return import_csv(path, store.log, store.quarantine, check, FLIGHT)


def csv_file(path, *lines: str):
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_rows_become_events(tmp_path, store):
    path = csv_file(
        tmp_path / "a.csv",
        "at,flight,delay,share,late,due,more,authid",
        '2013-02-08 07:00,"UA, 1","-2",0.5,true,2013-02-08T13:00:00Z,"{""a"":[1]}",ana',
        "2013-02-08T12:00:01Z,UA2,,,,,,",
    )
    assert csv_taken(path, store).new == 2
    ((first, second),) = store.log.read()
    assert json.loads(first.data) == {
        "flight": "UA, 1",
        "delay": -2,
        "share": 0.5,
        "late": True,
        "due": "2013-02-08T13:00:00Z",
        "more": {"a": [1]},
    }
    assert (first.type, first.subject, first.authid) == ("flight.departed", "UA, 1", "ana")
    assert (second.time - first.time, second.data, second.authid) == (1_000_000, b'{"flight":"UA2"}', None)


def test_rows_are_imported_once_also_when_the_file_grows_or_is_mended(tmp_path, store):
    head = "at,flight"
    rows = [f"2013-02-08T12:00:00Z,UA{n % 3}" for n in range(10)]
    assert csv_taken(csv_file(tmp_path / "a.csv", head, *rows, "yesterday,UA9"), store).new == 10
    mended = csv_taken(csv_file(tmp_path / "a.csv", head, *rows, "2013-02-09T12:00:00Z,UA9", rows[0]), store)
    assert (mended.new, mended.already, mended.quarantined) == (2, 10, 0)


def test_a_column_of_ids_is_taken(tmp_path, store):
    path = csv_file(tmp_path / "a.csv", "id,at,flight,subject", "x,2013-02-08,UA1,gate", ",2013-02-08,UA2,")
    assert csv_taken(path, store).new == 2
    ((first, second),) = store.log.read()
    assert (first.id, first.subject, second.subject) == ("x", "gate", "UA2")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("yesterday,UA1,1,1,true,,", "column at: expected a time (ISO 8601)"),
        (",UA1,1,1,true,,", "column at: no time"),
        ("2013-02-08,UA1,one,1,true,,", "column delay: expected a whole number"),
        ("2013-02-08,UA1,99999999999999999999,1,true,,", "column delay: expected a whole number (64 bits)"),
        ("2013-02-08,UA1,1,nan,true,,", "column share: expected a number"),
        ("2013-02-08,UA1,1,1,maybe,,", "column late: expected true or false"),
        ("2013-02-08,UA1,1,1,true,soon,", "column due: expected a time (ISO 8601)"),
        ("2013-02-08,UA1,1,1,true,,{", "column more: expected JSON"),
        ("2013-02-08,UA1,1", "3 values, but the header names 7 columns"),
        ('2013-02-08,"UA"1,1,1,true,,', "not CSV"),
        ("2013-02-08,\udcff,1,1,true,,", "not UTF-8: invalid start byte"),
        ("x" * (LONGEST + 1), f"longer than {LONGEST} bytes"),
    ],
)
def test_a_row_that_does_not_read_is_set_apart_with_its_line(tmp_path, store, row, reason):
    path = tmp_path / "a.csv"
    good = "2013-02-08,UA2,1,1,true,,"
    lines = ["at,flight,delay,share,late,due,more", good, '2013-02-08,"a', 'b",1,1,true,,', row, good]
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    imported = csv_taken(path, store)
    assert (imported.new, imported.quarantined) == (3, 1)
    ((told, where),) = imported.reasons.items()
    assert (told.startswith(reason), where) == (True, Reason(1, "a.csv:5"))


def test_a_quote_left_open_costs_its_own_row_only(tmp_path, store):
    rows = [f"2013-02-08T12:00:00Z,UA{n}" for n in range(20_000)]
    path = csv_file(tmp_path / "a.csv", "at,flight", *rows[:9], '2013-02-08T12:00:00Z,"UA', *rows[9:])
    imported = csv_taken(path, store)
    assert (imported.new, imported.quarantined) == (20_000, 1)
    assert store.quarantine.list()[0].origin == "a.csv:11"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty; the first line names the columns"),
        ("at,fligth\n", "line 1: flight.departed has no field 'fligth'; did you mean `flight`?"),
        ("flight,delay\n", "line 1: no column 'at' for the time"),
        ("at,flight,flight\n", "line 1: two columns are named 'flight'"),
        ("\udcff,at\n", "not UTF-8"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path, store, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileError) as caught:
        csv_taken(path, store)
    assert message in str(caught.value)


def test_a_check_also_holds_for_rows(tmp_path, store):
    path = csv_file(tmp_path / "a.csv", "at,flight", "2013-02-08,UA1", "2013-02-08,UA2")
    imported = csv_taken(path, store, lambda e: "no UA2" if e.subject == "UA2" else None)
    assert imported.reasons == {"no UA2": Reason(1, "a.csv:3")}


@pytest.mark.parametrize("name", ["out.ndjson", "out.ndjson.gz"])
def test_export_is_what_import_reads_back(tmp_path, store, name):
    odd = event(2501, authid="ana", extensions=b'{"a":1}', data='{"é":1}'.encode())
    store.log.append([*events(1, 2500), odd]).result()
    told = []
    assert export_ndjson(tmp_path / name, store.log, lambda *done: told.append(done)) == 2501
    assert told[-1] == (2501, 2501)
    with Database.open(tmp_path / "other.db") as other:
        assert taken(tmp_path / name, other).new == 2501
        assert list(other.log.read()) == list(store.log.read())
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b'{"')


def test_export_as_csv_is_one_row_an_event(tmp_path, store):
    data = b'{"flight":"UA, 1","delay":-2,"late":true,"more":{"a":[1]},"beyond":5}'
    store.log.append([event(1, data=data, seen=7), event(2)]).result()
    assert export_csv(tmp_path / "out.csv", store.log, ["flight", "delay", "late", "more"]) == 2
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines() == [
        "position,id,source,type,subject,time,authid,causationid,seen,flight,delay,late,more",
        '1,id-1,/test,flight.departed,UA1,2013-02-08T00:00:01Z,,,7,"UA, 1",-2,true,"{""a"":[1]}"',
        "2,id-2,/test,flight.departed,UA2,2013-02-08T00:00:02Z,,,,,,,",
    ]


def test_export_leaves_no_half_a_file(tmp_path, store):
    store.log.append(events(1, 3000)).result()
    target = tmp_path / "out.ndjson"
    target.write_bytes(b"what was there")

    def stop(done: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_ndjson(target, store.log, stop)
    assert target.read_bytes() == b"what was there"
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(FileError, match="cannot be written"):
        export_csv(tmp_path / "none" / "out.csv", store.log, [])


class TestCsvThatIsOdd:
    def test_what_nobody_declared_and_python_does_not_hold_is_written_as_it_stands(self, store, tmp_path):
        data = b'{"big":' + b"1" * 5000 + b',"far":1e400,"note":"=1+1","n":-5}'
        store.log.append([Event(id="1", source="/t", type="m", time=0, data=data)]).result()
        assert export_csv(tmp_path / "out.csv", store.log, ["big", "far", "note", "n"]) == 1
        [_, row] = list(csv.reader(io.StringIO((tmp_path / "out.csv").read_text())))
        assert row[-4:] == ["1" * 5000, "1e400", "=1+1", "-5"]

    def test_for_a_spreadsheet_text_is_no_formula_and_numbers_are_numbers(self, store, tmp_path):
        data = b'{"note":"=1+1","n":-5,"more":["=1"]}'
        store.log.append([Event(id="=1", source="@s", type="m", subject="+1", time=0, data=data, authid="-x")]).result()
        export_csv(tmp_path / "out.csv", store.log, ["note", "n", "more"], safe=True)
        text = (tmp_path / "out.csv").read_text()
        header, row = (dict(enumerate(line)) for line in csv.reader(io.StringIO(text)))
        assert [row[at] for at in (1, 2, 4, 6)] == ["'=1", "'@s", "+1", "'-x"]
        assert [row[at] for at in (9, 10, 11)] == ["'=1+1", "-5", '["=1"]']
        assert ",-5," in text
        assert '"\'=1+1"' in text
        assert header[9] == "note"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="its devices are others")
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/random"])
def test_a_device_that_never_ends_is_no_file_of_events(store, device):
    with pytest.raises(FileError, match="a device, not a file of events"):
        taken(Path(device), store)


def test_a_pipe_is_read_until_its_writer_ends(store, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = ndjson(tmp_path / "in", event(1), event(2)).read_bytes()
    writer = Thread(target=lambda: (tmp_path / "pipe").write_bytes(content))
    writer.start()
    assert taken(tmp_path / "pipe", store).new == 2
    writer.join()


def test_a_name_that_is_no_text_is_told_where_a_line_is_set_apart(store, tmp_path):
    path = tmp_path / os.fsdecode(b"in\xff.ndjson")
    taken(ndjson(path, b"broken"), store)
    [item] = store.quarantine.list(10)
    assert item.origin == "in\\udcff.ndjson:1"
