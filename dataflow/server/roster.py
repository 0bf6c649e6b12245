"""Who may use a served board now: its users, how much each has sent, and who is shut out for it.

Shared by two threads (`serving.py` holds the lock): that which looks at the users' files, and that which counts.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from dataflow.nats.errors import IdentityError
from dataflow.server import permissions, quotas
from dataflow.server.config import Account, User
from dataflow.server.identities import Identities, Member
from dataflow.server.quotas import Meter, Over, Sent

_USED = "devices.json"


class Roster:
    """Of one board. `folder` is where it is kept how much devices have sent in all."""

    def __init__(self, identities: Identities, folder: Path) -> None:
        """Raises IdentityError for a user's file that is none."""
        self.members = identities.list()
        self._identities, self._file = identities, folder / _USED
        self._complaint = ""
        self._meters: dict[str, Meter] = {}
        self._used = self._read()
        self._kept = dict(self._used)
        self._measure()

    @property
    def out(self) -> list[str]:
        """The accounts of those who are shut out."""
        return [account for account, meter in self._meters.items() if meter.out_until is not None]

    def refresh(self) -> str | None:
        """Take up users that were added, changed or removed; "" if there were such, what is wrong, or None."""
        try:
            members = self._identities.list()
        except IdentityError as error:
            news = str(error) if str(error) != self._complaint else None
            self._complaint = str(error)
            return news
        if members == self.members:
            return None
        self.members = members
        self._measure()
        return ""

    def accounts(self, board: str, sources: Sequence[str], own: Sequence[User]) -> tuple[Account, ...]:
        """All accounts; `own` are users of the log's account beside the admins. Who is shut out has no user."""
        admins = [permissions.everything(member.key) for member in self.members if member.role == "admin"]
        log = permissions.log_account(board, [*own, *admins], sources)
        others = [self._account(member, board, sources) for member in self.members if member.role != "admin"]
        return log, *without_users(others, self.out)

    def count(self, sent: Mapping[str, Sent], now: float) -> list[Over]:
        """What accounts have sent since the server was started; who is over the quota from now on."""
        results = [meter.count(sent[account], now) for account, meter in self._meters.items() if account in sent]
        return [over for over in results if over is not None]

    def readmit(self, now: float) -> list[str]:
        """The names of those whose time is over: they may come back."""
        back = [meter for meter in self._meters.values() if meter.out_until is not None and not meter.is_out(now)]
        for meter in back:
            meter.out_until = None
        return [meter.name for meter in back]

    def save(self) -> None:
        """Write down what devices have sent, if it is more than was written. Raises OSError."""
        devices = {permissions.account_of("device", each.name) for each in self.members if each.role == "device"}
        used = {account: meter.used for account, meter in self._meters.items() if account in devices}
        self._used |= used
        if self._used == self._kept:
            return
        fresh = self._file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(self._used))
        fresh.replace(self._file)
        self._kept = dict(self._used)

    def _account(self, member: Member, board: str, sources: Sequence[str]) -> Account:
        if member.role == "device":
            largest = member.largest or quotas.LARGEST
            return permissions.device_account(member.name, member.password, sources, largest)
        return permissions.desk_account(member.role, board, member.name, member.key)

    def _measure(self) -> None:
        """A meter for each who is counted; those who were there keep theirs."""
        before, self._meters = self._meters, {}
        for member in self.members:
            if member.role == "admin":
                continue
            account = permissions.account_of(member.role, member.name)
            quota = quotas.OF_ROLE.get(member.role) or quotas.of_device(member.rate, member.disk)
            meter = before.get(account) or Meter(member.name, quota, self._used.get(account, 0))
            meter.change(quota)
            self._meters[account] = meter

    def _read(self) -> dict[str, int]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.DecodeError):
            return {}


def without_users(accounts: Sequence[Account], names: Collection[str]) -> tuple[Account, ...]:
    """The accounts, those with these names closed to everybody."""
    return tuple(
        msgspec.structs.replace(account, users=()) if account.name in names else account for account in accounts
    )
