# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kexec_load as Ansible runs it."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import once
from ansible_collections.alpinefleet.kexec.plugins.modules import kexec_load
from ansible_collections.alpinefleet.kexec.tests.unit import documentation, fakes

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit.plugins.modules.conftest import (
        Documented,
        Machine,
        Own,
    )

main = kexec_load.main
DOCS = documentation.of("kexec_load")

COMMAND = [
    "-a",
    "-l",
    "/boot/vmlinuz-virt",
    "--initrd=/boot/initramfs-virt",
    f"--command-line={fakes.CONFIGURED}",
]
WANTED = f"""\
kernel: /boot/vmlinuz-virt
initramfs: /boot/initramfs-virt
cmdline: {fakes.CONFIGURED}
"""


def test_load(machine: Machine) -> None:
    result = machine.run(main)
    assert (result["changed"], result["loaded"], result["able"]) == (True, True, True)
    assert machine.words == COMMAND


def test_load_again_is_no_change(machine: Machine) -> None:
    machine.run(main)
    before = machine.alpine.snapshot()
    result = machine.run(main)
    assert (result["changed"], result["loaded"]) == (False, True)
    assert machine.alpine.snapshot() == before
    assert machine.words == COMMAND


def test_load_in_check_mode_changes_nothing(machine: Machine) -> None:
    before = machine.alpine.snapshot()
    result = machine.run(main, check_mode=True)
    assert (result["changed"], result["loaded"]) == (True, False)
    assert machine.alpine.snapshot() == before
    assert machine.words == []


def test_diff_shows_the_image_before_and_after(machine: Machine) -> None:
    machine.run(main)
    longer = WANTED.replace("=0\n", "=0 console=ttyS0\n")
    assert machine.run(main, cmdline_append=["console=ttyS0"])["diff"] == {
        "before": WANTED,
        "after": longer,
        "before_header": "loaded image",
        "after_header": "loaded image",
    }


def test_words_reach_kexec_as_they_are(machine: Machine) -> None:
    machine.run(main, cmdline_source="explicit", cmdline='root=/dev/vda1 a="$HOME ~" b=$(id)')
    assert machine.words[-1] == (
        '--command-line=root=/dev/vda1 a="$HOME ~" b=$(id) kexec_load_disabled=0 panic=10 '
        "oops=panic alpinefleet_kexec.added=panic=10,oops=panic"
    )


def test_token_is_on_the_command_line_and_in_the_result(machine: Machine) -> None:
    result = machine.run(main, token="5f2b")
    assert machine.words[-1].endswith(" alpinefleet_kexec.token=5f2b")
    assert result["cmdline"].endswith(" alpinefleet_kexec.token=5f2b")


def test_several_initramfs_files_are_joined_with_microcode_first(machine: Machine) -> None:
    machine.alpine.write("/boot/intel-ucode.img", fakes.microcode())
    files = ["/boot/initramfs-virt", "/boot/intel-ucode.img"]
    result = machine.run(main, initramfs=files)
    assert result["initramfs"] == files[::-1]
    assert machine.words[3].startswith("--initrd=/run/alpinefleet-kexec/initramfs-")
    run = machine.alpine.path("/run/alpinefleet-kexec")
    assert [path.name for path in run.iterdir()] == ["image.json"]


def test_unload(machine: Machine) -> None:
    machine.run(main)
    result = machine.run(main, state="unloaded")
    assert (result["changed"], result["loaded"]) == (True, False)
    assert result["diff"]["before"] == WANTED
    assert machine.words[-1] == "-u"
    assert machine.run(main, state="unloaded")["changed"] is False


def test_unload_does_not_mind_options_about_the_image(machine: Machine) -> None:
    result = machine.run(main, state="unloaded", token="not a token", flavour="none")
    assert "failed" not in result


# --- Failures ------------------------------------------------------------------------------


def test_obstacle_is_a_failure_with_its_remedy(machine: Machine) -> None:
    machine.alpine.relock()
    before = machine.alpine.snapshot()
    result = machine.run(main)
    assert (result["failed"], result["stage"]) == (True, "preflight")
    assert result["msg"].endswith(
        "Remove that line from /etc/sysctl.d/99-hard.conf and reboot once through firmware."
    )
    assert machine.alpine.snapshot() == before
    assert machine.words == []


def test_failure_of_kexec_is_told_in_full(machine: Machine) -> None:
    machine.refuse("kexec_load failed: Cannot allocate memory\n")
    result = machine.run(main)
    assert (result["failed"], result["stage"], result["rc"]) == (True, "load", 255)
    assert result["stderr"] == "kexec_load failed: Cannot allocate memory\n"
    assert "Cannot allocate memory" in result["msg"]
    assert result["reasons"][0]["code"] == "load_failed"


def test_kexec_that_cannot_be_executed_is_a_failure_with_a_reason(machine: Machine) -> None:
    (machine.folder / "kexec").write_bytes(b"\x7fELF")
    result = machine.run(main)
    assert (result["stage"], result["rc"]) == ("load", 126)
    assert result["reasons"][0]["code"] == "load_failed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"token": "a b"}, "The token 'a b' cannot stand", id="token"),
        pytest.param({"panic_timeout": -1}, "The option panic_timeout is -1", id="panic timeout"),
        pytest.param({"state": "present"}, "value of state must be one of", id="state"),
        pytest.param(
            {"cmdline_source": "explicit", "cmdline": ""}, "cmdline is empty", id="command line"
        ),
    ],
)
def test_wrong_options_fail_before_anything_is_touched(
    machine: Machine, arguments: dict[str, t.Any], message: str
) -> None:
    before = machine.alpine.snapshot()
    result = machine.run(main, **arguments)
    assert result["failed"] is True
    assert message in result["msg"]
    assert machine.alpine.snapshot() == before


# --- The documentation ---------------------------------------------------------------------


@pytest.mark.parametrize("state", ["loaded", "unloaded"])
def test_every_value_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own, state: str
) -> None:
    names = documented(DOCS.returns).of_survey("success")
    assert own(machine.run(main, state=state)) == names


def test_every_value_of_a_refusal_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own
) -> None:
    machine.alpine.lock()
    names = documented(DOCS.returns).of_survey("failure")
    assert own(machine.run(main)) == names


@pytest.mark.parametrize(
    "arguments", [{"cmdline": "a"}, {"token": "a b"}, {"confirm_timeout": -1}], ids=str
)
def test_every_value_of_a_wrong_option_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own, arguments: dict[str, t.Any]
) -> None:
    names = documented(DOCS.returns).names("always", "failure")
    assert own(machine.run(main, **arguments)) == names == {"reasons", "stage"}


def test_every_value_of_a_failed_command_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own
) -> None:
    machine.refuse("no")
    names = documented(DOCS.returns).of_survey("failure", "when the command failed")
    assert own(machine.run(main)) == names


def test_token_is_no_secret() -> None:
    assert once.LOAD_ARGUMENTS["token"]["no_log"] is False


def test_examples_are_tasks_of_this_module() -> None:
    tasks = yaml.safe_load(DOCS.examples)
    assert all("alpinefleet.kexec.kexec_load" in task and "name" in task for task in tasks)
