# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is imported that a later ansible-core will not have.

What a play uses of it while it runs is seen by tests.plays.run_playbook.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.alpinefleet.kexec"
# In a process of its own, where nothing has been imported yet: ansible-core tells of a use once. It
# keeps what it tells of a module's code, and prints what it tells of a controller's.
ASK = """
import importlib, sys, warnings
warnings.simplefilter("error", DeprecationWarning)
warnings.simplefilter("error", PendingDeprecationWarning)
for name in sys.argv[1:]:
    importlib.import_module(name)
from ansible.module_utils.common.warnings import get_deprecation_messages
print(*[each["msg"] for each in get_deprecation_messages()], sep="\\n", end="")
"""


def complaints(*modules: str, path: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASK, *modules],
        cwd=path,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_nothing_deprecated_is_imported() -> None:
    files = sorted((ROOT / "plugins").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]
    assert len(names) > 50
    assert complaints(*(f"{PACKAGE}.{name}" for name in names)) == ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param(
            "from ansible.module_utils.common.warnings import deprecate\n"
            "deprecate('of modules', version='2.99')",
            "of modules",
            id="modules",
        ),
        pytest.param(
            "from ansible.utils.display import Display\n"
            "Display().deprecated('of controllers', version='2.99')",
            "of controllers",
            id="controllers",
        ),
        pytest.param(
            "import warnings\nwarnings.warn('of Python', DeprecationWarning)",
            "of Python",
            id="Python",
        ),
        pytest.param("from ansible.module_utils.basic import gone", "ImportError", id="gone"),
    ],
)
def test_what_is_deprecated_is_seen(tmp_path: Path, code: str, said: str) -> None:
    (tmp_path / "outdated.py").write_text(code)
    assert said in complaints("outdated", path=tmp_path)
