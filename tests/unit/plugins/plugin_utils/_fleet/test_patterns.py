# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pattern without a word in it names nobody."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import patterns

NOBODY = ["", ",", " ", " , ,", ":", ";", ",:", "!", "&", "~", "\n"]
SOMEBODY = ["web1", "all", "*", "web1,", ",web1", "!web1", "~web.*", "web[1:3]", "fe80::1"]


@pytest.mark.parametrize("given", [*NOBODY, None, [], [""], [",", ""], 7, {}, True])
def test_nobody_is_named(given: t.Any) -> None:
    assert not patterns.name_hosts(given)
    assert not patterns.limit_hosts(given)


@pytest.mark.parametrize("given", SOMEBODY)
def test_somebody_is_named(given: str) -> None:
    assert patterns.name_hosts(given)
    assert patterns.limit_hosts(given)
    assert patterns.name_hosts(["", given])


@pytest.mark.parametrize(
    ("text", "named"), [("", False), ("\n,\n", False), ("\nweb1\n", True), (None, True)]
)
def test_limit_may_be_in_a_file(tmp_path: Path, text: str | None, named: bool) -> None:
    path = tmp_path / "limit"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert patterns.limit_hosts(f",@{path}") is named
