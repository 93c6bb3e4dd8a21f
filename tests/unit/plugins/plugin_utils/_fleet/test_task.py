# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that are about all hosts of a play: guard, brake, report, and what hosts remember."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.task import (
    FLEET_ARGUMENTS,
    Asked,
    FleetTask,
)
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import reason
from ansible_collections.alpinefleet.kexec.tests.unit.steps import carried_out

Result = dict[str, t.Any]


def play(results: Result, *left: str, **variables: t.Any) -> Result:
    """The variables of the first host of a play, by the result that each host has."""
    return {
        "inventory_hostname": "web1",
        "ansible_play_hosts_all": [*results],
        "ansible_play_hosts": [*left],
        "ansible_play_batch": ["web2"],
        "hostvars": {
            name: {} if told is None else {"fast_reboot_result": told}
            for name, told in results.items()
        },
        **variables,
    }


NOBODY = Asked(variables={}, limited=False)


def step(name: str, variables: Result, asked: Asked = NOBODY, **arguments: t.Any) -> Result:
    return carried_out(FleetTask(variables, asked).step, FLEET_ARGUMENTS, step=name, **arguments)


def guard(
    variables: Result, name: str = "x_hosts", asked: Asked | None = None, **arguments: t.Any
) -> Result:
    """What is named so is given with -e, where nothing else is said."""
    given = {each: value for each, value in variables.items() if each == name}
    wanted = {"hosts_variable": name, "batch_sizes": "1", "output": "", **arguments}
    return step("guard", variables, asked or Asked(given, limited=False), **wanted)


def brake(variables: Result, budget: t.Any = 0) -> Result:
    return step("brake", variables, error_budget=budget)


NOT_DONE = {"done": False, "reason": reason("unhealthy")}

# --- The brake ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "stops"), [(0, True), ("33%", True), (1, False), ("50%", False), ("x", True)]
)
def test_brake_ends_a_play_that_has_lost_too_many(budget: t.Any, stops: bool) -> None:
    told = brake(play({"web1": NOT_DONE, "web2": None}, "web1", "web2"), budget)
    assert told.get("failed", False) is stops
    assert told["not_well"] == ([] if budget == "x" else ["web1"])


def test_brake_takes_no_budget_from_a_host() -> None:
    said = {"fast_reboot_error_budget": 99}
    told = brake(play({"web1": None, "web2": None}, "web1", "web2", ansible_facts=said))
    assert told["failed"]
    assert (
        "Facts of web1 have names of the operator's variables: fast_reboot_error_budget."
        in told["msg"]
    )


@pytest.mark.parametrize(
    ("given", "limited", "variables", "said"),
    [
        pytest.param({}, False, {}, "it would be all 2 of the inventory", id="nothing is said"),
        pytest.param({"x_hosts": ""}, False, {}, "it would be all 2", id="nothing is meant"),
        pytest.param({"x_hosts": ","}, False, {}, "it would be all 2", id="a comma"),
        pytest.param({"x_hosts": ["", ","]}, False, {}, "it would be all 2", id="empty words"),
        pytest.param({"x_hosts": "web*"}, False, {}, "", id="a pattern"),
        pytest.param({"x_hosts": "all"}, False, {}, "", id="all of them, and said so"),
        pytest.param({}, True, {}, "", id="a limit"),
        pytest.param({"x_host": "web1"}, False, {}, "it would be all 2", id="a slip of the pen"),
        pytest.param(
            {},
            False,
            {"x_hosts": "web1"},
            "In an inventory a play does not see x_hosts",
            id="there",
        ),
        pytest.param(
            {}, True, {"x_hosts": "web1"}, "does not see x_hosts", id="there, and another limit"
        ),
        pytest.param(
            {"x_hosts": "all"},
            False,
            {"x_serial": 1},
            "does not see x_serial. Give it with -e; nothing was done.",
            id="sizes in the inventory",
        ),
        pytest.param(
            {"x_hosts": "all", "x_serial": 1}, False, {"x_serial": 1}, "", id="sizes as well"
        ),
        pytest.param(
            {},
            False,
            {"ansible_limit": "web1", "ansible_facts": {"limit": "web1"}},
            "it would be all 2",
            id="a host that says there is a limit",
        ),
    ],
)
def test_no_host_is_rebooted_that_nobody_has_named(
    given: Result, limited: bool, variables: Result, said: str
) -> None:
    told = guard(
        play({"web1": None, "web2": None}, "web1", "web2", **{**given, **variables}),
        asked=Asked(given, limited=limited),
    )
    assert told.get("failed", False) is bool(said)
    assert said in told.get("msg", "")


@pytest.mark.parametrize("name", ["__rolling_upgrade_so_far", "__kexec_host_so_far"])
def test_brake_counts_what_a_rescue_hid_of_the_roles_around(name: str) -> None:
    variables = play({"web1": None, "web2": None}, "web1", "web2")
    variables["hostvars"]["web1"] = {name: {"failure": "It is locked."}}
    assert brake(variables)["not_well"] == ["web1"]
    # That nothing has failed so far is no failure.
    variables["hostvars"]["web1"] = {name: {"failure": "", "changed": False}}
    assert brake(variables)["not_well"] == []


@pytest.mark.parametrize(
    ("name", "stops"), [("prepare_sreial", True), ("prepare_serial", False), ("prepare_db", False)]
)
def test_slip_of_the_pen_in_a_variable_of_a_playbook_is_named(name: str, stops: bool) -> None:
    given = {"prepare_hosts": "web1", name: 1}
    variables = play({"web1": None}, "web1", **given)
    told = guard(variables, "prepare_hosts", Asked(given, limited=False))
    assert told.get("failed", False) is stops
    assert not stops or "There is no variable prepare_sreial of alpinefleet" in told["msg"]


@pytest.mark.parametrize(
    ("name", "stops"),
    [
        ("status_outptu", True),
        ("fast_reboot_tiemout", True),
        ("kexec_host_lock", True),
        ("status_page", False),
        ("fast_reboot_result", False),
    ],
)
def test_slip_of_the_pen_is_named_in_every_playbook(name: str, stops: bool) -> None:
    told = step("check_output", play({"web1": None}, "web1", **{name: 1}), output="")
    assert told.get("failed", False) is stops
    assert not stops or f"There is no variable {name} of alpinefleet" in told["msg"]


def test_brake_counts_a_host_that_did_not_answer_when_it_was_asked_what_is_left() -> None:
    variables = play({"web1": None, "web2": None}, "web1", "web2")
    gone = {"unreachable": True, "msg": "timed out"}
    variables["hostvars"] |= {"web1": {"__fast_reboot_asked": gone}, "web2": {}}
    assert brake(variables)["not_well"] == ["web1"]
    # Nor is one fit for a turn that answers, and cannot tell.
    broken = {"failed": True, "msg": "I/O error. See to the disk."}
    variables["hostvars"]["web1"] = {"__fast_reboot_asked": broken}
    assert brake(variables)["not_well"] == ["web1"]
    assert step("report", variables)["msg"][1].endswith("I/O error. See to the disk.")
    # Once it is done, it is of no weight.
    variables["hostvars"]["web1"]["fast_reboot_result"] = {"done": True}
    assert brake(variables)["not_well"] == []
    # A host cannot say so of itself, to stop others.
    said = {"__fast_reboot_asked": gone, "ansible_facts": {"__fast_reboot_asked": gone}}
    variables["hostvars"]["web1"] = said
    assert brake(variables)["not_well"] == []


def test_host_that_was_looked_after_has_had_no_turn_yet() -> None:
    variables = play({"web1": NOT_DONE, "web2": {"looked_after": True}}, "web2")
    told = step("report", variables, of_role="fast_reboot", output="")
    assert told["msg"][-1] == "hosts 2: done 0, failed 1, away 0, waiting 1"
    assert brake(variables, 1)["not_well"] == ["web1"]


# --- Reports --------------------------------------------------------------------------------


def test_file_that_cannot_be_written_is_found_before_a_host_is_rebooted(tmp_path: Path) -> None:
    told = guard(
        play({"web1": None}, "web1", x_hosts="web1"), output=str(tmp_path / "no/such.json")
    )
    assert told["failed"]
    assert "no/such.json: it must be a file in a folder that is there" in told["msg"]


def test_sizes_that_would_be_the_whole_fleet_are_found_before_a_host_is_asked() -> None:
    told = guard(play({"web1": None}, "web1", x_hosts="web1"), batch_sizes="0")
    assert told["failed"]
    assert "The sizes of the batches are '0' and must be" in told["msg"]


def test_host_does_not_say_where_a_report_goes(tmp_path: Path) -> None:
    said = {"fast_reboot_output": "/etc/passwd"}
    variables = play({"web1": None}, "web1", x_hosts="web1", ansible_facts=said)
    told = guard(variables, output=str(tmp_path / "report.json"))
    assert told["failed"]
    assert "fast_reboot_output" in told["msg"]


def test_report_waits_for_the_last_host_as_long_as_all_is_well() -> None:
    variables = play({"web1": {"done": True}, "web2": None}, "web1", "web2")
    told = step("report", variables, of_role="fast_reboot", output="/is/not/written.json")
    assert told == {"msg": ["There are hosts left, and nothing new is wrong."]}


def test_report_is_a_table_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    variables = play({"web1": NOT_DONE, "web2": None}, "web1", "web2")
    told = step("report", variables, of_role="fast_reboot", output=str(path))
    assert told["msg"][1].startswith("web1  failed ")
    assert told["msg"][-1] == f"The report is in {path}."
    assert json.loads(path.read_text())["summary"]["failed"] == 1


def test_report_that_cannot_be_written_any_more_is_shown_all_the_same(tmp_path: Path) -> None:
    variables, path = play({"web1": NOT_DONE}, "web1"), tmp_path / "gone/report.json"
    told = step("report", variables, of_role="fast_reboot", output=str(path))
    assert (told["failed"], told["table"][1].split()[0]) == (True, "web1")


def status(told: Result, **variables: t.Any) -> Result:
    of_hosts = {name: {"fast_reboot_status": found} for name, found in told.items()}
    return {**play(dict.fromkeys(told), *told), "hostvars": of_hosts, **variables}


def test_what_hosts_remember_is_a_table_and_a_file(tmp_path: Path) -> None:
    found = {
        "run_id": "a" * 32,
        "progress": "unhealthy",
        "drained": ["lb"],
        "unhealthy": ["port 1"],
    }
    of_hosts = {"web1": {"remembered": found}, "web2": {"unreachable": True}}
    path = tmp_path / "status.json"
    told = step("report_remembered", status(of_hosts), output=str(path))
    assert told["msg"][1].startswith("web1  something  unhealthy  lb       port 1")
    assert json.loads(path.read_text())["hosts"][1]["remembers"] == "no_answer"


def test_file_of_a_report_is_found_before_a_host_is_asked_and_no_host_names_it(
    tmp_path: Path,
) -> None:
    variables, path = play({"web1": None}, "web1"), str(tmp_path / "report.json")
    assert step("check_output", variables, output=path) == {"output": path}
    assert step("check_output", variables, output="") == {"output": ""}
    refused = step("check_output", variables, output=str(tmp_path))
    assert "it must be a file in a folder" in refused["msg"]
    spoken = {**variables, "ansible_facts": {"status_output": path}}
    assert "status_output" in step("check_output", spoken, output=path)["msg"]


# --- The audit ------------------------------------------------------------------------------


def test_audit_shows_why_a_host_was_not_asked_and_believes_no_host_about_it(tmp_path: Path) -> None:
    refused = {"failed": True, "msg": "It spoke before."}
    gone = {"unreachable": True, "msg": "timed out"}
    said = {"able": True, "failed": False}
    variables = play(dict.fromkeys(("gone", "liar", "silent")), "gone")
    variables["hostvars"] = {
        "gone": {"__audit_frozen": {"wanted": {}}, "__audit_preflight": gone},
        "liar": {
            "__audit_frozen": refused,
            "__audit_preflight": said,
            "ansible_facts": {"__audit_preflight": said},
        },
        "silent": {},
    }
    path = tmp_path / "report.json"
    told = step("audit", variables, output=str(path))
    assert [line.split()[:2] for line in told["msg"][1:4]] == [
        ["gone", "unreachable"],
        ["liar", "failed"],
        ["silent", "failed"],
    ]
    text = path.read_text(encoding="utf-8")
    assert "It spoke before." in text
    # Two reports can be compared line by line.
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert (told["summary"]["hosts"], told["summary"]["kexec"]) == (3, 0)


def test_answer_beside_a_refusal_is_another_audit_s(tmp_path: Path) -> None:
    variables = play({"web1": None}, "web1")
    refused = {"failed": True, "msg": "It spoke before."}
    facts = {"running_release": "6.18", "boot_loader": "extlinux", "reboot_needed": False}
    said = {"changed": False, "able": True, "reasons": [], "facts": facts}
    variables["hostvars"] = {"web1": {"__audit_preflight": said, "__audit_frozen": refused}}
    told = step("audit", variables, output=str(tmp_path / "report.json"))
    assert told["msg"][1].split()[:2] == ["web1", "failed"]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("able", [True, False])
def test_strict_audit_fails_with_the_table_where_a_host_is_not_able(
    tmp_path: Path, strict: bool, able: bool
) -> None:
    variables = play({"web1": None}, "web1")
    report = tmp_path / "report.json"
    facts = {"running_release": "6.18.56-0-virt", "boot_loader": "extlinux", "reboot_needed": False}
    said = (
        {"changed": False, "able": True, "reasons": [], "facts": facts}
        if able
        else {"failed": True, "msg": "No."}
    )
    variables["hostvars"] = {"web1": {"__audit_preflight": said}}
    told = step("audit", variables, output=str(report), strict=strict)
    fails = strict and not able
    table = told["table" if fails else "msg"]
    assert table[1].split()[:2] == ["web1", "kexec" if able else "failed"]
    assert told.get("failed", False) is fails
    assert not fails or told["msg"].startswith("0 of 1 hosts can reboot through kexec now. Do what")
    # People want to see it in either case, and programs to read it.
    assert (told["_ansible_verbose_always"], report.is_file()) == (True, True)
