# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""What a host answers when it is asked which boot runs."""

from __future__ import annotations

import re
import typing as t
import uuid
from dataclasses import dataclass

from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline

Method = t.Literal["kexec", "firmware"]

# What kexec-tools put into the boot protocol of x86 as the kind of boot loader.
KEXEC_LOADER_TYPE = "208"


@dataclass(frozen=True)
class Observation:
    """One answer."""

    boot_id: str
    release: str
    cmdline: str
    bootloader_type: str
    # Whose token, and how far the shutdown is; both empty when nobody is leaving.
    leaver: str
    stage: str

    def carries(self, token: str) -> bool:
        """Tell whether the running kernel was started with that token."""
        words = self.cmdline.split()
        return f"{_cmdline.TOKEN_PARAMETER}={token}" in words

    def method(self, token: str) -> Method | None:
        """How this boot came up; None means through kexec, but into another image."""
        if self.carries(token):
            return "kexec"
        return None if self.bootloader_type == KEXEC_LOADER_TYPE else "firmware"


def parse(output: str, nonce: str) -> Observation | None:
    """The answer between the two lines with the nonce; None if it is not whole or not valid."""
    frame = re.search(
        rf"^BEGIN {re.escape(nonce)}\r?\n(.*?)^END {re.escape(nonce)}\r?$",
        output,
        re.MULTILINE | re.DOTALL,
    )
    if frame is None:
        return None
    fields = {
        name: value.strip()
        for name, _space, value in (line.partition(" ") for line in frame.group(1).splitlines())
    }
    try:
        boot_id = str(uuid.UUID(fields["boot_id"]))
        leaver, _space, stage = fields["stage"].partition(" ")
        return Observation(
            boot_id, fields["release"], fields["cmdline"], fields["bootloader_type"], leaver, stage
        )
    except (KeyError, ValueError):
        return None
