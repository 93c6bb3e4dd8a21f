# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What kernel_slot and kernel_trial have told of a host, as values; what has another form is refused."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason

from ..._fast_reboot.boot import BootImage
from ..._step import handed


@dataclass(frozen=True)
class BuildRefused:
    """Why a build is not tried again by itself."""

    cause: str
    text: str = ""
    time: str = ""

    def __str__(self) -> str:
        """As a sentence that has the beginning of its cause."""
        when = f" at {self.time}" if self.time else ""
        said = f": {self.text.rstrip('.')}" if self.text else ""
        return f"{self.cause}{when}{said}"


@dataclass(frozen=True)
class FoundCandidate:
    """What apk has in /boot now."""

    id: str
    differs: bool
    release: str | None = None
    # What differs from the slot that firmware boots.
    because: tuple[str, ...] = ()
    refused: BuildRefused | None = None


@dataclass(frozen=True)
class FoundSlot:
    """What is booted of a slot."""

    id: str
    kernel: str
    initramfs: tuple[str, ...] = ()


@dataclass(frozen=True)
class SlotsTold:
    """As much as is of use of the result of kernel_slot."""

    slots: tuple[FoundSlot, ...] = ()
    good: str | None = None
    previous: str | None = None
    running: str | None = None
    candidate: FoundCandidate | None = None
    reasons: tuple[Reason, ...] = ()

    @classmethod
    def from_dict(cls, told: t.Mapping[str, t.Any]) -> SlotsTold:
        return handed(cls, told, option="slots", by="kernel_slot has")


@dataclass(frozen=True)
class TrialTold:
    """As much as is of use of the result of kernel_trial."""

    # None where the module has not come to an answer.
    state: str | None = None
    next: str | None = None
    cause: str | None = None
    text: str | None = None
    run: str | None = None
    # The slot that is tried, or was the last one, and the one that firmware boots.
    slot: str | None = None
    good: str | None = None
    image: BootImage | None = None
    reasons: tuple[Reason, ...] = ()
    unreachable: bool = False
    # How far it came where it was refused, and why.
    stage: str | None = None
    msg: str = ""

    @classmethod
    def from_dict(cls, told: t.Mapping[str, t.Any]) -> TrialTold:
        return handed(cls, told, option="found", by="kernel_trial has")

    @property
    def is_on(self) -> bool:
        """Whether a trial is not over."""
        return self.state in ("armed", "on_trial", "verified")

    @property
    def is_refused(self) -> bool:
        """Whether the module has failed, as far as its own words tell."""
        return self.state is None or self.stage is not None

    @property
    def is_unproven(self) -> bool:
        """Whether it was refused because the boot loader can boot nothing once."""
        return any(each.code == "cold_proof_unsupported" for each in self.reasons)
