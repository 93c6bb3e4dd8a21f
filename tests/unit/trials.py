# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with slots and a boot loader that is played, for tests of trials, and how it boots."""

from __future__ import annotations

import itertools
import typing as t
import uuid

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import (
    look,
    once,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    SlotEntry,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import Menus
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes, port
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason, ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import defaults
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import ensure as slots
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.plan import SlotWish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot.situation import GUARDIANS
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

NEW_RELEASE = "6.18.57-0-virt"
APKS = Entry("Linux virt", "vmlinuz-virt", ("initramfs-virt",), fakes.CONFIGURED)


class FakeMenus:
    """What a boot loader's files say, and what each change makes of them at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.default: str | None = None
        self.once: str | None = None
        self.entries: tuple[str, ...] = ()
        # Why they cannot be read, and why there is no boot for once.
        self.broken: Reason | None = None
        self.unable: Reason | None = None
        # Why it cannot be told what they boot.
        self.unclear: str | None = None
        monkeypatch.setattr(look, "look", self._look)
        monkeypatch.setattr(slots, "look", self._look)
        monkeypatch.setattr(defaults, "ensure", self._ensure)
        monkeypatch.setattr(once, "once", self._once)
        monkeypatch.setattr(once, "clear_once", self._clear_once)
        monkeypatch.setattr(once, "can_once", lambda _host: self.unable)

    def _look(self, _host: port.Host, _flavour: str | None = None) -> Menus:
        if self.broken is not None:
            raise ReasonError(self.broken)
        named = frozenset(self.entries)
        return Menus(
            "extlinux",
            None if self.unclear else self.default,
            unclear=self.unclear,
            named=named,
            configured=self.default,
            apks=APKS,
            once=self.once,
        )

    def _ensure(
        self,
        _host: port.Host,
        entries: t.Sequence[SlotEntry],
        default: str | None,
        *,
        check_mode: bool,
        flavour: str | None = None,
    ) -> dict[str, t.Any]:
        assert flavour in (None, "virt")
        names = tuple(each.id for each in entries)
        assert default is None or default in names
        changed = (names, default) != (self.entries, self.default)
        if not check_mode:
            self.entries, self.default = names, default
        return {"changed": changed, "diff": [], "boot_loader": "extlinux", "files": []}

    def _once(self, _host: port.Host, slot: str, *, check_mode: bool) -> dict[str, t.Any]:
        assert slot in self.entries
        changed = self.once != slot
        if not check_mode:
            self.once = slot
        return {"changed": changed}

    def _clear_once(self, _host: port.Host, *, check_mode: bool = False) -> dict[str, t.Any]:
        changed = self.once is not None
        if not check_mode:
            self.once = None
        return {"changed": changed}


class TrialHost:
    """An Alpine with a good slot, and another build in /boot."""

    def __init__(self, alpine: fakes.FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
        self.alpine = alpine
        self.menus = FakeMenus(monkeypatch)
        self._boots = itertools.count(1)
        self.slot = SlotWish("present")
        self.install(fakes.RELEASE)
        for service in GUARDIANS:
            alpine.write(f"/etc/runlevels/sysinit/{service}", "")
        self.good = self.present()
        self.firmware()
        self.install(NEW_RELEASE)

    @property
    def host(self) -> port.Host:
        return self.alpine.host

    def install(self, release: str) -> None:
        """As apk does it, in place of the build before."""
        self.alpine.add_flavour("virt", release)
        tree = f"/lib/modules/{release}"
        self.alpine.write(f"{tree}/modules.dep", f"kernel/fs/ext4/ext4.ko.gz: of {release}\n")
        self.alpine.write(f"{tree}/kernel/fs/ext4/ext4.ko.gz", f"ext4 of {release}")

    def present(self) -> str:
        """The good slot as kernel_slot leaves it."""
        told = slots.ensure(self.host, self.slot, check_mode=False, now=lambda: 0.0)
        return str(told["good"])

    def firmware(self) -> str | None:
        """Boot through firmware; returns the slot."""
        slot = self.menus.once or self.menus.default
        self.menus.once = None
        self._boot(f"{fakes.CONFIGURED} alpinefleet_kexec.slot={slot}", "52")
        return slot

    def jump(
        self, image: t.Mapping[str, t.Any], *, confirmed: bool = True, checked: str = "passed"
    ) -> None:
        """Boot what a trial is armed with; the note of a jump that is confirmed is removed.

        CHECKED is what its guard says of the host's own checks.
        """
        boot_id = self.alpine.path("/proc/sys/kernel/random/boot_id").read_text().strip()
        words = " ".join(image["cmdline_append"])
        self._boot(f"{image['cmdline']} {words} alpinefleet_kexec.token={fakes.TOKEN}", "208")
        run = _cmdline.last_value(image["cmdline_append"], _cmdline.TRIAL_PARAMETER)
        if checked:
            self.alpine.write(notes.CHECKED, f"{run} {checked}\n")
        if not confirmed:
            self.alpine.write(notes.JUMP, f"{fakes.TOKEN} {boot_id} {NEW_RELEASE} 1795671657\n")

    def _boot(self, cmdline: str, loader_type: str) -> None:
        boot_id = uuid.UUID(int=next(self._boots))
        self.alpine.write("/proc/sys/kernel/random/boot_id", f"{boot_id}\n")
        self.alpine.write("/proc/cmdline", f"{cmdline}\n")
        self.alpine.write("/proc/sys/kernel/bootloader_type", f"{loader_type}\n")
        self.alpine.remove(notes.RUN)
