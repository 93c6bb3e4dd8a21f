# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ./test and ./demo do to a machine before they begin: only what it lacks, and once."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

from tests.setup import slowest

BOOTSTRAP = Path(slowest.__file__).with_name("bootstrap.bash").resolve()
# What it uses of every machine; of this one there is nothing else to be found.
TOOLS = ("bash", "cat", "cp", "env", "flock", "grep", "ln", "mkdir", "rm", "sha256sum", "touch")
SCRIPT = 'set -euo pipefail; source ./bootstrap.bash; eval "$1"; shift; "$@"'
PACKAGES = """
# part probe package
base     tool       tool-of-all
machines emulator   qemu-new|qemu-old
others   other      never-asked-for
"""
# Each tells how it was called, in the working copy from which it is. Files there say what it is like.
PYTHON = r"""#!/bin/sh
case "$1 $2" in
"-c import sys; "*) [ ! -e "${0##*/}-is-old" ] && cat executable ;;
"-c import ensurepip"*) [ ! -e no-venv ] ;;
"-m venv") echo "venv $3" >>log && mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip")
    echo "pip $3" >>log
    [ "$3" != download ] || { mkdir .venv/download && touch .venv/download/a.whl; }
    ;;
"-c import sys, zipfile"*) shift 2 && echo "extract $*" >>log ;;
esac
"""
APT_GET = r"""#!/bin/sh
echo "apt-get $*" >>log
[ "$1" = install ] && [ ! -e installs-nothing ] || exit 0
for program in tool emulator; do cp "$0" "bin/$program"; done
rm -f no-venv
"""
APT_CACHE = '#!/bin/sh\n[ "$2" = qemu-new ] || echo "$2 | 1.0"\n'
SUDO = '#!/bin/sh\nshift\nexec "$@"\n'


class Checkout:
    """A working copy on a machine of which a test says what it has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("tests/setup/system-packages.txt", PACKAGES)
        for name in ("tests/setup/constraints.txt", "tests/setup/collections.txt"):
            self.write(name, "")
        self.write("requirements-test.txt", "nox\n")
        self.write("log", "")
        (folder / "bin").mkdir()
        for name in TOOLS:
            (folder / "bin" / name).symlink_to(shell_runner.installed(name))
        self.program("python3.11", PYTHON)
        for name, text in (("apt-get", APT_GET), ("apt-cache", APT_CACHE), ("sudo", SUDO)):
            self.program(name, text)
        self.write("executable", f"{folder}/bin/python3.11\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def program(self, name: str, text: str = "#!/bin/sh\n") -> None:
        self.write(f"bin/{name}", text)
        (self.folder / "bin" / name).chmod(0o755)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def run(self, *words: str, first: str = ":") -> subprocess.CompletedProcess[str]:
        """Call a function of the program, after something else."""
        shell_runner.copy(BOOTSTRAP, self.folder)
        done = subprocess.run(
            [shell_runner.installed("bash"), "-c", SCRIPT, "test", first, *words],
            cwd=self.folder,
            env={"PATH": str(self.folder / "bin")},
            capture_output=True,
            text=True,
            check=False,
        )
        shell_runner.keep(self.folder)
        return done

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def installs(*packages: str) -> list[str]:
    return [
        "apt-get update --quiet --quiet",
        " ".join(["apt-get install --no-install-recommends --yes", *packages]),
    ]


def test_machine_that_has_all_is_left_as_it_is(checkout: Checkout) -> None:
    for name in ("tool", "emulator"):
        checkout.program(name)
    done = checkout.run("install_packages", "machines")
    assert (done.returncode, done.stdout, checkout.log) == (0, "", [])


@pytest.mark.parametrize(
    ("parts", "packages"),
    [
        pytest.param(["quick"], ["tool-of-all"], id="of every part"),
        # The first of those that the release has.
        pytest.param(["quick", "machines"], ["tool-of-all", "qemu-old"], id="of one part"),
    ],
)
def test_what_a_part_needs_is_installed(
    checkout: Checkout, parts: Sequence[str], packages: Sequence[str]
) -> None:
    done = checkout.run("install_packages", *parts)
    assert done.returncode == 0, done.stderr
    assert checkout.log == installs(*packages)


def test_python_that_can_make_no_environment_is_completed(checkout: Checkout) -> None:
    checkout.program("tool")
    checkout.write("no-venv", "")
    checkout.write("executable", "/usr/bin/python3.99\n")
    checkout.write("bin/python3.12", "")
    done = checkout.run("missing_packages", "quick")
    assert done.stdout.splitlines() == ["python3.99-venv", "python3-venv"]


def test_python_that_is_too_old_is_passed_over(checkout: Checkout) -> None:
    checkout.program("python3.13", PYTHON)
    checkout.write("python3.11-is-old", "")
    checkout.write("executable", "another\n")
    assert checkout.run("find_python").stdout == "another\n"
    checkout.write("python3.13-is-old", "")
    assert checkout.run("find_python").returncode == 1


def test_machine_without_python_gets_one(checkout: Checkout) -> None:
    checkout.program("tool")
    checkout.remove("bin/python3.11")
    assert checkout.run("missing_packages", "quick").stdout.split() == ["python3", "python3-venv"]
    done = checkout.run("make_venv")
    assert done.returncode == 1
    assert "No Python of 3.11 or later was found." in done.stderr


@pytest.mark.parametrize(
    ("change", "first", "says"),
    [
        pytest.param("installs-nothing", ":", "still not found: tool-of-all", id="in vain"),
        pytest.param("", "as_root() { false; }", "Only root can install them.", id="nobody may"),
    ],
)
def test_what_cannot_be_installed_is_said_with_its_name(
    checkout: Checkout, change: str, first: str, says: str
) -> None:
    if change:
        checkout.write(change, "")
    done = checkout.run("install_packages", "quick", first=first)
    assert done.returncode == 1
    assert says in done.stderr
    assert "tool-of-all" in done.stdout + done.stderr


def test_machine_without_apt_is_told_what_it_lacks(checkout: Checkout) -> None:
    checkout.remove("bin/apt-get")
    done = checkout.run("install_packages", "quick")
    assert done.returncode == 1
    assert "There is no apt-get here" in done.stderr
    assert "lacks the packages: tool-of-all" in done.stdout


def test_environment_is_made_once_for_what_it_is_made_of(checkout: Checkout) -> None:
    made = ["venv .venv", "pip install", "pip download"]
    extracted = (
        "extract .venv/download/a.whl .venv/collections "
        "ansible_collections/community/docker/ ansible_collections/community/general/"
    )
    for _time in range(2):
        assert checkout.run("make_venv").returncode == 0
        assert checkout.log == [*made, extracted]
    checkout.write("requirements-test.txt", "nox\npytest\n")
    assert checkout.run("make_venv").returncode == 0
    assert checkout.log == [*made, extracted] * 2


def test_environment_that_was_not_finished_is_made_anew(checkout: Checkout) -> None:
    checkout.write(".venv/bin/left", "")
    assert checkout.run("make_venv").returncode == 0
    assert not (checkout.folder / ".venv/bin/left").exists()
    assert not (checkout.folder / ".venv/download").exists()


def test_set_up_leads_python_and_ansible_to_this_working_copy(checkout: Checkout) -> None:
    show = 'printf "%s\\n" "$PATH" "$ANSIBLE_COLLECTIONS_PATH" "$PYTHONPATH"'
    done = checkout.run("eval", f"set_up quick && {show}")
    assert done.returncode == 0, done.stderr
    path, collections, python = done.stdout.splitlines()[-3:]
    here = checkout.folder
    assert path.startswith(f"{here}/.venv/bin:")
    assert collections == f"{here}/.cache/collections:{here}/.venv/collections"
    assert python == f"{here}/.cache/collections"
    link = here / ".cache/collections/ansible_collections/alpinefleet/kexec"
    assert link.resolve() == here
    assert checkout.log[:2] == installs("tool-of-all")
