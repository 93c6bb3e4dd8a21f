# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose reboot is a script, for the roles that reboot them.

All else is real; the hosts are names for the controller.
"""

from __future__ import annotations

import json
import shutil
import sys
import typing as t
from pathlib import Path

from tests.plays.run import ROOT, PlayRun, run_playbook

Variables = t.Mapping[str, t.Any]
Hosts = t.Mapping[str, Variables]

TIMEOUT = 300.0

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
COLLECTION = "ansible_collections/alpinefleet/kexec"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def task(name: str, module: str, **rest: t.Any) -> dict[str, t.Any]:
    arguments = rest.pop("arguments", {})
    return {"name": name, f"ansible.builtin.{module}": arguments, **rest}


def result(**changes: t.Any) -> dict[str, t.Any]:
    """Return what kexec_reboot returns."""
    return {
        "changed": True,
        "rebooted": True,
        "method": "kexec",
        "reasons": [],
        "boot_id": {"before": "before", "after": BOOT_ID},
        "release": {"before": "6.18.38-0-virt", "after": "6.18.56-0-virt"},
        "cmdline": {"before": "quiet", "after": "quiet"},
        "downtime": 5.5,
        "elapsed": 10.0,
        "timings": {"down": 5.0},
        **changes,
    }


def reason(code: str, blocks: str = "reboot") -> dict[str, str]:
    return {"code": code, "message": f"This is {code}.", "remedy": "Do.", "blocks": blocks}


def failure(code: str, stage: str, rebooted: bool | None, **changes: t.Any) -> dict[str, t.Any]:
    """Return what kexec_reboot returns where it fails."""
    told = {"failed": True, "msg": code, "reason": reason(code), "stage": stage}
    after = {"method": None, "boot_id": {"before": "before", "after": None}}
    return result(**after, rebooted=rebooted, **told, **changes)


ORDER = {"method": "kexec", "fallback": "fail", "token": "t", "boot_id": "b"}
SCRIPT = {
    "predict": result(rebooted=False),
    "order": result(rebooted=None, order=ORDER, reasons=[reason("panic_hangs", "nothing")]),
    "wait": result(),
    "again": result(method="firmware", reasons=[reason("kexec_not_proven", "kexec")]),
}
GONE = failure("did_not_return", "down", None, last_error="timed out")


def stand_in(folder: Path) -> Path:
    """Make a collection of this one's roles and modules, and of the scripted actions."""
    collection = folder / COLLECTION
    (collection / "plugins").mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        Path(__file__).parent / "stand_in", collection / "plugins/action", ignore=ignored
    )
    for name in ("galaxy.yml", "meta", "roles", "plugins/modules", "plugins/module_utils"):
        (collection / name).symlink_to(ROOT / name)
    return folder


def python_that_answers(path: Path, **answer: t.Any) -> Path:
    """Make a Python for a host that answers any module alike."""
    path.write_text(f"#!/bin/sh\ncat > /dev/null\ncat <<'END'\n{json.dumps(answer)}\nEND\n")
    path.chmod(0o755)
    return path


def run_scripted(
    folder: Path,
    hosts: Hosts,
    common: Variables,
    *options: str,
    deprecated: t.Sequence[str] = (),
) -> PlayRun:
    """Run playbook.yml of a folder on the hosts."""
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": {**LOCAL, **common}}}))
    collections = folder / "collections"
    if not collections.exists():
        stand_in(collections)
    return run_playbook(
        folder / "playbook.yml",
        inventory,
        "--forks=20",
        *options,
        timeout=TIMEOUT,
        collections=[collections, ROOT / ".venv/collections"],
        deprecated=deprecated,
    )
