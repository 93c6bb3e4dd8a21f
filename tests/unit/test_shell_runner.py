# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program has left is gone before the next one runs."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner


def test_group_is_at_work_as_long_as_a_process_of_it_runs() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as sleeper:
        assert shell_runner.is_at_work(sleeper.pid)
        sleeper.kill()
        # It has ended, and nobody has waited for it.
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        assert not shell_runner.is_at_work(sleeper.pid)
    assert not shell_runner.is_at_work(sleeper.pid)


def test_lock_of_what_a_program_has_left_is_free_afterwards(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o777)
    lock = tmp_path / "lock"
    lock.touch()
    lock.chmod(0o666)
    text = f"exec 9<>{lock}; {shell_runner.installed('flock')} -n 9 || exit 3; sleep 600 & exit 0"
    for _again in range(20):
        status, said = shell_runner.run(text, "holder", (), tmp_path)
        assert (status, said) == (0, "")
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
