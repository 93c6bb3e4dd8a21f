# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brakes that go on with what those before have counted, beside one that counts all hosts each time."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import standing
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet.task import (
    FLEET_ARGUMENTS,
    NOTHING_NEW,
    Asked,
    FleetTask,
)
from ansible_collections.alpinefleet.kexec.tests.unit.reboots import reason
from ansible_collections.alpinefleet.kexec.tests.unit.steps import carried_out
from hypothesis import given
from hypothesis import strategies as st

Values = dict[str, t.Any]

PLAY = "5254003f"
BRAKED = "__fast_reboot_braked"
SICK = {"fast_reboot_result": {"done": False, "reason": reason("unhealthy")}}
# What a turn leaves of a host.
TURNS: dict[str, Values] = {
    "well": {"fast_reboot_result": {"done": True}},
    "unhealthy": SICK,
    "role failed": {"__rolling_upgrade_so_far": {"failure": "No space."}},
    "gone": {},
    "no turn": {},
}
# What is known of it before its turn.
BEFORE: dict[str, Values] = {
    "nothing": {},
    "silent": {"__fast_reboot_asked": {"unreachable": True}},
    "left sick": SICK,
}


# What the brake of the first batch of three hosts leaves.
LEFT: Values = {"play": PLAY, "hosts": "476a50d7556d6c56", "counted": 0, "not_well": [], "gone": []}


class CountedReads(dict[str, Values]):
    """hostvars that know how often a host was looked up."""

    reads = 0

    def __getitem__(self, host: str) -> Values:
        self.reads += 1
        return super().__getitem__(host)


class SimulatedPlay:
    """A play in batches, as Ansible's variables show it."""

    def __init__(self, befores: t.Sequence[str] = (), size: int = 0, play: str = PLAY) -> None:
        names = [f"web{number}" for number in range(size or len(befores))]
        self.hosts = names
        self.gone: set[str] = set()
        self.play = play
        known = befores or ["nothing"] * size
        self.vars = CountedReads(
            {host: {**BEFORE[each]} for host, each in zip(names, known, strict=True)}
        )

    def variables(self, batch: t.Sequence[str]) -> Values:
        here = [host for host in batch if host not in self.gone]
        first = here[0] if here else self.hosts[0]
        return {
            **dict(self.vars)[first],
            "inventory_hostname": first,
            "ansible_play_hosts_all": self.hosts,
            "ansible_play_hosts": [each for each in self.hosts if each not in self.gone],
            "ansible_play_batch": here,
            "hostvars": self.vars,
        }

    def step(self, batch: t.Sequence[str], name: str, play: str | None = None) -> Values:
        asked = Asked({}, limited=False, play=self.play if play is None else play)
        work = FleetTask(self.variables(batch), asked).step
        return carried_out(work, FLEET_ARGUMENTS, step=name, error_budget=len(self.hosts))

    def brake(self, batch: t.Sequence[str]) -> Values:
        told = self.step(batch, "brake")
        for host in batch:
            self.vars.setdefault(host, {})
            dict.__getitem__(self.vars, host)[BRAKED] = told
        return told

    def turn(self, host: str, ending: str) -> None:
        dict.__getitem__(self.vars, host).update(TURNS[ending])
        if ending == "gone":
            self.gone.add(host)


def batches(hosts: t.Sequence[str], sizes: t.Sequence[int]) -> t.Iterator[t.Sequence[str]]:
    """The last size repeats."""
    first, number = 0, 0
    while first < len(hosts):
        size = sizes[min(number, len(sizes) - 1)]
        yield hosts[first : first + size]
        first, number = first + size, number + 1


@given(
    st.lists(
        st.tuples(st.sampled_from([*BEFORE]), st.sampled_from([*TURNS])), min_size=1, max_size=9
    ),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
)
def test_brakes_find_whom_a_count_of_all_hosts_finds(
    hosts: list[tuple[str, str]], sizes: list[int]
) -> None:
    run = SimulatedPlay([before for before, _ending in hosts])
    endings = dict(zip(run.hosts, (ending for _before, ending in hosts), strict=True))
    for batch in batches(run.hosts, sizes):
        of_all = run.step(batch, "brake", play="")["not_well"]
        assert run.brake(batch)["not_well"] == of_all
        for host in batch:
            run.turn(host, endings[host])
        # Asked once more behind the batch, it counts that one, too.
        of_all = run.step(batch, "brake", play="")["not_well"]
        assert run.step(batch, "brake")["not_well"] == of_all


def test_each_host_is_read_a_few_times_and_not_in_every_batch() -> None:
    run = SimulatedPlay(size=200)
    for batch in batches(run.hosts, [1]):
        run.brake(batch)
        run.turn(batch[0], "well")
        run.step(batch, "report")
    # All before the first batch and behind the last; of the others their own, and the one before twice.
    assert run.vars.reads < 7 * len(run.hosts)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("5254003f", "another", id="another play of the run"),
        pytest.param("", "", id="batches that are no slices"),
    ],
)
def test_brake_of_another_play_counts_for_nothing(first: str, second: str) -> None:
    run = SimulatedPlay(size=3, play=first)
    run.brake(["web0"])
    run.brake(["web1"])
    run.play = second
    # The first play said that it is well; this one has no brake before its second batch.
    run.turn("web0", "unhealthy")
    assert run.step(["web2"], "brake")["not_well"] == ["web0"]


def test_brake_counts_all_where_the_hosts_of_the_play_are_others_than_before() -> None:
    run = SimulatedPlay(size=5)
    run.brake(run.hosts[:1])
    run.brake(run.hosts[1:3])
    run.turn("web1", "unhealthy")
    # One of an earlier batch has left an inventory that is made anew.
    run.hosts = run.hosts[1:]
    assert run.step(["web3"], "brake")["not_well"] == ["web1"]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"failed": True, "not_well": ["web1"]}, id="it stopped"),
        pytest.param({"skipped": True}, id="it was skipped"),
        pytest.param({**LEFT, "counted": 1}, id="it is of a later batch"),
        pytest.param({**LEFT, "counted": "0"}, id="of another form"),
        pytest.param({**LEFT, "hosts": "of others"}, id="of other hosts"),
        pytest.param(None, id="there was none"),
    ],
)
def test_brake_counts_all_where_the_one_before_has_left_nothing_of_use(told: t.Any) -> None:
    run = SimulatedPlay(size=3)
    dict.__getitem__(run.vars, "web0")[BRAKED] = told
    found = standing.count(run.variables(["web1"]), PLAY)
    assert (found.fresh, found.known) == (run.hosts, ())


def test_host_does_not_say_what_a_brake_has_counted() -> None:
    run = SimulatedPlay(size=3)
    said = {BRAKED: LEFT, "ansible_facts": {BRAKED: LEFT}}
    dict.__getitem__(run.vars, "web0").update(said)
    assert standing.count(run.variables(["web1"]), PLAY).fresh == run.hosts


# --- The table behind a batch ---------------------------------------------------------------


@pytest.mark.parametrize("ending", [*TURNS])
@pytest.mark.parametrize("place", [0, 1])
def test_table_is_shown_where_something_new_is_wrong(ending: str, place: int) -> None:
    run = SimulatedPlay(size=4)
    batch = run.hosts[1:3]
    run.brake(run.hosts[:1])
    run.turn("web0", "unhealthy")
    run.brake(batch)
    for host in batch:
        run.turn(host, ending if host == batch[place] else "well")
    told = run.step(batch, "report")["msg"]
    is_new = ending in {"unhealthy", "gone"}
    assert (told != [NOTHING_NEW]) is is_new
    # What was wrong before is in the table, and does not have it shown again.
    assert not is_new or "web0" in told[1]


def test_last_batch_has_the_table() -> None:
    run = SimulatedPlay(size=2)
    for host in run.hosts:
        run.brake([host])
        run.turn(host, "well")
        told = run.step([host], "report")["msg"]
    assert told[-1] == "hosts 2: done 2, failed 0, away 0, waiting 0"


def test_last_batch_is_the_one_behind_which_no_host_is_left() -> None:
    run = SimulatedPlay(["nothing", "silent"])
    # It is counted, and nothing new when it leaves the play.
    run.brake(run.hosts)
    run.turn("web0", "well")
    run.turn("web1", "gone")
    assert run.step(run.hosts, "report")["msg"][-1].startswith("hosts 2: done 1, failed 1")


def test_table_is_shown_at_the_end_also_where_a_host_had_no_turn() -> None:
    run = SimulatedPlay(size=2)
    run.brake(run.hosts)
    run.turn("web0", "well")
    assert run.step(run.hosts, "report")["msg"][-1].startswith("hosts 2: done 1, ")


def test_host_that_did_not_answer_and_is_lost_in_its_turn_is_news() -> None:
    run = SimulatedPlay(["nothing", "silent", "nothing"])
    run.brake(run.hosts[:2])
    run.turn("web0", "well")
    # It was there when its turn began.
    run.turn("web1", "unhealthy")
    run.turn("web1", "gone")
    assert run.step(run.hosts[:2], "report")["msg"] != [NOTHING_NEW]
