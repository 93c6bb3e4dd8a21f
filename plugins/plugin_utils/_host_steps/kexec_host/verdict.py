# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What stands against a host that is to reboot through kexec, and whether it has to boot for that."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.slot_places import (
    SLOTS_FOLDER,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason, blocking

from ..._parsing import forms
from ..._parsing.answer import Answer
from ..._step import handed
from ..._text import words
from .kept import KeptOrigin
from .preparation import UNLOCK, Preparation

# Against these nothing can be done.
HOPELESS = (
    "container",
    "lockdown",
    "no_cap_sys_boot",
    "no_kexec_support",
    "no_openrc",
    "not_root",
    "platform_denied",
    "starts_no_linux",
)
# These a boot through firmware removes.
LOCKS = ("kexec_locked", "kexec_relocked")


def hopeless(reasons: t.Iterable[Reason]) -> list[Reason]:
    return [each for each in reasons if each.code in HOPELESS]


def in_the_way(reasons: t.Iterable[Reason], *, boots: bool) -> list[Reason]:
    """What is left against kexec; a lock is not, where the boot that opens it is still to come."""
    return [
        each for each in blocking(reasons, "kexec", "reboot") if not (boots and each.code in LOCKS)
    ]


def must_boot(wanted: Preparation, answer: Answer, kept: KeptOrigin) -> bool:
    """Whether a boot through firmware is missing: to open the lock, or to close it again."""
    if wanted.state == "present":
        return any(each.code in LOCKS for each in answer.reasons or ())
    return answer.load_disabled is False and kept.removes(UNLOCK)


def advice(wanted: Preparation, *, boots: bool) -> str:
    """What is said of a boot that the role may not make; "" where there is nothing to say."""
    if not boots or wanted.reboot_allowed:
        return ""
    stays = "locked" if wanted.state == "present" else "open"
    return (
        f"kexec stays {stays} until the host has rebooted once through firmware. Reboot it, or run the "
        "role again with kexec_host_reboot_allowed set to true."
    )


def of_slots(found: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """What slots have against taking the services away, and the remedy; "" where there are none.

    After an upgrade the kernel of a slot has its modules from a service, those of disks and networks too.
    """
    folders = (forms.mapping(each) or {} for each in forms.items(found.get("files")) or ())
    paths = (forms.text(each.get("path")) or "" for each in folders)
    names = sorted(
        path[len(SLOTS_FOLDER) + 1 :] for path in paths if path.startswith(f"{SLOTS_FOLDER}/")
    )
    if not names:
        return "", ""
    why = (
        f"The host has slots of kernels ({', '.join(names)}), and the service kexec-modules gives their "
        "modules back."
    )
    return (
        why,
        "Have the module alpinefleet.kexec.kernel_slot take them back first, by state absent.",
    )


@dataclass(frozen=True)
class Verified:
    """How that command ended, if it was run at all."""

    skipped: bool = False
    rc: int | None = None


def of_service(verified: t.Mapping[str, t.Any]) -> str:
    """What the command "kexec-load verify" has against the host; "" if nothing, or it was not run."""
    known = handed(Verified, verified, option="verified", by="kexec-load verify has")
    if known.skipped or known.rc == 0:
        return ""
    said = words.printed(verified).removeprefix("* ") or words.of_failure(verified)
    return (
        f"The service kexec-load would load nothing: {said or 'it does not say why.'} "
        "See to that, and run the role again; rc-service kexec-load verify tells on the host whether it is done."
    )
