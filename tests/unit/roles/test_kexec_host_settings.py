# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of kexec-load, which are shell that root runs, as the role writes them."""

from __future__ import annotations

import typing as t

import jinja2
import pytest
from ansible.plugins.filter import core
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import ServiceHost

from tests.plays.run import ROOT

TEMPLATE = ROOT / "roles/kexec_host/templates/kexec-load.confd.j2"
NAMES = ("flavour", "kernel", "initramfs", "cmdline", "lock_after_load")
WANTED: dict[str, t.Any] = {
    "flavour": "virt",
    "kernel": "",
    "initramfs": "/srv/it's an image",
    "cmdline": 'quiet a="$(touch pwned)"',
    "lock_after_load": True,
}
SHOWN = "\n".join(f'printf "%s\\n" "$kexec_{name}" >>values' for name in NAMES)


def rendered(managed: str) -> str:
    # As Ansible has it.
    environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True)
    environment.filters.update(core.FilterModule().filters())
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(ansible_managed=managed, __kexec_host_wanted=WANTED)


@pytest.mark.parametrize(
    "managed",
    ["Ansible managed", "Ours.\ntouch pwned\n\nkexec_flavour=lts\n", "Ours.\r\n$(touch pwned)", ""],
    ids=["one line", "several lines", "another end of line", "nothing"],
)
def test_who_manages_the_settings_is_a_comment_in_each_line(
    host: ServiceHost, managed: str
) -> None:
    text = rendered(managed)
    said = [line for line in text.splitlines() if line and not line.startswith("kexec_")]
    assert [line for line in said if not line.startswith("#")] == []
    assert [word for word in managed.split() if word not in text] == []
    host.write("values", "")
    status = host.code(text, after=f"cd {host.root}\n{SHOWN}\n")
    assert (status, host.exists("pwned")) == (0, False)
    assert host.read("values").splitlines() == [
        *(WANTED[name] for name in NAMES[:-1]),
        "YES",
    ]
