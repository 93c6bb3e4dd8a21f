# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host was like: as it is kept, as it is brought back, and as it is compared."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record import origin
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record.origin import HostOrigin

BARE = HostOrigin({"panic": (), "kexec_load_disabled": ()}, package=False, reboot="/bin/busybox")
HAD = HostOrigin(
    {"panic": ("panic=3", "panic=5"), "kexec_load_disabled": ("kexec-load-disabled",)},
    package=True,
    reboot=None,
)


@pytest.mark.parametrize("found", [BARE, HAD])
def test_what_was_kept_is_read_as_it_was(found: HostOrigin) -> None:
    assert origin.parse(found.as_text()) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 80,
        "[]",
        "{}",
        "null",
        "7",
        BARE.as_text()[:-10],
        BARE.as_text().replace('"package": false, ', ""),
        BARE.as_text().replace("[]", "7"),
        "[" * 100_000,
        '{"parameters": {"a": "xy"}, "package": false, "reboot": null}',
        '{"parameters": {"a": [7]}, "package": false, "reboot": null}',
        '{"parameters": {}, "package": "no", "reboot": null}',
        '{"parameters": {}, "package": false, "reboot": 3}',
    ],
)
def test_what_is_not_whole_is_not_understood(text: str) -> None:
    assert origin.parse(text) is None


def test_what_was_not_there_is_removed() -> None:
    assert BARE.restore() == {
        "present": [],
        "absent": [{"name": "panic"}, {"name": "kexec_load_disabled"}],
    }


def test_what_was_there_is_set_as_it_was_written() -> None:
    assert HAD.restore() == {
        "present": [
            {"name": "panic", "value": "5"},
            {"name": "kexec-load-disabled", "value": None},
        ],
        "absent": [],
    }


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (BARE, BARE, []),
        (HAD, HAD, []),
        (HAD, HostOrigin({**HAD.parameters, "panic": ("panic=5",)}, package=True, reboot=None), []),
        (
            BARE,
            HostOrigin({"panic": ("panic=10",)}, package=True, reboot=None),
            [
                "The parameter panic was not set and is panic=10.",
                "/sbin/reboot led to /bin/busybox and leads to kexec-reboot.",
                "kexec-tools was not installed.",
            ],
        ),
        (
            HAD,
            HostOrigin({"panic": ()}, package=False, reboot="/bin/busybox"),
            [
                "The parameter panic was panic=3 panic=5 and is not set.",
                "The parameter kexec_load_disabled was kexec-load-disabled and is not set.",
                "kexec-tools was installed.",
            ],
        ),
    ],
)
def test_what_is_not_as_it_was_is_told(
    before: HostOrigin, now: HostOrigin, said: list[str]
) -> None:
    assert before.differences(now) == said


@pytest.mark.parametrize("link", ["kexec-reboot", "/sbin/kexec-reboot"])
def test_command_of_the_role_is_not_what_was_there_before(link: str) -> None:
    assert origin.foreign(link) is None
    text = BARE.as_text().replace("/bin/busybox", link)
    found = origin.parse(text)
    assert found is not None
    assert found.reboot is None
    assert origin.foreign("/bin/busybox") == "/bin/busybox"
