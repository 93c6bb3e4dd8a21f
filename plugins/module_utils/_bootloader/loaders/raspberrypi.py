# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""cmdline.txt of the Raspberry Pi's firmware: one line, and no word about the kernel."""

from __future__ import annotations

import os
import re

from ..._host.port import Host
from ..loader import Entry, Loader, NotUnderstoodError, always, text_lines

CMDLINES = ("/boot/cmdline.txt",)
CONFIGURATIONS = ("config.txt", "usercfg.txt")

_INCLUDED = re.compile(r"^[ \t]*include[ \t]+(\S+)", re.MULTILINE)
# A value may also come behind a space, and a kernel from upstream has a prefix of its own.
_ELSEWHERE = re.compile(r"^[ \t]*(cmdline|os_prefix|upstream_kernel)[ \t=]", re.MULTILINE)
_SPACES = " \t\r\0"


def only_line(text: str) -> tuple[int, int] | None:
    """Where the line begins and ends: the firmware would not read a second one."""
    found = [
        (start, start + len(line.rstrip("\0")))
        for start, line in text_lines(text)
        if line.strip(_SPACES)
    ]
    if len(found) > 1:
        raise NotUnderstoodError(f"it has {len(found)} lines instead of one")
    return found[0] if found else None


def default_entry(text: str, configuration: str = "") -> Entry:
    """The command line; the kernel is chosen in config.txt and stays unknown here."""
    refuse(configuration)
    found = only_line(text)
    if found is None:
        raise NotUnderstoodError("it has 0 lines instead of one")
    return Entry("cmdline.txt", None, (), text[slice(*found)].strip(_SPACES))


def refuse(configuration: str) -> None:
    elsewhere = _ELSEWHERE.search(configuration)
    if elsewhere:
        raise NotUnderstoodError(f"config.txt sets {elsewhere[1]}")
    for included in _INCLUDED.findall(configuration):
        if included not in CONFIGURATIONS:
            raise NotUnderstoodError(f"config.txt includes {included}")


def configuration(host: Host, path: str) -> str:
    directory = os.path.dirname(path)
    texts = (host.text(os.path.join(directory, name)) or "" for name in CONFIGURATIONS)
    return "\n".join(texts)


def _read(host: Host, path: str, text: str) -> Entry:
    return default_entry(text, configuration(host, path))


RASPBERRYPI = Loader("raspberrypi", always(*CMDLINES), _read)
