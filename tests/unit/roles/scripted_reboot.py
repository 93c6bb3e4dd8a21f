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

from ansible_collections.alpinefleet.kexec.tests.unit import reboots
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import reason, result

from tests.plays.run import ROOT, PlayRun, run_playbook

Variables = t.Mapping[str, t.Any]
Hosts = t.Mapping[str, Variables]

TIMEOUT = 300.0

LINKED = (
    *("galaxy.yml", "meta", "roles"),
    *(f"plugins/{kind}" for kind in ("filter", "modules", "module_utils")),
)
COLLECTION = "ansible_collections/alpinefleet/kexec"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


# What every module says of a host that is able, and the command that asks the service.
ABLE: dict[str, t.Any] = {
    "changed": False,
    "reasons": [],
    "facts": {"kexec_load_disabled": False, "lock_settings": []},
    "stat": {"exists": True, "lnk_target": "/bin/busybox", "islnk": True, "isdir": False},
    "origin": {"reboot": "/bin/busybox", "package": True, "parameters": {}},
    "restore": {"present": [], "absent": [{"name": "kexec_load_disabled"}]},
    "left": [],
    "files": [],
    "rc": 0,
}


def task(name: str, module: str, **rest: t.Any) -> dict[str, t.Any]:
    arguments = rest.pop("arguments", {})
    return {"name": name, f"ansible.builtin.{module}": arguments, **rest}


ORDER = reboots.order()
SCRIPT = {
    "ordered": ORDER,
    # What is wrong when the host is looked at: at once, and later.
    "looks": [[], []],
    "predict": result(rebooted=False),
    "order": result(rebooted=None, order=ORDER, reasons=[reason("panic_hangs", "nothing")]),
    "wait": result(),
    "again": result(method="firmware", reasons=[reason("kexec_not_proven", "kexec")]),
}


def link_missing(real: Path, mine: Path) -> None:
    """What of a folder nothing stands in for is the real one."""
    for path in real.iterdir():
        if not (mine / path.name).exists():
            (mine / path.name).symlink_to(path)
        elif path.is_dir():
            link_missing(path, mine / path.name)


def stand_in(folder: Path) -> Path:
    """Make a collection of this one's roles and modules, and of the scripted actions."""
    collection = folder / COLLECTION
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(__file__).parent / "stand_in", collection / "plugins", ignore=ignored)
    for name in LINKED:
        (collection / name).symlink_to(ROOT / name)
    for kind in ("action", "plugin_utils"):
        link_missing(ROOT / "plugins" / kind, collection / "plugins" / kind)
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
