# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What steps look for is what tasks leave."""

from __future__ import annotations

import re

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import registered

from tests.plays.run import ROOT

NAMES = {
    *(registered.RESULT, registered.BEGUN, registered.RESET, registered.RECALLED),
    *(registered.ASKED, registered.BRAKED, *registered.AUDITED),
    *(name for names in registered.LEFT_BY.values() for name in names),
}
TASKS = "\n".join(
    path.read_text(encoding="utf-8")
    for pattern in ("roles/*/tasks/*.yml", "playbooks/*.yml")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_task_leaves_it(name: str) -> None:
    assert re.search(rf"^ +(register: {name}|{name}: .+)$", TASKS, re.MULTILINE)


def test_every_role_leaves_something_for_the_report() -> None:
    assert registered.LEFT_BY.keys() == {path.name for path in (ROOT / "roles").iterdir()}
