# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a host answers when it is asked which boot runs."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.machine import (
    KEXEC_LOADER_TYPE,
    canonical_hardware_id,
    uptime,
    valid_boot_id,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import lines

from . import frames

Method = t.Literal["kexec", "firmware"]
# What is done where the way that was ordered is not open, and where another host key is shown.
Fallback = t.Literal["firmware", "fail"]
OtherHostKey = t.Literal["fail", "wait"]

# What a whole answer has, even where it is empty.
FIELDS = {"boot_id", "release", "cmdline", "bootloader_type", "stage", "uptime", "hardware_id"}


@dataclass(frozen=True)
class Observation:
    """One answer."""

    boot_id: str
    release: str
    cmdline: str
    bootloader_type: str
    # The mark of whose order, and how far the shutdown is; both empty when nobody is leaving.
    leaver: str
    stage: str
    # Seconds that this boot had run, by the host's own clock, before it looked at the stage.
    uptime: float
    # None where the machine has no number of its own.
    hardware_id: str | None = None

    @property
    def _token(self) -> str | None:
        """The token that the running kernel was started with."""
        words = _cmdline.running_words(self.cmdline)
        return _cmdline.last_value(words, _cmdline.TOKEN_PARAMETER)

    def method(self, token: str, *, loader_ends_in_kexec: bool = False) -> Method | None:
        """How this boot came up; None means through kexec, but into another image.

        Where no boot loader is named, as on other machines than x86, a token tells of a kexec. Where
        the boot loader itself ends in one, only a token does.
        """
        if self._token == token:
            return "kexec"
        foreign = self._token is not None and not self.bootloader_type
        by_kexec = self.bootloader_type == KEXEC_LOADER_TYPE
        if by_kexec and loader_ends_in_kexec:
            return "firmware" if self._token is None else None
        return None if foreign or by_kexec else "firmware"

    def is_other_machine(self, hardware_id: str | None) -> bool:
        """Whether another machine answers.

        One without a number cannot be told from another, and a kernel may find another kind of
        number than the one before it.
        """
        if hardware_id is None or self.hardware_id is None:
            return False
        same_kind = hardware_id.partition(":")[0] == self.hardware_id.partition(":")[0]
        return same_kind and hardware_id != self.hardware_id


def parse(output: str, nonce: str) -> Observation | None:
    """The answer between the two lines with the nonce; None if it is not whole or not valid."""
    frame = frames.between(output, nonce)
    if frame is None:
        return None
    fields = {
        name: value.strip(_cmdline.SPACES)
        for name, _space, value in (line.partition(" ") for line in lines(frame))
    }
    boot_id, seconds = valid_boot_id(fields.get("boot_id")), uptime(fields.get("uptime"))
    if boot_id is None or seconds is None or not fields.keys() >= FIELDS:
        return None
    leaver, _space, stage = fields["stage"].partition(" ")
    return Observation(
        boot_id,
        fields["release"],
        fields["cmdline"],
        fields["bootloader_type"],
        leaver,
        stage,
        seconds,
        canonical_hardware_id(fields["hardware_id"]),
    )
