# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Platforms that hang in kexec are known by their firmware, and no other one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import machine
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

AZURE = {
    "sys_vendor": "Microsoft Corporation",
    "product_name": "Virtual Machine",
    "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77",
}

DENIED: dict[str, tuple[dict[str, str], str]] = {
    "Google": (
        {"sys_vendor": "Google", "product_name": "Google Compute Engine"},
        "Google Compute Engine",
    ),
    "Azure": (AZURE, "Microsoft Azure"),
    "Raspberry Pi": ({"model": "Raspberry Pi 4 Model B Rev 1.5"}, "Raspberry Pi"),
    "Rock Pi": ({"model": "Radxa ROCK Pi 4B"}, "Rock Pi"),
}

ALLOWED: dict[str, dict[str, str]] = {
    "nothing known": {},
    "QEMU": {"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"},
    "Hyper-V outside Azure": {
        "sys_vendor": "Microsoft Corporation",
        "product_name": "Virtual Machine",
        "chassis_asset_tag": "1234-5678",
    },
    "the tag of Azure elsewhere": {**AZURE, "sys_vendor": "QEMU"},
    "Amazon": {"sys_vendor": "Amazon EC2", "product_name": "t3.micro"},
    "a server": {"sys_vendor": "Supermicro", "product_name": "X11SPi-TF"},
    "another board": {"model": "Pine64 RockPro64 v2.1"},
    "a name in the middle": {"model": "Not a Raspberry Pi"},
    "the name in another field": {"sys_vendor": "Google Compute Engine"},
}

# What the kernel's files hold: DMI fields end with a line feed, the device tree's with a NUL.
FILES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "DMI": (
        {"/sys/class/dmi/id/sys_vendor": "QEMU\n", "/sys/class/dmi/id/product_name": "pc \n"},
        {"sys_vendor": "QEMU", "product_name": "pc"},
    ),
    "Azure": (
        {f"/sys/class/dmi/id/{name}": f"{value}\n" for name, value in AZURE.items()},
        AZURE,
    ),
    "empty fields": (
        {"/sys/class/dmi/id/sys_vendor": "\n", "/sys/class/dmi/id/chassis_asset_tag": ""},
        {},
    ),
    "a device tree": (
        {"/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0"},
        {"model": "Raspberry Pi 4 Model B Rev 1.5"},
    ),
}


@pytest.mark.parametrize(("fields", "name"), DENIED.values(), ids=DENIED)
def test_denied(fields: dict[str, str], name: str) -> None:
    platform = machine.denied(fields)
    assert platform is not None
    assert platform.name == name


@pytest.mark.parametrize("fields", ALLOWED.values(), ids=ALLOWED)
def test_allowed(fields: dict[str, str]) -> None:
    assert machine.denied(fields) is None


Q35 = {"sys_vendor": "QEMU", "product_name": "Standard PC  (Q35)"}

NAMES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "nothing": ({}, ()),
    "vendor and product": (Q35, ("QEMU Standard PC (Q35)", "Standard PC (Q35)")),
    "only a vendor": ({"sys_vendor": "QEMU"}, ()),
    "only a product": ({"product_name": "X11"}, ("X11",)),
    "a device tree": ({"model": "Pine64 RockPro64 v2.1"}, ("Pine64 RockPro64 v2.1",)),
}

LISTS: dict[str, tuple[list[str], str | None]] = {
    "nothing": ([], None),
    "vendor and product": (["QEMU Standard PC (Q35)"], "QEMU Standard PC (Q35)"),
    "product": (["X11", "Standard PC (Q35)"], "Standard PC (Q35)"),
    "another case and spaces": ([" qemu  STANDARD pc (q35)"], "QEMU Standard PC (Q35)"),
    "only the start": (["QEMU Standard PC"], None),
    "only the vendor": (["QEMU"], None),
    "an empty text": ([""], None),
}


@pytest.mark.parametrize(("fields", "names"), NAMES.values(), ids=NAMES)
def test_names(fields: dict[str, str], names: tuple[str, ...]) -> None:
    assert machine.names(fields) == names


@pytest.mark.parametrize(("wanted", "name"), LISTS.values(), ids=LISTS)
def test_name_in_a_list(wanted: list[str], name: str | None) -> None:
    assert machine.name_in(Q35, wanted) == name


@pytest.mark.parametrize("platform", machine.DENIED, ids=lambda platform: platform.name)
def test_every_platform_is_known_by_fields_that_are_read(platform: machine.Denied) -> None:
    assert set(platform.fields) <= {*machine.DMI_FIELDS, "model"}
    assert all(platform.fields.values())
    assert platform.why


@pytest.mark.parametrize(("files", "fields"), FILES.values(), ids=FILES)
def test_identify(tmp_path: Path, files: dict[str, str], fields: dict[str, str]) -> None:
    for path, text in files.items():
        real = tmp_path / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text)
    host = fakes.bare_host(fakes.FakeRunner(), str(tmp_path))
    assert machine.identify(host) == fields


@pytest.mark.parametrize(
    ("files", "number"),
    [
        pytest.param({"dmi": "4C4C4544-0042\n"}, "dmi:4c4c4544-0042", id="dmi"),
        pytest.param({"tree": "10000000A4C6\0"}, "tree:10000000a4c6", id="device tree"),
        pytest.param({"dmi": "4c4c4544\n", "tree": "1000\0"}, "dmi:4c4c4544", id="both"),
        pytest.param({"dmi": "\n", "tree": "1000\0"}, "tree:1000", id="empty in dmi"),
        pytest.param({}, None, id="none"),
    ],
)
def test_hardware_id(alpine: fakes.FakeHost, files: dict[str, str], number: str | None) -> None:
    dmi, tree = machine.HARDWARE_IDS.values()
    alpine.remove(dmi)
    for name, content in files.items():
        alpine.write(dmi if name == "dmi" else tree, content)
    assert machine.hardware_id(alpine.host) == number
