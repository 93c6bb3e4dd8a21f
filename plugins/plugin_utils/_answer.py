# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a module said of a host, parsed once: only what has its right form is known."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.machine import (
    canonical_hardware_id,
    valid_boot_id,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump.note import TOKEN
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Blocks, Reason

Said = t.Mapping[str, t.Any]

# Longer than any host has been running, in seconds.
LONGEST = 1e10
CODE = re.compile(r"[a-z]+(_[a-z]+)*", re.ASCII)
BLOCKS: tuple[Blocks, ...] = t.get_args(Blocks)


@dataclass(frozen=True)
class Watchdog:
    """What the new system was told to feed."""

    device: str
    timeout: int


@dataclass(frozen=True)
class Answer:
    """A module's answer; None is what it did not say, or not in the form that it has."""

    failed: bool = False
    changed: bool = False
    # Whether the image was to be loaded when it failed.
    loading: bool = False
    # What it says of a failure that has no reason.
    said: str = ""
    # None where it did not come to a judgement.
    reasons: tuple[Reason, ...] | None = None
    boot_id: str | None = None
    uptime: float | None = None
    hardware_id: str | None = None
    token: str | None = None
    watchdog: Watchdog | None = None
    kernel: str | None = None
    release: str | None = None
    firmware_kernel: str | None = None
    running_release: str | None = None
    running_cmdline: str | None = None
    started_by_kexec: bool = False
    diff: Said = field(default_factory=dict)
    # Without these nothing can be ordered or proven, each as a sentence.
    defects: tuple[str, ...] = ()

    @property
    def loader_ends_in_kexec(self) -> bool:
        """Whether a boot through firmware looks like a kexec there, which then proves nothing."""
        words = _cmdline.running_words(self.running_cmdline or "")
        return self.started_by_kexec and not _cmdline.last_value(words, _cmdline.TOKEN_PARAMETER)


def parse(said: Said) -> Answer:
    """Take from an answer what can be used; nothing in it is an error here."""
    facts = _mapping(said.get("facts"))
    reasons, odd = _reasons(said.get("reasons"))
    found = Answer(
        failed=bool(said.get("failed")),
        changed=said.get("changed") is True,
        loading=said.get("stage") == "load",
        said=_message(said),
        reasons=reasons,
        boot_id=valid_boot_id(_text(said.get("boot_id"))),
        uptime=_seconds(said.get("uptime")),
        hardware_id=canonical_hardware_id(_text(facts.get("hardware_id"))),
        token=_token(said.get("token")),
        watchdog=_watchdog(said.get("watchdog")),
        kernel=_text(said.get("kernel")),
        release=_text(said.get("release")),
        firmware_kernel=_text(facts.get("firmware_kernel")),
        running_release=_text(facts.get("running_release")),
        running_cmdline=_text(facts.get("running_cmdline")),
        started_by_kexec=facts.get("started_by_kexec") is True,
        diff=_mapping(said.get("diff")),
        defects=tuple(f"a reason is {each!r}" for each in odd),
    )
    return found if reasons is None else _with_defects(found, said, facts)


def _with_defects(found: Answer, said: Said, facts: Said) -> Answer:
    """Name what is needed for every reboot and was not given in its form."""
    needed = {
        "boot_id": (found.boot_id, said),
        "uptime": (found.uptime, said),
        "running_release": (found.running_release, facts),
        "running_cmdline": (found.running_cmdline, facts),
    }
    missing = [
        f"its {name} is {where.get(name)!r}"
        for name, (value, where) in needed.items()
        if value is None
    ]
    return replace(found, defects=(*found.defects, *missing))


def _text(value: t.Any) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: t.Any) -> Said:
    return value if isinstance(value, t.Mapping) else {}


def _message(said: Said) -> str:
    found = (_text(said.get(name)) for name in ("msg", "module_stderr"))
    return next((text.strip() for text in found if text and text.strip()), "it said nothing")


def _seconds(value: t.Any) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < LONGEST else None


def _token(value: t.Any) -> str | None:
    """The token of an image that the host had loaded before."""
    text = _text(value)
    return text if text is not None and TOKEN.fullmatch(text) else None


def _watchdog(value: t.Any) -> Watchdog | None:
    fields = _mapping(value)
    device, timeout = _text(fields.get("device")), fields.get("timeout")
    if device is None or isinstance(timeout, bool) or not isinstance(timeout, int):
        return None
    return Watchdog(device, timeout)


def _reasons(value: t.Any) -> tuple[tuple[Reason, ...] | None, list[t.Any]]:
    """The reasons, and what stands among them and is none."""
    if not isinstance(value, list):
        return None, []
    parsed = [(_reason(_mapping(each)), each) for each in value]
    return (
        tuple(found for found, _each in parsed if found is not None),
        [each for found, each in parsed if found is None],
    )


def _reason(fields: Said) -> Reason | None:
    code, message, remedy = (_text(fields.get(name)) for name in ("code", "message", "remedy"))
    blocks = fields.get("blocks")
    if code is None or message is None or remedy is None or blocks not in BLOCKS:
        return None
    return Reason(code, message, remedy, blocks) if CODE.fullmatch(code) else None
