# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logins that are not root's."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("method", ["ansible.builtin.sudo", "community.general.doas"])
def test_user_who_may_become_root(plain: Host, method: str) -> None:
    plain.host.check_output("sh -c %s", USER)
    become = [f"--extra-vars=ansible_user=ops ansible_become=true ansible_become_method={method}"]
    task = plain.reboot(*become)
    assert (task.result["rebooted"], task.result["method"]) == (True, "kexec"), task.result


def test_user_who_stays_one_is_refused(plain: Host) -> None:
    before = plain.boot_id()
    task = plain.reboot("--extra-vars=ansible_user=ops")
    assert (task.status, task.result["reason"]["code"]) == ("failed", "not_root")
    assert plain.boot_id() == before
