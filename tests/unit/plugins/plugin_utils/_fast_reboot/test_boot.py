# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What another role hands over of a boot becomes what kexec_reboot is asked for."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import boot
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.boot import (
    Boot,
    BootImage,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

from . import test_plan

IMAGE = BootImage("/boot/a/linux", ("/boot/a/initrd",), "quiet", ("slot=a",))


def planned(wanted: Boot, **given: t.Any) -> dict[str, t.Any]:
    made, _command = test_plan.make(**given)
    found = boot.plan_of(made, wanted)
    assert found.method == found.arguments["method"]
    assert replace(found, arguments=made.arguments, method=made.method) == made
    return dict(found.arguments)


def test_boot_of_which_nothing_is_said_is_as_the_variables_say() -> None:
    made, _command = test_plan.make()
    assert boot.plan_of(made, Boot()) == made


@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_image_is_booted_without_a_fallback(method: t.Any) -> None:
    found = planned(Boot(method, IMAGE), cmdline_append=["debug"], fallback="firmware")
    request = spec.parse(found, "web1")
    assert (request.method, request.fallback, request.names_a_kernel) == (method, "fail", True)
    assert request.image["kernel"] == "/boot/a/linux"
    assert request.image["initramfs"] == ["/boot/a/initrd"]
    assert (request.image["cmdline_source"], request.image["cmdline"]) == ("explicit", "quiet")
    # Those of the operator are for this boot, too.
    assert request.image["cmdline_append"] == ["debug", "slot=a"]


def test_line_that_is_configured_stays_where_no_other_is_said() -> None:
    found = planned(Boot("firmware", replace(IMAGE, cmdline=None)))
    assert (found["cmdline_source"], found["cmdline"]) == ("auto", None)


@pytest.mark.parametrize(
    ("more", "seconds"), [(0.0, 600.0), (700.0, 1300.0), (1e9, spec.TIME_LIMIT)]
)
def test_host_may_be_away_for_longer(more: float, seconds: float) -> None:
    assert planned(Boot(more_seconds=more))["reboot_timeout"] == seconds


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Boot(image=replace(IMAGE, cmdline_append=("a\nb",))), "which is no parameter of a kernel"),
        (Boot(image=replace(IMAGE, kernel="/boot/\0")), "no command can have"),
        (Boot(more_seconds=float("nan")), "must be a number"),
    ],
)
def test_what_a_host_says_of_its_image_is_looked_at(wanted: Boot, said: str) -> None:
    made, _command = test_plan.make()
    with pytest.raises(StepError, match="What is to be booted cannot be used: ") as caught:
        boot.plan_of(made, wanted)
    assert said in str(caught.value)
