# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""boot_parameter as Ansible runs it."""

from __future__ import annotations

import errno
import os
import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import parameter
from ansible_collections.alpinefleet.kexec.plugins.modules import boot_parameter
from ansible_collections.alpinefleet.kexec.tests.unit import documentation

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit.plugins.modules.conftest import (
        Documented,
        Machine,
        Own,
    )

main = boot_parameter.main
DOCS = documentation.of("boot_parameter")

SETTINGS, MENU = "/etc/update-extlinux.conf", "/boot/extlinux.conf"
OLD = 'overwrite=1\ndefault_kernel_opts="quiet rootfstype=ext4"\n'
NEW = OLD.replace("ext4", "ext4 kexec_load_disabled=0")
UNLOCK: dict[str, t.Any] = {"name": "kexec_load_disabled", "value": "0"}

# As update-extlinux does it, with the settings that a shell sources.
GENERATE = """\
#!/bin/sh -e
[ ! -s {folder}/stderr ] || {{ cat {folder}/stderr >&2; exit 1; }}
. {root}/etc/update-extlinux.conf
out={root}/boot/extlinux.conf
[ "$overwrite" = 1 ] || out=$out.new
printf 'DEFAULT virt\\nLABEL virt\\n  LINUX vmlinuz-virt\\n  APPEND root=UUID=1 %s\\n' "$default_kernel_opts" >$out
"""


@pytest.fixture(autouse=True)
def generated(machine: Machine) -> None:
    command = machine.folder / "update-extlinux"
    command.write_text(GENERATE.format(folder=machine.folder, root=machine.alpine.root))
    command.chmod(0o755)
    machine.alpine.write(SETTINGS, OLD)
    machine.alpine.write(
        MENU, "DEFAULT virt\nLABEL virt\n  LINUX vmlinuz-virt\n  APPEND root=UUID=1 quiet\n"
    )


def menu(machine: Machine) -> str:
    return machine.alpine.path(MENU).read_text()


@pytest.mark.parametrize(
    "nameless",
    [
        pytest.param({"name": None}, id="the name"),
        pytest.param({"parameters": None}, id="the list"),
        pytest.param({"parameters": [{"name": None, "value": "0"}]}, id="a name in the list"),
    ],
)
def test_name_of_which_a_template_made_nothing_is_refused(
    machine: Machine, nameless: dict[str, t.Any]
) -> None:
    result = machine.run(main, **nameless)
    assert result["reasons"][0]["code"] == "parameter_invalid"
    assert "a name is missing" in result["msg"]
    assert machine.alpine.path(SETTINGS).read_text() == OLD


def test_present(machine: Machine) -> None:
    result = machine.run(main, **UNLOCK)
    assert (result["changed"], result["regenerated"]) == (True, True)
    assert machine.alpine.path(SETTINGS).read_text() == NEW
    assert menu(machine).endswith(
        "APPEND root=UUID=1 quiet rootfstype=ext4 kexec_load_disabled=0\n"
    )


def test_present_again_is_no_change(machine: Machine) -> None:
    machine.run(main, **UNLOCK)
    before = machine.alpine.snapshot()
    assert machine.run(main, **UNLOCK)["changed"] is False
    assert machine.alpine.snapshot() == before


def test_check_mode_changes_nothing_and_shows_the_same_difference(machine: Machine) -> None:
    before = machine.alpine.snapshot()
    told = machine.run(main, check_mode=True, **UNLOCK)
    assert machine.alpine.snapshot() == before
    done = machine.run(main, **UNLOCK)
    assert told["changed"] is done["changed"] is True
    assert told["diff"] == done["diff"]
    assert told["diff"] == [
        {"before": OLD, "after": NEW, "before_header": SETTINGS, "after_header": SETTINGS}
    ]


def test_absent(machine: Machine) -> None:
    result = machine.run(main, name="quiet", state="absent")
    assert result["changed"] is True
    assert menu(machine).endswith("APPEND root=UUID=1 rootfstype=ext4\n")
    assert machine.run(main, name="quiet", state="absent")["changed"] is False


def test_several_with_quotes_reach_the_menu(machine: Machine) -> None:
    parameters = [
        {"name": "console", "value": "tty0"},
        {"name": "console", "value": "ttyS0,115200"},
        {"name": "dyndbg", "value": "file a.c +p; $x"},
        {"name": "single"},
    ]
    result = machine.run(main, parameters=parameters, multiple=True)
    assert result["changed"] is True
    words = 'console=tty0 console=ttyS0,115200 dyndbg="file a.c +p; $x" single'
    assert menu(machine).endswith(f"rootfstype=ext4 {words}\n")
    assert machine.run(main, parameters=parameters, multiple=True)["changed"] is False


def test_backup(machine: Machine) -> None:
    (copy,) = machine.run(main, backup=True, **UNLOCK)["backup_files"]
    assert machine.alpine.path(copy).read_text() == OLD


# --- Failures ------------------------------------------------------------------------------


def test_command_that_fails_is_told_in_full(machine: Machine) -> None:
    machine.refuse("no kernel found\n")
    before = menu(machine)
    result = machine.run(main, **UNLOCK)
    assert (result["failed"], result["stage"], result["rc"]) == (True, "regenerate", 1)
    assert result["stderr"] == "no kernel found\n"
    assert result["reasons"][0]["code"] == "boot_menu_not_regenerated"
    assert machine.alpine.path(SETTINGS).read_text() == OLD
    assert menu(machine) == before


def test_menu_that_is_not_overwritten_is_a_failure(machine: Machine) -> None:
    settings = OLD.replace("overwrite=1", "overwrite=0")
    machine.alpine.write(SETTINGS, settings)
    result = machine.run(main, **UNLOCK)
    assert result["reasons"][0]["code"] == "boot_menu_not_regenerated"
    assert machine.alpine.path(SETTINGS).read_text() == settings
    assert not machine.alpine.path(f"{MENU}.new").exists()


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_file_system_that_cannot_be_asked_is_told_with_the_file(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, number: int, check_mode: bool
) -> None:
    def fail(path: str) -> t.NoReturn:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(os, "statvfs", fail)
    result = machine.run(main, check_mode=check_mode, **UNLOCK)
    (found,) = result["reasons"]
    assert (found["code"], result["stage"]) == ("boot_config_unwritable", "write")
    assert found["message"] == f"{SETTINGS} cannot be written: {os.strerror(number)}."


@pytest.mark.parametrize(
    ("release", "message"),
    [
        pytest.param("6.18.56-0-virt\n", None, id="as it is installed"),
        pytest.param("6.18\0-virt\n", "virt/kernel.release has a NUL byte", id="a NUL byte"),
    ],
)
def test_release_that_names_an_image(machine: Machine, release: str, message: str | None) -> None:
    machine.alpine.write("/etc/kernel-hooks.d/secureboot.conf", 'cmdline="quiet"\n')
    machine.alpine.write("/etc/kernel-hooks.d/secureboot.hook", "#!/bin/sh\n")
    machine.alpine.write("/usr/share/kernel/virt/kernel.release", release)
    result = machine.run(main, check_mode=True, boot_loader="uki", **UNLOCK)
    assert result.get("failed", False) is (message is not None)
    assert message is None or message in result["msg"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({}, "one of the following is required: name, parameters", id="nothing"),
        pytest.param({**UNLOCK, "parameters": []}, "mutually exclusive", id="both"),
        pytest.param({"value": "1"}, "name", id="value alone"),
        pytest.param({"name": "a", "value": "x\ny"}, "line break", id="line break"),
        pytest.param({"name": "a", "state": "there"}, "value of state must be one of", id="state"),
        pytest.param({"name": "a", "boot_loader": "lilo"}, "value of boot_loader", id="loader"),
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


@pytest.mark.parametrize("state", ["present", "absent"])
def test_every_value_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own, state: str
) -> None:
    names = documented(DOCS.returns).names("success")
    assert own(machine.run(main, name="quiet", state=state)) == names


def test_every_value_of_a_refusal_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own
) -> None:
    names = documented(DOCS.returns).names("failure")
    assert own(machine.run(main, name="")) == names


def test_every_value_of_a_failed_command_is_documented_and_returned(
    machine: Machine, documented: type[Documented], own: Own
) -> None:
    machine.refuse("no")
    names = documented(DOCS.returns).names("failure", "when the menu was not made")
    assert own(machine.run(main, **UNLOCK)) == names


def test_documented_options_are_those_of_the_module() -> None:
    options = DOCS.module["options"]
    assert options.keys() == parameter.ARGUMENTS.keys()
    for name, spec in parameter.ARGUMENTS.items():
        for key in ("type", "default", "choices", "elements"):
            assert options[name].get(key) == spec.get(key), (name, key)


def test_examples_are_tasks_of_this_module() -> None:
    tasks = yaml.safe_load(DOCS.examples)
    assert all("alpinefleet.kexec.boot_parameter" in task and "name" in task for task in tasks)
