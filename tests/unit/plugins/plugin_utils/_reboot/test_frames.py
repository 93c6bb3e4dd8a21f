# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer is what stands between the two lines of its call, and nothing else is one."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import frames

NONCE = "a1b2c3d4e5f60718"


@pytest.mark.parametrize(
    ("output", "found"),
    [
        pytest.param(f"BEGIN {NONCE}\na\nb\nEND {NONCE}\n", "a\nb\n", id="whole"),
        pytest.param(f"BEGIN {NONCE}\nEND {NONCE}\n", "", id="empty"),
        pytest.param(f"Welcome!\nBEGIN {NONCE}\r\na\r\nEND {NONCE}\r\nBye", "a\r\n", id="noise"),
        pytest.param(f"Welcome!BEGIN {NONCE}\na\nEND {NONCE}\n", None, id="not on its own line"),
        pytest.param(f"BEGIN {NONCE}\na\n", None, id="cut"),
        pytest.param(f"BEGIN {NONCE}\na\nEND {NONCE}0\n", None, id="end of another one"),
        pytest.param("BEGIN 0\na\nEND 0\n", None, id="another call"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_answer_is_what_the_frame_holds(output: str, found: str | None) -> None:
    assert frames.between(output, NONCE) == found
