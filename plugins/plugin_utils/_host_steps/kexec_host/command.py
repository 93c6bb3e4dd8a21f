# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Where the command reboot leads, and where it is to lead."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.alpinefleet.kexec.plugins.module_utils._record.origin import (
    OWN_REBOOT,
    foreign,
)

from ..._step import StepError
from .preparation import Preparation

BUSYBOX = "/bin/busybox"


def link_of(found: t.Mapping[str, t.Any]) -> str:
    """Where a link leads, by what ansible.builtin.stat returns; "" if it is none."""
    stat = found.get("stat")
    target = stat.get("lnk_target") if isinstance(stat, t.Mapping) else None
    return target if isinstance(target, str) else ""


def refuse_a_stranger(wanted: Preparation, now: str) -> None:
    """Nobody knows what a command does that is neither busybox's nor ours."""
    if wanted.replaces_reboot and os.path.basename(now) not in (
        os.path.basename(BUSYBOX),
        OWN_REBOOT,
    ):
        raise StepError(
            "/sbin/reboot is not busybox's, so what reboots this host is not known.",
            "Set kexec_host_mode to on_request.",
        )


def leads_to(wanted: Preparation, now: str, before: str | None) -> str:
    """Where the link is to lead; "" if it stays as it is. Only a link of ours is led back."""
    if wanted.replaces_reboot:
        return OWN_REBOOT
    is_ours = bool(now) and foreign(now) is None
    return (before or BUSYBOX) if is_ours else ""
