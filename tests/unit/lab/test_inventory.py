# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventories that pin one machine's keys."""

from __future__ import annotations

import pytest

from tests.lab import inventory
from tests.lab.records import Record

yaml = pytest.importorskip("yaml")
WEB1 = Record("web1", "/m/web1", 2222, 1024, "/r", False, "ready")
WEB2 = Record("web2", "/m x/web2", 2223, 1024, "/r", False, "ready")


def test_render_is_yaml_that_ansible_reads() -> None:
    hosts = yaml.safe_load(inventory.render([WEB1, WEB2]))["all"]["hosts"]
    assert list(hosts) == ["web1", "web2"]
    assert hosts["web1"] == {
        "ansible_host": "127.0.0.1",
        "ansible_port": 2222,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": "/m/web1/id_ed25519",
        "ansible_ssh_common_args": (
            "-o 'UserKnownHostsFile=\"/m/web1/known_hosts\"' -o GlobalKnownHostsFile=none "
            "-o HostKeyAlias=web1 -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
        ),
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def test_render_without_machines() -> None:
    assert yaml.safe_load(inventory.render([])) == {"all": {"hosts": {}}}


@pytest.mark.parametrize("record", [WEB1, WEB2], ids=["plain", "space in the path"])
def test_ssh_argv_checks_the_machines_own_host_key(record: Record) -> None:
    words = inventory.ssh_argv(record, "-o", "BatchMode=yes")
    assert words[-3:] == ["-o", "BatchMode=yes", "root@127.0.0.1"]
    assert "StrictHostKeyChecking=yes" in words
    assert f'UserKnownHostsFile="{record.folder}/known_hosts"' in words
    assert words[words.index("-p") + 1] == str(record.port)
