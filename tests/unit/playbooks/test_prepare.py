# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""prepare.yml in check mode on a host without Python: what can be foretold, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plays import run_playbook

ROOT = Path(__file__).resolve().parents[3]
ROLE = "alpinefleet.kexec.kexec_host"
TIMEOUT = 120.0


def test_host_without_python_leaves_the_play_in_check_mode(
    tmp_path: Path, by_ssh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = tmp_path / "inventory"
    inventory.write_text(f"bare {by_ssh}\n")
    # A shell looks for Python there, and the programs of this controller have absolute paths.
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("sh", "head"):
        (tmp_path / name).symlink_to(f"/bin/{name}" if name == "sh" else f"/usr/bin/{name}")
    run = run_playbook(
        ROOT / "playbooks/prepare.yml", inventory, "--check", "--limit=bare", timeout=TIMEOUT
    )
    assert run.rc == 0, run.output
    (said,) = run.changed
    assert said.task == f"{ROLE} : bootstrap | Say what is missing"
    assert said.result["msg"].startswith("Python would be installed on the host;")
    # Nothing comes after that, and nothing was installed.
    assert run.tasks[-1] == said
    assert {task.status for task in run.tasks} == {"ok"}
