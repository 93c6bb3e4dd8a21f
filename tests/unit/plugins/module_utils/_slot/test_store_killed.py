# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SIGKILL at every call of what makes, mends and forgets slots: whole slots, and a next run that ends well.

A process of its own forks a child for each call and lets it die there, as in the tests of the writer.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.look import Menus
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import candidate, store
from ansible_collections.alpinefleet.kexec.tests.unit import fakes, killing, slots

# Where a process is killed.
SOURCES = (
    "_slot/store.py",
    "_slot/folders.py",
    "_slot/modules.py",
    "_write/draft.py",
    "_write/boot_file.py",
    # It removes trees.
    "/shutil.py",
)
MOST = 2000

Work = t.Callable[[Host], None]


def look(host: Host) -> candidate.Candidate:
    return candidate.look(
        host, Menus("extlinux", apks=Entry("a", "vmlinuz-virt", ("initramfs-virt",), "quiet"))
    )


def make(host: Host) -> None:
    store.tidy(host)
    store.make(host, look(host))


def mend(host: Host) -> None:
    """As it is done after a look at what is damaged."""
    store.tidy(host)
    name = look(host).id
    store.mend(host, store.look(host, name), look(host))


def forget(host: Host) -> None:
    store.tidy(host)
    store.forget(host, store.parked(host) | {slot.id for slot in store.listed(host)})


def nothing(root: Path) -> None:
    """As the host is."""


def made(root: Path) -> None:
    make(host_of(root))


def damaged(root: Path) -> None:
    made(root)
    (folder,) = (root / "boot/alpinefleet-kexec").iterdir()
    for name in ("linux", "manifest"):
        (folder / name).write_bytes(b"")
    shutil.rmtree(root / "lib/alpinefleet-kexec" / folder.name / "extra")


CASES: dict[str, tuple[t.Callable[[Path], None], Work, int]] = {
    "make": (nothing, make, 1),
    "mend": (damaged, mend, 1),
    "forget": (made, forget, 0),
}


def host_of(root: Path) -> Host:
    return fakes.bare_host(fakes.FakeRunner(), str(root))


def lay_out(root: Path, arrange: t.Callable[[Path], None]) -> None:
    shutil.rmtree(root, ignore_errors=True)
    slots.install_modules(fakes.FakeHost(root))
    arrange(root)


def whole(root: Path) -> list[bool]:
    return [slot.whole for slot in store.listed(host_of(root))]


def left(root: Path) -> list[str]:
    """What is in the folders of slots but for slots."""
    folders = ("boot/alpinefleet-kexec", "lib/alpinefleet-kexec")
    names = [
        name for folder in folders if (root / folder).is_dir() for name in os.listdir(root / folder)
    ]
    return [name for name in names if name.startswith(".")]


def problems(root: Path, name: str) -> t.Iterator[str]:
    """What is wrong after a death, and after the run that follows it."""
    _arrange, work, count = CASES[name]
    if name != "mend" and not all(whole(root)):
        yield "there is a slot that is not whole"
    if killing.ended(lambda: work(host_of(root))) != 0:
        yield "the next run failed"
    if whole(root) != [True] * count or left(root):
        yield f"the next run left {whole(root)} and {left(root)}"


def main(name: str) -> None:
    """Print how many calls there were; end with what was wrong, if anything was."""
    arrange, work, _count = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "host"
        for number in itertools.count(1):
            lay_out(root, arrange)

            def die(number: int = number) -> None:
                sys.setprofile(killing.die_at(number, SOURCES))
                work(host_of(root))

            end = killing.ended(die)
            wrong = list(problems(root, name))
            if wrong or end not in (0, -signal.SIGKILL):
                sys.exit(f"call {number}: {'; '.join(wrong) or 'the run failed'}")
            if end == 0:
                break
    sys.stdout.write(f"{number - 1}\n")


@pytest.mark.parametrize("name", CASES)
def test_run_that_is_killed_anywhere_leaves_whole_slots_and_the_next_one_ends_well(
    name: str,
) -> None:
    # All that it takes, and not only the first of it.
    assert 20 < killing.calls_survived(__name__, name) < MOST
