"""`watchfloor user`: who may use this account's servers, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gui.terminal import say

if TYPE_CHECKING:
    from dataflow.server.identities import Identities
    from dataflow.server.permissions import Role

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
def add(name: str, role: Role | None) -> None:
    """Make the user NAME and write their identity file.

    Bring the file to the user's machine, and keep it from others: whoever has it is taken for NAME.
    """
    if role is None:
        raise click.UsageError("--role is missing: viewer, operator, admin or device")
    path = _identities().add(name, role)
    say(f"{name} ({role}): {path}")
    if role == "device":
        say("The file tells its name and password: write them into the device's MQTT settings")
        return
    say("Give them this file and no one else: watchfloor open BOARD --server URL --identity FILE")


@command.command("list", short_help="Name all users with their roles.")
def list_() -> None:
    """Name all users with their roles and public keys."""
    members = _identities().list()
    width = max((len(member.name) for member in members), default=0)
    for member in members:
        say(f"{member.name:{width}}  {member.role:8}  {member.key or '(by password)'}")


@command.command("remove", short_help="Shut a user out.")
@click.argument("name")
def remove(name: str) -> None:
    """Shut the user NAME out; a running server cuts them off. What they have entered stays in the log."""
    _identities().remove(name)
    say(f"{name} is no user any more")


def _identities() -> Identities:
    from dataflow.server.identities import Identities
    from gui.places import access

    return Identities(access())
