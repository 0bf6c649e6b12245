"""`watchfloor user`: who may use this account's servers, and what they may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from gui.reporting.terminal import say

if TYPE_CHECKING:
    from dataflow.nats.identity import Role
    from dataflow.server.identities import Identities, Member

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"(\d{1,12})\s*([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)


class _Size(click.ParamType[int]):
    """Bytes: 65536, 64k, 2G."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(value.strip())
        size = int(found[1]) * _UNITS[found[2].lower()] if found else 0
        if not 0 < size < 2**63:
            self.fail(f"{value!r} is no size; write it as 64k, 500M or 2G", param, ctx)
        return size


_RATE = click.option("--rate", type=click.FloatRange(0.001, 1e9), metavar="N",
                     help="The messages a second that a device may send in the long run; 200 by default.")
_LARGEST = click.option("--largest", type=_Size(), help="The largest message of a device; 64k by default.")
_DISK = click.option("--disk", type=_Size(), help="What a device may add to the log in all; 2G by default.")

_ROLES = ("viewer", "operator", "admin", "device")


@click.group("user", short_help="Who may use a served board.", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """The users of the boards that this account serves. A running server takes changes up within a second."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@command.command("add", short_help="Make a user, and the file by which they prove who they are.")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES),
              help="viewer: sees; operator: also enters events under this name; admin: everything; "
              "device: says what the board's [sources] take, by a password.")
@_RATE
@_LARGEST
@_DISK
def add(name: str, role: Role | None, rate: float | None, largest: int | None, disk: int | None) -> None:
    """Make the user NAME and write their identity file.

    Bring the file to the user's machine, and keep it from others: whoever has it is taken for NAME.
    """
    if role is None:
        raise click.UsageError("--role is missing: viewer, operator, admin or device")
    from dataflow.server.identities import Limits

    limits = Limits(rate, largest, disk)
    if role != "device" and limits != Limits():
        raise click.UsageError("--rate, --largest and --disk are limits of devices")
    path = _identities().add(name, role, limits)
    say(f"{name} ({role}): {path}")
    if role == "device":
        say("The file tells its name and password: write them into the device's MQTT settings")
        return
    say("Give them this file and no one else: watchfloor open BOARD --server URL --identity FILE")


@command.command("limit", short_help="Say how much a device may send.")
@click.argument("name")
@_RATE
@_LARGEST
@_DISK
def limit(name: str, rate: float | None, largest: int | None, disk: int | None) -> None:
    """Say how much the device NAME may send: what is not named stays. One that was shut out comes in again."""
    from dataflow.server.identities import Limits

    limits = Limits(rate, largest, disk)
    if limits == Limits():
        raise click.UsageError("say what the limit is: --rate, --largest or --disk")
    say(f"{name}: {_limits(_identities().limit(name, limits))}")


@command.command("list", short_help="Name all users with their roles.")
def list_() -> None:
    """Name all users with their roles and public keys, and what devices may send."""
    from dataflow.text.user_names import describe

    members = _identities().list()
    shown = [describe(member.name) for member in members]
    width = max(map(len, shown), default=0)
    for name, member in zip(shown, members, strict=True):
        say(f"{name:{width}}  {member.role:8}  {member.key or f'by password, {_limits(member)}'}")


@command.command("remove", short_help="Shut a user out.")
@click.argument("name")
def remove(name: str) -> None:
    """Shut the user NAME out; a running server cuts them off. What they have entered stays in the log."""
    _identities().remove(name)
    say(f"{name} is no user any more")


def _limits(member: Member) -> str:
    from dataflow.server import quotas

    rate = quotas.RATE if member.rate is None else member.rate
    sizes = member.largest or quotas.LARGEST, member.disk or quotas.DISK
    largest, disk = map(quotas.describe_size, sizes)
    return f"up to {rate:,.6g} messages a second of {largest}, {disk} in all"


def _identities() -> Identities:
    from dataflow.server.identities import Identities
    from gui.paths import access

    return Identities(access())
