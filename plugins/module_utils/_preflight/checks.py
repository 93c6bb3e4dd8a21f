# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""The checks of the preflight that ask one question each, and need nothing of the others."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._host import mounts
from .._host.port import Host
from .._reasons import Reason, reason

Found = t.TypeVar("Found")


@dataclass(frozen=True)
class Check(t.Generic[Found]):
    """One question to the host. A new one is an object in this file, and a name in CHECKS."""

    name: str
    read: t.Callable[[Host], Found]
    judge: t.Callable[[Found], t.Iterable[Reason]]

    def reasons(self, host: Host) -> list[Reason]:
        return list(self.judge(self.read(host)))


# --- A host whose kernel does not run on the machine itself, but inside or below a hypervisor ----

# Who runs the machine is told there by Xen; Linux on others has no guests that a jump would leave.
HYPERVISOR_TYPE = "/sys/hypervisor/type"
GUEST_TYPE = "/sys/hypervisor/guest_type"
CAPABILITIES = "/proc/xen/capabilities"

Role = t.Literal["control domain", "paravirtualised guest"]


def _role_below_xen(host: Host) -> Role | None:
    if host.line(HYPERVISOR_TYPE) != "xen":
        return None
    if "control_d" in (host.line(CAPABILITIES) or ""):
        return "control domain"
    return "paravirtualised guest" if host.line(GUEST_TYPE) == "PV" else None


def _judge_role(role: Role | None) -> t.Iterator[Reason]:
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


HYPERVISOR = Check("hypervisor", _role_below_xen, _judge_role)

# --- A /boot that is to be mounted and is not: what lies in its directory is of another time -----

BOOT = "/boot/"


def _judge_boot(point: str | None) -> t.Iterator[Reason]:
    if point is not None:
        yield mounts.not_mounted(point)


BOOT_MOUNT = Check("boot_mount", lambda host: mounts.unmounted(host, BOOT), _judge_boot)

# --- Services of somebody else that load an image, or jump into one, while the host goes down ----

RUNLEVELS = "/etc/runlevels"
SCRIPTS = "/etc/init.d"

# The command where a command stands, or in the settings of a service that OpenRC starts itself.
_KEXEC = re.compile(
    r"(?:^|[;&|({]|\b(?:then|do|else|if|exec|ewaitfile)\b)[ \t!]*(?:/[^ \t]*/)?kexec((?:[ \t]+[^ \t;&|)]+)+)"
)
_COMMAND = re.compile(r"^[ \t]*command=[\"']?(?:/[^ \t\"']*/)?kexec[\"']?[ \t]*$", re.MULTILINE)
_ARGUMENTS = re.compile(r"^[ \t]*command_args=[\"']?([^\"'\n]*)", re.MULTILINE)
# Loading for a crash (-p) is another matter.
_USES = ("--exec", "--load", "--force")
_FOR_A_CRASH = ("--load-panic", "--panic")
# No line of a script that means something is longer.
LINE = 4096
# What this collection's own services say of themselves.
_OURS = "/run/alpinefleet-kexec"


def _services(host: Host) -> tuple[str, ...]:
    """The services of all runlevels that use kexec and are not ours."""
    levels = host.names(RUNLEVELS)
    enabled = {name for level in levels for name in host.names(f"{RUNLEVELS}/{level}")}
    scripts = {name: host.text(f"{SCRIPTS}/{name}") or "" for name in sorted(enabled)}
    return tuple(name for name, text in scripts.items() if _OURS not in text and _uses_kexec(text))


def _uses_kexec(script: str) -> bool:
    """Tell whether a script loads an image, or jumps into one."""
    commands = [
        words
        for line in script.replace("\\\n", " ").split("\n")
        for words in _KEXEC.findall(line.partition("#")[0][:LINE])
    ]
    if _COMMAND.search(script):
        commands += _ARGUMENTS.findall(script)
    return any(_is_for_a_boot(words.split()) for words in commands)


def _is_for_a_boot(words: list[str]) -> bool:
    short = "".join(word[1:] for word in words if re.fullmatch("-[a-z]+", word))
    for_a_crash = "p" in short or any(word.startswith(_FOR_A_CRASH) for word in words)
    return not for_a_crash and (bool(set(short) & set("elf")) or bool(set(words) & set(_USES)))


def _judge_services(names: tuple[str, ...]) -> t.Iterator[Reason]:
    if names:
        yield reason(
            "kexec_services",
            f"The services {', '.join(names)} use kexec while the host goes down: they would replace "
            "the image, or jump where firmware was wanted.",
            "Take them out of their runlevels (rc-update del) and stop them, or let the role "
            "kexec_host do so.",
        )


SERVICES = Check("services", _services, _judge_services)

CHECKS: tuple[Check[t.Any], ...] = (HYPERVISOR, BOOT_MOUNT, SERVICES)
