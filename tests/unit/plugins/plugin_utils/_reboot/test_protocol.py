# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reboot over a host, a probe and a clock that are scripts: every way it can go."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.machine import (
    KEXEC_LOADER_TYPE,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host.port import Outcome
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import protocol
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import (
    WHICH_SERVICES,
    Examination,
    Health,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.observation import (
    Observation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.ports import (
    Departure,
    NoAnswerError,
    Prober,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.protocol import (
    Order,
    Proof,
    Reboot,
)
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

OLD_BOOT = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
NEW_BOOT = "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1"
OLD_RELEASE, RELEASE, OTHER_RELEASE = "6.18.38-0-virt", "6.18.56-0-virt", "6.12.1-0-lts"
TOKEN = "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d"
BOOT_LOADER_TYPE = "114"
MARK = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
MACHINE = "dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32"
# Of the old system, when the order is given and when it is void.
UPTIME, EXPIRES = 4000.0, 4020

Answer = Observation | NoAnswerError
Boots = list[tuple[float, Answer]]


def old(stage: str = "shutdown", leaver: str = MARK, uptime: float = UPTIME) -> Observation:
    """The system that is to be left, with somebody leaving it."""
    return Observation(
        OLD_BOOT, OLD_RELEASE, "quiet", BOOT_LOADER_TYPE, leaver, stage, uptime, MACHINE
    )


def came_up(cmdline: str, loader: str, release: str, machine: str | None = MACHINE) -> Observation:
    return Observation(NEW_BOOT, release, cmdline, loader, "", "", 2.5, machine)


def by_kexec(release: str = RELEASE, token: str = TOKEN) -> Observation:
    return came_up(f"quiet alpinefleet_kexec.token={token}", KEXEC_LOADER_TYPE, release)


def by_firmware(release: str = RELEASE) -> Observation:
    return came_up("quiet", BOOT_LOADER_TYPE, release)


IDLE = old(stage="", leaver="")
# The same, when the order has expired.
LEFT_ALONE = old(stage="", leaver="", uptime=EXPIRES)
REFUSED = NoAnswerError("silent", "Connection refused")
GONE = NoAnswerError("silent", "No route to host")
DENIED = NoAnswerError("authentication", "Permission denied (publickey).")
DROPPED = NoAnswerError("dropped", "Connection closed by remote host")
NEW_KEY = NoAnswerError("host_key", "REMOTE HOST IDENTIFICATION HAS CHANGED!")
GARBAGE = NoAnswerError("garbled", "the host answered 'login disabled'")

# Two seconds of shutdown, six of nothing.
NORMAL: Boots = [(0, old("waiting")), (0.7, old()), (2, GONE), (8, by_kexec())]
NEVER_DOWN: Boots = [(0, old("waiting")), (0.7, old())]


def order(**given: t.Any) -> Order:
    settings: dict[str, t.Any] = {
        "method": "kexec",
        "token": TOKEN,
        "boot_id": OLD_BOOT,
        "release": RELEASE,
        "fallback": "firmware",
        "firmware_release": RELEASE,
        "host": "web1",
        "hardware_id": MACHINE,
        "expires": EXPIRES,
        "mark": MARK,
        "reboot_timeout": 60.0,
    }
    return Order(**{**settings, **given})


class Scene:
    """One reboot of a scripted host."""

    def __init__(
        self,
        boots: Boots,
        *,
        probes: fakes.Timeline[bool] | None = None,
        remote: dict[str, t.Any] | None = None,
        start: float = 0.0,
        **given: t.Any,
    ) -> None:
        self.clock = fakes.FakeClock(start)
        self.remote = fakes.FakeRemote(self.clock, boots, **(remote or {}))
        self.probe = None if probes is None else fakes.FakeProber(self.clock, probes)
        self.order = order(**given)
        self.log: list[str] = []

    def reboot(self) -> Reboot:
        prober: Prober | None = self.probe
        return Reboot(self.order, self.remote, prober, self.clock, self.log.append)

    def run(self) -> Proof:
        reboot = self.reboot()
        reboot.prepare()
        return reboot.run()

    def fail(self) -> RebootError:
        with pytest.raises(RebootError) as caught:
            self.run()
        return caught.value

    def logins(self) -> list[float]:
        pairs = zip(self.remote.calls, self.remote.times, strict=True)
        return [time for call, time in pairs if call[0] == "observe"]


def verdict(error: RebootError) -> tuple[str, str, bool | None]:
    return error.reason.code, error.stage, error.rebooted


# --- A host that comes back ----------------------------------------------------------------

KEXEC: dict[str, t.Any] = {"method": "kexec"}
FIRMWARE: dict[str, t.Any] = {"method": "firmware"}
STRICT: dict[str, t.Any] = {"fallback": "fail"}


@pytest.mark.parametrize(
    ("given", "boots", "method"),
    [
        pytest.param(KEXEC, NORMAL, "kexec", id="kexec"),
        pytest.param(FIRMWARE, [*NORMAL[:3], (40, by_firmware())], "firmware", id="firmware"),
        pytest.param(KEXEC, [(0, old()), (2, by_kexec())], "kexec", id="never seen down"),
        pytest.param(KEXEC, [(0, by_kexec())], "kexec", id="back before the first login"),
        pytest.param(
            KEXEC,
            [(0, old()), (3, GONE), (4, old()), (6, GONE), (9, by_kexec())],
            "kexec",
            id="blip",
        ),
        pytest.param(
            KEXEC, [(0, GONE), (3, old()), (5, by_kexec())], "kexec", id="blip at the start"
        ),
        pytest.param(
            KEXEC, [*NORMAL[:3], (7, GARBAGE), (8, by_kexec())], "kexec", id="garbage in between"
        ),
        pytest.param(
            KEXEC, [*NORMAL[:3], (7, DENIED), (8.5, by_kexec())], "kexec", id="a few refusals"
        ),
        pytest.param(
            KEXEC, [(0, old()), (1, DENIED), (30, GONE), (35, by_kexec())], "kexec", id="nologin"
        ),
        pytest.param(KEXEC, [*NORMAL[:3], (8, by_firmware())], "firmware", id="fell back"),
        pytest.param(STRICT, NORMAL, "kexec", id="kexec without a fallback"),
        pytest.param(
            {"release": None}, [*NORMAL[:3], (8, by_kexec("any"))], "kexec", id="release unknown"
        ),
        pytest.param(
            {"method": "firmware", "firmware_release": None},
            [*NORMAL[:3], (8, by_firmware(OTHER_RELEASE))],
            "firmware",
            id="firmware's release unknown",
        ),
    ],
)
@pytest.mark.parametrize("probed", [True, False], ids=["probed", "not probed"])
def test_reboot_is_proven(given: dict[str, t.Any], boots: Boots, method: str, probed: bool) -> None:
    probes = [(time, not isinstance(each, NoAnswerError)) for time, each in boots]
    proof = Scene(boots, probes=probes if probed else None, **given).run()
    assert (proof.method, proof.observation) == (method, boots[-1][1])


LIKE_KEXEC = came_up("quiet", KEXEC_LOADER_TYPE, RELEASE)


@pytest.mark.parametrize("method", ["firmware", "kexec"])
def test_boot_loader_that_ends_in_a_kexec_itself_proves_firmware(method: str) -> None:
    boots: Boots = [*NORMAL[:3], (8, LIKE_KEXEC)]
    scene = Scene(boots, method=method, loader_ends_in_kexec=True)
    proof = scene.run()
    assert (proof.method, proof.observation) == ("firmware", LIKE_KEXEC)


@pytest.mark.parametrize(
    ("ends_in_kexec", "found"),
    [
        pytest.param(False, LIKE_KEXEC, id="no such boot loader"),
        pytest.param(True, by_kexec(token="an0ther"), id="token of another order"),
    ],
)
def test_kexec_of_somebody_else_proves_no_firmware(ends_in_kexec: bool, found: Observation) -> None:
    boots: Boots = [*NORMAL[:3], (8, found)]
    error = Scene(boots, method="firmware", loader_ends_in_kexec=ends_in_kexec).fail()
    assert verdict(error) == ("wrong_method", "verify", True)


def test_calls_come_in_order() -> None:
    scene = Scene(NORMAL)
    scene.run()
    assert scene.remote.names() == ["leave", "shorten", "observe", "test", "confirm"]


def test_order_says_how_when_and_whose() -> None:
    watched: dict[str, t.Any] = {"watchdog": "/dev/watchdog0", "watchdog_limit": 60}
    scene = Scene(NORMAL, pre_reboot_delay=3.0, shutdown_timeout=50.0, **watched)
    scene.run()
    delay = 3.0 + protocol.START_DELAY
    departure = Departure(
        "kexec", TOKEN, OLD_BOOT, delay, 50.0, EXPIRES, MARK, RELEASE, "/dev/watchdog0", 60
    )
    assert scene.remote.calls[0] == ("leave", departure)


def test_order_where_the_release_is_not_known() -> None:
    scene = Scene(NORMAL, release=None)
    scene.run()
    assert scene.remote.calls[0][1].release == "-"


def test_log_tells_what_was_heard() -> None:
    scene = Scene(NORMAL)
    scene.run()
    assert scene.log[0] == "leaving by kexec"
    assert "no answer (silent): No route to host" in scene.log


# --- Times ---------------------------------------------------------------------------------


def test_timings_add_up_to_the_whole() -> None:
    scene = Scene(NORMAL, post_reboot_delay=2.0)
    timings = scene.run().timings
    assert list(timings) == ["trigger", "shutdown", "down", "verify"]
    assert sum(timings.values()) == pytest.approx(scene.clock.time)
    assert min(timings.values()) > 0


def test_times_do_not_depend_on_when_the_clock_began() -> None:
    later: Boots = [(time + 1000, each) for time, each in NORMAL]
    here, there = Scene(NORMAL).run(), Scene(later, start=1000.0).run()
    assert there.timings == pytest.approx(here.timings)
    assert there.downtime == pytest.approx(here.downtime)


def test_deadline_does_not_depend_on_when_the_clock_began() -> None:
    scene = Scene([(0, GONE)], start=1000.0)
    scene.fail()
    assert 1060 <= scene.clock.time < 1060 + 2 * protocol.LAST_LOGIN_GAP


@pytest.mark.parametrize(
    ("boots", "shutdown", "down"),
    [
        pytest.param(NORMAL, 2, 6, id="seen down"),
        pytest.param([(0, old()), (4, by_kexec())], 4, 0, id="never seen down"),
        pytest.param(
            [(0, old()), (1, GONE), (3, old()), (6, GONE), (9, by_kexec())], 6, 3, id="blip"
        ),
    ],
)
def test_timings_tell_the_phases(boots: Boots, shutdown: float, down: float) -> None:
    timings = Scene(boots).run().timings
    assert timings["shutdown"] == pytest.approx(shutdown, abs=1.3)
    assert timings["down"] == pytest.approx(down, abs=1.3)


@pytest.mark.parametrize(
    ("probes", "gap"),
    [([(0.0, False), (8.0, True)], protocol.PROBE_GAP), (None, protocol.LAST_LOGIN_GAP)],
    ids=["probed", "not probed"],
)
def test_downtime_is_from_the_last_answer_to_the_first(probes: t.Any, gap: float) -> None:
    downtime = Scene(NORMAL, probes=probes).run().downtime
    assert downtime is not None
    assert 8 - 2 <= downtime < 8 - 2 + protocol.LAST_GAP + gap + 0.2


def test_downtime_of_a_host_that_left_before_the_first_login() -> None:
    assert Scene([(0, GONE), (5, by_kexec())]).run().downtime == pytest.approx(5, abs=0.7)


def test_delay_before_the_shutdown_is_waited_for() -> None:
    boots: Boots = [(0, IDLE), (25, old()), (27, GONE), (30, by_kexec())]
    assert Scene(boots, pre_reboot_delay=24.0).run().method == "kexec"


def test_delay_after_the_reboot_comes_last() -> None:
    quick, slow = Scene(NORMAL), Scene(NORMAL, post_reboot_delay=7.0)
    quick.run()
    slow.run()
    # And a question whether the host still runs that boot.
    assert slow.clock.time == pytest.approx(quick.clock.time + 7 + 0.1)
    assert slow.remote.names()[-2:] == ["confirm", "observe"]


# --- A boot that ends while it is proven ---------------------------------------------------

NEXT_BOOT = "0e5c1f7a-52c3-4a80-9d2e-7d0a3c1b9f44"


def next_boot(seen: Observation) -> Observation:
    return replace(seen, boot_id=NEXT_BOOT)


def test_boot_that_ends_before_the_test_is_not_the_one_that_is_named() -> None:
    late = [(0.0, Outcome(1, "", "")), (30.0, Outcome(0, "", ""))]
    boots: Boots = [*NORMAL, (12, GONE), (20, next_boot(by_firmware()))]
    proof = Scene(boots, remote={"tests": late}).run()
    assert (proof.observation.boot_id, proof.method) == (NEXT_BOOT, "firmware")


def test_boot_that_ends_before_its_confirmation_is_not_the_one_that_is_named() -> None:
    late = [(0.0, Outcome(1, "", "")), (30.0, Outcome(0, f"{TOKEN}\n", ""))]
    boots: Boots = [*NORMAL, (12, GONE), (20, next_boot(by_kexec()))]
    proof = Scene(boots, remote={"confirmations": late}).run()
    assert (proof.observation.boot_id, proof.method) == (NEXT_BOOT, "kexec")


def test_boot_that_follows_is_judged_like_the_first() -> None:
    late = [(0.0, Outcome(1, "", ""))]
    boots: Boots = [*NORMAL, (12, GONE), (20, next_boot(by_firmware()))]
    error = Scene(boots, remote={"tests": late}, fallback="fail").fail()
    assert error.reason.code == "wrong_method"
    assert error.details["observation"].boot_id == NEXT_BOOT


def test_boot_that_ends_in_the_delay_is_not_the_one_that_is_named() -> None:
    boots: Boots = [*NORMAL, (12, GONE), (20, next_boot(by_firmware()))]
    proof = Scene(boots, post_reboot_delay=10.0).run()
    assert (proof.observation.boot_id, proof.method) == (NEXT_BOOT, "firmware")


def test_host_that_is_gone_after_the_delay_did_not_stay() -> None:
    scene = Scene([*NORMAL, (12, GONE)], post_reboot_delay=10.0)
    error = scene.fail()
    assert verdict(error) == ("did_not_stay", "verify", True)
    assert scene.clock.time < 10 + 10 + protocol.SEE_AGAIN_SECONDS + 5


def test_host_that_boots_again_after_each_delay_did_not_stay() -> None:
    boots: Boots = [*NORMAL[:3]]
    for number in range(200):
        again = replace(by_firmware(), boot_id=f"{number:08}{NEXT_BOOT[8:]}")
        boots += [(20 + 70 * number, again), (70 + 70 * number, GONE)]
    scene = Scene(boots, post_reboot_delay=60.0, reboot_timeout=600.0)
    assert verdict(scene.fail()) == ("did_not_stay", "verify", True)
    assert scene.clock.time < 600


def test_host_that_boots_for_ever_has_an_end() -> None:
    boots: Boots = [*NORMAL]
    for number in range(40):
        boots += [
            (10 + 4 * number, GONE),
            (12 + 4 * number, replace(by_kexec(), boot_id=f"{number:08}{NEXT_BOOT[8:]}")),
        ]
    failing = [(0.0, Outcome(1, "", ""))]
    scene = Scene(boots, remote={"tests": failing})
    assert scene.fail().reason.code in ("test_command_failed", "did_not_return")
    assert scene.clock.time < 70


def test_one_deadline_covers_everything() -> None:
    late = [(0.0, Outcome(1, "", "")), (70.0, Outcome(0, "", ""))]
    boots: Boots = [(0, old()), (20, GONE), (50, by_kexec())]
    scene = Scene(boots, remote={"tests": late})
    assert scene.fail().reason.code == "test_command_failed"
    assert scene.clock.time < 60 + protocol.TEST_GAP


@pytest.mark.parametrize(
    "boots",
    [
        pytest.param(NEVER_DOWN, id="never down"),
        pytest.param([*NORMAL[:3]], id="never back"),
        pytest.param([(0, GARBAGE)], id="garbage only"),
    ],
)
@pytest.mark.parametrize("probed", [True, False], ids=["probed", "not probed"])
def test_deadline_is_kept_to(boots: Boots, probed: bool) -> None:
    scene = Scene(boots, probes=[(0.0, False)] if probed else None)
    scene.fail()
    assert 60 <= scene.clock.time < 60 + protocol.LAST_LOGIN_GAP


@pytest.mark.parametrize(
    "boots",
    [
        pytest.param(NEVER_DOWN, id="never down"),
        pytest.param(NORMAL[:3], id="never back"),
        pytest.param([(0, old()), (2, GONE), (20, by_kexec())], id="back"),
    ],
)
def test_deadline_is_kept_to_although_calls_hang(boots: Boots) -> None:
    scene = Scene(boots, reboot_timeout=30.0, remote={"cost": 20.0})
    scene.fail()
    assert 30 <= scene.clock.time < 30 + protocol.LAST_LOGIN_GAP


def test_test_command_that_hangs_ends_with_the_deadline() -> None:
    scene = Scene([(0, by_kexec())], reboot_timeout=30.0, remote={"cost": 20.0})
    assert scene.fail().reason.code == "test_command_failed"
    assert 30 - protocol.TEST_GAP <= scene.clock.time < 30 + protocol.TEST_GAP


# --- Patience ------------------------------------------------------------------------------


def test_logins_become_rare_while_the_old_system_runs() -> None:
    scene = Scene(NEVER_DOWN)
    scene.fail()
    times = scene.logins()
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] < gaps[-1]
    assert min(gaps) >= protocol.FIRST_GAP


def test_nobody_probes_a_system_that_still_runs() -> None:
    # OpenSSH counts connections that end without a login.
    scene = Scene(NORMAL, probes=[(0.0, False), (8.0, True)])
    scene.run()
    assert scene.probe is not None
    assert min(scene.probe.times) > 2


def test_nobody_logs_in_while_nothing_answers_the_probe() -> None:
    scene = Scene(NORMAL, probes=[(0.0, False), (8.0, True)])
    scene.run()
    assert [time for time in scene.logins() if 4 < time < 8] == []


def test_login_that_fails_after_a_sign_of_life_is_not_repeated_at_once() -> None:
    boots: Boots = [(0, old()), (2, GONE), (20, by_kexec())]
    scene = Scene(boots, probes=[(0.0, False), (8.0, True)])
    scene.run()
    times = [time for time in scene.logins() if time >= 8]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= protocol.FIRST_LOGIN_GAP
    assert gaps[0] < gaps[-2]
    assert max(gaps) <= protocol.LAST_LOGIN_GAP + 0.2


def test_nobody_probes_after_a_sign_of_life() -> None:
    boots: Boots = [(0, old()), (2, GONE), (40, by_kexec())]
    scene = Scene(boots, probes=[(0.0, False), (8.0, True)])
    scene.run()
    assert scene.probe is not None
    assert [time for time in scene.probe.times if time >= 8] == [max(scene.probe.times)]


def test_probes_begin_again_when_the_old_system_has_answered() -> None:
    boots: Boots = [(0, GONE), (3, old()), (6, GONE), (12, by_kexec())]
    scene = Scene(boots, probes=[(0.0, False), (3.0, True), (6.0, False), (12.0, True)])
    scene.run()
    assert scene.probe is not None
    assert len([time for time in scene.probe.times if 7.5 < time < 12]) > 20


@pytest.mark.parametrize("boots", [NORMAL, [*NORMAL[:3], (40, by_kexec())]], ids=["soon", "late"])
def test_host_is_asked_although_the_probe_is_blind(boots: Boots) -> None:
    scene = Scene(boots, probes=[(0.0, False)])
    assert scene.run().method == "kexec"
    gaps = [later - earlier for earlier, later in itertools.pairwise(scene.logins())]
    assert max(gaps) <= protocol.BLIND_SECONDS + 2 * protocol.PROBE_GAP + 0.1


# --- The order -----------------------------------------------------------------------------

HUNG = NoAnswerError("silent", "the connection hung and was given up")


def test_order_that_cost_the_connection_may_have_arrived() -> None:
    scene = Scene(NORMAL, remote={"order": HUNG})
    assert scene.run().method == "kexec"
    assert any(HUNG.text in line for line in scene.log)


@pytest.mark.parametrize("order", [HUNG, None], ids=["connection lost", "acknowledged"])
@pytest.mark.parametrize("delay", [0.0, 24.0], ids=["at once", "with a delay"])
def test_order_that_never_began_is_noticed_when_it_has_expired(
    order: NoAnswerError | None, delay: float
) -> None:
    scene = Scene([(0, IDLE), (20, LEFT_ALONE)], remote={"order": order}, pre_reboot_delay=delay)
    assert verdict(scene.fail()) == ("trigger_lost", "trigger", False)
    assert 20 <= scene.clock.time < 22


def test_order_may_begin_late_as_long_as_the_host_has_not_said_that_it_is_void() -> None:
    # The host's clock decides: a machine that was paused may have lost minutes of ours.
    boots: Boots = [(0, IDLE), (40, old()), (45, GONE), (50, by_kexec())]
    assert Scene(boots).run().method == "kexec"


@pytest.mark.parametrize("order", [HUNG, None], ids=["connection lost", "acknowledged"])
def test_order_that_may_still_begin_at_the_deadline_is_not_known(
    order: NoAnswerError | None,
) -> None:
    scene = Scene([(0, IDLE)], remote={"order": order}, reboot_timeout=5.0)
    assert verdict(scene.fail()) == ("did_not_go_down", "shutdown", None)


def test_order_that_the_host_found_void_is_told_at_once() -> None:
    scene = Scene([(0, old(stage="expired"))])
    assert verdict(scene.fail()) == ("trigger_lost", "trigger", False)
    assert scene.clock.time < 2


def test_order_that_gave_way_to_another_shutdown_is_told_at_once() -> None:
    scene = Scene([(0, old(stage="yielded"))])
    assert verdict(scene.fail()) == ("already_leaving", "shutdown", None)
    assert scene.clock.time < 2


def test_order_that_began_is_not_lost_when_its_mark_disappears() -> None:
    boots: Boots = [(0, old()), (2, IDLE), (30, GONE), (35, by_kexec())]
    assert Scene(boots).run().method == "kexec"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Outcome(127, "", "sh: setsid: not found"), id="failed"),
        pytest.param(Outcome(0, "", ""), id="no acknowledgement"),
        pytest.param(Outcome(0, "0ther", ""), id="wrong acknowledgement"),
    ],
)
def test_order_that_was_not_acknowledged_is_shown_when_it_has_expired(said: Outcome) -> None:
    scene = Scene([(0, IDLE), (20, LEFT_ALONE)], remote={"order": said})
    error = scene.fail()
    assert verdict(error) == ("trigger_failed", "trigger", False)
    assert error.details == {"rc": said.rc, "stdout": said.stdout, "stderr": said.stderr}


@pytest.mark.parametrize("said", ["", "welc0me"], ids=["nothing", "something else"])
def test_order_that_was_not_acknowledged_may_be_carried_out(said: str) -> None:
    assert Scene(NORMAL, remote={"order": Outcome(0, said, "")}).run().method == "kexec"


@pytest.mark.parametrize("status", [1, 143, 255], ids=["failed", "ended", "lost"])
def test_acknowledgement_decides_and_not_the_exit_status(status: int) -> None:
    # The status is that of the connection, which may end while the order stands.
    scene = Scene(NORMAL, remote={"order": Outcome(status, f"{MARK}\n", "")})
    assert scene.run().method == "kexec"


def test_mark_of_another_leaver_gives_way_to_ours() -> None:
    # It may have died and left its mark behind.
    boots: Boots = [(0, old("jump", leaver="s0mebody")), (5, old()), (30, GONE), (35, by_kexec())]
    assert Scene(boots).run().method == "kexec"


def test_mark_of_another_leaver_does_not_replace_ours() -> None:
    boots: Boots = [(0, old()), (5, old(leaver="s0mebody")), (30, GONE), (35, by_kexec())]
    assert Scene(boots).run().method == "kexec"


@pytest.mark.parametrize("stage", ["replaced", "yielded", "expired"])
def test_mark_of_another_order_that_was_not_begun_does_not_count(stage: str) -> None:
    left = old(stage=stage, leaver="s0mebody", uptime=EXPIRES)
    scene = Scene([(0, old(stage=stage, leaver="s0mebody")), (20, left)])
    assert verdict(scene.fail()) == ("trigger_lost", "trigger", False)


def test_mark_of_another_leaver_counts_when_ours_does_not_come() -> None:
    boots: Boots = [(0, old(leaver="s0mebody")), (20, old(leaver="s0mebody", uptime=EXPIRES))]
    scene = Scene(boots)
    assert verdict(scene.fail()) == ("already_leaving", "shutdown", None)
    assert 20 <= scene.clock.time < 22


def test_image_that_was_replaced_is_told_at_once() -> None:
    scene = Scene([(0, old(stage="replaced"))])
    assert verdict(scene.fail()) == ("image_replaced", "trigger", None)
    assert scene.clock.time < 2


def test_image_that_was_replaced_for_somebody_else_is_not_ours() -> None:
    boots: Boots = [(0, old(stage="replaced", leaver="s0mebody")), (2, GONE), (8, by_kexec())]
    assert Scene(boots).run().method == "kexec"


@pytest.mark.parametrize(
    "said", [f"Welcome!\r\n{MARK}\r\n", MARK, f"{MARK}\n\n"], ids=["greeting", "bare", "blank"]
)
def test_acknowledgement_may_have_noise_before_it(said: str) -> None:
    scene = Scene(NORMAL, remote={"order": Outcome(0, said, "")})
    assert scene.run().method == "kexec"


# --- A host that does not come back, or not as it should -----------------------------------

ANOTHER_KEXEC = by_kexec(token="an-earlier-one")


@pytest.mark.parametrize(
    ("given", "boots", "expected"),
    [
        pytest.param({}, NEVER_DOWN, ("did_not_go_down", "shutdown", None), id="never down"),
        pytest.param({}, NORMAL[:3], ("did_not_return", "down", None), id="never back"),
        pytest.param({}, [(0, GONE)], ("did_not_return", "down", None), id="gone at once"),
        pytest.param(
            {}, [(0, old()), (2, GARBAGE)], ("did_not_return", "down", None), id="only garbage"
        ),
        pytest.param(
            {},
            [(0, old()), (2, DENIED)],
            ("authentication_refused", "down", None),
            id="only refusals",
        ),
        pytest.param(
            {}, [*NORMAL[:3], (8, NEW_KEY)], ("host_key_changed", "down", None), id="new host key"
        ),
        pytest.param(
            {},
            [*NORMAL[:3], (8, DENIED)],
            ("authentication_refused", "down", None),
            id="login refused for good",
        ),
        pytest.param(
            {},
            [(0, old("waiting", leaver="s0mebody", uptime=EXPIRES))],
            ("already_leaving", "shutdown", None),
            id="another controller",
        ),
        pytest.param(
            {},
            [*NORMAL[:3], (8, ANOTHER_KEXEC)],
            ("wrong_method", "verify", True),
            id="kexec into another image",
        ),
        pytest.param(
            {"method": "firmware"},
            [*NORMAL[:3], (8, ANOTHER_KEXEC)],
            ("wrong_method", "verify", True),
            id="kexec instead of firmware",
        ),
        pytest.param(
            {"method": "firmware"},
            NORMAL,
            ("wrong_method", "verify", True),
            id="our token after firmware",
        ),
        pytest.param(
            {"fallback": "fail"},
            [*NORMAL[:3], (8, by_firmware())],
            ("wrong_method", "verify", True),
            id="firmware where that is not allowed",
        ),
        pytest.param(
            {},
            [*NORMAL[:3], (8, by_kexec(OTHER_RELEASE))],
            ("wrong_kernel", "verify", True),
            id="kexec of another kernel",
        ),
        pytest.param(
            {},
            [*NORMAL[:3], (8, by_firmware(OTHER_RELEASE))],
            ("wrong_kernel", "verify", True),
            id="fell back to another kernel",
        ),
    ],
)
@pytest.mark.parametrize("probed", [True, False], ids=["probed", "not probed"])
def test_reboot_fails(
    given: dict[str, t.Any], boots: Boots, expected: tuple[str, str, bool | None], probed: bool
) -> None:
    probes = [(time, each not in (GONE, REFUSED)) for time, each in boots]
    assert verdict(Scene(boots, probes=probes if probed else None, **given).fail()) == expected


def test_message_of_a_host_that_is_lost_has_the_last_error() -> None:
    error = Scene([*NORMAL[:3], (20, REFUSED)]).fail()
    assert REFUSED.text in str(error)
    assert error.details["last_error"] == REFUSED.text


def test_message_of_a_host_that_stays_has_its_stage() -> None:
    error = Scene(NEVER_DOWN).fail()
    assert error.details["last_error"] == "the host still runs; its shutdown is at shutdown"


def test_message_of_a_wrong_method_has_the_command_line() -> None:
    error = Scene([(0, ANOTHER_KEXEC)]).fail()
    assert "through kexec into another image" in str(error)
    assert "alpinefleet_kexec.token=an-earlier-one" in str(error)
    assert error.details["observation"] == ANOTHER_KEXEC


def test_message_of_a_wrong_kernel_has_both() -> None:
    error = Scene([(0, by_kexec(OTHER_RELEASE))]).fail()
    assert RELEASE in str(error)
    assert OTHER_RELEASE in str(error)
    assert error.details == {"method": "kexec", "observation": by_kexec(OTHER_RELEASE)}


@pytest.mark.parametrize("seconds", [59.7, 59.9, 60.0, 60.1])
def test_question_that_the_deadline_cuts_off_says_nothing_about_the_host(seconds: float) -> None:
    scene = Scene([(0, old())], remote={"cost": 0.4}, reboot_timeout=seconds)
    assert verdict(scene.fail()) == ("did_not_go_down", "shutdown", None)


def test_answer_that_is_old_does_not_say_that_the_host_still_runs() -> None:
    scene = Scene([(0, old())], reboot_timeout=30.0)
    scene.remote.hangs_from(12.0)
    error = scene.fail()
    assert verdict(error) == ("did_not_return", "down", None)
    assert "gave no usable answer" in str(error)


def test_host_that_could_not_be_asked_is_not_said_to_run_its_old_system() -> None:
    # All of the time went into the end of the connection that brought the order.
    scene = Scene([(0, old())], reboot_timeout=10.0)
    scene.remote.shortens_for(10.0)
    error = scene.fail()
    assert verdict(error) == ("did_not_return", "down", None)
    assert "The last thing heard was: nothing" in str(error)
    assert "observe" not in scene.remote.names()


@pytest.mark.parametrize(
    ("boots", "said"),
    [
        pytest.param(NORMAL[:3], "went down and did not come back", id="gone"),
        pytest.param([*NORMAL[:3], (8, GARBAGE)], "went down and did not come back", id="garbage"),
        pytest.param([(0, old()), (2, GARBAGE)], "gave no usable answer", id="never seen down"),
        pytest.param([(0, old()), (2, DENIED)], "refuses the login", id="refusals only"),
    ],
)
def test_message_of_a_host_that_is_lost_says_only_what_was_seen(boots: Boots, said: str) -> None:
    assert said in str(Scene(boots).fail())


def test_host_that_answered_again_before_the_end_did_not_go_down() -> None:
    boots: Boots = [(0, old()), (5, GONE), (8, DENIED), (10, old())]
    assert verdict(Scene(boots).fail()) == ("did_not_go_down", "shutdown", None)


# --- Another machine -----------------------------------------------------------------------

ANOTHER = came_up("quiet", BOOT_LOADER_TYPE, RELEASE, machine="dmi:f00d")


@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_boot_of_another_machine_proves_nothing(method: str) -> None:
    error = Scene([*NORMAL[:3], (8, ANOTHER)], method=method).fail()
    assert verdict(error) == ("other_host", "verify", None)
    assert "web1" in str(error)
    assert "f00d" in str(error)


@pytest.mark.parametrize("before", [None, MACHINE], ids=["before", "now"])
def test_machine_whose_number_is_not_known_is_believed(before: str | None) -> None:
    after = None if before else MACHINE
    boots: Boots = [*NORMAL[:3], (8, came_up("quiet", BOOT_LOADER_TYPE, RELEASE, after))]
    assert Scene(boots, method="firmware", hardware_id=before).run().method == "firmware"


# --- Refused logins ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "boots",
    [
        pytest.param([*NORMAL[:3], (8, NEW_KEY)], id="after it was down"),
        pytest.param([(0, old()), (8, NEW_KEY)], id="never seen down"),
        pytest.param([*NORMAL[:3], (6, DENIED), (8, NEW_KEY)], id="after a refusal"),
    ],
)
def test_new_host_key_is_not_waited_for(boots: Boots) -> None:
    scene = Scene(boots)
    error = scene.fail()
    assert verdict(error) == ("host_key_changed", "down", None)
    assert error.details == {"last_error": NEW_KEY.text}
    assert len([time for time in scene.logins() if time >= 8]) == 1


@pytest.mark.parametrize(
    "boots",
    [
        pytest.param([*NORMAL[:3], (8, NEW_KEY), (55, GONE), (58, by_kexec())], id="initramfs"),
        pytest.param([*NORMAL[:3], (8, NEW_KEY), (55, by_kexec())], id="no gap between the two"),
        pytest.param([*NORMAL[:2], (1.5, NEW_KEY), (55, by_kexec())], id="never seen down"),
        pytest.param(
            [*NORMAL[:3], (8, NEW_KEY), (50, DENIED), (52, by_kexec())], id="then refused"
        ),
    ],
)
def test_other_host_key_is_waited_for_where_that_is_wanted(boots: Boots) -> None:
    scene = Scene(boots, other_host_key="wait")
    assert scene.run().method == "kexec"


def test_other_host_key_that_stays_is_told_at_the_deadline() -> None:
    scene = Scene([*NORMAL[:3], (8, NEW_KEY)], other_host_key="wait", reboot_timeout=90)
    error = scene.fail()
    assert verdict(error) == ("host_key_changed", "down", None)
    assert scene.clock.time >= 90


def test_refused_login_is_borne_for_a_while() -> None:
    scene = Scene([*NORMAL[:3], (8, DENIED)])
    assert scene.fail().details == {"last_error": DENIED.text}
    refused = [time for time in scene.logins() if time >= 8]
    assert 0 < refused[-1] - refused[0] - protocol.REFUSAL_PATIENCE < protocol.LAST_LOGIN_GAP + 0.2


@pytest.mark.parametrize(
    "boots",
    [
        pytest.param([(0, old()), (2, DENIED), (8, GONE), (10, DENIED)], id="on the way down, too"),
        pytest.param([(0, old()), (2, GONE), (9, DENIED)], id="on the way up"),
        pytest.param([(0, old()), (2, GONE), (3, DENIED), (15, GONE), (16, DENIED)], id="twice"),
        pytest.param([(0, old()), (2, GONE), (3, DENIED), (15, GARBAGE), (16, DENIED)], id="noise"),
        pytest.param([(0, GONE), (1, DENIED), (16, old()), (20, GONE), (21, DENIED)], id="blip"),
    ],
)
@pytest.mark.parametrize("probed", [True, False], ids=["probed", "not probed"])
def test_login_that_is_refused_for_a_moment_is_waited_for(boots: Boots, probed: bool) -> None:
    start = boots[-1][0]
    whole: Boots = [*boots, (start + protocol.REFUSAL_PATIENCE - 4, by_kexec())]
    probes = [(time, not isinstance(each, NoAnswerError)) for time, each in whole]
    assert Scene(whole, probes=probes if probed else None).run().method == "kexec"


def test_server_that_turns_away_whom_it_refused_still_refuses() -> None:
    scene = Scene([*NORMAL[:3], (8, DENIED), (12, DROPPED)], reboot_timeout=30.0)
    error = scene.fail()
    assert verdict(error) == ("authentication_refused", "down", None)
    assert error.details == {"last_error": DENIED.text}


@pytest.mark.parametrize(
    "boots",
    [
        pytest.param([(0, old()), (2, DROPPED)], id="alone"),
        pytest.param([(0, old()), (2, DENIED), (4, DROPPED)], id="after refusals on the way down"),
    ],
)
def test_connections_that_are_only_dropped_are_those_of_a_host_that_is_down(boots: Boots) -> None:
    error = Scene(boots).fail()
    assert verdict(error) == ("did_not_return", "down", None)
    assert error.details == {"last_error": DROPPED.text}
    assert "went down" in str(error)


@pytest.mark.parametrize("seconds", [12.0, 12.5, 13.0, 13.5, 14.0, 14.5, 15.0])
def test_refusal_is_told_although_the_deadline_cuts_the_last_question_off(seconds: float) -> None:
    scene = Scene([(0, GONE), (1, DENIED)], remote={"cost": 0.9}, reboot_timeout=seconds)
    error = scene.fail()
    assert verdict(error) == ("authentication_refused", "down", None)
    assert error.details == {"last_error": DENIED.text}


# --- Order and wait apart ------------------------------------------------------------------


def test_order_alone_closes_its_connection_and_asks_nothing() -> None:
    scene = Scene(NORMAL)
    assert scene.reboot().leave() is True
    assert scene.remote.names() == ["leave", "shorten"]


def test_order_alone_whose_connection_is_lost_may_not_have_arrived() -> None:
    scene = Scene(NORMAL, remote={"order": GONE})
    assert scene.reboot().leave() is False
    assert scene.remote.names() == ["leave", "shorten"]


@pytest.mark.parametrize(
    ("start", "downtime"),
    [
        pytest.param(1.0, 6.5, id="still alive"),
        pytest.param(4.0, None, id="down already"),
        pytest.param(9.0, None, id="back already"),
    ],
)
def test_wait_alone_orders_nothing_and_guesses_no_downtime(
    start: float, downtime: float | None
) -> None:
    scene = Scene(NORMAL, start=start)
    proof = scene.reboot().wait()
    assert scene.remote.names() == ["shorten", "observe", "test", "confirm"]
    assert proof.method == "kexec"
    assert proof.downtime == (None if downtime is None else pytest.approx(downtime, abs=1))
    assert set(proof.timings) == {"shutdown", "down", "verify"}


def test_wait_alone_has_the_whole_deadline() -> None:
    scene = Scene(NORMAL[:3], start=30.0)
    with pytest.raises(RebootError) as caught:
        scene.reboot().wait()
    assert verdict(caught.value) == ("did_not_return", "down", None)
    assert 0 <= scene.clock.time - 30 - scene.order.reboot_timeout < protocol.LAST_LOGIN_GAP


@pytest.mark.parametrize("acknowledged", [True, False])
def test_wait_alone_tells_a_lost_order_at_once(acknowledged: bool) -> None:
    scene = Scene([(0, LEFT_ALONE)], acknowledged=acknowledged)
    with pytest.raises(RebootError) as caught:
        scene.reboot().wait()
    assert verdict(caught.value) == ("trigger_lost", "trigger", False)
    assert scene.clock.time < 2


# --- The test command ----------------------------------------------------------------------

FAILS = Outcome(3, "out", "err")
WORKS = Outcome(0, "", "")


@pytest.mark.parametrize(
    "tests",
    [
        pytest.param([(0.0, FAILS), (20.0, WORKS)], id="fails at first"),
        pytest.param([(0.0, GONE), (20.0, WORKS)], id="no answer at first"),
        pytest.param([(0.0, WORKS)], id="succeeds"),
    ],
)
def test_test_command_is_repeated_until_it_succeeds(tests: t.Any) -> None:
    scene = Scene(NORMAL, remote={"tests": tests}, test_command="rc-status -q")
    scene.run()
    assert scene.remote.calls[-2] == ("test", "rc-status -q")
    assert scene.clock.time >= tests[-1][0]


def test_test_command_is_not_repeated_at_once() -> None:
    scene = Scene(NORMAL, remote={"tests": [(0.0, FAILS)]})
    scene.fail()
    calls = zip(scene.remote.calls, scene.remote.times, strict=True)
    times = [time for call, time in calls if call[0] == "test"]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= protocol.TEST_GAP


def test_test_command_that_fails_is_shown() -> None:
    error = Scene(NORMAL, remote={"tests": [(0.0, FAILS)]}).fail()
    assert verdict(error) == ("test_command_failed", "test_command", True)
    assert "'whoami' does not succeed: exit status 3" in str(error)
    assert error.details == {
        "rc": 3,
        "stdout": "out",
        "stderr": "err",
        "method": "kexec",
        "observation": NORMAL[-1][1],
    }


def test_test_command_that_gets_no_answer_is_shown() -> None:
    scene = Scene(NORMAL, remote={"tests": [(0.0, GONE)]})
    error = scene.fail()
    assert verdict(error) == ("test_command_failed", "test_command", True)
    assert "the host did not answer" in str(error)
    assert error.details == {"method": "kexec", "observation": NORMAL[-1][1]}
    assert any("the test command got no answer" in line for line in scene.log)


# --- The confirmation ----------------------------------------------------------------------

UNHEARD = Outcome(1, "", "read-only")
HEARD = Outcome(255, f"{TOKEN}\n", "")


def test_new_system_is_told_that_it_works_when_the_test_command_succeeded() -> None:
    scene = Scene(NORMAL)
    scene.run()
    assert scene.remote.names()[-2:] == ["test", "confirm"]
    assert scene.remote.calls[-1] == ("confirm", TOKEN)


def test_system_that_firmware_booted_needs_no_confirmation() -> None:
    scene = Scene([*NORMAL[:3], (40, by_firmware())])
    scene.run()
    assert "confirm" not in scene.remote.names()


def test_system_that_does_not_work_is_not_confirmed() -> None:
    scene = Scene(NORMAL, remote={"tests": [(0.0, FAILS)]})
    scene.fail()
    assert "confirm" not in scene.remote.names()


@pytest.mark.parametrize("early", [UNHEARD, GONE], ids=["not taken", "no answer"])
def test_confirmation_is_repeated_until_it_is_heard(early: t.Any) -> None:
    scene = Scene(NORMAL, remote={"confirmations": [(0.0, early), (20.0, HEARD)]})
    assert scene.run().method == "kexec"
    assert scene.clock.time >= 20


@pytest.mark.parametrize(
    ("never", "details"),
    [
        pytest.param(UNHEARD, {"rc": 1, "stdout": "", "stderr": "read-only"}, id="not taken"),
        pytest.param(GONE, {}, id="no answer"),
    ],
)
def test_confirmation_that_is_never_heard_is_a_failure(
    never: t.Any, details: dict[str, t.Any]
) -> None:
    scene = Scene(NORMAL, remote={"confirmations": [(0.0, never)]})
    error = scene.fail()
    assert verdict(error) == ("not_confirmed", "confirm", True)
    assert error.details == {"method": "kexec", "observation": NORMAL[-1][1], **details}
    assert abs(scene.clock.time - scene.order.reboot_timeout) < 2


# --- The health of what came back -----------------------------------------------------------

SERVICES = ("nginx", "sshd")


def wanted(**given: t.Any) -> Health:
    settings: dict[str, t.Any] = {
        "services": True,
        "required_services": (),
        "ignore_services": (),
        "commands": (),
        "ports": (),
        "timeout": 20.0,
        "stable_seconds": 0.0,
    }
    return Health(**{**settings, **given})


def runs(*services: str, rc_status: int = 0) -> Examination:
    return Examination(rc_status, frozenset(services), frozenset(), ())


ALL_RUN = runs(*SERVICES)
ONE_IS_MISSING = runs("sshd")


def asked(boots: Boots, *found: tuple[float, Examination | NoAnswerError], **given: t.Any) -> Scene:
    """A reboot whose task asks whether the host is well, and what it answers from when on."""
    order_given: dict[str, t.Any] = {"health": wanted(**given), "services": ()}
    return Scene(boots, remote={"examinations": [(0.0, ALL_RUN), *found]}, **order_given)


def test_nobody_is_asked_for_the_health_that_nobody_wants() -> None:
    scene = Scene(NORMAL)
    scene.run()
    assert "examine" not in scene.remote.names()


def test_what_runs_is_asked_before_the_order_and_after_all_else() -> None:
    scene = asked(NORMAL)
    reboot = scene.reboot()
    assert reboot.prepare().services == SERVICES
    reboot.run()
    names = ["examine", "leave", "shorten", "observe", "test", "confirm", "examine"]
    assert scene.remote.names() == names
    assert scene.remote.calls[0] == ("examine", WHICH_SERVICES)


def test_services_that_nobody_asks_for_are_not_listed_before() -> None:
    scene = Scene(NORMAL, health=wanted(services=False))
    scene.run()
    assert scene.remote.names()[0] == "leave"


def test_what_ran_before_comes_with_the_order_of_another_task() -> None:
    scene = Scene(
        NORMAL,
        remote={"examinations": [(0.0, ONE_IS_MISSING)]},
        health=wanted(timeout=0.0),
        services=SERVICES,
    )
    with pytest.raises(RebootError) as caught:
        scene.reboot().wait()
    assert caught.value.details["unhealthy"] == ["service nginx"]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(runs(rc_status=1), "rc-status ended with 1", id="no OpenRC"),
        pytest.param(GONE, "No route to host", id="no answer"),
    ],
)
def test_host_that_cannot_tell_what_runs_is_not_left(
    found: Examination | NoAnswerError, why: str
) -> None:
    scene = Scene(
        [(0, IDLE)], remote={"examinations": [(0.0, found)]}, health=wanted(), services=()
    )
    error = scene.fail()
    assert verdict(error) == ("services_unknown", "preflight", False)
    assert why in str(error)
    assert scene.remote.names() == ["examine"]


def test_host_that_boots_before_it_has_told_what_runs_is_not_left() -> None:
    scene = asked([(0, next_boot(by_firmware()))])
    assert verdict(scene.fail()) == ("services_unknown", "preflight", False)
    assert scene.remote.names() == ["examine"]


@pytest.mark.parametrize("early", [ONE_IS_MISSING, REFUSED], ids=["a service", "no answer"])
def test_host_has_time_to_become_well(early: Examination | NoAnswerError) -> None:
    scene = asked(NORMAL, (5.0, early), (20.0, ALL_RUN))
    assert scene.run().method == "kexec"
    assert 20 <= scene.clock.time < 22


@pytest.mark.parametrize(
    ("late", "findings"),
    [
        pytest.param(ONE_IS_MISSING, ["service nginx"], id="a service"),
        pytest.param(REFUSED, ["no answer: Connection refused"], id="no answer"),
    ],
)
def test_host_that_does_not_become_well_fails(
    late: Examination | NoAnswerError, findings: list[str]
) -> None:
    scene = asked(NORMAL, (5.0, late))
    error = scene.fail()
    assert verdict(error) == ("unhealthy", "health", True)
    assert error.details["unhealthy"] == findings
    assert error.details["method"] == "kexec"
    assert findings[0] in str(error)
    # It came up after 8 seconds, and had 20.
    assert 28 < scene.clock.time < 31


def test_health_is_asked_for_once_where_it_has_no_time() -> None:
    scene = asked(NORMAL, (5.0, ONE_IS_MISSING), timeout=0.0)
    assert verdict(scene.fail()) == ("unhealthy", "health", True)
    assert [call[0] for call in scene.remote.calls].count("examine") == 2


def test_time_of_the_health_is_none_of_the_reboot() -> None:
    scene = asked([*NORMAL[:3], (58, by_kexec())], (5.0, ONE_IS_MISSING), (75.0, ALL_RUN))
    assert scene.run().method == "kexec"
    assert scene.clock.time > 75


@pytest.mark.parametrize(
    ("late", "stable", "well"),
    [(20.0, 0.0, True), (20.0, 30.0, False), (45.0, 30.0, True)],
    ids=["looked at once", "gets sick meanwhile", "gets sick afterwards"],
)
def test_host_must_stay_well(late: float, stable: float, well: bool) -> None:
    scene = asked(NORMAL, (late, ONE_IS_MISSING), stable_seconds=stable)
    if well:
        assert scene.run().method == "kexec"
        assert scene.clock.time > stable
    else:
        assert verdict(scene.fail()) == ("unhealthy", "health", True)


def test_boot_that_ends_while_it_is_looked_at_is_not_the_one_that_is_named() -> None:
    boots: Boots = [*NORMAL, (12, GONE), (20, next_boot(by_firmware()))]
    scene = asked(boots, (5.0, ONE_IS_MISSING), (15.0, ALL_RUN))
    proof = scene.run()
    assert (proof.observation.boot_id, proof.method) == (NEXT_BOOT, "firmware")


def test_host_that_boots_again_and_again_is_none_that_stays() -> None:
    third = replace(by_firmware(), boot_id="5f0c6d2e-1111-4222-8333-944455556666")
    boots: Boots = [*NORMAL, (20, next_boot(by_firmware())), (70, third)]
    scene = asked(boots, stable_seconds=40.0)
    assert verdict(scene.fail()) == ("did_not_stay", "verify", True)
