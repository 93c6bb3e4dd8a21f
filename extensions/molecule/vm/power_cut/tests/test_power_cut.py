# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whenever the power fails, the boot loader finds a whole menu, and the kernel one, too."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.power.judge import OK
from tests.lab.power.walk import Run, prefixes, report
from tests.plays import EXHAUSTIVE, MENUS, WRITTEN_BACK, Supply

from .conftest import Watch, watch

CONVERGE = Path(__file__).parents[1] / "converge.yml"
# Each of them replaces the menu once.
CHANGES = 12 if EXHAUSTIVE else 6
BOOTS = 3 if EXHAUSTIVE else 1


def change_parameters(seen: Watch) -> None:
    """Add a parameter, change it, and take it away at the end."""
    for number in range(CHANGES):
        last = number == CHANGES - 1
        wanted = {"state": "absent"} if last else {"value": str(number)}
        task = seen.host.module("boot_parameter", name="power_cut", **wanted)
        assert (task.status, task.result["changed"]) == ("ok", True), task.result
        seen.note()


def run_playbook(seen: Watch) -> None:
    """Make the host able, and take everything back."""
    for state in ("present", "absent"):
        run = seen.host.play(CONVERGE, kexec_host_state=state)
        assert run.rc == 0, run.output
        seen.note()


def change_menu(seen: Watch) -> None:
    """The same where no command makes the menu, and the module edits it itself."""
    seen.host.host.check_output("rm /etc/update-extlinux.conf")
    change_parameters(seen)


Case = tuple[Callable[[Watch], None], str]

# What is done, and behind which boot loader. Of the sample one is written by the module itself, and the
# other one by a command of the host.
SAMPLE: list[Case] = [(change_menu, "extlinux"), (change_parameters, "grub-efi")]
ALL: list[Case] = [
    *((does, loader) for does in (change_parameters, run_playbook) for loader in MENUS),
    (change_menu, "extlinux"),
]


def bad(runs: list[Run]) -> list[Run]:
    codes = [(run, {run.sight.boot_loader.code, run.sight.kernel.code}) for run in runs]
    return [run for run, found in codes if found != {OK}]


@pytest.mark.long
@pytest.mark.parametrize(("does", "loader"), ALL if EXHAUSTIVE else SAMPLE)
def test_menu_is_whole_after_each_write(
    machines: Supply, tmp_path: Path, does: Callable[[Watch], None], loader: str
) -> None:
    seen = watch(machines, loader)
    does(seen)
    seen.host.host.check_output(WRITTEN_BACK)
    runs = seen.judge()
    seed = random.randrange(1 << 32)
    told = report(runs, seed)
    print(told)
    assert bad(runs) == [], told
    # A disk on which nothing happened would be whole, too: each menu was there for the boot loader.
    path = MENUS[loader].path
    shown = {dict(run.sight.boot_loader.sums).get(path) for run in runs}
    assert shown == set(seen.menus), told
    for count in prefixes(runs, seed, BOOTS):
        host = seen.cuts.boot(machines, count, tmp_path)
        assert host.boot_id(), told
        machines.down(host)
