# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Ansible and ssh reach the machines."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Sequence

from .commands import environment
from .records import Record


def ssh_options(record: Record) -> list[str]:
    """Return ssh's options: only this machine's key, only this machine's host keys.

    The alias keeps machines apart that had the same port one after the other.
    """
    pairs = {
        "UserKnownHostsFile": f'"{record.known_hosts}"',
        "GlobalKnownHostsFile": "none",
        "HostKeyAlias": record.name,
        "StrictHostKeyChecking": "yes",
        "IdentitiesOnly": "yes",
    }
    return [part for key, value in pairs.items() for part in ("-o", f"{key}={value}")]


def ssh_argv(record: Record, *options: str) -> list[str]:
    """Return the command that logs in to the machine; the caller appends a remote command."""
    return [
        "ssh",
        "-F",
        "none",
        "-i",
        str(record.key),
        "-p",
        str(record.port),
        *ssh_options(record),
        *options,
        "root@127.0.0.1",
    ]


def ssh(
    record: Record, command: str, *options: str, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a shell command on the machine and return what it did."""
    argv = [*ssh_argv(record, "-o", "BatchMode=yes", *options), command]
    return subprocess.run(
        argv, env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def host_variables(record: Record) -> dict[str, str | int]:
    """Return the variables of one host."""
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": record.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(record.key),
        "ansible_ssh_common_args": shlex.join(ssh_options(record)),
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def render(records: Sequence[Record]) -> str:
    """Return a YAML inventory; JSON's scalars are YAML's."""
    lines = ["---", "all:", "  hosts:" if records else "  hosts: {}"]
    for record in records:
        lines.append(f"    {record.name}:")
        for key, value in host_variables(record).items():
            lines.append(f"      {key}: {json.dumps(value)}")
    return "\n".join(lines) + "\n"
