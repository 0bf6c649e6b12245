"""The plan cache may forget, never lie."""

from __future__ import annotations

from dataflow.plans import PlanCache, compiler_version


def test_gives_back_what_was_put_also_to_another_process(tmp_path):
    PlanCache(tmp_path / "plans", b"v1").put("select 1", b"plan")
    assert PlanCache(tmp_path / "plans", b"v1").get("select 1") == b"plan"
    assert PlanCache(tmp_path / "plans", b"v1").get("select 2") is None


def test_another_version_sees_nothing(tmp_path):
    PlanCache(tmp_path, b"v1").put("k", b"plan")
    assert PlanCache(tmp_path, b"v2").get("k") is None


def test_a_torn_or_foreign_entry_is_absent(tmp_path):
    cache = PlanCache(tmp_path, b"v")
    cache.put("k", b"a plan of some length")
    [file] = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole + b"x", b"x" + whole[1:]):
        file.write_bytes(damaged)
        assert cache.get("k") is None


def test_where_nothing_can_be_written_there_is_no_cache_and_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    cache = PlanCache(tmp_path / "file" / "plans", b"v")
    cache.put("k", b"plan")
    assert cache.get("k") is None


def test_stays_within_its_limit_and_leaves_nothing_aside(tmp_path):
    for run in range(10):
        cache = PlanCache(tmp_path, b"v", limit=20_000)
        for i in range(64):
            cache.put(f"{run} {i}", bytes(100))
    files = list(tmp_path.iterdir())
    assert sum(file.stat().st_size for file in files) < 20_000 + 64 * 116
    assert all(file.suffix == ".plan" for file in files)


def test_the_compilers_version_is_stable():
    assert compiler_version() == compiler_version()
