# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logins that are not root's."""

from __future__ import annotations

import pytest

from tests.plays import EXHAUSTIVE

from .conftest import Host

USER = """
set -e
apk add doas
# sudo is in the image, which was unpacked without this bit.
chmod u+s /usr/bin/sudo
echo '%wheel ALL=(ALL:ALL) NOPASSWD: ALL' >/etc/sudoers.d/wheel
id ops 2>/dev/null || adduser -D -G wheel ops
# A locked password locks the login, too.
sed -i 's/^ops:!/ops:*/' /etc/shadow
mkdir -p ~ops/.ssh
cp /root/.ssh/authorized_keys ~ops/.ssh/
chown -R ops ~ops/.ssh
"""


DOAS = "community.general.doas"
METHODS = ["ansible.builtin.sudo", DOAS] if EXHAUSTIVE else [DOAS]


@pytest.fixture(autouse=True)
def user(parallel: Host) -> None:
    """A login that root may let become root."""
    parallel.host.check_output("sh -c %s", USER)


@pytest.mark.parametrize("method", METHODS)
def test_user_who_may_become_root(parallel: Host, method: str) -> None:
    become = [f"--extra-vars=ansible_user=ops ansible_become=true ansible_become_method={method}"]
    task = parallel.reboot(*become)
    assert (task.result["rebooted"], task.result["method"]) == (True, "kexec"), task.result


def test_user_who_stays_one_is_refused(parallel: Host) -> None:
    before = parallel.boot_id()
    task = parallel.reboot("--extra-vars=ansible_user=ops")
    assert (task.status, task.result["reason"]["code"]) == ("failed", "not_root")
    assert parallel.boot_id() == before
