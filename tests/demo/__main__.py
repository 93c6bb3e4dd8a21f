# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boots a machine and reboots it in both ways; see README.md."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.console import Console

from tests.lab import Lab, LabError, MachineSpec, Progress, Record, banner, ssh
from tests.plays import run_playbook

from . import proof, report
from .proof import Boot, Reboot
from .watch import watching

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = {
    "ansible.builtin.reboot": ROOT / "tests/demo/core-reboot.yml",
    "alpinefleet.kexec": ROOT / "playbooks/fast-reboot.yml",
}
INTERRUPTED = 130
WIDTH = 100


class DemoError(Exception):
    """The demonstration did not show what it is for."""


def ask(record: Record) -> Boot:
    answer = ssh(record, proof.QUESTION)
    if answer.returncode != 0:
        raise DemoError(f"{record.name} does not answer: {answer.stderr.strip()}")
    return proof.parse(answer.stdout)


def reboot(by: str, record: Record, progress: Progress) -> Reboot:
    """Reboot the machine with a playbook, and measure and compare from the outside."""
    playbook = PLAYBOOKS[by].relative_to(ROOT)
    before = ask(record)
    print(f"==> ansible-playbook --inventory {record.inventory} {playbook}", flush=True)
    with progress.step(f"rebooting by {by}"), watching(lambda: banner(record.port)) as watch:
        # What is deprecated is no matter of a demonstration, whatever is said of it.
        run = run_playbook(playbook, record.inventory, f"--limit={record.name}", deprecated=[""])
    print(run.output, flush=True)
    if run.rc != 0:
        raise DemoError(f"{playbook} ended with exit status {run.rc}")
    found = Reboot(by, before, ask(record), watch.downtime)
    if not found.proven:
        raise DemoError(f"{by} says that it rebooted {record.name}, which still runs {before}")
    return found


def demonstrate() -> None:
    progress = Progress()
    with Lab() as lab:
        # Several demonstrations at once do not take each other's machine.
        record = lab.up(MachineSpec(f"demo-{os.getpid()}"))
        reboots = [reboot(by, record, progress) for by in PLAYBOOKS]
    # A boot_id is of no use in part; a narrow terminal may break the line.
    Console(width=WIDTH).print(report.table(reboots))
    print(report.line(reboots))
    if [each.after.method for each in reboots] != ["firmware", "kexec"]:
        raise DemoError("the machine did not come up in the ways that were expected")


def main() -> int:
    try:
        demonstrate()
    except (DemoError, LabError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; the machine was taken down", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
