# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a brake counts, how many it lets pass, and what it says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import brake
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.campaign import (
    Campaign,
    read,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

HOSTS = ("web1", "web2", "web3", "web4")


def campaign(
    left: t.Sequence[str] = HOSTS,
    results: t.Mapping[str, t.Any] | None = None,
    facts: t.Mapping[str, t.Any] | None = None,
) -> Campaign:
    """As it is read from what each host has been given and has said."""
    of_hosts: dict[str, dict[str, t.Any]] = {name: {} for name in HOSTS}
    for host, told in (results or {}).items():
        of_hosts[host]["result"] = told
    for host, said in (facts or {}).items():
        of_hosts[host]["ansible_facts"] = {"result": said}
    hosts = {"ansible_play_hosts_all": HOSTS, "ansible_play_hosts": left}
    return read({**hosts, "ansible_play_batch": ["web4"], "hostvars": of_hosts}, "result")


FAILED = {"done": False, "rungs": []}


@pytest.mark.parametrize(
    ("found", "hosts"),
    [
        pytest.param(campaign(), [], id="all are there"),
        pytest.param(campaign(["web4", "web2"]), ["web1", "web3"], id="some are gone"),
        pytest.param(campaign(results={"web2": FAILED}), ["web2"], id="a rescue hides one"),
        pytest.param(campaign(["web1"], {"web1": FAILED, "web2": FAILED}), [*HOSTS], id="all"),
        pytest.param(campaign(results={"web2": {"done": True}}), [], id="one is done"),
        pytest.param(campaign(results={"web2": {"failed": True}}), [], id="none of the role's"),
        pytest.param(campaign(results={"web2": 7}), [], id="no result"),
        pytest.param(campaign(results={"web2": FAILED}, facts={"web2": FAILED}), [], id="a fact"),
        pytest.param(
            Campaign(HOSTS, HOSTS, ["web4"], {}, {"web3": "Not upgraded."}),
            ["web3"],
            id="a role around it failed",
        ),
        pytest.param(
            campaign(results={"web2": FAILED}, facts={"web2": {"done": True}}),
            ["web2"],
            id="a fact beside a result",
        ),
    ],
)
def test_hosts_that_are_not_well_are_counted(found: Campaign, hosts: list[str]) -> None:
    assert brake.not_well(found) == hosts


@pytest.mark.parametrize(
    ("given", "hosts", "allowed"),
    [
        (0, 10, 0),
        (3, 10, 3),
        ("2", 10, 2),
        (" 2 ", 10, 2),
        ("0%", 10, 0),
        ("10%", 10, 1),
        ("10 %", 19, 1),
        ("34%", 3, 1),
        ("100%", 7, 7),
    ],
)
def test_budget_is_a_number_or_a_share(given: t.Any, hosts: int, allowed: int) -> None:
    assert brake.budget(given, hosts) == allowed


@pytest.mark.parametrize(
    "given", [-1, "-1", "", "many", None, True, 1.5, "1.5", "101%", "-5%", "%", [1], "1,25%"]
)
def test_budget_that_is_none_is_refused(given: t.Any) -> None:
    with pytest.raises(StepError, match="must be a number of hosts"):
        brake.budget(given, 10)


def test_message_names_the_hosts() -> None:
    said = str(brake.stopped(campaign(), ["web1", "web3"]))
    assert said.startswith(
        "2 of 4 hosts failed, do not answer or are not well: web1, web3. The play ends here."
    )
    assert "(web4)" in said
    assert " Mend what the table says is wrong" in said
    assert said.endswith("leave them out with --limit; then run the play again.")


def test_message_of_a_large_fleet_is_short() -> None:
    names = [f"host{number:04}" for number in range(1000)]
    said = str(brake.stopped(Campaign(names, [], names, {}), names))
    assert len(said) < 800
    assert "host0019 and 980 more" in said
