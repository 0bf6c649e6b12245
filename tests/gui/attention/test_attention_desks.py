"""Two windows on one shared log, on a real server: both operators act on one thing, and the loser decides what then."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import nats
from PySide6.QtCore import Qt

from dataflow.boards.file import load
from dataflow.desk.desk import DeskBuilder
from dataflow.nats import streams
from dataflow.session import EntryRejected
from gui.attention.dialog import AttentionDialog
from gui.binding.screen import Screen
from gui.theme.theme import Theme
from gui.window.main_window import MainWindow
from storage.errors import StoreFull
from tests.dataflow.desks import BOARD, until
from tests.nats import make_server, server  # noqa: F401  fixtures

KEY = Qt.Key
GUARDED = BOARD.replace("entry = true", 'entry = true\nguard = true\nlabel = "Make a note"')


class Place:
    """A window on a desk of the shared log, and the operator at it."""

    def __init__(self, folder, url, name, qtbot):
        self.name, self._qtbot, self.closed = name, qtbot, False
        loaded = load(folder / "board.toml")
        self.desk = DeskBuilder(asyncio.get_running_loop(), name, None).shared(loaded, folder / f"{name}.db", [url])
        self.session = self.desk.pipeline
        self.window = MainWindow(Theme.load("dark"))
        self.window.show_board(loaded.board)
        self.window.resize(900, 600)
        self.window.show()
        self.screen = Screen(self.window, self.session)
        self.session.start()

    async def close(self):
        if self.closed:
            return
        self.closed = True
        self.screen.close()
        self.window.close()
        self.window.deleteLater()
        await self.desk.close()

    async def counts(self, attention):
        return await until(self.session.status, lambda status: status.attention == attention, 10)

    @property
    def dialog(self):
        return self.window.findChild(AttentionDialog)

    async def opens(self):
        """The dialog, with what happened meanwhile."""
        self.window.activateWindow()
        await soon(self.window.isActiveWindow)
        self.press(self.window, KEY.Key_F8)
        await soon(lambda: self.dialog._entry.meanwhile is not None)
        return self.dialog

    def press(self, widget, key, modifier=Qt.KeyboardModifier.NoModifier):
        self._qtbot.keyClick(widget, key, modifier)

    def story(self):
        return [(line.note, line.detail) for line in self.dialog._entry._story.lines]

    def told(self):
        return self.dialog._actions.outcome.text()

    def events(self):
        return [event for chunk in self.desk.database.log.read() for event in chunk]


async def soon(done):
    """Until something holds that nothing tells of."""
    for _ in range(2000):
        if done():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")


@asynccontextmanager
async def places(folder, url, qtbot):
    """Amy's and Bob's, both on a log that holds one note."""
    (folder / "board.toml").write_text(GUARDED)
    connection = await nats.connect(url)
    await streams.ensure(connection, "notes")
    await connection.close()
    amy, bob = (Place(folder, url, name, qtbot) for name in ("amy", "bob"))
    try:
        await amy.session.enter("note.made", {"place": "north", "weight": 1}).confirmed
        for place in (amy, bob):
            await until(place.session.status, lambda status: status.position == 1 and status.state == "live", 10)
        yield amy, bob
    finally:
        await amy.close()
        await bob.close()


async def race(amy, bob, known=0):
    """Both act at once on what both have seen; the loser, and the winner."""
    entered = [
        place.session.enter("note.made", {"place": "north", "weight": weight})
        for place, weight in ((amy, 20), (bob, 30))
    ]
    outcomes = await asyncio.gather(*(each.confirmed for each in entered), return_exceptions=True)
    lost = [isinstance(outcome, EntryRejected) for outcome in outcomes]
    assert sorted(lost) == [False, True]
    loser, winner = (amy, bob) if lost[0] else (bob, amy)
    assert loser.session.status.value.attention == 1
    assert winner.session.status.value.attention == 0
    return loser, winner


def test_the_loser_sees_what_happened_and_re_applies_by_keys(run, qtbot, server, tmp_path):  # noqa: F811
    async def main():
        async with places(tmp_path, server.url, qtbot) as (amy, bob):
            loser, winner = await race(amy, bob)
            dialog = await loser.opens()
            refused = loser.session.attention()[0].entry
            weight = {"amy": 20, "bob": 30}
            assert (refused.author, refused.fields["weight"]) == (loser.name, weight[loser.name])
            assert dialog._entry._heading.text() == "Make a note · north"
            assert loser.story() == [(winner.name, f"Weight {weight[winner.name]}")]
            loser.press(dialog._list, KEY.Key_Return)
            loser.press(dialog._actions.again, KEY.Key_Return)
            await loser.counts(0)
            await soon(lambda: loser.told() == "Confirmed at position 3")
            event = loser.events()[-1]
            assert (event.authid, event.causationid, event.expects) == (loser.name, refused.id, 2)
            assert dialog._items == ()
            await until(winner.session.status, lambda status: status.position == 3, 10)
            assert winner.events() == loser.events()

    run(main())


def test_it_is_discarded_brought_back_kept_over_a_restart_and_changed(run, qtbot, server, tmp_path):  # noqa: F811
    async def main():
        async with places(tmp_path, server.url, qtbot) as (amy, bob):
            loser, winner = await race(amy, bob)
            dialog = await loser.opens()
            loser.press(dialog._list, KEY.Key_Delete)
            await loser.counts(0)
            await soon(lambda: loser.told() == "Discarded: Make a note · north")
            loser.press(dialog, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
            await loser.counts(1)
            await soon(lambda: dialog._entry.isVisible() and not loser.told())
            await loser.close()
            again = Place(tmp_path, server.url, loser.name, qtbot)
            try:
                await again.counts(1)
                await until(again.session.status, lambda status: status.state == "live", 10)
                dialog = await again.opens()
                assert [author for author, _ in again.story()] == [winner.name]
                dialog._actions.change.click()
                form = dialog._entry.form
                assert form.fields["weight"].editor.hasFocus()
                form.fields["weight"].editor.setText("44")
                again.press(form.fields["weight"].editor, KEY.Key_Return)
                await again.counts(0)
                await soon(lambda: again.told() == "Confirmed at position 3")
                assert again.events()[-1].data == b'{"place":"north","weight":44}'
            finally:
                await again.close()

    run(main())


def test_what_happens_while_the_dialog_is_open_is_told_and_a_second_race_is_lost_openly(
    run, qtbot, server, tmp_path  # noqa: F811
):
    async def main():
        async with places(tmp_path, server.url, qtbot) as (amy, bob):
            loser, winner = await race(amy, bob)
            dialog = await loser.opens()
            seen = dialog._entry.meanwhile
            await winner.session.enter("note.made", {"place": "north", "weight": 7}).confirmed
            await soon(lambda: (winner.name, "Weight 7") in loser.story())
            dialog._entry.meanwhile = seen  # as if the next one came a moment before it could be painted
            dialog._actions.again.click()
            await soon(lambda: "North has changed" in loser.told())
            (item,) = dialog._items
            assert item.stale
            await soon(lambda: loser.story() == [(winner.name, "Weight 7")])
            dialog._actions.again.click()
            await soon(lambda: loser.told() == "Confirmed at position 4")
            await loser.counts(0)

    run(main())


def test_a_store_that_refuses_is_said_and_the_item_stays(run, qtbot, server, tmp_path, monkeypatch):  # noqa: F811
    def full(*_):
        future = asyncio.futures.concurrent.futures.Future()
        future.set_exception(StoreFull(tmp_path))
        return future

    async def main():
        async with places(tmp_path, server.url, qtbot) as (amy, bob):
            loser, _ = await race(amy, bob)
            dialog = await loser.opens()
            monkeypatch.setattr(loser.desk.database.outbox, "replace", full)
            monkeypatch.setattr(loser.desk.database.quarantine, "dismiss", full)
            for button in (dialog._actions.again, dialog._actions.dismiss):
                dialog._actions.outcome.clear()
                button.click()
                await soon(lambda: "the disk is full" in loser.told())
                assert len(dialog._items) == 1
            assert loser.session.status.value.attention == 1
            assert loser.desk.database.outbox.count() == 0

    run(main())
