# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""/etc/default/grub, and what Alpine's grub-mkconfig takes from update-extlinux.conf."""

from __future__ import annotations

from ..text import Line, Span, Texts
from . import update_extlinux
from .shell import assigned, assigned_or_new

SETTINGS = "/etc/default/grub"

# GRUB's own shell reads the menu, and would replace these or end the command there.
FORBIDDEN = "$;&|<>{}'\\`"


def lines(texts: Texts) -> list[Line]:
    """The one command line of all entries; new parameters go into GRUB's own file."""
    text = texts.get(SETTINGS, "")
    always = assigned(SETTINGS, text, "GRUB_CMDLINE_LINUX")
    extlinux = _of_extlinux(texts)
    own = assigned_or_new(SETTINGS, text, "GRUB_CMDLINE_LINUX_DEFAULT")
    return [tuple(span for span in (always, extlinux, own) if span is not None)]


def _of_extlinux(texts: Texts) -> Span | None:
    """Alpine puts these before GRUB's own wherever the file exists."""
    text = texts.get(update_extlinux.SETTINGS)
    if text is None:
        return None
    return assigned(update_extlinux.SETTINGS, text, update_extlinux.VARIABLE)
