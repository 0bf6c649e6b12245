"""How much each user may send: what nats-server does not limit itself is watched here. Pure, with the caller's clock.

The server counts what each account sends. A `Bucket` holds `burst` messages and is filled again at `rate` a second;
who empties it is shut out for a minute, then for twice as long each time, up to an hour. A device has a share of the
disk besides: the bytes that it may add to the log, which forgets nothing. Who has used that up stays out until somebody
gives it more.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

OUT_S, LONGEST_S = 60.0, 3600.0
FORGIVEN_S = 24 * 3600.0
"""After so long without another offence, the next one is the first again."""
KIB, MIB, GIB = 2**10, 2**20, 2**30


class Quota(msgspec.Struct, frozen=True):
    """`rate`: messages a second in the long run, `burst` of them at once; `disk`: bytes in all, None: any number."""

    rate: float
    burst: float
    disk: int | None = None


RATE, LARGEST, DISK = 200.0, 64 * KIB, 2 * GIB
"""A device's, unless it was given others: messages a second, bytes of a message, bytes in the log."""
_BURST_S = 10.0
OF_ROLE: Mapping[str, Quota] = {"viewer": Quota(200, 5_000), "operator": Quota(1_000, 200_000)}


def of_device(rate: float | None, disk: int | None) -> Quota:
    """A device's quota; None: the usual."""
    rate = RATE if rate is None else rate
    return Quota(rate, rate * _BURST_S, DISK if disk is None else disk)


class Bucket:
    """Full at first."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst = rate, burst
        self._left = burst
        self._at: float | None = None

    def take(self, count: float, now: float) -> bool:
        """Whether there was enough; if not, it is empty."""
        gained = 0.0 if self._at is None else max(0.0, now - self._at) * self.rate
        self._at = now
        self._left = min(self.burst, self._left + gained) - count
        enough = self._left >= 0
        self._left = max(0.0, self._left)
        return enough


class Sent(msgspec.Struct, frozen=True):
    """What an account has sent since the server was started."""

    messages: int
    bytes: int


class Over(msgspec.Struct, frozen=True):
    """Somebody is over the quota: why, and how long they are out (None: until it is raised)."""

    name: str
    why: str
    seconds: float | None


class Meter:
    """Of one user. `used`: bytes that were sent in all, also in earlier runs."""

    def __init__(self, name: str, quota: Quota, used: int = 0) -> None:
        self.name, self.used = name, used
        self.out_until: float | None = None
        self._quota = quota
        self._bucket = Bucket(quota.rate, quota.burst)
        self._last = Sent(0, 0)
        self._offences, self._offended = 0, 0.0

    def change(self, quota: Quota) -> None:
        """From now on another quota, with which one begins anew."""
        if quota != self._quota:
            self._quota, self.out_until, self._offences = quota, None, 0
            self._bucket = Bucket(quota.rate, quota.burst)

    def is_out(self, now: float) -> bool:
        return self.out_until is not None and now < self.out_until

    def count(self, sent: Sent, now: float) -> Over | None:
        """What it has sent by now; who was in and is over the quota is out from here on."""
        messages, size = sent.messages - self._last.messages, sent.bytes - self._last.bytes
        if messages < 0 or size < 0:  # the server was started again
            messages, size = sent.messages, sent.bytes
        self._last = sent
        self.used += size
        enough = self._bucket.take(messages, now)
        if self.is_out(now):
            return None
        if self._quota.disk is not None and self.used > self._quota.disk:
            self.out_until = float("inf")
            why = f"its share of the disk, {describe_size(self._quota.disk)}, is used up"
            return Over(self.name, why, None)
        return None if enough else self._shut_out(now)

    def _shut_out(self, now: float) -> Over:
        self._offences = 1 if now - self._offended > FORGIVEN_S else self._offences + 1
        self._offended = now
        seconds = min(LONGEST_S, OUT_S * 2.0 ** (self._offences - 1))
        self.out_until = now + seconds
        return Over(self.name, f"more than {self._quota.rate:,.0f} messages a second", seconds)


def describe_size(size: int) -> str:
    """"2 GiB", "64 KiB", "100 bytes"."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size / unit:,.4g} {name}"
    return f"{size:,} bytes"
