# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""extlinux.conf, as extlinux, syslinux and U-Boot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..entry import Entry, NotUnderstoodError

# Programs of syslinux, which show the menu or start something else than a kernel.
PROGRAM_SUFFIXES = (".c32", ".com")


@dataclass
class _Label:
    name: str
    kernel: str | None = None
    initramfs: tuple[str, ...] = ()
    append: str = ""

    def entry(self) -> Entry:
        """APPEND may name the initramfs, too; a line of its own comes first."""
        words = self.append.split()
        named = [word[len("initrd=") :] for word in words if word.startswith("initrd=")]
        images = self.initramfs or tuple(named[-1].split(",") if named else ())
        return Entry(self.name, self.kernel, images, self.append)


@dataclass
class _Menu:
    labels: list[_Label] = field(default_factory=list)
    default: str | None = None
    menu_default: str | None = None
    on_timeout: str | None = None
    common_append: str = ""

    def read(self, keyword: str, value: str) -> None:
        self._refuse(keyword, value.lower())
        if keyword == "label":
            self.labels.append(_Label(value, append=self.common_append))
        elif keyword == "default":
            self._choose(value)
        elif keyword == "ontimeout":
            self.on_timeout = value
        elif not self.labels:
            self.common_append = value if keyword == "append" else self.common_append
        else:
            self._read_label(self.labels[-1], keyword, value)

    def _refuse(self, keyword: str, value: str) -> None:
        if keyword == "include" or (keyword == "menu" and value.startswith("include")):
            raise NotUnderstoodError("it includes another file")
        if keyword == "menu" and value.startswith("begin"):
            raise NotUnderstoodError("it has a menu inside a menu")

    def _choose(self, value: str) -> None:
        """DEFAULT names a label, or the program that shows the menu."""
        if not _is_program(value):
            self.default = value

    def _read_label(self, label: _Label, keyword: str, value: str) -> None:
        if keyword in ("linux", "kernel"):
            label.kernel = value
        elif keyword == "initrd":
            label.initramfs = tuple(name for name in value.split(",") if name)
        elif keyword == "append":
            label.append = "" if value == "-" else value
        elif keyword == "menu" and value.lower() == "default":
            self.menu_default = label.name

    def chosen(self) -> _Label:
        """What happens at the timeout; of two other defaults, which one wins is not certain."""
        if not self.labels:
            raise NotUnderstoodError("it has no label")
        wanted = {self.on_timeout} - {None} or {self.default, self.menu_default} - {None}
        if len(wanted) > 1:
            raise NotUnderstoodError("DEFAULT and MENU DEFAULT name different labels")
        matching = [label for label in self.labels if not wanted or label.name in wanted]
        if not matching:
            raise NotUnderstoodError(f"it has no label {wanted.pop()!r}")
        return matching[0]


def _is_program(value: str) -> bool:
    return value.partition(" ")[0].lower().endswith(PROGRAM_SUFFIXES)


def default_entry(text: str) -> Entry:
    """The entry that boots when nobody touches the menu."""
    menu = _Menu()
    for line in text.splitlines():
        keyword, *value = line.split(None, 1) or [""]
        if keyword and not keyword.startswith("#"):
            menu.read(keyword.lower(), "".join(value).strip())
    chosen = menu.chosen()
    if chosen.kernel is None:
        raise NotUnderstoodError(f"its label {chosen.name!r} names no kernel")
    if _is_program(chosen.kernel):
        raise NotUnderstoodError(f"its label {chosen.name!r} starts {chosen.kernel}, no kernel")
    return chosen.entry()
