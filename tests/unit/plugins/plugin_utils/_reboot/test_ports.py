# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a client says is classified by its own words, and by nothing else."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import (
    NoAnswerError,
    classify,
)

CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Host key verification failed."""
WARNED = CHANGED.rpartition("\n")[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("", "silent", id="nothing"),
        pytest.param(
            "connect to host 192.0.2.7 port 22: Connection refused", "silent", id="closed"
        ),
        pytest.param(
            "connect to host 192.0.2.7 port 22: No route to host", "silent", id="no route"
        ),
        pytest.param("Connection timed out during banner exchange", "silent", id="no banner"),
        pytest.param("Timeout (12s) waiting for privilege escalation", "silent", id="no become"),
        pytest.param("Could not resolve hostname web1", "silent", id="no name"),
        pytest.param(
            "kex_exchange_identification: Connection closed by remote host\r\n"
            "Connection closed by 192.0.2.7 port 22",
            "dropped",
            id="turned away",
        ),
        pytest.param(
            "kex_exchange_identification: read: Connection reset by peer", "dropped", id="reset"
        ),
        pytest.param(CHANGED, "host_key", id="changed key"),
        pytest.param("Host key verification failed.", "host_key", id="unknown key"),
        pytest.param("ada@192.0.2.7: Permission denied (publickey).", "authentication", id="key"),
        pytest.param("Authentication failed.", "authentication", id="paramiko"),
        pytest.param("Too many authentication failures", "authentication", id="too many keys"),
        pytest.param(f"{CHANGED}\nPermission denied", "host_key", id="the key matters more"),
        pytest.param(
            f"{WARNED}\nPermission denied", "authentication", id="warned of a key, refused"
        ),
        pytest.param(f"{WARNED}\nConnection reset by peer", "silent", id="warned of a key, gone"),
        pytest.param("host key mismatch for web1", "host_key", id="paramiko's key"),
    ],
)
def test_classify(text: str, kind: str) -> None:
    assert classify(text) == kind


def test_no_answer_says_what_was_heard() -> None:
    error = NoAnswerError("garbled", "the host answered 'x'")
    assert (error.kind, error.text, str(error)) == ("garbled", *["the host answered 'x'"] * 2)
