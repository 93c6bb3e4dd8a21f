# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a scripted host does when it is asked to reboot."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass

# As under kexec, where no connection is told that its other end is gone; or with a goodbye.
Vanish = t.Literal["cut", "orderly"]
# What becomes of a new connection to a host that is down.
Port = t.Literal["refused", "ignored"]
# A host that takes it late has told that it took it before.
Trigger = t.Literal["taken", "late", "lost", "refused"]
ComesUp = t.Literal["as_ordered", "firmware", "other_image"]

# Where a connection can break: before a module answers, before its files are removed, before and
# after the order is taken, before the host tells which boot runs, before the test command answers,
# and before the host takes it that its new system works.
Moment = t.Literal["module", "removal", "order", "ordered", "observe", "test", "confirm", "examine"]

FOR_EVER = math.inf


@dataclass(frozen=True)
class Fault:
    """A connection that breaks at a moment, the first few times that it is reached."""

    at: Moment
    # Reset at once, never heard of again, or only slow.
    how: t.Literal["reset", "silence", "pause"] = "reset"
    times: int = 1
    pause: float = 0.0
    # Only from this boot on; 0 is the one in which the host was made.
    boot: int = 0


@dataclass(frozen=True)
class Penalties:
    """OpenSSH's PerSourcePenalties for connections that end without a login."""

    # Without an attempt to log in, and after one that was refused.
    no_login: float = 1.0
    refused_login: float = 5.0
    enforced_from: float = 15.0
    at_most: float = 600.0


@dataclass(frozen=True)
class Script:
    """Times are seconds."""

    # From the end of the order's delay until nothing answers any more.
    shutdown: float = 0.3
    # From then on until the ssh server answers again.
    downtime: float = 1.0
    # The same, for a boot through firmware; None if it takes no longer.
    firmware_downtime: float | None = None
    vanish: Vanish = "cut"
    port: Port = "refused"

    trigger: Trigger = "taken"
    # Seconds until a host that takes the order late begins to carry it out.
    late: float = 0.0
    goes_down: bool = True
    returns: bool = True
    comes_up: ComesUp = "as_ordered"
    # The kernel that comes up, if it is another than the one that was loaded or ran before.
    release: str | None = None
    new_host_key: bool = False
    # How long an ssh server with another key answers first, as that of an initramfs does.
    initramfs_server_for: float = 0.0
    refuses_logins_for: float = 0.0
    moves_to: str | None = None
    # Another machine answers under its name and with its keys.
    other_machine: bool = False
    # How often the test command fails in each boot but the first.
    test_failures: int = 0
    # Whether it can note that its new system was found to work.
    can_be_confirmed: bool = True
    # What OpenRC has started, None where there is none, and what of it each boot but the first lacks the
    # first times that it is asked.
    services: tuple[str, ...] | None = ("crond", "sshd")
    lacks: tuple[str, ...] = ()
    lacks_times: int = 1_000_000
    faults: tuple[Fault, ...] = ()

    able: bool = True
    # Run modules that only read, with this machine's Python, instead of making their answer up.
    real_modules: bool = False
    penalties: Penalties | None = None
    # What a user who is not root must type to become root; None if nothing.
    password: str | None = None
    # What each login prints before anything else; most end with no newline.
    greeting: str = ""
