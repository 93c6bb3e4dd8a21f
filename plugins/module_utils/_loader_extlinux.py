# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change at any time.

"""extlinux.conf, as extlinux, syslinux and U-Boot read it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._boot_entry import Entry, NotUnderstood

UI_SUFFIXES = (".c32",)


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
    common_append: str = ""

    def read(self, keyword: str, value: str) -> None:
        if keyword == "include":
            raise NotUnderstood("it includes another file")
        if keyword == "label":
            self.labels.append(_Label(value, append=self.common_append))
        elif keyword in ("default", "ontimeout"):
            self._choose(value)
        elif not self.labels:
            self.common_append = value if keyword == "append" else self.common_append
        else:
            self._read_label(self.labels[-1], keyword, value)

    def _choose(self, value: str) -> None:
        """DEFAULT names a label, or the program that shows the menu."""
        if not value.split(" ")[0].lower().endswith(UI_SUFFIXES):
            self.default = value

    def _read_label(self, label: _Label, keyword: str, value: str) -> None:
        if keyword in ("linux", "kernel"):
            label.kernel = value
        elif keyword == "initrd":
            label.initramfs = tuple(value.split(","))
        elif keyword == "append":
            label.append = "" if value == "-" else value
        elif keyword == "menu" and value.lower() == "default":
            self.menu_default = label.name

    def chosen(self) -> _Label:
        wanted = self.menu_default or self.default
        if wanted is None and self.labels:
            return self.labels[0]
        matching = [label for label in self.labels if label.name == wanted]
        if not matching:
            raise NotUnderstood(f"it has no label {wanted!r}")
        return matching[0]


def default_entry(text: str) -> Entry:
    """The entry that boots when nobody touches the menu."""
    menu = _Menu()
    for line in text.splitlines():
        keyword, _space, value = line.strip().partition(" ")
        if keyword and not keyword.startswith("#"):
            menu.read(keyword.lower(), value.strip())
    chosen = menu.chosen()
    if chosen.kernel is None:
        raise NotUnderstood(f"its label {chosen.name!r} names no kernel")
    return chosen.entry()
