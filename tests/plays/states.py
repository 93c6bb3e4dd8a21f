# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of the lab's machines that a playbook has led to."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import typing as t
from pathlib import Path

from tests.lab import LabError, Preparation, Record

from .run import ROOT, run_playbook

# What of the collection may run on a host or decide what does.
PARTS = ("meta", "playbooks", "plugins", "roles")
# What makes the environment that the playbooks run in.
PINS = ("requirements-test.txt", "tests/setup/collections.txt", "tests/setup/constraints.txt")


def by_playbook(playbook: Path, **variables: t.Any) -> Preparation:
    """Return what a playbook of a scenario does, which must succeed."""

    def run(record: Record) -> None:
        done = run_playbook(playbook, record.inventory, variables=variables)
        if done.rc != 0:
            title = f"{playbook} did not prepare {record.name!r}"
            raise LabError("preparation", f"{title}:\n{done.output}", "see the play's output above")

    return Preparation(f"{playbook.parent.name}/{playbook.stem}", inputs(playbook, variables), run)


def inputs(playbook: Path, variables: t.Mapping[str, t.Any]) -> str:
    """Return a hash of all that takes part in a playbook's run."""
    total = hashlib.sha256(importlib.metadata.version("ansible-core").encode())
    total.update(json.dumps(variables, sort_keys=True).encode())
    for path in [playbook, *(ROOT / name for name in PINS), *collection()]:
        total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def collection() -> list[Path]:
    """Return the collection's files, in the order of their names."""
    found = (path for part in PARTS for path in (ROOT / part).rglob("*"))
    return sorted(path for path in found if path.is_file() and path.suffix != ".pyc")
