"""Who may use a board now: users' files as accounts, what each has sent, and who is shut out."""

from __future__ import annotations

import msgspec
import pytest

from dataflow.nats.errors import IdentityError
from dataflow.server import permissions, quotas
from dataflow.server.config import Account, User
from dataflow.server.identities import Identities, Limits
from dataflow.server.quotas import Sent
from dataflow.server.roster import Roster, without_users

OWN = User("OWN", (">",), (">",))


@pytest.fixture
def identities(tmp_path):
    return Identities(tmp_path / "who")


@pytest.fixture
def roster(identities, tmp_path):
    for name, role in (("root", "admin"), ("amy", "operator"), ("vic", "viewer"), ("gate", "device")):
        identities.add(name, role)
    return Roster(identities, tmp_path)


def accounts(roster):
    return {account.name: account for account in roster.accounts("b", ("tele.*",), [OWN])}


def users(roster):
    """How many users each account has."""
    return {name: len(account.users) for name, account in accounts(roster).items()}


def test_admins_are_in_the_logs_account_and_everybody_else_has_one(roster):
    found = accounts(roster)
    assert users(roster) == {"WF": 2, "user-amy": 1, "user-vic": 1, "device-gate": 1}
    keys = {member.name: member.key for member in roster.members}
    assert [user.key for user in found["WF"].users] == ["OWN", keys["root"]]
    assert found["user-amy"].users[0].key == keys["amy"]
    assert "wf.b.*.amy.>" in found["user-amy"].users[0].publish
    assert not any(subject.startswith("wf.b.") for subject in found["user-vic"].users[0].publish)
    assert (found["device-gate"].users[0].name, found["device-gate"].payload) == ("gate", quotas.LARGEST)


def test_who_sends_too_much_has_no_user_until_the_time_is_over(roster):
    assert roster.count({"user-vic": Sent(100, 10), "user-nobody": Sent(10**9, 10)}, 0.0) == []
    (over,) = roster.count({"user-vic": Sent(100_000, 10), "user-amy": Sent(1, 1)}, 1.0)
    assert (over.name, over.seconds) == ("vic", 60)
    assert roster.out == ["user-vic"]
    assert users(roster) == {"WF": 2, "user-amy": 1, "user-vic": 0, "device-gate": 1}
    assert roster.readmit(60.9) == []
    assert roster.readmit(61.0) == ["vic"]
    assert roster.readmit(61.0) == []
    assert (roster.out, users(roster)["user-vic"]) == ([], 1)


def test_admins_are_counted_by_nobody(roster):
    assert roster.count({"WF": Sent(10**9, 10**12)}, 0.0) == []


def test_users_that_come_go_and_change_are_taken_up(roster, identities):
    assert roster.refresh() is None
    identities.add("joe", "operator")
    identities.remove("vic")
    assert roster.refresh() == ""
    assert sorted(users(roster)) == ["WF", "device-gate", "user-amy", "user-joe"]
    assert roster.refresh() is None
    identities.limit("gate", Limits(largest=7))
    assert roster.refresh() == ""
    assert accounts(roster)["device-gate"].payload == 7


def test_who_is_out_stays_out_when_others_come_and_a_new_quota_lets_in(roster, identities):
    roster.count({"user-vic": Sent(100_000, 0), "device-gate": Sent(1, quotas.DISK + 1)}, 0.0)
    identities.add("joe", "operator")
    assert roster.refresh() == ""
    assert sorted(roster.out) == ["device-gate", "user-vic"]
    identities.limit("gate", Limits(disk=2 * quotas.DISK))
    assert roster.refresh() == ""
    assert roster.out == ["user-vic"]


def test_a_damaged_file_changes_nothing_and_is_told_once(roster, tmp_path):
    before, file = roster.members, tmp_path / "who" / "users" / "eve.json"
    file.write_text("garbage")
    assert "damaged" in roster.refresh()
    assert roster.refresh() is None
    assert roster.members == before
    file.unlink()
    assert roster.refresh() is None


def test_no_roster_without_readable_users(identities, tmp_path):
    identities.add("amy", "operator")
    (tmp_path / "who" / "users" / "eve.json").write_text("garbage")
    with pytest.raises(IdentityError, match="damaged"):
        Roster(identities, tmp_path)


def test_what_devices_have_sent_is_kept_over_restarts(roster, identities, tmp_path):
    file = tmp_path / "devices.json"
    roster.save()
    assert not file.exists() or msgspec.json.decode(file.read_bytes()) == {"device-gate": 0}
    roster.count({"device-gate": Sent(3, 700), "user-amy": Sent(3, 900)}, 0.0)
    roster.save()
    assert msgspec.json.decode(file.read_bytes()) == {"device-gate": 700}
    file.unlink()
    roster.save()
    assert not file.exists(), "nothing has changed"
    roster.count({"device-gate": Sent(4, 800)}, 1.0)
    roster.save()
    again = Roster(identities, tmp_path)
    again.count({"device-gate": Sent(1, 5)}, 0.0)
    again.save()
    assert msgspec.json.decode(file.read_bytes()) == {"device-gate": 805}
    assert file.stat().st_mode & 0o077 == 0


def test_a_device_that_was_removed_is_remembered_by_what_it_sent(roster, identities, tmp_path):
    roster.count({"device-gate": Sent(3, 700)}, 0.0)
    roster.save()
    identities.remove("gate")
    roster.refresh()
    roster.save()
    identities.add("gate", "device", Limits(disk=699))
    assert roster.refresh() == ""
    (over,) = Roster(identities, tmp_path).count({"device-gate": Sent(1, 0)}, 0.0)
    assert over.seconds is None


@pytest.mark.parametrize("text", ["garbage", "[]", '{"device-gate":"x"}'])
def test_a_damaged_count_is_none(roster, identities, tmp_path, text):
    (tmp_path / "devices.json").write_text(text)
    assert Roster(identities, tmp_path).count({"device-gate": Sent(1, 1)}, 0.0) == []


def test_accounts_without_users_are_there_all_the_same():
    both = Account("a", (OWN,)), Account("b", (OWN,))
    assert without_users(both, ["b", "c"]) == (both[0], Account("b"))
    assert permissions.account_of("admin", "x") == "WF"
    assert permissions.account_of("device", "x y") == "device-x%20y"
