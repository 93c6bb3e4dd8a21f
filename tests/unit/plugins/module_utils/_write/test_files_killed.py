# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL at every call of the writer: a whole file, a next run that ends well, nothing left over.

A process of its own forks a child for each call and lets it die there. Within pytest a fork would
be one of a process with threads.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import signal
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import parameter
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.edit import Change
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.parameter import Options
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, killing

# Where a process is killed: in the writer, and in the command of the host, which is played here.
MODULES = (
    "_write/boot_file.py",
    "_bootconfig/change.py",
    "_bootconfig/menu.py",
    "_write/draft.py",
    "_write/files.py",
    os.path.basename(__file__),
)
SECOND = ".boot-parameter-old"
GRUB_DRAFT = "/boot/grub/.grub.cfg.boot-parameter-new"
HOOK = "/etc/kernel-hooks.d/secureboot.hook"
IMAGE = "/boot/efi/linux-virt.efi"
ENTRY = "set default=0\nmenuentry 'Alpine' {{\n\tlinux /boot/vmlinuz-virt {}\n}}\n"
# What the command of a boot loader makes of the command line.
TEXTS = {"grub": ENTRY, "extlinux": fakes.extlinux("{}"), "uki": "image {}"}


@dataclass(frozen=True)
class Case:
    """A boot loader's files before, and how its command makes a menu of the settings."""

    loader: str
    menu: str
    files: t.Mapping[str, str]
    command: str | None = None
    writes: str = ""

    def lay_out(self, root: Path) -> None:
        for path, text in self.files.items():
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).write_text(text)

    def run(self, root: Path) -> None:
        runner = fakes.FakeRunner()
        if self.command is not None:
            runner.installed[os.path.basename(self.command)] = self.command
            runner.on(self.command, effect=lambda: self._make(root))
        wish = Options((Change("panic", "10"),), self.loader, False)
        host = fakes.bare_host(runner, str(root))
        parameter.ensure(host, lambda: wish, check_mode=False)

    def _make(self, root: Path) -> None:
        """What a command does: the menu of the settings, under another name, and renamed."""
        settings = (root / next(iter(self.files))[1:]).read_text()
        text = TEXTS[self.loader]
        draft = root / f"{self.writes[1:]}.new"
        draft.write_text(text.format(settings.split('"')[1]))
        draft.rename(root / self.writes[1:])


CASES = {
    "raspberrypi": Case("raspberrypi", "/boot/cmdline.txt", {"/boot/cmdline.txt": "quiet\n"}),
    "extlinux": Case(
        "extlinux",
        "/boot/extlinux.conf",
        {
            "/etc/update-extlinux.conf": 'default_kernel_opts="quiet"\n',
            "/boot/extlinux.conf": fakes.extlinux("quiet"),
        },
        "/sbin/update-extlinux",
        "/boot/extlinux.conf",
    ),
    "grub": Case(
        "grub",
        "/boot/grub/grub.cfg",
        {
            "/etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
            "/boot/grub/grub.cfg": ENTRY.format("quiet"),
        },
        "/sbin/grub-mkconfig",
        GRUB_DRAFT,
    ),
    # Nothing can be read of what is made, so that the disk has to say that it is owed.
    "uki": Case(
        "uki",
        IMAGE,
        {
            "/etc/kernel-hooks.d/secureboot.conf": 'cmdline="quiet"\noutput_dir=/boot/efi\n',
            IMAGE: "image quiet",
            HOOK: "",
            "/usr/share/kernel/virt/kernel.release": "6.18.56-0-virt\n",
        },
        HOOK,
        IMAGE,
    ),
}


# --- In a process of its own ---------------------------------------------------------------


def run_and_die(case: Case, root: Path, number: int) -> None:
    sys.setprofile(killing.die_at(number, MODULES))
    case.run(root)


def contents(root: Path) -> dict[str, str]:
    """The files but for the directory of the lock."""
    files = (
        path for path in root.rglob("*") if path.is_file() and root / "run" not in path.parents
    )
    return {f"/{path.relative_to(root)}": path.read_text() for path in files}


def second_of(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}{SECOND}")


def problems(case: Case, root: Path, number: int, wanted: dict[str, str]) -> t.Iterator[str]:
    """What is wrong after a death, and after the run that follows it."""
    found = contents(root)
    for path, old in case.files.items():
        if found.get(path) not in (old, wanted[path]):
            yield f"call {number}: {path} holds {found.get(path)!r}"
    if killing.ended(lambda: case.run(root)) != 0:
        yield f"call {number}: the next run failed"
    after = contents(root)
    # What there was before has its second name only if that run had anything left to do.
    after.pop(second_of(case.menu), None)
    if after != wanted:
        yield f"call {number}: the next run left {sorted(after)}"


def main(name: str) -> None:
    """Print how many calls there were; end with what was wrong, if anything was."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "whole"
        case.lay_out(root)
        assert killing.ended(lambda: case.run(root)) == 0
        wanted = contents(root)
        assert wanted.pop(second_of(case.menu)) == case.files[case.menu]
        for number in itertools.count(1):
            root = Path(folder) / "killed"
            case.lay_out(root)
            end = killing.ended(functools.partial(run_and_die, case, root, number))
            wrong = list(problems(case, root, number, wanted))
            if wrong or end not in (0, -signal.SIGKILL):
                sys.exit("\n".join(wrong) or "the run failed")
            if end == 0:
                break
            shutil.rmtree(root)
    sys.stdout.write(f"{number - 1}\n")


# --- Within pytest -------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_run_that_is_killed_anywhere_leaves_whole_files_and_the_next_one_ends_well(
    name: str,
) -> None:
    # All that a write takes, and not only the first of it.
    assert killing.calls_survived(__name__, name) > 40
