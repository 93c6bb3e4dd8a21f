# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests together ran of the shell programs, and what they should."""

from __future__ import annotations

import itertools
import os
import typing as t
from pathlib import Path

from .instrument import instrument

ROOT = Path(__file__).resolve().parents[2]
# What runs on hosts, what stands in for a program of a host or of ssh, and what runs the tests.
PLACES = (
    "roles/*/files/*",
    "plugins/**/*.sh",
    "tests/lab/files/*",
    "tests/bench/stand_in/*",
    "tests/setup/*.bash",
    ".ci/run",
    "demo",
    "test",
)
# OpenRC knows the shell of its services.
ENDINGS = (".sh", ".initd")
# Of each program, in percent.
FLOOR = 95.0
# Names the folder for what runs; without it nothing is measured.
VARIABLE = "SHELL_COVERAGE"

Ran = dict[str, set[int]]


def keep(notes: Path) -> None:
    """Put what a test ran to the rest of its process, and forget it in the test's own folder."""
    folder = os.environ.get(VARIABLE)
    if folder is None or not notes.exists():
        return
    with Path(folder, str(os.getpid())).open("a") as file:
        file.write("".join(sorted(set(notes.read_text().splitlines(keepends=True)))))
    notes.unlink()


def read(folder: Path) -> Ran:
    """What the processes of a run have kept."""
    ran: Ran = {}
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            name, number = line.split(" ")
            ran.setdefault(name, set()).add(int(number))
    return ran


def programs(root: Path) -> dict[str, str]:
    """The texts of the programs by their names."""
    files = sorted(path for place in PLACES for path in root.glob(place))
    texts = [(path, path.read_text(encoding="utf-8")) for path in files]
    return {
        path.name: text for path, text in texts if text.startswith("#!") or path.suffix in ENDINGS
    }


def table(texts: t.Mapping[str, str], ran: Ran) -> tuple[list[str], bool]:
    """A line for each program, and whether all of them reach the floor."""
    rows = [f"{'Program':<22} {'Lines':>5} {'Missed':>6} {'Cover':>7}   Missing"]
    enough = True
    for name, text in texts.items():
        _text, commands = instrument(text)
        missed = sorted(commands - ran.get(name, set()))
        percent = 100.0 * (1 - len(missed) / max(1, len(commands)))
        enough = enough and percent >= FLOOR
        row = f"{name:<22} {len(commands):>5} {len(missed):>6} {percent:>6.1f}%   {ranges(missed)}"
        rows.append(row.rstrip())
    verdict = "reach" if enough else "must each reach"
    return [*rows, f"The programs {verdict} {FLOOR:.0f} % of their lines."], enough


def ranges(numbers: t.Sequence[int]) -> str:
    """Numbers as a reader looks for them: 3, 7-9."""
    runs = [
        [number for _place, number in group]
        for _key, group in itertools.groupby(enumerate(numbers), lambda each: each[1] - each[0])
    ]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
