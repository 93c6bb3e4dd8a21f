# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role, interrupted when any of its tasks begins, and then run again."""

from __future__ import annotations

import signal

import pytest

from tests.hosts import Script
from tests.plays import EXHAUSTIVE

from .site import Site
from .test_role import told

# Those of a host with a hook that reboots and is well.
TASKS = 21
# The hook is at work, the host is ordered to leave, and the hook is undone.
SAMPLE = (11, 13, 19)


def test_run_that_nobody_interrupts_has_so_many_tasks(site: Site) -> None:
    site.host(Script(downtime=1.0))
    assert site.interrupt_fast_reboot(TASKS, signal.SIGKILL)
    assert not site.interrupt_fast_reboot(TASKS + 1, signal.SIGKILL)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL], ids=lambda by: by.name)
@pytest.mark.parametrize("task", range(1, TASKS + 1) if EXHAUSTIVE else SAMPLE)
def test_host_is_well_and_drained_by_nobody_after_the_next_run(
    site: Site, task: int, by: signal.Signals
) -> None:
    host = site.host(Script(downtime=2.0))
    assert site.interrupt_fast_reboot(task, by)
    # Where the first run was through with the host, the second is a reboot of its own.
    through = host.boot.number == 1 and host.memory == ""
    run = site.fast_reboot()
    if run.tasks[-1].status == "unreachable":
        # It was on its way down by the order of the first run. Once it is up it is gone on with.
        host.journal.wait_for("up")
        run = site.fast_reboot()
    assert told(run, "web1") == (None, None, True, []), run.output
    assert (host.boot.number, host.memory) == (2 if through else 1, "")
