# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.
"""A host whose kernel does not run on the machine itself, but inside or below a hypervisor."""

from __future__ import annotations

import typing as t

from ..._host.port import Host
from ..._reasons import Reason, reason
from .check import Check

# Who runs the machine is told there by Xen; Linux on others has no guests that a jump would leave.
TYPE = "/sys/hypervisor/type"
GUEST_TYPE = "/sys/hypervisor/guest_type"
CAPABILITIES = "/proc/xen/capabilities"

Role = t.Literal["control domain", "paravirtualised guest"]


def read(host: Host) -> Role | None:
    if host.line(TYPE) != "xen":
        return None
    if "control_d" in (host.line(CAPABILITIES) or ""):
        return "control domain"
    return "paravirtualised guest" if host.line(GUEST_TYPE) == "PV" else None


def judge(role: Role | None) -> t.Iterator[Reason]:
    if role is not None:
        ends = {
            "control domain": "a jump would leave Xen and all guests behind",
            "paravirtualised guest": "such a guest cannot start another kernel by itself",
        }
        yield reason(
            "hypervisor",
            f"The host is a {role} of Xen: {ends[role]}.",
            "Reboot it through firmware.",
        )


HYPERVISOR = Check("hypervisor", read, judge)
