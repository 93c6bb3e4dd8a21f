# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from tests.hosts.payload import Module, parse

LOAD = "ansible_collections.alpinefleet.kexec.plugins.modules.kexec_load"


def payload(name: str, arguments: dict[str, t.Any]) -> bytes:
    """The end of what ansible-core 2.19 sends for a module."""
    params = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
    lines = [
        "import sys",
        "def main(params='nothing'): pass",
        'if __name__ == "__main__":',
        "    _ansiballz_main(",
        f"ansible_module={name!r},",
        f"module_fqn={LOAD!r},",
        f"params={params!r},",
        "zip_data='UEsDBA==',",
        ")",
    ]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("name", ["kexec_load", "alpinefleet.kexec.kexec_load"])
def test_module_with_its_arguments(name: str) -> None:
    arguments = {"token": 'it\'s "quoted"\n', "cmdline_append": ["a=b"]}
    assert parse(payload(name, arguments)) == Module("kexec_load", arguments)


@pytest.mark.parametrize("other", [b"", b"print(1)\n", b"\xff\x00", b"params='{}',\n"])
def test_what_is_no_module(other: bytes) -> None:
    assert parse(other) is None


@pytest.mark.parametrize(
    ("name", "arguments", "reads_only"),
    [
        ("kexec_preflight", {}, True),
        ("kexec_load", {}, False),
        ("kexec_load", {"_ansible_check_mode": True}, True),
        ("kexec_load", {"_ansible_check_mode": False}, False),
        ("command", {}, False),
    ],
)
def test_only_what_changes_nothing_may_run(
    name: str, arguments: dict[str, t.Any], *, reads_only: bool
) -> None:
    assert Module(name, arguments).reads_only == reads_only
