# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a host has kept of what it was like, as host_origin tells it, and what brings that back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._parsing import forms

UNKNOWN = (
    "The host has not kept what it was like before. Parameters of the kernel and kexec-tools stay as "
    "they are."
)


@dataclass(frozen=True)
class KeptOrigin:
    """None is what the host has not kept."""

    reboot: str | None = None
    package: bool | None = None
    # The options of boot_parameter by its states.
    restore: t.Mapping[str, tuple[t.Mapping[str, t.Any], ...]] | None = None

    @property
    def removes_package(self) -> bool:
        return self.package is False

    @property
    def restores(self) -> list[dict[str, t.Any]]:
        """The tasks of boot_parameter that are left to do."""
        found = (self.restore or {}).items()
        return [{"state": state, "parameters": list(each)} for state, each in found if each]

    def removes(self, parameter: str) -> bool:
        """Whether a parameter was not there before."""
        return any(each["name"] == parameter for each in (self.restore or {}).get("absent", ()))


def parse(told: t.Mapping[str, t.Any]) -> KeptOrigin:
    origin, restore = forms.mapping(told.get("origin")), forms.mapping(told.get("restore"))
    if origin is None or restore is None:
        return KeptOrigin()
    return KeptOrigin(
        forms.text(origin.get("reboot")) or None,
        forms.truth(origin.get("package")),
        {state: tuple(_named(restore.get(state))) for state in ("present", "absent")},
    )


def _named(options: object) -> t.Iterator[t.Mapping[str, t.Any]]:
    for each in map(forms.mapping, forms.items(options) or ()):
        if each is not None and forms.text(each.get("name")):
            yield each
