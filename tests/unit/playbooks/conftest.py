# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are reached by ssh, and are a shell of this machine all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

# The last word is what the host is to run. It remembers nothing, and nobody can make it remember.
CLIENT = """#!/bin/sh
for command do :; done
case $command in
*memory.sh*)
    nonce=${command%% && sleep *}
    nonce=${nonce##* }
    printf '\\nBEGIN %s\\n\\nEND %s\\n' "${nonce%"'"}" "${nonce%"'"}"
    ;;
*) exec sh -c "$command" ;;
esac
"""


@pytest.fixture
def by_ssh(tmp_path: Path) -> str:
    """The variables of such a host, as a line of an inventory has them."""
    client = tmp_path / "ssh"
    client.write_text(CLIENT, encoding="utf-8")
    client.chmod(0o755)
    return f"ansible_connection=ssh ansible_pipelining=true ansible_ssh_executable={client}"
