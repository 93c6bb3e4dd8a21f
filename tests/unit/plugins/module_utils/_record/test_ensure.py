# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""host_origin as a whole: what a host keeps, when, and when it forgets it."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.lock import run_directory
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record import ensure
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record.ensure import Wanted
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

MENU = "/boot/extlinux.conf"
NAMES = ("kexec_load_disabled", "panic")
APK = "/sbin/apk"


@pytest.fixture(autouse=True)
def installed(alpine: fakes.FakeHost) -> None:
    alpine.write(MENU, fakes.extlinux("root=UUID=1 panic=5 quiet"))
    alpine.runner.installed["apk"] = APK
    alpine.runner.on(APK, rc=1)
    alpine.link("/sbin/reboot", "/bin/busybox")


def record(
    alpine: fakes.FakeHost,
    state: str,
    names: tuple[str, ...] = NAMES,
    *,
    check_mode: bool = False,
) -> dict[str, t.Any]:
    return ensure.ensure(alpine.host, Wanted(state, names, "auto"), check_mode=check_mode)


def seen(alpine: fakes.FakeHost) -> dict[str, t.Any]:
    """What the host has kept, as the role looks it up."""
    return record(alpine, "absent", (), check_mode=True)


def kept(alpine: fakes.FakeHost) -> bool:
    return alpine.path(notes.ORIGIN).exists()


def test_first_look_is_what_counts(alpine: fakes.FakeHost) -> None:
    first = record(alpine, "present")
    assert first["origin"] == {
        "version": 1,
        "parameters": {"kexec_load_disabled": [], "panic": ["panic=5"]},
        "package": False,
        "reboot": "/bin/busybox",
    }
    alpine.write(MENU, fakes.extlinux("root=UUID=1 panic=10 kexec_load_disabled=0"))
    alpine.runner.on(APK, rc=0)
    second = record(alpine, "present")
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["origin"] == first["origin"] == seen(alpine)["origin"]
    assert second["restore"]["present"] == [{"name": "panic", "value": "5"}]


def test_parameter_that_the_role_has_never_set_is_the_user_s(alpine: fakes.FakeHost) -> None:
    record(alpine, "present", NAMES[:1])
    alpine.write(MENU, fakes.extlinux("root=UUID=1 panic=60 kexec_load_disabled=0"))
    told = seen(alpine)
    assert [each["name"] for each in told["restore"]["absent"]] == ["kexec_load_disabled"]
    assert told["restore"]["present"] == []
    # From now on it is set by the role, too, and what it was until then is known.
    assert record(alpine, "present", check_mode=True)["changed"]
    assert record(alpine, "present")["restore"]["present"] == [{"name": "panic", "value": "60"}]
    assert record(alpine, "present")["changed"] is False
    alpine.write(MENU, fakes.extlinux("root=UUID=1 panic=60"))
    # What is compared is what was kept, whatever is asked for.
    assert record(alpine, "absent", ())["left"] == []


def test_command_of_the_role_is_not_kept_as_what_was_there(alpine: fakes.FakeHost) -> None:
    os.unlink(alpine.path("/sbin/reboot"))
    alpine.link("/sbin/reboot", "kexec-reboot")
    assert record(alpine, "present")["origin"]["reboot"] is None


def test_folder_is_for_root_only(alpine: fakes.FakeHost) -> None:
    record(alpine, "present")
    assert alpine.path(notes.MEMORY).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("state", ["present", "absent"])
def test_check_mode_foretells_and_keeps_all_as_it_is(alpine: fakes.FakeHost, state: str) -> None:
    if state == "absent":
        record(alpine, "present")
    before = alpine.snapshot()
    assert record(alpine, state, check_mode=True)["changed"]
    assert alpine.snapshot() == before


def test_host_that_has_kept_nothing_says_so(alpine: fakes.FakeHost) -> None:
    for told in (seen(alpine), record(alpine, "absent")):
        assert (told["changed"], told["origin"], told["left"]) == (False, None, [])
        # It is not known what would bring it back.
        assert told["restore"] == {"present": [], "absent": []}


def test_difference_is_the_text_that_is_kept(alpine: fakes.FakeHost) -> None:
    foretold = record(alpine, "present", check_mode=True)["diff"]
    assert foretold == record(alpine, "present")["diff"]
    text = alpine.path(notes.ORIGIN).read_text()
    where = {"before_header": notes.ORIGIN, "after_header": notes.ORIGIN}
    assert foretold == [{"before": "", "after": text, **where}]
    assert record(alpine, "present")["diff"] == [{"before": text, "after": text, **where}]
    alpine.write(notes.LAST_REBOOT, "a boot\n")
    forgotten = {"before_header": notes.LAST_REBOOT, "after_header": notes.LAST_REBOOT}
    assert record(alpine, "absent")["diff"][:2] == [
        {"before": text, "after": "", **where},
        {"before": "present\n", "after": "absent\n", **forgotten},
    ]


def test_host_forgets_when_all_is_as_it_was(alpine: fakes.FakeHost) -> None:
    record(alpine, "present")
    told = record(alpine, "absent")
    assert (told["changed"], told["left"], kept(alpine)) == (True, [], False)


NOTES = (notes.LAST_REBOOT, f"{notes.JUMP}.new", f"{notes.LAST_REBOOT}.new")


def noted(alpine: fakes.FakeHost) -> list[str]:
    return list(alpine.host.names(notes.MEMORY))


@pytest.mark.parametrize("knows", [True, False])
def test_notes_of_the_services_go_with_the_origin_and_their_folder(
    alpine: fakes.FakeHost, knows: bool
) -> None:
    if knows:
        record(alpine, "present")
    for place in NOTES:
        alpine.write(place, "note")
    before = alpine.snapshot()
    assert record(alpine, "absent", check_mode=True)["changed"]
    assert alpine.snapshot() == before
    assert record(alpine, "absent")["changed"]
    assert not alpine.path(notes.MEMORY).exists()
    assert record(alpine, "absent")["changed"] is False


def test_folder_that_is_empty_goes(alpine: fakes.FakeHost) -> None:
    alpine.path(notes.MEMORY).mkdir(parents=True)
    assert record(alpine, "absent")["changed"]
    assert not alpine.path(notes.MEMORY).exists()


def test_run_that_is_not_over_is_remembered_with_its_jump(alpine: fakes.FakeHost) -> None:
    record(alpine, "present")
    for place in (*NOTES, notes.JUMP, notes.UNFINISHED):
        alpine.write(place, "note")
    assert record(alpine, "absent")["changed"]
    assert noted(alpine) == ["jump", "jump.new", "last-reboot", "last-reboot.new", "run"]
    assert record(alpine, "absent")["changed"] is False


def test_what_is_nobody_s_stays(alpine: fakes.FakeHost) -> None:
    alpine.write(f"{notes.MEMORY}/mine", "x")
    alpine.write(notes.LAST_REBOOT, "x")
    assert record(alpine, "absent")["changed"]
    assert noted(alpine) == ["mine"]


def test_jump_that_hung_is_known_also_when_all_is_taken_back(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.JUMP, "x")
    assert record(alpine, "absent")["changed"] is False
    record(alpine, "present")
    assert record(alpine, "absent")["changed"]
    assert noted(alpine) == ["jump"]


def test_notes_stay_while_something_is_not_as_it_was(alpine: fakes.FakeHost) -> None:
    record(alpine, "present")
    alpine.write(notes.JUMP, "x")
    alpine.write(MENU, fakes.extlinux("root=UUID=1 quiet"))
    assert record(alpine, "absent")["left"]
    assert noted(alpine) == ["jump", "origin"]


def test_host_does_not_forget_while_something_is_not_as_it_was(alpine: fakes.FakeHost) -> None:
    record(alpine, "present")
    alpine.write(MENU, fakes.extlinux("root=UUID=1 quiet"))
    told = record(alpine, "absent")
    assert (told["changed"], kept(alpine)) == (False, True)
    assert told["left"] == ["The parameter panic was panic=5 and is not set."]


def test_what_is_not_understood_is_not_taken_for_nothing(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.ORIGIN, "{")
    for state in ("present", "absent"):
        with pytest.raises(ReasonError) as caught:
            record(alpine, state)
        assert caught.value.reason.code == "origin_not_understood"
    assert alpine.path(notes.ORIGIN).read_text() == "{"


def test_nothing_is_kept_while_another_run_changes_the_host(alpine: fakes.FakeHost) -> None:
    with run_directory(alpine.host), pytest.raises(ReasonError, match="another run holds it"):
        record(alpine, "present")
    assert not kept(alpine)


def test_configuration_that_is_not_understood_is_refused_before_anything_is_changed(
    alpine: fakes.FakeHost,
) -> None:
    os.unlink(alpine.path(MENU))
    with pytest.raises(ReasonError) as caught:
        record(alpine, "present")
    assert caught.value.reason.code.startswith("boot_loader_not")
    assert not kept(alpine)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        pytest.param(
            {"rc": 99, "stderr": "Unable to lock database"}, "Unable to lock", id="locked"
        ),
        pytest.param(
            {"rc": 1, "stderr": "ERROR: no index"}, "no index", id="an error that it tells"
        ),
        pytest.param({"rc": -9}, "exit status -9", id="it was killed"),
        pytest.param(None, "apk was not found", id="no apk"),
    ],
)
def test_what_apk_cannot_say_is_not_taken_for_a_package_that_was_missing(
    alpine: fakes.FakeHost, outcome: dict[str, t.Any] | None, said: str
) -> None:
    if outcome is None:
        del alpine.runner.installed["apk"]
    else:
        alpine.runner.on(APK, **outcome)
    with pytest.raises(ReasonError) as caught:
        record(alpine, "present")
    assert (caught.value.reason.code, kept(alpine)) == ("package_unknown", False)
    assert said in caught.value.reason.message
