"""The plan cache may forget, never lie."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from dataflow.engine import plan_cache
from dataflow.engine.engine import Engine
from dataflow.engine.plan_cache import PlanCache, compiler_version
from dataflow.sql.plan.codec import encode
from dataflow.sql.plan.nodes import Call, Map, Query, Values


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


PACKAGE = Path(plan_cache.__file__).parent.parent
ROOMS = ("engine", "sql")
FOLDERS = sorted({str(file.parent.relative_to(PACKAGE)) for room in ROOMS for file in PACKAGE.glob(f"{room}/**/*.py")})


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    package = tmp_path_factory.mktemp("copy") / "dataflow"
    for folder in FOLDERS:
        (package / folder).mkdir(parents=True, exist_ok=True)
        for file in (PACKAGE / folder).glob("*.py"):
            shutil.copy2(file, package / folder)
    return package


def test_rooms_of_the_compiler_have_folders():
    assert {"engine", "engine/operators", "sql", "sql/plan", "sql/codegen"} <= set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_compilers_version_is_another_when_a_source_changes_comes_or_goes(copied, folder):
    before = compiler_version(copied)
    assert compiler_version(copied) == before, "as long as nothing changes"
    file = next((copied / folder).glob("*.py"))
    source, changed = file.read_bytes(), file.stat().st_mtime_ns
    file.write_bytes(source + b"# longer")
    os.utime(file, ns=(changed, changed))
    longer = compiler_version(copied)
    file.write_bytes(source)
    os.utime(file, ns=(changed, changed + 1000))
    touched = compiler_version(copied)
    os.utime(file, ns=(changed, changed))
    assert compiler_version(copied) == before
    added = file.with_name("added.py")
    added.write_text("")
    more = compiler_version(copied)
    added.unlink()
    assert len({before, longer, touched, more}) == 4
    (copied / folder / "notes.txt").write_text("no source")
    assert compiler_version(copied) == before


def test_by_default_the_version_is_that_of_the_running_sources(tmp_path, copied):
    assert compiler_version() == compiler_version(PACKAGE) != compiler_version(copied)
    PlanCache(tmp_path / "plans").put("k", b"plan")
    assert PlanCache(tmp_path / "plans").get("k") == b"plan"
    assert PlanCache(tmp_path / "plans", compiler_version()).get("k") == b"plan"
    assert PlanCache(tmp_path / "plans", compiler_version(copied)).get("k") is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists")
class TestPlanted:
    """What others have put into the cache is never taken: a plan becomes code."""

    @pytest.fixture
    def cache(self, tmp_path) -> PlanCache:
        made = PlanCache(tmp_path / "own" / "plans", b"v")
        made.put("k", b"plan")
        return made

    def test_it_is_for_this_account_alone(self, cache):
        [file] = cache.folder.iterdir()
        secret = cache.folder.with_name("plans.key")
        assert [stat.S_IMODE(each.stat().st_mode) for each in (file, secret, cache.folder)] == [0o600, 0o600, 0o700]

    def test_a_plan_that_nobody_signed_is_absent(self, cache, tmp_path):
        stranger = PlanCache(tmp_path / "stranger" / "plans", b"v")
        stranger.put("k", b"evil")
        [theirs], [ours] = stranger.folder.iterdir(), cache.folder.iterdir()
        assert theirs.name == ours.name
        ours.write_bytes(theirs.read_bytes())
        assert cache.get("k") is None
        assert stranger.get("k") == b"evil"

    def test_an_entry_of_another_query_is_absent(self, cache):
        cache.put("other", b"other plan")
        first, second = sorted(cache.folder.iterdir())
        content = first.read_bytes(), second.read_bytes()
        first.write_bytes(content[1])
        second.write_bytes(content[0])
        assert (cache.get("k"), cache.get("other")) == (None, None)

    @pytest.mark.parametrize("mode", [0o602, 0o620, 0o666, 0o777])
    def test_a_file_that_others_may_write_is_absent(self, cache, mode):
        [file] = cache.folder.iterdir()
        file.chmod(mode)
        assert cache.get("k") is None

    def test_a_link_in_the_place_of_a_file_is_absent(self, cache, tmp_path):
        [file] = cache.folder.iterdir()
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
        assert cache.get("k") is None

    def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(self, cache):
        [file] = cache.folder.iterdir()
        file.unlink()
        os.mkfifo(file)
        assert cache.get("k") is None

    @pytest.mark.parametrize("which", ["plans", "own"])
    def test_a_folder_that_others_may_write_is_not_used_and_that_is_told_once(self, cache, caplog, which):
        folder = cache.folder if which == "plans" else cache.folder.parent
        folder.chmod(0o777)
        before = sorted(cache.folder.iterdir())
        for _ in range(3):
            assert cache.get("k") is None
            cache.put("new", b"plan")
        assert sorted(cache.folder.iterdir()) == before
        assert [record.getMessage() for record in caplog.records] == [
            f"{folder}: other accounts can write there, so no compiled queries are kept; mind its permissions"
        ]

    def test_a_folder_of_ours_that_was_open_is_closed_and_what_was_in_it_goes(self, cache):
        cache.folder.chmod(0o777)
        again = PlanCache(cache.folder, b"v")
        assert again.get("k") is None
        again.put("k", b"plan")
        assert again.get("k") == b"plan"
        assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700

    def test_a_link_in_the_place_of_the_folder_is_not_used(self, cache, tmp_path):
        cache.folder.rename(tmp_path / "moved")
        cache.folder.symlink_to(tmp_path / "moved")
        assert PlanCache(cache.folder, b"v").get("k") is None

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
    @pytest.mark.parametrize("which", ["plans", "own", "file", "key"])
    def test_what_belongs_to_another_account_is_not_used(self, cache, which):
        [file] = cache.folder.iterdir()
        places = {
            "plans": cache.folder, "own": cache.folder.parent, "file": file, "key": cache.folder.with_name("plans.key"),
        }  # fmt: skip
        os.chown(places[which], 65534, 65534)
        assert PlanCache(cache.folder, b"v").get("k") is None

    def test_a_key_that_others_may_read_signs_nothing(self, cache):
        cache.folder.with_name("plans.key").chmod(0o644)
        assert PlanCache(cache.folder, b"v").get("k") is None

    def test_nothing_that_was_planted_runs(self, tmp_path):
        """A plan for a query of a real engine, whose code would leave a trace."""
        trace = tmp_path / "trace"
        code = f"__import__('pathlib').Path({str(trace)!r}).write_text('ran')"
        planted = encode(
            Query(("a",), ("int",), Map(Values(((1,),)), (), (Call(code, (), strict=False),)), ())
        )

        class Everything:
            """A cache that has this plan for whatever is asked."""

            def get(self, key: str) -> bytes:
                return planted

            def put(self, key: str, plan: bytes) -> None: ...

        Engine({"events": {"a": "int"}}, {}, plans=Everything()).live("SELECT a FROM events").rows()
        assert trace.exists()  # so this is what it would do
        trace.unlink()
        cache = PlanCache(tmp_path / "own" / "plans", b"v")
        Engine({"events": {"a": "int"}}, {}, plans=cache).live("SELECT a FROM events")
        for file in list(cache.folder.iterdir()):
            for signature in (b"", file.read_bytes()[:16], file.read_bytes()[:32], bytes(32)):
                file.write_bytes(signature + planted)
                Engine({"events": {"a": "int"}}, {}, plans=cache).live("SELECT a FROM events").rows()
        assert not trace.exists()
