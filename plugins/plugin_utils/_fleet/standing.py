# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What the brake before a batch has counted, so that the next one need not count it again.

To find the variables of a host costs a millisecond. A brake that read all hosts before each batch would
take most of an hour in a play of a thousand batches.
"""

from __future__ import annotations

import contextlib
import hashlib
import typing as t
from dataclasses import dataclass

from .._parsing.values import FormError, parse
from .._variables import registered, speakers
from .._variables.speakers import Variables


@dataclass(frozen=True)
class Left:
    """What a brake leaves on the hosts of its batch."""

    # What tells its play from others of the same run, and its hosts as they were from what has become of
    # them since, in an inventory that changes.
    play: str
    hosts: str
    # How many hosts of the play had had their turn, and which of all hosts were not well.
    counted: int
    not_well: tuple[str, ...]
    # Those that had left the play.
    gone: tuple[str, ...]


@dataclass(frozen=True)
class Count:
    """What is to be counted before a batch."""

    play: str
    hosts: str
    counted: int
    gone: tuple[str, ...]
    # Of these nobody has counted yet what came of their turn; of the others that were not well it is known.
    fresh: t.Sequence[str]
    known: tuple[str, ...] = ()

    def not_well(self, hosts: t.Sequence[str], found: t.Iterable[str]) -> list[str]:
        """Those that are not well, with those that were found among the fresh ones or gone."""
        every = {*found, *({*self.known} - {*self.fresh})}
        return [host for host in hosts if host in every]

    def told(self, not_well: t.Sequence[str]) -> dict[str, t.Any]:
        of_play = {"play": self.play, "hosts": self.hosts, "counted": self.counted}
        return {**of_play, "gone": [*self.gone], "not_well": [*not_well]}


def count(variables: Variables, play: str) -> Count:
    """All hosts before the first batch, and before another one those of that batch and the one before.

    Batches are slices of the hosts, so the last host of the one before is the one before the first of this.
    """
    hosts = variables["ansible_play_hosts_all"]
    first, end = _slice(variables)
    left = _left(variables["hostvars"][hosts[first - 1]], play, hosts) if first else None
    here = {*variables["ansible_play_hosts"]}
    now = (play, _digest(hosts), first, tuple(host for host in hosts if host not in here))
    if left is None or left.counted >= first:
        return Count(*now, fresh=hosts)
    return Count(*now, fresh=hosts[left.counted : end], known=left.not_well)


def braked(variables: Variables, play: str) -> t.Sequence[str] | None:
    """Of a batch in the middle of the play its hosts and those that are gone since its brake; None else."""
    hosts, here = variables["ansible_play_hosts_all"], {*variables["ansible_play_hosts"]}
    left = _left(variables, play, hosts)
    if left is None or is_last(variables):
        return None
    end = _slice(variables)[1]
    stays = here | {*left.gone}
    return [
        host for place, host in enumerate(hosts) if left.counted <= place < end or host not in stays
    ]


def is_last(variables: Variables) -> bool:
    """Whether no host is left behind the batch."""
    hosts, end = variables["ansible_play_hosts_all"], _slice(variables)[1]
    return {*variables["ansible_play_hosts"]}.isdisjoint(hosts[end:])


def _slice(variables: Variables) -> tuple[int, int]:
    """The places of the batch among the hosts of the play: the first, and the one after the last."""
    batch = {*variables["ansible_play_batch"]}
    hosts = variables["ansible_play_hosts_all"]
    found = [place for place, host in enumerate(hosts) if host in batch]
    return (found[0], found[-1] + 1) if found else (0, len(hosts))


def _digest(hosts: t.Sequence[str]) -> str:
    return hashlib.sha256("\n".join(hosts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _left(variables: Variables, play: str, hosts: t.Sequence[str]) -> Left | None:
    """What the brake of this play has left on a host, None where it stopped or has left nothing."""
    told = speakers.own(variables, registered.BRAKED)
    with contextlib.suppress(FormError):
        found = parse(Left, told)
        same = found.play == play and found.hosts == _digest(hosts)
        return found if play and same else None
    return None
