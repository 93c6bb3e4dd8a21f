# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the roles around a reboot, and what cannot be meant by them."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.family import (
    VariableError,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables.roles import (
    FAMILIES,
    freeze,
)

from tests.plays.run import ROOT

# Those that are roles.
ROLES = ("kexec_host", "kernel_upgrade", "rolling_upgrade")


def defaults(role: str) -> dict[str, t.Any]:
    text = (ROOT / f"roles/{role}/defaults/main.yml").read_text(encoding="utf-8")
    return {
        name.removeprefix(f"{role}_"): value
        for name, value in yaml.safe_load(text).items()
        if name.removeprefix(f"{role}_") in FAMILIES[role].specification
    }


def options(role: str) -> dict[str, t.Any]:
    text = (ROOT / f"roles/{role}/meta/argument_specs.yml").read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", yaml.safe_load(text)["argument_specs"]["main"]["options"])


@pytest.mark.parametrize("role", ROLES)
def test_family_is_what_the_role_documents(role: str) -> None:
    family = FAMILIES[role]
    assert list(options(role)) == [f"{family.prefix}{name}" for name in family.specification]
    for name, option in family.specification.items():
        documented = options(role)[f"{family.prefix}{name}"]
        assert option["type"] == documented["type"]
        assert option.get("choices") == documented.get("choices")


@pytest.mark.parametrize("role", ROLES)
def test_defaults_can_be_used(role: str) -> None:
    assert freeze(role, defaults(role), []) == defaults(role)


@pytest.mark.parametrize(
    ("role", "changes", "said"),
    [
        ("kexec_host", {"boot_loader": "grub3"}, "value of kexec_host_boot_loader must be one of"),
        ("kexec_host", {"state": "gone"}, "value of kexec_host_state must be one of"),
        ("kexec_host", {"mode": ""}, "value of kexec_host_mode must be one of"),
        (
            "kexec_host",
            {"panic_timeout": -5},
            "kexec_host_panic_timeout is -5 and must be at least",
        ),
        ("kexec_host", {"panic_timeout": 10**9}, "kexec_host_panic_timeout"),
        ("kexec_host", {"panic_timeout": "soon"}, "kexec_host_panic_timeout"),
        (
            "kexec_host",
            {"reboot_timeout": 0},
            "kexec_host_reboot_timeout is 0 and must be more than",
        ),
        (
            "kexec_host",
            {"reboot_timeout": "nan"},
            "kexec_host_reboot_timeout is 'nan', a text, and must be a number.",
        ),
        (
            "kexec_host",
            {"kernel": "vmlinuz-virt"},
            "kexec_host_kernel is 'vmlinuz-virt' and must be",
        ),
        ("kexec_host", {"kernel": "/boot/a\nb"}, "must be an absolute path"),
        (
            "kexec_host",
            {"initramfs": "./x"},
            "kexec_host_initramfs is './x' and must be an absolute",
        ),
        ("kexec_host", {"cmdline": "a\nb"}, "must be one line"),
        ("kexec_host", {"flavour": "virt; reboot"}, "kexec_host_flavour is 'virt; reboot'"),
        ("kexec_host", {"remove_lock": "perhaps"}, "kexec_host_remove_lock"),
        (
            "rolling_upgrade",
            {"reboot": "sometimes"},
            "value of rolling_upgrade_reboot must be one of",
        ),
        (
            "rolling_upgrade",
            {"packages": ["--force"]},
            "has '--force', which is no name of a package",
        ),
        ("rolling_upgrade", {"packages": "a b"}, "has 'a b', which is no name of a package"),
        ("rolling_upgrade", {"packages": "a,b"}, "has 'a,b', which is no name of a package; it"),
        ("rolling_upgrade", {"packages": {"a": 1}}, "must be a text or a list of texts"),
        ("kexec_host", {"kernel": True}, "kexec_host_kernel is True, a truth value, and must"),
        ("kexec_host", {"panic_timeout": float("inf")}, "kexec_host_panic_timeout is inf, a"),
        ("rolling_upgrade", {"packages": [""]}, "has '', which is no name"),
        (
            "kernel_upgrade",
            {"packages": ["-U"]},
            "kernel_upgrade_packages has '-U', which is no name",
        ),
        ("kernel_upgrade", {"flavour": "a b"}, "kernel_upgrade_flavour is 'a b' and must be as in"),
        ("kernel_upgrade", {"slots": "gone"}, "value of kernel_upgrade_slots must be one of"),
        (
            "kernel_upgrade",
            {"cold_proof": "x"},
            "value of kernel_upgrade_cold_proof must be one of",
        ),
        ("kernel_upgrade", {"keep": 1}, "kernel_upgrade_keep is 1 and must be at least 2"),
        ("kernel_upgrade", {"keep": 10}, "at most 9"),
        (
            "kernel_upgrade",
            {"deadline": 59},
            "kernel_upgrade_deadline is 59 and must be at least 60",
        ),
        ("kernel_upgrade", {"deadline": 65536}, "at most 65535, in seconds"),
    ],
)
def test_what_cannot_be_meant_is_refused(role: str, changes: dict[str, t.Any], said: str) -> None:
    with pytest.raises(VariableError) as caught:
        freeze(role, {**defaults(role), **changes}, [])
    assert said in str(caught.value)


def test_command_line_ends_where_its_text_does() -> None:
    given = {**defaults("kexec_host"), "cmdline": "quiet panic=10\n"}
    assert freeze("kexec_host", given, [])["cmdline"] == "quiet panic=10"


def test_one_package_stands_for_a_list_of_one() -> None:
    given = {**defaults("rolling_upgrade"), "packages": "linux-virt=6.18.38-r0"}
    assert freeze("rolling_upgrade", given, [])["packages"] == ["linux-virt=6.18.38-r0"]


@pytest.mark.parametrize(
    ("role", "known"),
    [
        ("kexec_host", ["kexec_host_result"]),
        ("rolling_upgrade", ["rolling_upgrade_hosts", "rolling_upgrade_error_budget"]),
        ("kernel_upgrade", ["kernel_upgrade_hosts", "kernel_upgrade_result"]),
    ],
)
def test_variable_that_is_none_of_the_role_is_named(role: str, known: list[str]) -> None:
    freeze(role, defaults(role), known)
    with pytest.raises(
        VariableError, match=f"There is no variable {role}_x of alpinefleet.kexec.{role}"
    ):
        freeze(role, defaults(role), [*known, f"{role}_x"])
