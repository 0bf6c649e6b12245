"""The publisher alone on a real server: many entries in batches, each in the log once and in order, come what may."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import asynccontextmanager

import msgspec
import pytest

from dataflow.feeds.shared import batch, publisher, send_queue
from dataflow.feeds.shared.publisher import Publisher
from dataflow.nats import streams
from dataflow.nats.connection import connect
from dataflow.server.config import User
from tests.dataflow.feeds.shared.logs import BOARD, client, desk, entry, write
from tests.nats import make_server, server  # noqa: F401 - fixtures
from tests.stories import within

BATCH = "Nats-Batch-Id"


@asynccontextmanager
async def observed(server):  # noqa: F811
    """A server and somebody else's connection to it."""
    async with client(server.url) as other:
        yield server, other


story = within(observed, gives=2)


class Sender:
    """A publisher and what it has told. No feed: nothing that it sends comes back, unless `returned` is called."""

    def __init__(self):
        self.refusals, self.troubles = [], []
        self.told = asyncio.Event()
        self.publisher = Publisher(BOARD, "amy", self._refused, self._troubled, lambda *_: [], 0, lambda _: [])

    def _refused(self, refusal):
        self.refusals.append(refusal)
        self.told.set()

    def _troubled(self, why):
        self.troubles.append(why)
        self.told.set()

    async def hears(self, done):
        while not done(self):
            self.told.clear()
            await asyncio.wait_for(self.told.wait(), 15)

    @asynccontextmanager
    async def on(self, url, *, batches=True, prepare=None):
        """Sending over a connection; `prepare` may bend it before."""
        connection = await connect([url], "test", None, self.publisher._wake.set, self.publisher.deny)
        if prepare:
            prepare(connection)
        caught_up = asyncio.Event()
        caught_up.set()
        task = asyncio.create_task(self.publisher.run(connection, caught_up, batches))
        try:
            yield connection
        finally:
            await connection.close()
            await task


@asynccontextmanager
async def impatient():
    """Answers are waited for not as long as for slow lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publisher, "ANSWER_S", 0.3)
        patch.setattr(send_queue, "SLOWEST", 2**40)
        yield


async def log_of(other, count, timeout=20):
    """The messages in the log, once there are so many; each look is a round trip."""
    async with asyncio.timeout(timeout):
        while (last := (await streams.find(other, BOARD)).last) < count:
            pass
    return [await other.jetstream().get_msg("WF_b", number) for number in range(1, last + 1)]


def ids(messages):
    return [msgspec.json.decode(message.data)["id"] for message in messages]


def in_batches(messages):
    """How many messages each batch has that is in the log."""
    names = [message.headers[BATCH] for message in messages if BATCH in (message.headers or {})]
    return [names.count(name) for name in dict.fromkeys(names)]


@story
async def test_many_go_in_batches_and_few_alone(server, other):  # noqa: F811
    entries = [entry(n, f"UA{n % 5}") for n in range(batch.MOST + 60)]
    sender = Sender()
    sender.publisher.add(entries)
    async with sender.on(server.url):
        messages = await log_of(other, len(entries))
        assert ids(messages) == [each.id for each in entries]
        assert in_batches(messages) == [batch.MOST, 60]
        more = [entry(1000 + n) for n in range(batch.FEW - 1)]
        sender.publisher.add(more)
        messages = await log_of(other, len(entries) + len(more))
        assert ids(messages[len(entries) :]) == [each.id for each in more]
        assert in_batches(messages) == [batch.MOST, 60]
    assert (sender.refusals, sender.troubles) == ([], [])


@pytest.mark.parametrize("told", [False, True])
def test_a_log_that_takes_no_batches_gets_messages(server, told):  # noqa: F811
    """`told`: the stream said when it was looked at that it takes them, and does so no more."""

    async def run():
        async with client(server.url) as other:
            config = {**streams.configuration(BOARD), "allow_atomic": False}
            await other.jetstream().delete_stream("WF_b")
            await other.request("$JS.API.STREAM.CREATE.WF_b", msgspec.json.encode(config))
            entries = [entry(n) for n in range(100)]
            sender = Sender()
            sender.publisher.add(entries)
            async with sender.on(server.url, batches=told):
                messages = await log_of(other, 100)
            assert ids(messages) == [each.id for each in entries]
            assert in_batches(messages) == []
            assert (sender.refusals, sender.troubles) == ([], [])

    asyncio.run(run())


@story
async def test_a_batch_with_an_entry_that_the_log_has_goes_again_message_by_message(server, other):  # noqa: F811
    entries = [entry(n) for n in range(40)]
    await write(other, entries[7], operator="amy")
    sender = Sender()
    sender.publisher.add(entries)
    async with sender.on(server.url):
        messages = await log_of(other, 40)
        assert ids(messages) == [entries[7].id, *(each.id for each in entries if each is not entries[7])]
        assert in_batches(messages) == []
        sender.publisher.add(later := [entry(100 + n) for n in range(20)])
        messages = await log_of(other, 60)
        assert ids(messages[40:]) == [each.id for each in later]
        assert in_batches(messages) == [20]
    assert (sender.refusals, sender.troubles) == ([], [])


@story
async def test_a_batch_whose_answer_is_lost_is_in_the_log_once(server, other):  # noqa: F811
    def deaf(connection):
        answers = connection.answers
        lost = []

        def first_lost(answered):
            def hear(message):
                if lost:
                    answered(message)
                lost.append(message)

            return answers(hear)

        connection.answers = first_lost

    entries = [entry(n) for n in range(batch.MOST + 30)]
    sender = Sender()
    sender.publisher.add(entries)
    async with impatient(), sender.on(server.url, prepare=deaf):
        messages = await log_of(other, len(entries))
        await sender.hears(lambda sender: sender.troubles[-1:] == [""])
    assert ids(messages) == [each.id for each in entries]
    assert "does not say" in sender.troubles[0]


@story
async def test_a_connection_lost_within_a_batch_leaves_nothing_and_all_goes_again(server, other):  # noqa: F811
    entries = [entry(n) for n in range(200)]
    sender = Sender()
    sender.publisher.add(entries)
    cut = asyncio.Event()

    def cutting(connection):
        publish, sent = connection.client.publish, []

        async def until_cut(*given, **named):
            sent.append(given)
            if len(sent) == 150:
                await connection.client.flush()
                await connection.close()
                cut.set()
            await publish(*given, **named)

        connection.client.publish = until_cut

    async with sender.on(server.url, prepare=cutting):
        await asyncio.wait_for(cut.wait(), 10)
    assert (await streams.find(other, BOARD)).last == 0
    async with sender.on(server.url):
        messages = await log_of(other, 200)
    assert ids(messages) == [each.id for each in entries]
    assert in_batches(messages) == [200]


def test_what_is_not_permitted_is_refused_alone(make_server):  # noqa: F811
    """The server says no to one subject; nothing else of the batch is lost, and the order is kept."""
    import nkeys

    from dataflow.nats.identity import new_seed

    seeds = [new_seed() for _ in range(2)]
    keys = [nkeys.from_seed(seed.encode()).public_key.decode() for seed in seeds]
    subjects = ("wf.b.UA1.amy.>", "wf.b.UA2.amy.>", "_INBOX.>")
    users = (User(keys[0], (">",), (">",)), User(keys[1], subjects, (">",)))
    server = make_server(users=users).start()  # noqa: F811

    async def run():
        import nats

        other = await nats.connect(server.url, nkeys_seed_str=seeds[0], allow_reconnect=False)
        await streams.ensure(other, BOARD)
        entries = [entry(n, "UA1" if n % 2 else "UA2") for n in range(60)]
        wrong = [entry(100, "UA3"), entry(101, "ua4")]
        mixed = [*entries[:30], wrong[0], *entries[30:], wrong[1]]
        sender = Sender()
        sender.publisher.add(mixed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dataflow.nats.connection._credentials", lambda _: {"nkeys_seed_str": seeds[1]})
            async with sender.on(server.url):
                messages = await log_of(other, 60)
                await sender.hears(lambda sender: len(sender.refusals) == 2)
        assert ids(messages) == [each.id for each in entries]
        assert [refusal.id for refusal in sender.refusals] == [each.id for each in wrong]
        assert all("amy" in refusal.reason for refusal in sender.refusals)
        await other.close()

    asyncio.run(run())


@story
async def test_what_can_not_be_sent_is_refused_and_the_others_go_in_order(server, other):  # noqa: F811
    def replaced(n, **changes):
        return msgspec.structs.replace(entry(n), **changes)

    limit = 2**20
    big = replaced(1001, data=b'{"x":"%b"}' % (b"x" * (limit - 4000)))
    huge = replaced(1003, data=b'{"x":"%b"}' % (b"x" * limit))
    endless = replaced(1004, subject="s" * 40_000)
    no_text = replaced(1005, subject="\ud800")
    entries = [entry(n) for n in range(60)]
    mixed = [*entries[:20], big, *entries[20:40], huge, endless, no_text, *entries[40:]]
    taken = [each for each in mixed if each not in (huge, endless, no_text)]
    sender = Sender()
    sender.publisher.add(mixed)
    async with sender.on(server.url):
        messages = await log_of(other, len(taken))
    assert ids(messages) == [each.id for each in taken]
    assert in_batches(messages) == [20, 20, 20]
    assert [refusal.id for refusal in sender.refusals] == [huge.id, endless.id, no_text.id]
    reasons = [refusal.reason for refusal in sender.refusals]
    assert reasons[0] == f"larger than the {limit:,} bytes that the server takes"
    assert reasons[1] == "its names are longer than the 3,900 characters that the server takes"
    assert reasons[2].startswith("can't be put into a message: ")
    assert all(not refusal.stale for refusal in sender.refusals)


def watched(count, expects=0):
    """Entries of every kind about a few entities, as they are made offline: each says what was there before."""
    return [entry(n, f"UA{n % 7}", expects=(None, expects, expects)[n % 3], seen=expects) for n in range(count)]


def test_guarded_entries_go_in_batches_with_what_the_desk_itself_wrote_about_the_same(server, tmp_path):  # noqa: F811
    async def run():
        async with client(server.url) as other:
            for n in range(7):
                await write(other, entry(1000 + n, f"UA{n}"))
            entries = [
                msgspec.structs.replace(each, expects=each.expects and 1 + n % 7)
                for n, each in enumerate(watched(2 * batch.MOST + 50, 7))
            ]
            async with desk(server.url, tmp_path / "a.db", early=entries) as amy:
                await amy.reaches(7 + len(entries))
                assert amy.ids()[7:] == [each.id for each in entries]
                assert amy.refusals == []
            messages = await log_of(other, 7 + len(entries))
            assert (len(in_batches(messages)), sum(in_batches(messages))) == (3, len(entries))

    asyncio.run(run())


def test_guarded_entries_about_what_others_changed_are_refused_and_the_rest_goes_in_order(server, tmp_path):  # noqa: F811
    async def run():
        async with client(server.url) as other:
            theirs = entry(1000, "UA3")
            await write(other, theirs)
            entries = watched(100)
            stale = [each for each in entries if each.subject == "UA3" and each.expects is not None]
            async with desk(server.url, tmp_path / "a.db", early=entries) as amy:
                await amy.reaches(1 + len(entries) - len(stale))
                assert amy.ids() == [theirs.id, *(each.id for each in entries if each not in stale)]
                assert [refusal.id for refusal in amy.refusals] == [each.id for each in stale]
                assert all(refusal.stale for refusal in amy.refusals)

    asyncio.run(run())


@story
async def test_what_others_change_at_the_same_time_is_found_by_the_server(server, other):  # noqa: F811
    theirs = entry(1000, "UA3")
    await write(other, theirs)
    entries = [entry(n, f"UA{n}", expects=0) for n in range(20)]
    sender = Sender()
    sender.publisher.add(entries)
    async with sender.on(server.url):
        assert ids(await log_of(other, 4)) == [theirs.id, *(each.id for each in entries[:3])]
        assert sender.refusals == []
        came = [msgspec.structs.replace(theirs, position=1, authid="bob")]
        came += [msgspec.structs.replace(each, position=at) for at, each in enumerate(entries[:3], 2)]
        sender.publisher.confirm(came, 4)
        messages = await log_of(other, 20)
        assert ids(messages) == [theirs.id, *(each.id for each in entries if each.subject != "UA3")]
        assert in_batches(messages) == []
    assert [(refusal.id, refusal.stale) for refusal in sender.refusals] == [(entries[3].id, True)]


@pytest.mark.parametrize("seed", range(3))
def test_of_two_desks_that_send_at_once_none_acts_on_what_it_has_not_seen(
    server, tmp_path, seed, monkeypatch,  # noqa: F811
):  # fmt: skip
    chance = random.Random(seed)
    monkeypatch.setattr(batch, "MOST", 16)  # so that their batches alternate

    def mixed(first):
        return [
            entry(first + n, f"UA{chance.randrange(40)}", expects=chance.choice((None, 0)), seen=0) for n in range(400)
        ]

    async def run():
        mine, theirs = mixed(0), mixed(1000)
        async with (
            client(server.url), desk(server.url, tmp_path / "a.db", early=mine) as amy,
            desk(server.url, tmp_path / "b.db", "bob", early=theirs) as bob,
        ):
            await asyncio.gather(done(amy), done(bob))
            last = max(amy.feed.arrivals.value, bob.feed.arrivals.value)
            await amy.reaches(last)
            await bob.reaches(last)
            assert amy.ids() == bob.ids()
            judge(amy.events(), "amy", mine, amy.refusals)
            judge(amy.events(), "bob", theirs, bob.refusals)

    asyncio.run(run())


async def done(one):
    """Until nothing of a desk's waits."""
    await one.says("live")
    sender = one.feed._publisher
    while not sender.idle:
        sender._wake.clear()
        await asyncio.wait_for(sender._wake.wait(), 5)


def judge(log, author, entries, refusals):
    """Every entry is in the log, once and in order, or was refused; a guarded one, exactly if others were first."""
    refused = {refusal.id for refusal in refusals}
    assert all(refusal.stale for refusal in refusals)
    own = [event.id for event in log if event.authid == author]
    assert own == [each.id for each in entries if each.id not in refused]
    guarded = {each.id for each in entries if each.expects is not None}
    touched = set()
    for event in log:
        if event.authid != author:
            touched.add(event.subject)
        assert not (event.id in guarded and event.subject in touched), "it was taken though others were first"
    assert all(each.subject in touched for each in entries if each.id in refused), "it was refused though nobody was"


def test_a_desk_that_ends_half_way_goes_on_with_its_guarded_entries(server, tmp_path):  # noqa: F811
    """What it wrote before it ended makes nothing stale."""

    async def run():
        async with client(server.url):
            entries = watched(5 * batch.MOST)
            async with desk(server.url, tmp_path / "a.db", early=entries) as amy:
                await amy.reaches(batch.MOST)
            async with desk(server.url, tmp_path / "a.db") as amy:
                await amy.reaches(len(entries))
                assert amy.ids() == [each.id for each in entries]
                assert (amy.refusals, amy.database.outbox.count()) == ([], 0)

    asyncio.run(run())


@story
async def test_a_line_that_breaks_under_what_is_to_be_written_is_lost_at_once(server, other, caplog):  # noqa: F811
    lost = asyncio.Event()
    connection = await connect([server.url], "test", None, lost.set, lambda _: None)
    os.kill(server.pid, signal.SIGSTOP)
    for n in range(150):
        await connection.client.publish("wf.b.UA1.amy.note.made", b"x" * 100_000)
        if n == 75:
            await asyncio.sleep(0)  # the first half is being written, and the server does not take it
    server.kill()
    await asyncio.wait_for(lost.wait(), 2)
    await connection.close()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


@story
async def test_a_log_that_is_full_is_told_nothing_is_overtaken_and_it_clears_by_itself(server, other):  # noqa: F811
    config = {**streams.configuration(BOARD), "max_msgs": 25}
    await other.jetstream().delete_stream("WF_b")
    await other.request("$JS.API.STREAM.CREATE.WF_b", msgspec.json.encode(config))
    entries = [entry(n) for n in range(100)]
    sender = Sender()
    sender.publisher.add(entries)
    async with sender.on(server.url):
        await sender.hears(lambda sender: sender.troubles)
        assert sender.troubles == ["the server does not take entries: maximum messages exceeded"]
        assert ids(await log_of(other, 25)) == [each.id for each in entries[:25]]
        await other.request("$JS.API.STREAM.UPDATE.WF_b", msgspec.json.encode({**config, "max_msgs": -1}))
        await sender.hears(lambda sender: sender.troubles[-1] == "")
        messages = await log_of(other, 100)
    assert ids(messages) == [each.id for each in entries]
    assert sender.refusals == []


def test_a_server_without_space_is_told_in_the_status_until_there_is_some(make_server, tmp_path):  # noqa: F811
    server = make_server(max_store=2 * 2**20).start()  # noqa: F811

    async def run():
        async with client(server.url) as other, impatient():
            await other.jetstream().add_stream(name="other", subjects=["other"])
            for _ in range(5):
                await other.jetstream().publish("other", b"x" * 400_000)
            entries = [entry(n) for n in range(300)]
            entries[200] = msgspec.structs.replace(entries[200], data=b'{"x":"%b"}' % (b"x" * 200_000))
            async with desk(server.url, tmp_path / "a.db") as amy:
                await amy.says("live")
                await amy.enter(*entries)
                said = await amy.says("failed", "the server does not take entries")
                assert "insufficient" in said.detail or "exceeded" in said.detail
                await other.jetstream().delete_stream("other")
                await amy.says("live")
                await amy.reaches(300)
                assert amy.ids() == [each.id for each in entries]
                assert (amy.refusals, amy.database.outbox.count()) == ([], 0)

    asyncio.run(run())
