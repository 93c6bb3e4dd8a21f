# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""What a host has kept of what it was like, as host_origin tells it, and what brings that back."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from ..._parsing import forms, values
from ..._parsing.values import FormError

UNKNOWN = (
    "The host has not kept what it was like before. Parameters of the kernel and kexec-tools stay as "
    "they are."
)


@dataclass(frozen=True)
class Parameter:
    """One of the kernel, as it was."""

    name: str
    value: str | None = None


@dataclass(frozen=True)
class KeptOrigin:
    """None is what the host has not kept."""

    reboot: str | None = None
    package: bool | None = None
    # The parameters that were there, and those that were not; None where that is not known.
    present: tuple[Parameter, ...] | None = None
    absent: tuple[Parameter, ...] | None = None

    @property
    def is_known(self) -> bool:
        return self.present is not None

    @property
    def removes_package(self) -> bool:
        return self.package is False

    @property
    def restores(self) -> list[dict[str, t.Any]]:
        """The tasks of boot_parameter that are left to do."""
        found = {
            "present": [{"name": each.name, "value": each.value} for each in self.present or ()],
            "absent": [{"name": each.name} for each in self.absent or ()],
        }
        return [{"state": state, "parameters": each} for state, each in found.items() if each]

    def removes(self, parameter: str) -> bool:
        """Whether a parameter was not there before."""
        return any(each.name == parameter for each in self.absent or ())


def parse(told: t.Mapping[str, t.Any]) -> KeptOrigin:
    origin, restore = forms.mapping(told.get("origin")), forms.mapping(told.get("restore"))
    if origin is None or restore is None:
        return KeptOrigin()
    present, absent = (tuple(_parameters(restore.get(state))) for state in ("present", "absent"))
    return KeptOrigin(
        forms.text(origin.get("reboot")) or None,
        forms.truth(origin.get("package")),
        present,
        absent,
    )


def _parameters(options: object) -> t.Iterator[Parameter]:
    """Those of another form are not put back, and found missing when all is compared at the end."""
    for each in forms.items(options) or ():
        with contextlib.suppress(FormError):
            found = values.parse(Parameter, each)
            if found.name:
                yield found
