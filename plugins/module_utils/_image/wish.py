# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a user may ask of an image: the options of the modules, and what they mean as a value."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._cmdline import MAX_INT
from .._reasons import IGNORABLE, Reason, ReasonError, reason

CmdlineSource = t.Literal["auto", "boot_loader", "running", "explicit"]

IMAGE_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "kernel": {"type": "path"},
    "initramfs": {"type": "list", "elements": "path"},
    "flavour": {"type": "str"},
    "cmdline_source": {
        "type": "str",
        "choices": ["auto", "boot_loader", "running", "explicit"],
        "default": "auto",
    },
    "cmdline": {"type": "str"},
    "cmdline_append": {"type": "list", "elements": "str", "default": []},
    "cmdline_remove": {"type": "list", "elements": "str", "default": []},
    "panic_timeout": {"type": "int", "default": 10},
    "denied_platforms": {"type": "list", "elements": "str", "default": []},
    "ignore_reasons": {
        "type": "list",
        "elements": "str",
        "choices": list(IGNORABLE),
        "default": [],
    },
}
PREFLIGHT_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **IMAGE_ARGUMENTS,
    "controller_boot_id": {"type": "str"},
}
MUTUALLY_EXCLUSIVE = [("kernel", "flavour")]
REQUIRED_IF = [("cmdline_source", "explicit", ["cmdline"])]


@dataclass(frozen=True)
class Wish:
    """What the user asked for; None leaves the choice to the host."""

    kernel: str | None = None
    initramfs: tuple[str, ...] | None = None
    flavour: str | None = None
    cmdline_source: CmdlineSource = "auto"
    cmdline: str | None = None
    append: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    controller_boot_id: str | None = None
    panic_timeout: int = 0
    denied_platforms: tuple[str, ...] = ()

    @property
    def leaves_the_choice(self) -> bool:
        """Tell whether the host may take the image that it would take by itself."""
        named = (self.kernel, self.initramfs, self.flavour) != (None, None, None)
        return not named and not self.edits_cmdline and self.cmdline_source == "auto"

    @property
    def edits_cmdline(self) -> bool:
        """Tell whether the user wrote any part of the command line."""
        return bool(self.cmdline_source == "explicit" or self.append or self.remove)


def wish_of(params: t.Mapping[str, t.Any]) -> Wish:
    """The user's options as a value."""
    _check_cmdline(params["cmdline"], params["cmdline_source"])
    check_number("panic_timeout", params["panic_timeout"], MAX_INT)
    initramfs = params["initramfs"]
    return Wish(
        kernel=params["kernel"],
        initramfs=None if initramfs is None else tuple(initramfs),
        flavour=params["flavour"],
        cmdline_source=params["cmdline_source"],
        cmdline=params["cmdline"],
        append=tuple(params["cmdline_append"]),
        remove=tuple(params["cmdline_remove"]),
        ignore=tuple(params["ignore_reasons"]),
        controller_boot_id=params.get("controller_boot_id"),
        panic_timeout=params["panic_timeout"],
        denied_platforms=tuple(params["denied_platforms"]),
    )


def _check_cmdline(text: str | None, source: str) -> None:
    """An option that has no effect is a mistake, and so is a command line without a word."""
    if source != "explicit" and text is not None:
        raise ReasonError(_cmdline_not_used(source))
    if source == "explicit" and not (text or "").strip():
        raise ReasonError(_cmdline_empty())


def check_number(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise ReasonError(_number_invalid(name, value, most))


def _number_invalid(name: str, value: int, most: int) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The option {name} is {value} and must be between 0 and {most}.",
        "It is a number of seconds; 0 switches it off.",
    )


def _cmdline_not_used(source: str) -> Reason:
    return reason(
        "cmdline_invalid",
        f"The option cmdline is set and cmdline_source is {source}.",
        "Set cmdline_source to explicit, or add single parameters with cmdline_append.",
    )


def _cmdline_empty() -> Reason:
    return reason(
        "cmdline_invalid",
        "cmdline_source is explicit and the option cmdline is empty.",
        "Write the whole command line into cmdline, or leave cmdline_source out.",
    )
