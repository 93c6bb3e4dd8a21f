# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The slots' entries and the default in a boot loader's files: brought to what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ... import _cmdline
from ..._bootloader.loader import Entry, NotUnderstoodError
from ..._host.mounts import mount_of
from ..._host.port import Host
from .. import change, menu
from ..change import Plan, not_understood
from ..editors import Settings
from . import once, see
from .entry import SlotEntry, WantedSlots, check, id_of, label_of
from .kind import Kind, Site, is_of, unsupported
from .see import Menued


def ensure(
    host: Host,
    entries: t.Sequence[SlotEntry],
    default: str | None,
    *,
    check_mode: bool,
    flavour: str | None = None,
) -> dict[str, t.Any]:
    """Have these entries and this default, and no other of ours.

    No entries and no default take everything of ours out, byte for byte; the flavour says which of
    the kernels of apk is the default then, where that is not settled by the user's own settings.

    Returns changed, diff, boot_loader, files, regenerated, backup_files.
    """
    wanted = WantedSlots(tuple(entries), default, flavour)
    cleared = default is None and once.clear_once(host, check_mode=check_mode)["changed"]
    result = change.ensure(host, lambda: plan(host, see.see(host), wanted), check_mode=check_mode)
    return {**result, "changed": result["changed"] or cleared}


def plan(host: Host, seen: Menued, wanted: WantedSlots) -> Plan:
    """What is to be written, and whether a menu is to be made of it."""
    check(wanted, seen.kind.forbidden)
    if wanted.entries:
        seen.kind.refuse(host)
    _check_places(host, seen, wanted)
    expected = Slots(seen.kind, seen.site, wanted)
    try:
        after = seen.kind.written(seen.site, seen.files, wanted, seen.listing)
    except NotUnderstoodError as problem:
        raise not_understood(", ".join(seen.settings.files), problem) from problem
    if seen.settings.commands is None:
        _prove(host, seen, expected, after[seen.site.menu])
    gone = {path for path, text in after.items() if text is None}
    return Plan(
        seen.settings,
        expected,
        seen.files,
        after,
        not expected.shown_by(seen),
        seen.kind.modes,
        seen.wrong_modes - gone,
    )


def _prove(host: Host, seen: Menued, expected: Slots, text: str | None) -> None:
    """What is a menu itself is read before it is written, as one that is made is after it."""
    found = menu.listed(host, seen.settings, text)
    entry = found.default
    problem = entry if isinstance(entry, str) else ", ".join(expected.missing(entry))
    if problem:
        raise not_understood(seen.site.menu, NotUnderstoodError(f"with the slots, {problem}"))


def _check_places(host: Host, seen: Menued, wanted: WantedSlots) -> None:
    """A loader finds what is beside its menu; elsewhere it may not look."""
    for entry in wanted.entries:
        for path in (entry.kernel, *entry.initramfs):
            if mount_of(host, path) != seen.site.mount:
                what = f"{path} on another file system than {seen.site.menu}"
                raise unsupported(what, "the boot loader would have to look on both")


@dataclass(frozen=True)
class Slots:
    """What the menu must say of them."""

    kind: Kind
    site: Site
    wanted: WantedSlots

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.label for each in self.wanted.entries)

    def entry(self, host: Host, settings: Settings, text: str | None) -> Entry | str:
        """The default of all boots but one that was ordered."""
        return menu.listed(host, settings, text).default

    def missing(self, entry: Entry) -> list[str]:
        wanted = self.wanted.first
        if wanted is None:
            return self._missing_without(entry)
        found = {
            f"the name {wanted.label}": entry.name == wanted.label,
            f"the kernel of {wanted.id}": entry.kernel == self._named(wanted.kernel),
            f"the initramfs of {wanted.id}": entry.initramfs
            == tuple(map(self._named, wanted.initramfs)),
            f"the command line of {wanted.id}": _alike(entry.cmdline, wanted.boots_with),
        }
        return [what for what, there in found.items() if not there]

    def _missing_without(self, entry: Entry) -> list[str]:
        flavour, slot = self.wanted.flavour, id_of(entry.name)
        if slot is not None:
            return [f"a default other than {label_of(slot)}"]
        return [] if flavour is None or is_of(entry, flavour) else [f"the kernel vmlinuz-{flavour}"]

    def dropped(self, before: Entry, entry: Entry) -> list[str]:
        """What another default does not have is not dropped by this one."""
        return [] if before.kernel is None or entry.kernel else ["its kernel"]

    def _named(self, path: str) -> str:
        return self.kind.named(self.site, path)

    def shown_by(self, seen: Menued) -> bool:
        """Whether the menu as it is says all of it already."""
        entry = seen.listing.default
        wanted = {each.id for each in self.wanted.entries}
        return isinstance(entry, Entry) and not self.missing(entry) and seen.listed == wanted


def _alike(one: str, other: str) -> bool:
    """Whether the kernel takes two command lines for the same, whatever their quotes."""
    lines = ([_cmdline.name_of(w), _cmdline.value_of(w)] for w in _cmdline.running_words(one))
    others = ([_cmdline.name_of(w), _cmdline.value_of(w)] for w in _cmdline.running_words(other))
    return list(lines) == list(others)
