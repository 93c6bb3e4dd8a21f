# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines that are commented out are those that the preflight calls a lock, and no others."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import state
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import Sysctl
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps.kexec_host import locks

MARK = "# ours: "
PATH = "/etc/sysctl.d/99-hard.conf"


def commented(text: str, path: str = PATH, read: str | None = None) -> str:
    """A file after the role, as ansible.builtin.replace edits it, by what was read of it before."""
    found = state.parse_sysctl(path, text if read is None else read, state.LOCK_SYSCTL)
    for edit in locks.edits(found, MARK):
        assert edit["path"] == path
        text = re.sub(edit["regexp"], edit["replace"], text, flags=re.MULTILINE)
    return text


LOCK = "kernel.kexec_load_disabled = 1"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(f"{LOCK}\n", [1], id="alone"),
        pytest.param(f"# why\n\n{LOCK}\nkernel.sysrq = 0\n", [3], id="among others"),
        pytest.param(f"{LOCK}", [1], id="without a line feed"),
        pytest.param(f"{LOCK}\n{LOCK}\nx = 1\n{LOCK}", [1, 2, 4], id="three of them"),
        pytest.param("kernel/kexec_load_disabled=1\n", [1], id="slashes"),
        pytest.param(" -kernel.kexec_load_disabled\t=\t1 really\n", [1], id="what may fail"),
        pytest.param("kernel.kexec_load_disabled\v=\r1\r\n", [1], id="odd white space"),
        pytest.param(f"a\r{LOCK}\n{LOCK}\n", [2], id="a carriage return parts no lines"),
        pytest.param("kernel.kexec_load_disabled = 10\n", [], id="another number"),
        pytest.param("kernel.kexec_load_disabled = 0\n", [], id="open"),
        pytest.param(f"#{LOCK}\n;{LOCK}\n{MARK}{LOCK}\n", [], id="commented out"),
        pytest.param("kernel.kexec_load_disabled_too = 1\n", [], id="a longer name"),
        pytest.param(f"kernel.kexec_load_disabled = 10\n{LOCK}\n", [2], id="one of two"),
        pytest.param("", [], id="empty"),
    ],
)
def test_lines_that_lock_are_commented_out_and_no_others(text: str, lines: list[int]) -> None:
    expected = [
        f"{MARK}{line}" if number in lines else line
        for number, line in enumerate(text.split("\n"), start=1)
    ]
    done = commented(text)
    assert done.split("\n") == expected
    # That is what the role puts back, and there is nothing left to do.
    assert re.sub(f"^{MARK}", "", done, flags=re.MULTILINE) == text.replace(MARK, "")
    assert commented(done) == done


@pytest.mark.parametrize(
    "text", ["", "kernel.sysrq = 0\n", f"kernel.sysrq = 0\n{LOCK}\n", "a\nb\n"], ids=range(4)
)
def test_file_that_was_edited_since_is_left_alone(text: str) -> None:
    assert commented(text, read=f"{LOCK}\n") == text


@pytest.mark.parametrize(
    ("path", "edited"),
    [
        ("/etc/sysctl.conf", True),
        ("/etc/sysctl.d/a.conf", True),
        ("/etc/sysctl.conf.d", False),
        ("/usr/lib/sysctl.d/a.conf", False),
        ("/run/sysctl.d/a.conf", False),
    ],
)
def test_files_of_packages_and_of_a_boot_are_not_edited(path: str, edited: bool) -> None:
    assert bool(locks.edits([Sysctl(path, 1, "1")], MARK)) is edited


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], ""),
        ([Sysctl(PATH, 1, "0"), Sysctl(PATH, 2, "10")], ""),
        (
            [Sysctl(PATH, 1, "1"), Sysctl(PATH, 2, "1"), Sysctl("/etc/sysctl.conf", 9, "1")],
            f"is set to 1 by {PATH}, /etc/sysctl.conf: kexec is locked again",
        ),
    ],
)
def test_lines_that_stay_are_told(found: list[t.Any], said: str) -> None:
    assert said in locks.warning(found)
    assert bool(said) is bool(locks.warning(found))
