# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role kernel_upgrade in all its endings, on hosts whose reboot, slots and trials are scripts.

The hosts are names for the controller, and one play goes through all of them, because a play takes seconds.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import failure, result
from ansible_collections.alpinefleet.kexec.tests.unit.roles.scripted_reboot import (
    ORDER,
    SCRIPT,
    python_that_answers,
    run_scripted,
    task,
)

from tests.plays import PlayRun

# One worker for all of them, and one play.
pytestmark = pytest.mark.xdist_group("kernel_upgrade")

OLD, NEW = "6.18.38-0-virt", "6.18.56-0-virt"
FIRMWARE_ORDER = {**ORDER, "method": "firmware"}
FIRMWARE = {
    "ordered": FIRMWARE_ORDER,
    "order": result(rebooted=None, method="firmware", order=FIRMWARE_ORDER),
    "wait": result(method="firmware", release={"before": NEW, "after": OLD}),
    "looks": [[], []],
}
CHANGED = {"changed_when": True}
FILES = {
    "drain.yml": [task("Drain", "debug", **CHANGED)],
    "undrain.yml": [task("Undrain", "debug", **CHANGED)],
}
HOOK = {"name": "hook", "drain": "drain.yml", "undrain": "undrain.yml"}
IMAGE = {
    "kernel": "/boot/alpinefleet-kexec/new/linux",
    "initramfs": ["/boot/alpinefleet-kexec/new/initrd"],
    "cmdline": "quiet",
    "cmdline_append": ["alpinefleet_kexec.slot=new"],
}

NOTHING = {"state": "none", "next": "nothing", "run": None, "good": "old"}
ON = {"run": "5f2b", "slot": "new", "good": "old"}
ARMED = {**ON, "state": "armed", "next": "jump", "image": IMAGE}
ON_TRIAL = {**ON, "state": "on_trial", "next": "judge"}
PROVING = {**ON, "state": "verified", "next": "reboot"}
COMMITTED = {**ON, "state": "committed", "next": "nothing", "good": "new"}
OVER = {**ON, "state": "rolled_back", "next": "settle", "cause": "panic", "text": "Kernel panic."}
PANICKED = {**OVER, "next": "nothing"}
LEAVES = {
    **ON,
    "state": "rolled_back",
    "next": "reboot",
    "cause": "required_check",
    "text": "Sick.",
}
UNPROVEN = {
    "msg": "It cannot. Set never.",
    "stage": "preflight",
    "failed": True,
    "reasons": [
        {
            "code": "cold_proof_unsupported",
            "message": "It cannot.",
            "remedy": "Set never.",
            "blocks": "nothing",
        }
    ],
}

SLOTS: list[dict[str, t.Any]] = [
    {"id": each, "kernel": f"/boot/{each}", "initramfs": []} for each in ("new", "old")
]
SAME: dict[str, t.Any] = {
    "good": "old",
    "candidate": {"id": "old", "differs": False},
    "slots": SLOTS,
}
OTHER: dict[str, t.Any] = {"id": "new", "differs": True, "because": ["kernel"], "refused": None}
DIFFERS = {**SAME, "candidate": OTHER}
REFUSED = {**SAME, "candidate": {**OTHER, "refused": {"cause": "panic", "text": "", "time": ""}}}
TORN = {
    "state": None,
    "reasons": [
        {
            "code": "trial_not_understood",
            "message": "It is torn.",
            "remedy": "Remove it.",
            "blocks": "reboot",
        }
    ],
}
UNREACHABLE = {"unreachable": True, "msg": "timed out"}


def host(
    trial: dict[str, t.Any] | None = None,
    slots: dict[str, t.Any] | None = None,
    script: dict[str, t.Any] | None = None,
    **variables: t.Any,
) -> dict[str, t.Any]:
    modules = {
        "kernel_trial": {
            "facts": [NOTHING],
            "armed": [ARMED],
            "committed": [COMMITTED],
            **(trial or {}),
        },
        "kernel_slot": {"facts": [slots or DIFFERS]},
    }
    return {
        "script": {**SCRIPT, "firmware": FIRMWARE, **modules, **(script or {})},
        "fast_reboot_hooks": [HOOK],
        **variables,
    }


SICK = {"looks": [["service nginx"], ["service nginx"]]}
CAME_BACK = failure("wrong_method", "verify", True)
LOST = failure("authentication_refused", "down", None)
CASES: dict[str, dict[str, t.Any]] = {
    "tries": host({"committed": [PROVING, COMMITTED]}),
    "tries-warm": host(kernel_upgrade_cold_proof="never"),
    "tries-unproven": host({"armed": [UNPROVEN, ARMED]}, packages=["amd-ucode"]),
    "sick": host({"facts": [NOTHING, ON_TRIAL], "rolled_back": [LEAVES]}, script=SICK),
    "panics": host(
        {"facts": [NOTHING, OVER], "rolled_back": [PANICKED]}, script={"wait": CAME_BACK}
    ),
    # Of one that does not answer at all the wait would last until the deadline.
    "lost": host({"facts": [NOTHING, UNREACHABLE]}, script={"wait": LOST}),
    # Its guard finds it unwell when the role has found it well.
    "leaves": host(
        {
            "facts": [NOTHING, UNREACHABLE, OVER],
            "committed": [UNREACHABLE],
            "rolled_back": [PANICKED],
        },
    ),
    "no-jump": host(
        {"facts": [NOTHING, ARMED], "rolled_back": [{**PANICKED, "cause": "operator", "text": ""}]},
        script={"order": failure("kexec_locked", "load", False)},
    ),
    # It is not well with the kernel from before either.
    "sick-cold": host(
        {"facts": [NOTHING, PROVING], "committed": [PROVING], "rolled_back": [LEAVES]},
        script={"looks": [[], ["service nginx"]], "firmware": {**FIRMWARE, **SICK}},
    ),
    "not-kept": host(
        {
            "facts": [NOTHING, {**ON, "state": "verified", "next": "commit"}],
            "committed": [{"failed": True, "msg": "No space. Make room.", "reasons": []}],
            "rolled_back": [{**LEAVES, "cause": "operator", "text": ""}],
        }
    ),
    "refused": host(slots=REFUSED),
    "same": host(slots=SAME, packages=["musl"]),
    "cold": host(slots=SAME, packages=["linux-firmware-i915"]),
    "finishes": host({"facts": [ON_TRIAL], "committed": [COMMITTED]}, slots=SAME),
    "unwell": host({"facts": [ON_TRIAL], "rolled_back": [LEAVES]}, script=SICK),
    "settles": host({"facts": [OVER], "rolled_back": [PANICKED]}, slots=REFUSED),
    "stray": host({"facts": [{**NOTHING, "next": "reboot"}]}, slots=SAME),
    "torn": host({"facts": [TORN]}, slots=SAME),
    "absent": host(kernel_upgrade_slots="absent"),
    "absent-on-trial": host(
        {"facts": [ON_TRIAL], "rolled_back": [{**LEAVES, "cause": "operator"}]},
        kernel_upgrade_slots="absent",
    ),
    "late": host(kernel_upgrade_deadline=60),
}


def run(folder: Path, cases: dict[str, dict[str, t.Any]], *options: str) -> PlayRun:
    include = task("Run", "include_role", arguments={"name": "alpinefleet.kexec.kernel_upgrade"})
    shown = task("Show", "debug", arguments={"var": "kernel_upgrade_result"})
    play = {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"block": [include], "rescue": [task("Go on", "debug")]}, shown],
    }
    for name, tasks in {**FILES, "playbook.yml": [play]}.items():
        (folder / name).write_text(json.dumps(tasks))
    hosts = {}
    for name, case in cases.items():
        packages = case.pop("packages", [])
        answer = {
            "changed": bool(packages),
            "packages": packages,
            "reasons": [],
            # To whoever waits for its connection.
            "ping": "pong",
            "facts": {"reboot_needed": name.startswith("absent")},
        }
        python = python_that_answers(folder / f"python-{name}", **answer)
        script = {
            **case["script"],
            "kept_in": str(folder / f"memory-of-{name}"),
        }
        hosts[name] = {**case, "script": script, "ansible_python_interpreter": str(python)}
    common = {"fast_reboot_timeout": 0.01, "fast_reboot_health_services": False}
    return run_scripted(folder, hosts, common, *options)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    return run(tmp_path_factory.mktemp("kernel_upgrade"), {**CASES})


def of_host(found: PlayRun, name: str) -> list[t.Any]:
    return [each for each in found.tasks if each.host == name]


def names(found: PlayRun, name: str) -> list[str]:
    return [re.split(" [:|] ", each.task)[-1] for each in of_host(found, name)]


def last_word(found: PlayRun, name: str) -> dict[str, t.Any]:
    (shown,) = [each for each in of_host(found, name) if each.task.endswith("Show")]
    return t.cast("dict[str, t.Any]", shown.result["kernel_upgrade_result"])


def asked(found: PlayRun, name: str, state: str) -> dict[str, t.Any]:
    """The options of the last call of kernel_trial with a state."""
    calls = [each.result.get("asked") or {} for each in of_host(found, name)]
    return [call for call in calls if call.get("state") == state][-1]


# The steps of which the order matters, by the names of their tasks.
STEPS = {
    "Arm the trial": "arm",
    "Drain": "drain",
    "Undrain": "undrain",
    "Have the host keep the kernel, or prove it through firmware first": "commit",
    "Have the host keep it": "commit",
    "Put on record that the trial is over": "roll back",
    "Upgrade all packages": "upgrade",
    "Give the running kernel its modules back, which apk may have removed": "modules",
    "Order the reboot": "order",
    "Have firmware boot the kernel of apk, and remove the slots": "absent",
}


def steps(found: PlayRun, name: str) -> list[str]:
    done = [STEPS[each] for each in names(found, name) if each in STEPS]
    return [each for each in done if each != "order"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tries", ["upgrade", "arm", "drain", "commit", "commit", "undrain"]),
        ("tries-warm", ["upgrade", "arm", "drain", "commit", "undrain"]),
        ("tries-unproven", ["upgrade", "modules", "arm", "arm", "drain", "commit", "undrain"]),
        ("sick", ["upgrade", "arm", "drain", "roll back", "undrain"]),
        ("panics", ["upgrade", "arm", "drain", "roll back", "undrain"]),
        ("lost", ["upgrade", "arm", "drain"]),
        ("leaves", ["upgrade", "arm", "drain", "commit", "roll back", "undrain"]),
        ("no-jump", ["upgrade", "arm", "drain", "undrain", "roll back"]),
        ("sick-cold", ["upgrade", "arm", "drain", "commit", "roll back"]),
        ("not-kept", ["upgrade", "arm", "drain", "commit", "roll back", "undrain"]),
        ("refused", ["upgrade"]),
        ("same", ["upgrade", "modules"]),
        ("cold", ["upgrade", "modules", "drain", "undrain"]),
        ("finishes", ["commit", "upgrade"]),
        ("unwell", ["roll back"]),
        ("settles", ["roll back", "upgrade"]),
        ("stray", ["upgrade"]),
        ("torn", []),
        ("absent", ["absent", "drain", "undrain"]),
        ("absent-on-trial", ["roll back", "absent", "drain", "undrain"]),
        ("late", []),
    ],
)
def test_host_goes_its_way(found: PlayRun, name: str, expected: list[str]) -> None:
    assert steps(found, name) == expected


DONE = (
    *("tries", "tries-warm", "tries-unproven", "refused", "same", "cold"),
    *("finishes", "settles", "stray", "absent", "absent-on-trial"),
)


@pytest.mark.parametrize("name", CASES)
def test_host_is_done_or_failed(found: PlayRun, name: str) -> None:
    told = last_word(found, name)
    assert told["done"] is (name in DONE)
    assert told.get("failed", False) is (name not in DONE)


def test_trial_has_the_run_of_the_reboot_and_its_image(found: PlayRun) -> None:
    call = asked(found, "tries", "armed")
    assert re.fullmatch("[0-9a-f]{32}", call["run"])
    assert (call["deadline"], call["cold_proof"], call["force"]) == (600, True, False)
    assert asked(found, "tries-warm", "armed")["cold_proof"] is False
    assert asked(found, "tries-unproven", "armed")["cold_proof"] is False


def test_result_tells_of_the_boot_into_the_kernel_that_was_tried(found: PlayRun) -> None:
    told = last_word(found, "tries")
    assert (told["method"], told["way"], told["good"]) == ("kexec", "trial", "new")
    assert told["release"] == {"before": OLD, "after": NEW}
    assert told["drained"] == []
    assert "What apk has (new) differs from what firmware boots (old) by kernel." in told["because"]


def test_microcode_is_taken_up_by_firmware_where_the_slot_was_not_proven(found: PlayRun) -> None:
    cold = "Reboot through firmware, and keep the host drained"
    assert cold in names(found, "tries-unproven")
    assert cold not in names(found, "tries")


@pytest.mark.parametrize("name", ["sick", "unwell", "sick-cold"])
def test_kernel_that_is_not_well_is_refused(found: PlayRun, name: str) -> None:
    assert asked(found, name, "rolled_back")["cause"] == "required_check"
    told = last_word(found, name)
    code = "unhealthy" if name == "sick-cold" else "trial_failed"
    assert (told["cause"], told["reason"]["code"]) == ("required_check", code)


def test_host_itself_tells_why_it_came_back(found: PlayRun) -> None:
    assert "cause" not in asked(found, "panics", "rolled_back")
    told = last_word(found, "panics")
    assert (told["cause"], told["reason"]["code"]) == ("panic", "trial_failed")
    assert "Kernel panic." in told["msg"]


@pytest.mark.parametrize("name", ["no-jump", "not-kept"])
def test_kernel_is_not_refused_for_what_is_not_its_fault(found: PlayRun, name: str) -> None:
    assert asked(found, name, "rolled_back")["cause"] == "operator"
    said = {"no-jump": "kexec_locked", "not-kept": "No space"}[name]
    assert said in last_word(found, name)["msg"]


def test_host_that_is_lost_is_told_what_brings_it_back(found: PlayRun) -> None:
    assert "What firmware boots is the kernel from before" in last_word(found, "lost")["msg"]


def test_build_that_was_refused_is_told(found: PlayRun) -> None:
    assert last_word(found, "refused")["reason"]["code"] == "build_refused"


def test_deadline_that_is_too_short_is_refused_first(found: PlayRun) -> None:
    assert "kernel_upgrade_deadline is 60" in last_word(found, "late")["msg"]
    assert "Ask whether a trial is on" not in names(found, "late")


def test_check_mode_says_what_would_be_done(tmp_path: Path) -> None:
    cases = {
        "tries": host(),
        "cold": host(slots=SAME, packages=["amd-ucode"]),
        "same": host(slots=SAME),
    }
    foretold = run(tmp_path, cases, "--check")
    assert foretold.rc == 0, foretold.output[-3000:]
    assert steps(foretold, "tries") == ["upgrade"]
    assert "Say that the host would be drained, and the kernel tried" in names(foretold, "tries")
    assert last_word(foretold, "cold")["way"] == "firmware"
    assert last_word(foretold, "same")["way"] == "nothing"
