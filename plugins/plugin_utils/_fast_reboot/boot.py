# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What another role wants of a boot that the variables of fast_reboot cannot say.

It is handed over where the role is included, after the variables were taken: which image it is, is known only
by then. So nothing of it is read from a variable of an inventory.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from .._reboot import spec
from .._reboot.failure import RebootError
from .._reboot.observation import Method
from .._step import StepError
from .plan import RunPlan


@dataclass(frozen=True)
class BootImage:
    """What is to be booted. With a way through firmware it is what firmware was told to boot once."""

    kernel: str
    initramfs: tuple[str, ...]
    # None is the line that is configured.
    cmdline: str | None = None
    cmdline_append: tuple[str, ...] = ()


@dataclass(frozen=True)
class Boot:
    """One boot of a run; by itself it is what the variables say."""

    method: Method | None = None
    image: BootImage | None = None
    # Whether it comes after another boot of the same run: hooks have drained the host, and what was ordered
    # before is over, whatever the host remembers of it.
    follows: bool = False
    # Whether the host stays drained when it is well, for what the other role does next.
    holds: bool = False
    # How much longer the host may be away.
    more_seconds: float = 0.0


def plan_of(plan: RunPlan, boot: Boot) -> RunPlan:
    """The plan of a run for one of its boots."""
    method = boot.method or plan.method
    timeout = min(plan.arguments["reboot_timeout"] + boot.more_seconds, spec.TIME_LIMIT)
    arguments = {**plan.arguments, "method": method, "reboot_timeout": timeout}
    if boot.image is not None:
        arguments |= _of_image(boot.image, plan.arguments.get("cmdline_append") or ())
    found = replace(plan, method=method, arguments=arguments)
    _refuse_what_cannot_be(found)
    return found


def _of_image(image: BootImage, appended: t.Sequence[str]) -> dict[str, t.Any]:
    """The options of kexec_reboot. Another image in its place would be another boot than the one meant."""
    line = {} if image.cmdline is None else {"cmdline_source": "explicit", "cmdline": image.cmdline}
    return {
        "kernel": image.kernel,
        "initramfs": [*image.initramfs],
        **line,
        "cmdline_append": [*appended, *image.cmdline_append],
        "fallback": "fail",
    }


def _refuse_what_cannot_be(plan: RunPlan) -> None:
    """What a host has said of its image is looked at as what an operator says is."""
    try:
        spec.parse(plan.arguments, "")
    except RebootError as error:
        raise StepError(
            f"What is to be booted cannot be used: {error.reason.message}", error.reason.remedy
        ) from None
