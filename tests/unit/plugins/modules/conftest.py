# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run whole: real arguments, real commands, and a host as a tree of files."""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import (
    machine as machine_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Host
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write import checkpoint
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

PACKAGE = "ansible_collections.alpinefleet.kexec.plugins"

# What needs options that can be used.
USABLE = "always, but where an option cannot be used"

# What Ansible itself adds, and what every module may return.
COMMON = {"changed", "diff", "failed", "invocation", "msg"}

# It writes down its words, and does to the tree what kexec does to the kernel.
KEXEC = """\
#!/bin/sh
printf '%s\\n' "$@" >>{folder}/words
case "$1" in
--version) echo "kexec-tools 2.0.32"; exit ;;
esac
cat {folder}/stderr >&2
[ -s {folder}/stderr ] && exit 255
case "$1" in
-a) echo 1 >{root}/sys/kernel/kexec_loaded ;;
-u) echo 0 >{root}/sys/kernel/kexec_loaded ;;
esac
"""


@dataclass
class Machine:
    """A host on which modules run."""

    alpine: fakes.FakeHost
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(
        self, main: t.Callable[[], None], *, check_mode: bool = False, **arguments: t.Any
    ) -> dict[str, t.Any]:
        """Run a module as Ansible would, and read what it prints."""
        common = {
            "_ansible_check_mode": check_mode,
            "_ansible_diff": True,
            "_ansible_remote_tmp": str(self.folder),
            # As where the user wants no log of it on the host: from Python 3.12 on, AnsibleModule itself
            # refuses what cannot be logged.
            "_ansible_no_log": True,
        }
        with patch_module_args({**common, **arguments}), pytest.raises(SystemExit):
            main()
        return t.cast(dict[str, t.Any], json.loads(self.capsys.readouterr().out))

    def refuse(self, stderr: str) -> None:
        """Let the next commands fail."""
        (self.folder / "stderr").write_text(stderr)

    @property
    def words(self) -> list[str]:
        """The words that kexec was called with, but for the questions about its version."""
        text = (self.folder / "words").read_text()
        return [word for word in text.splitlines() if word != "--version"]


@pytest.fixture
def machine(
    alpine: fakes.FakeHost,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Machine:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "kexec").write_text(KEXEC.format(folder=folder, root=alpine.root))
    (folder / "openrc").write_text("#!/bin/sh\n")
    # No package is installed.
    (folder / "apk").write_text("#!/bin/sh\nexit 1\n")
    for name in ("kexec", "openrc", "apk"):
        (folder / name).chmod(0o755)
    (folder / "stderr").touch()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    there = functools.partial(Host, root=str(alpine.root))
    monkeypatch.setattr(f"{PACKAGE}.module_utils._module.Host", there)
    monkeypatch.setattr(machine_module, "ask_kexec", lambda: "EINVAL")
    monkeypatch.setattr(checkpoint, "checkpoint", lambda _directory: None)
    return Machine(alpine, folder, capsys)


class Documented:
    """What a module's documentation says that it returns."""

    def __init__(self, values: dict[str, t.Any]) -> None:
        self._values = values

    def of_survey(self, *returned: str) -> set[str]:
        """The values that are returned where the host was looked at, and in one of these cases."""
        return self.names("always", USABLE, *returned)

    def names(self, *returned: str) -> set[str]:
        """The values that are returned in one of these cases."""
        return {name for name, each in self._values.items() if each["returned"] in returned}

    def within(self, name: str) -> set[str]:
        """The keys inside a value."""
        return set(self._values[name]["contains"])


Own = t.Callable[[dict[str, t.Any]], set[str]]


@pytest.fixture
def documented() -> type[Documented]:
    return Documented


@pytest.fixture
def own() -> Own:
    """The names of what a module itself returned."""
    return lambda result: set(result) - COMMON
