"""Users' keys: the seed stays with its owner, the server gets the public key, a name is had once."""

from __future__ import annotations

import os
import sys

import pytest

from dataflow.nats.errors import IdentityError
from dataflow.nats.identity import Identity, public_key, read
from dataflow.server.identities import Identities, Member

ODD = 'Ödön "the\\duty" O\'Neil/..'


@pytest.fixture
def identities(tmp_path):
    return Identities(tmp_path / "account")


@pytest.mark.parametrize("name", ["ada", ODD, "..", "a.b", "CON", "é" * 10])
def test_a_user_is_added_and_read_back(identities, name):
    path = identities.add(name, "operator")
    identity = read(path)
    assert (identity.name, identity.role) == (name, "operator")
    assert identities.list() == [Member(name=name, role="operator", key=public_key(identity.seed))]
    assert identity.seed not in repr(identity)
    identities.remove(name)
    assert identities.list() == []
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_the_seed_is_for_its_owner_only(identities):
    path = identities.add("ada", "viewer")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.chmod(0o644)
    with pytest.raises(IdentityError, match="chmod 600"):
        read(path)


def test_the_server_keeps_no_secret(identities, tmp_path):
    seed = read(identities.add("ada", "admin")).seed
    kept = b"".join(path.read_bytes() for path in (tmp_path / "account" / "users").iterdir())
    assert seed.encode() not in kept


def test_a_name_is_had_once(identities):
    path = identities.add("ada", "viewer")
    with pytest.raises(IdentityError, match="already"):
        identities.add("ada", "admin")
    path.unlink()  # its owner took it along
    with pytest.raises(IdentityError, match="already"):
        identities.add("ada", "admin")
    assert not path.exists()
    assert [member.role for member in identities.list()] == ["viewer"]


@pytest.mark.parametrize("name", ["", " ada", "a\nb", "\x1b[2J", "_", "é" * 40, "\udce9"])
def test_what_is_no_name(identities, name):
    with pytest.raises(IdentityError) as caught:
        identities.add(name, "viewer")
    assert str(caught.value).isprintable()


def test_removing_nobody(identities):
    with pytest.raises(IdentityError, match="no user 'ada'"):
        identities.remove("ada")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"SUAM", b'name = "ada"', b'name = "ada"\nrole = "operator"\nseed = "SUAB"',
     b'name = "ada"\nrole = "king"\nseed = "x"', b"[" * 70_000],
)  # fmt: skip
def test_what_is_no_identity_file(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(IdentityError, match="not an identity file") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_an_account_key_is_no_users(identities):
    import nkeys

    with pytest.raises(IdentityError):
        public_key(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT).decode())


def test_a_missing_file_and_a_damaged_user(identities, tmp_path):
    with pytest.raises(IdentityError, match="no such file"):
        read(tmp_path / "none.toml")
    identities.add("ada", "viewer")
    (tmp_path / "account" / "users" / "ada.json").write_text("{}")
    with pytest.raises(IdentityError, match="damaged"):
        identities.list()


def test_an_identity_is_no_more_than_it_says():
    assert repr(Identity(name="ada", role="viewer", seed="SUA")) == "Identity(name='ada', role='viewer')"
