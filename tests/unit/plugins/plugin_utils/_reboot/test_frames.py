# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host answers stands between two lines that nobody else knows."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.frames import between

NONCE = "0123456789abcdef"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param("BEGIN N\na\nb\nEND N\n", "a\nb\n", id="an answer"),
        pytest.param("BEGIN N\nEND N\n", "", id="nothing to say"),
        pytest.param("Welcome\n\nBEGIN N\na\nEND N\nBye\n", "a\n", id="what a login prints"),
        pytest.param("BEGIN N\r\na\r\nEND N\r\r\n", "a\r\n", id="a terminal"),
        pytest.param("BEGIN N\na\nEND N", "a\n", id="no last newline"),
        pytest.param("BEGIN M\nBEGIN N\na\nEND M\nEND N\n", "a\nEND M\n", id="another nonce"),
        pytest.param("BEGIN N\na\nEND N\nb\nEND N\n", "a\n", id="ended twice"),
        pytest.param("END N\nBEGIN N\na\n", None, id="the end comes first"),
        pytest.param("BEGIN N\na\n", None, id="cut off"),
        pytest.param("BEGIN N\na\nEND N more\n", None, id="more behind the end"),
        pytest.param(" BEGIN N\na\nEND N\n", None, id="something before the begin"),
        pytest.param("say BEGIN N\na\nEND N\n", None, id="said by somebody"),
        pytest.param("", None, id="no answer"),
    ],
)
def test_answer(output: str, expected: str | None) -> None:
    assert between(output.replace(" N", f" {NONCE}"), NONCE) == expected
