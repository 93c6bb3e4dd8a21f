# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Whether a trial is taken back when a role has failed, and what it is said to have failed by."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .told import TrialTold

# The host came up with the trial's kernel, and is not what it has to be: that is the kernel's fault.
UNWELL = (
    *("unhealthy", "test_command_failed", "not_confirmed", "did_not_stay"),
    # Its own checks, or the services of its runlevel, did not come to an end in all the time there was.
    "trial_unchecked",
)
# Somebody else is at work on the host, and decides about its trial.
OF_ANOTHER_RUN = ("overtaken", "already_leaving")

NO_ANSWER_ON_TRIAL = (
    "Its trial is on, and the host does not answer. What firmware boots is the kernel from before, to which a "
    "panic, a watchdog, the deadline of the trial or a reset lead. The next run puts on record what it was."
)
TRIAL_UNKNOWN = "Whether a trial is on could not be told."


# By these files of tasks the role goes back.
Back = t.Literal["go_back", "boot_good", ""]


@dataclass(frozen=True)
class Retreat:
    """What is done about a trial after a failure."""

    way: Back = ""
    # What is said of it; "" leaves it to what the host can prove.
    cause: str = ""
    # What is added to the words about the failure.
    said: str = ""


def retreat(found: TrialTold, code: str | None) -> Retreat:
    """Given the trial as it is now, and the code of what the reboot or the step after it has failed by."""
    if found.unreachable:
        return Retreat(said=NO_ANSWER_ON_TRIAL)
    if found.state is None:
        return Retreat(said=TRIAL_UNKNOWN)
    if code in OF_ANOTHER_RUN:
        return Retreat()
    if found.next == "settle":
        return Retreat("go_back")
    if found.is_on:
        cause = "required_check" if _is_to_blame(found, code) else "operator"
        return Retreat("go_back", cause=cause)
    # A kernel runs that was given up, or of which nobody knows.
    return Retreat("boot_good" if is_left(found) else "")


def _is_to_blame(found: TrialTold, code: str | None) -> bool:
    """Whether it is the build that has failed, and not what is around its trial."""
    return found.state != "armed" and code in UNWELL


def is_left(found: TrialTold) -> bool:
    """Whether the host must leave what it runs, through firmware."""
    return found.next == "reboot"


def words(found: TrialTold) -> t.Mapping[str, t.Any]:
    """What the result of the role says of how a trial has ended."""
    return {"cause": found.cause, "text": found.text}
