# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service kexec-confirm and what it runs in the background, on a host that is a folder."""

from __future__ import annotations

import re
import time
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import (
    BOOT_ID,
    JUMP,
    OURS,
    PROGRAMS,
    RUNNING,
    STATE,
    TOKEN,
    UUID,
    ServiceHost,
)

CONFIRM = "alpinefleet_kexec.confirm=60"
WATCHDOG = "alpinefleet_kexec.watchdog=i6300esb,30"
STATE_OF_WATCHDOG = "sys/class/watchdog/watchdog0/state"
CONFIRMED = f"printf {UUID} >$root/{OURS}/confirmed"


WAITS = re.compile(r"(sleep 1|pause [0-9.]+)")


def watch(host: ServiceHost, *parameters: str) -> list[str]:
    """Run what the service runs; return what it did besides waiting."""
    host.write("proc/cmdline", " ".join(["quiet", TOKEN, *parameters]) + "\n")
    host.script("kexec-confirm")
    return [line for line in host.log() if not WAITS.fullmatch(line)]


def at(host: ServiceHost, uptime: int, command: str) -> None:
    """Let something happen at a time after the boot."""
    host.write(f"at/{uptime}", command)


def feeds(host: ServiceHost, timeout: int = 30) -> str:
    """How a feeder begins."""
    sets_time = f"busybox watchdog -F -T {timeout} -t 250ms {host.root}/dev/watchdog"
    return f"busybox timeout -s KILL 1 {sets_time}"


def is_stopped(host: ServiceHost) -> bool:
    """Tell whether the last thing that the watchdog was told lets it stop."""
    return host.read("dev/watchdog").endswith("V")


@pytest.fixture
def fed(host: ServiceHost) -> ServiceHost:
    """A host with a watchdog that nobody else uses."""
    host.write("dev/watchdog", "")
    return host


# --- Confirmed ------------------------------------------------------------------------------


def test_a_confirmed_boot_stays(host: ServiceHost) -> None:
    at(host, 30, CONFIRMED)
    host.write(f"{OURS}/confirm.pid", "1")
    assert watch(host, CONFIRM) == []
    assert host.read("dev/kmsg") == "<6>kexec-confirm: This boot is confirmed.\n"
    assert not host.exists(f"{OURS}/no-kexec")
    assert not host.exists(f"{OURS}/confirm.pid")
    assert host.read("proc/uptime").startswith("30.")


def test_a_confirmed_boot_stops_the_watchdog(fed: ServiceHost) -> None:
    at(fed, 30, CONFIRMED)
    assert watch(fed, CONFIRM, WATCHDOG) == [
        "modprobe i6300esb",
        feeds(fed),
        "kill -TERM",
    ]
    assert is_stopped(fed)


@pytest.mark.parametrize(
    ("note", "stays"), [(f"{UUID} x\n", False), (f"{BOOT_ID} x\n", True)], ids=["ours", "another"]
)
def test_a_confirmed_boot_proves_its_jump(host: ServiceHost, note: str, stays: bool) -> None:
    host.write(JUMP, note)
    at(host, 30, CONFIRMED)
    watch(host, CONFIRM)
    assert host.exists(JUMP) is stays


@pytest.mark.parametrize(
    ("runs", "orders"),
    [(False, ["zap", "start"]), (True, [])],
    ids=["found the device busy", "was not in the way"],
)
def test_the_watchdog_goes_back_to_its_service(
    fed: ServiceHost, runs: bool, orders: list[str]
) -> None:
    fed.write("etc/runlevels/default/watchdog", "")
    if runs:
        fed.write("watchdog-runs", "")
    at(fed, 30, CONFIRMED)
    log = watch(fed, CONFIRM, WATCHDOG)
    expected = ["status", *orders]
    assert log[log.index("kill -TERM") + 1 :] == [
        f"rc-service --quiet watchdog {order}" for order in expected
    ]


def test_a_watchdog_that_cannot_be_stopped_is_fed_on(fed: ServiceHost) -> None:
    fed.write(STATE_OF_WATCHDOG, "active\n")
    at(fed, 30, CONFIRMED)
    at(fed, 31, ': >"$root/dev/watchdog"')
    # Whatever ends the feeder, until the system goes down.
    at(fed, 35, 'log "$(cat "$root/dev/kmsg")"')
    at(fed, 40, 'command kill -KILL "$feeder"; wait "$feeder"; : >"$root/dev/watchdog"')
    at(fed, 50, "command kill -TERM $$")
    log = watch(fed, CONFIRM, WATCHDOG)
    assert log.count(feeds(fed)) == 3
    assert any("cannot be stopped" in line for line in log)


# --- Not confirmed --------------------------------------------------------------------------


def test_a_boot_that_is_not_confirmed_is_left(fed: ServiceHost) -> None:
    at(fed, 62, 'log "$(cat "$root/dev/kmsg")"')
    why = "the system that kexec booted was not confirmed within 60 seconds."
    # Nobody waits for the last command but this test, on a machine that has other things to do.
    reboots = "busybox reboot -n -f"
    fed.afterwards = lambda: until(lambda: reboots in fed.log())
    log = watch(fed, CONFIRM, WATCHDOG)
    assert reboots in log[-3:]
    assert [*(line for line in log if line != reboots), reboots] == [
        "modprobe i6300esb",
        feeds(fed),
        "kill -KILL",
        "sleep 2",
        f"<2>kexec-confirm: Going back through firmware: {why}",
        "busybox reboot",
        "sleep 10",
        "sleep 2",
        "sleep 10",
        "sleep 2",
        "busybox reboot -n -f",
    ]
    assert fed.read(STATE) == f"{UUID} {why}\n"
    assert fed.exists(f"{OURS}/no-kexec")
    assert fed.read("proc/sysrq-trigger") == "b"
    # The shutdown is given its time.
    assert fed.read("dev/watchdog") == "." * 120
    assert fed.read("proc/uptime").startswith(f"{60 + 2 + 120 + 10 + 2 + 10 + 2}.")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("busybox() { command sleep 600; }", id="that hangs"),
        pytest.param("busybox() { return 1; }", id="that fails"),
        pytest.param("busybox() { exit 2; }", id="that can have no process"),
    ],
)
def test_a_reboot_that_does_not_come_is_left_to_the_kernel(host: ServiceHost, command: str) -> None:
    host.write("proc/cmdline", f"quiet {TOKEN} {CONFIRM}\n")
    host.code(f"{command}\n{PROGRAMS['kexec-confirm']}", "kexec-confirm")
    assert host.read("proc/sysrq-trigger") == "b"


@pytest.mark.parametrize(("confirmed", "resets"), [(False, "b"), (True, "")])
def test_time_goes_on_for_a_shell_that_can_have_no_process(
    host: ServiceHost, confirmed: bool, resets: str
) -> None:
    host.write("proc/cmdline", f"quiet {TOKEN} {CONFIRM}\n")
    if confirmed:
        at(host, 30, CONFIRMED)
    code, feeds_in_main = PROGRAMS["kexec-confirm"], "\t\tfeed\n\t\tpause 1\n\tdone\n\tfinish\n"
    assert feeds_in_main in code
    ends = feeds_in_main.replace("feed", "exit 2", 1)
    host.code(code.replace(feeds_in_main, ends), "kexec-confirm")
    assert host.read("proc/sysrq-trigger") == resets
    assert int(host.read("proc/uptime").partition(".")[0]) >= (30 if confirmed else 60)


def test_a_watchdog_that_is_lost_meanwhile_is_no_obstacle(fed: ServiceHost) -> None:
    at(fed, 62, 'rm "$root/dev/watchdog"; mkdir "$root/dev/watchdog"')
    assert "busybox reboot -n -f" in watch(fed, CONFIRM, WATCHDOG)
    assert fed.read("proc/uptime").startswith(f"{60 + 2 + 120 + 10 + 2 + 10 + 2}.")


def until(condition: t.Callable[[], bool]) -> None:
    """Wait for what a process in the background does, while it may."""
    end = time.monotonic() + shell_runner.TIMEOUT
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)


def test_the_console_is_told(host: ServiceHost) -> None:
    # In the background, so that a console which is held up holds nothing up.
    host.afterwards = lambda: until(lambda: host.read("dev/console") != "")
    watch(host, CONFIRM)
    assert host.read("dev/console").startswith("kexec-confirm: ")


def test_the_note_of_the_jump_stays_unless_confirmed(host: ServiceHost) -> None:
    host.write(JUMP, f"{UUID} {BOOT_ID} - 1\n")
    watch(host, CONFIRM)
    assert host.exists(JUMP)


def test_another_token_confirms_nothing(host: ServiceHost) -> None:
    host.write(f"{OURS}/confirmed", f"{BOOT_ID}\n")
    assert "busybox reboot" in watch(host, CONFIRM)


def test_time_that_is_over_at_the_begin_leaves_at_once(host: ServiceHost) -> None:
    host.write("proc/uptime", "9000.00 1.00\n")
    assert watch(host, CONFIRM)[:2] == ["sleep 2", "busybox reboot"]


def test_a_confirmation_counts_even_late(host: ServiceHost) -> None:
    host.write("proc/uptime", "9000.00 1.00\n")
    host.write(f"{OURS}/confirmed", f"{UUID}\n")
    assert watch(host, CONFIRM) == []


def test_a_state_that_cannot_be_written_is_no_obstacle(host: ServiceHost) -> None:
    host.write("var/.keep", "")
    (host.root / "var").chmod(0o555)
    assert "busybox reboot" in watch(host, CONFIRM)
    assert not host.exists(STATE)
    (host.root / "var").chmod(0o755)


def test_a_shutdown_that_has_begun_is_not_made_a_reboot(fed: ServiceHost) -> None:
    fed.write("run/openrc/rc.stopping", "")
    at(fed, 90, "command kill -TERM $$")
    log = watch(fed, CONFIRM, WATCHDOG)
    assert "busybox reboot" not in log
    assert log[-1] == "kill -TERM"
    assert is_stopped(fed)


def test_the_end_of_the_watcher_stops_the_watchdog(fed: ServiceHost) -> None:
    fed.write(f"{OURS}/confirm.pid", "1")
    at(fed, 30, "command kill -TERM $$")
    assert watch(fed, CONFIRM, WATCHDOG)[-1] == "kill -TERM"
    assert is_stopped(fed)
    assert not fed.exists(f"{OURS}/confirm.pid")


# --- The watchdog ---------------------------------------------------------------------------


@pytest.mark.parametrize(("timeout", "pause"), [(1, "0.25"), (3, "0.25"), (4, "1"), (65535, "1")])
def test_it_is_fed_often_enough(fed: ServiceHost, timeout: int, pause: str) -> None:
    at(fed, 10, CONFIRMED)
    assert feeds(fed, timeout) in watch(fed, CONFIRM, f"alpinefleet_kexec.watchdog=wdt,{timeout}")
    assert {line for line in fed.log() if line.startswith("pause")} == {f"pause {pause}"}


def test_without_a_device_the_boot_is_confirmed_all_the_same(host: ServiceHost) -> None:
    assert watch(host, CONFIRM, WATCHDOG)[:3] == ["modprobe i6300esb", "sleep 2", "busybox reboot"]


def test_a_device_that_comes_later_is_fed(host: ServiceHost) -> None:
    at(host, 20, ': >"$root/dev/watchdog"')
    at(host, 30, CONFIRMED)
    assert feeds(host) in watch(host, CONFIRM, WATCHDOG)


def test_a_driver_that_is_missing_is_told_and_the_device_fed(fed: ServiceHost) -> None:
    fed.write("no-driver", "")
    at(fed, 5, 'log "$(cat "$root/dev/kmsg")"')
    at(fed, 30, CONFIRMED)
    log = watch(fed, CONFIRM, WATCHDOG)
    assert "<4>kexec-confirm: The watchdog's driver i6300esb cannot be loaded." in log
    assert feeds(fed) in log


def test_a_device_that_is_busy_is_tried_until_it_is_free(fed: ServiceHost) -> None:
    (fed.root / "dev/watchdog").chmod(0)
    at(fed, 10, 'chmod 600 "$root/dev/watchdog"; log "$(cat "$root/dev/kmsg")"')
    at(fed, 30, CONFIRMED)
    log = watch(fed, CONFIRM, WATCHDOG)
    assert log.count(feeds(fed)) == 7
    assert "cannot be fed" in next(line for line in log if line.startswith("<4>"))
    assert is_stopped(fed)


def test_a_watchdog_without_a_time_to_confirm_is_fed_until_the_boot_is_over(
    fed: ServiceHost,
) -> None:
    fed.write("run/openrc/softlevel", "sysinit\n")
    at(fed, 100, 'echo default >"$root/run/openrc/softlevel"; : >"$root/run/openrc/rc.starting"')
    at(fed, 200, 'rm "$root/run/openrc/rc.starting"')
    assert watch(fed, WATCHDOG)[-1] == "kill -TERM"
    assert is_stopped(fed)
    assert fed.read("proc/uptime").startswith("200.")
    assert not fed.exists(f"{OURS}/no-kexec")


@pytest.mark.parametrize("signal_name", ["KILL", "STOP"])
@pytest.mark.parametrize("parameters", [(CONFIRM, WATCHDOG), (WATCHDOG,)], ids=len)
def test_nobody_is_fed_for_a_watcher_that_is_gone(
    fed: ServiceHost, parameters: tuple[str, ...], signal_name: str
) -> None:
    fed.write("run/openrc/softlevel", "sysinit\n")
    fed.afterwards = lambda: shell_runner.starves(fed.root / "dev/watchdog")
    at(fed, 30, f"command kill -{signal_name} $$")
    watch(fed, *parameters)
    # Nobody has stopped it, so that it resets the host.
    assert not is_stopped(fed)


def test_a_feeder_that_is_killed_gets_a_successor(fed: ServiceHost) -> None:
    at(fed, 30, 'command kill -KILL "$feeder"; wait "$feeder"; : >"$root/dev/watchdog"')
    at(fed, 40, 'log "fed again: $(head -c 1 "$root/dev/watchdog")"')
    at(fed, 50, CONFIRMED)
    log = watch(fed, CONFIRM, WATCHDOG)
    assert log.count(feeds(fed)) == 2
    assert "fed again: ." in log
    assert is_stopped(fed)


def test_watcher_and_feeder_that_are_killed_leave_nobody(fed: ServiceHost) -> None:
    fed.afterwards = lambda: shell_runner.starves(fed.root / "dev/watchdog")
    at(fed, 30, 'command kill -KILL "$feeder" $$')
    watch(fed, CONFIRM, WATCHDOG)


def test_watcher_that_is_stopped_for_a_while_feeds_on(fed: ServiceHost) -> None:
    at(fed, 30, "( command sleep 0.1; command kill -CONT $$ ) & command kill -STOP $$")
    at(fed, 40, CONFIRMED)
    fed.afterwards = lambda: until(lambda: is_stopped(fed))
    assert "sleep 2" not in watch(fed, CONFIRM, WATCHDOG)
    assert is_stopped(fed)


def test_a_feeder_that_was_stopped_stops_the_watchdog_all_the_same(fed: ServiceHost) -> None:
    at(fed, 20, 'command kill -STOP "$feeder"')
    at(fed, 30, CONFIRMED)
    watch(fed, CONFIRM, WATCHDOG)
    assert is_stopped(fed)


def test_a_feeder_that_cannot_be_ended_holds_nothing_up(fed: ServiceHost) -> None:
    at(fed, 30, f"kill() {{ case $1 in -0) command kill -0 $2 ;; esac; }}; {CONFIRMED}")
    watch(fed, CONFIRM, WATCHDOG)
    assert not fed.exists(f"{OURS}/confirm.pid")


def test_a_wish_to_end_that_comes_with_a_new_feeder_stops_the_watchdog(fed: ServiceHost) -> None:
    fed.write("proc/cmdline", f"quiet {TOKEN} {CONFIRM} {WATCHDOG}\n")
    code = PROGRAMS["kexec-confirm"]
    forks = 'keep_feeding "$device" "$timeout" &\n'
    assert forks in code
    fed.code(code.replace(forks, f"{forks}kill -TERM $$\n"), "kexec-confirm")
    assert is_stopped(fed)


# --- What stands on the command line --------------------------------------------------------

NO_SECONDS = ["", "0", "-1", "007", "1.5", "60s", "1e3", "999999", "$(reboot)", "*", "60,60"]
NO_WATCHDOG = [
    "i6300esb",
    "i6300esb,",
    ",30",
    "i6300esb,30,30",
    "a/b,30",
    "-r,30",
    "$(id),30",
    "*,9",
]


@pytest.mark.parametrize("value", NO_SECONDS)
def test_seconds_that_are_none_leave_the_boot_alone(host: ServiceHost, value: str) -> None:
    assert watch(host, f"alpinefleet_kexec.confirm={value}") == []
    assert not host.exists(f"{OURS}/no-kexec")


@pytest.mark.parametrize("value", NO_WATCHDOG)
def test_a_watchdog_that_is_none_is_told_and_not_fed(fed: ServiceHost, value: str) -> None:
    at(fed, 5, 'log "$(cat "$root/dev/kmsg")"')
    at(fed, 30, CONFIRMED)
    log = watch(fed, CONFIRM, f"alpinefleet_kexec.watchdog={value}")
    told = f"<3>kexec-confirm: alpinefleet_kexec.watchdog={value} names no driver and seconds"
    assert log == [f"{told}, so no watchdog is fed."]


def test_without_a_token_nothing_can_be_confirmed(host: ServiceHost) -> None:
    host.write("proc/cmdline", f"{CONFIRM} quiet\n")
    host.script("kexec-confirm")
    assert host.log() == []


def test_the_last_value_counts(host: ServiceHost) -> None:
    watch(host, CONFIRM, "alpinefleet_kexec.confirm=90")
    assert "within 90 seconds" in host.read(STATE)


# --- The service ----------------------------------------------------------------------------


def start(host: ServiceHost, cmdline: str, runlevel: str = "sysinit") -> list[str]:
    host.write("proc/cmdline", f"{cmdline}\n")
    return host.service("kexec-confirm", "start", RC_RUNLEVEL=runlevel, RC_SVCNAME="kexec-confirm")


@pytest.mark.parametrize("parameter", [CONFIRM, WATCHDOG])
def test_start_runs_the_watcher_where_it_is_wanted(host: ServiceHost, parameter: str) -> None:
    (_begin, line) = start(host, f"{parameter} quiet")
    # OpenRC does not know of the process, which ends by itself.
    assert line.startswith("start-stop-daemon alone --start --background --make-pidfile")
    assert line.endswith(f"--exec {host.root}/sbin/kexec-confirm")
    assert (host.root / OURS).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("cmdline", "runlevel"),
    [
        pytest.param(f"{RUNNING} {TOKEN}", "sysinit", id="not wanted"),
        pytest.param(f"{CONFIRM} {TOKEN}", "default", id="by hand, later"),
        pytest.param(f"quiet -- {CONFIRM} {TOKEN}", "sysinit", id="wanted of init"),
        pytest.param(f'dyndbg="a {CONFIRM} b" {TOKEN}', "sysinit", id="a part of another"),
    ],
)
def test_start_does_nothing(host: ServiceHost, cmdline: str, runlevel: str) -> None:
    assert start(host, cmdline, runlevel) == []


def stop(host: ServiceHost, *files: str) -> list[str]:
    for name in files:
        host.write(f"{OURS}/{name}", "1\n")
    return host.service("kexec-confirm", "stop")


def test_stop_ends_the_watcher(host: ServiceHost) -> None:
    (_begin, line) = stop(host, "confirm.pid")
    assert line.startswith("start-stop-daemon alone --stop --retry TERM/10 --pidfile")


@pytest.mark.parametrize(
    "files", [(), ("confirm.pid", "expired")], ids=["nothing runs", "the watcher leads"]
)
def test_stop_leaves_alone(host: ServiceHost, files: tuple[str, ...]) -> None:
    assert stop(host, *files) == []


def test_confirm_by_hand_writes_the_token(host: ServiceHost) -> None:
    host.write("proc/cmdline", f"{CONFIRM} {TOKEN} quiet\n")
    host.write(f"{OURS}/confirm.pid", "1\n")
    assert host.service("kexec-confirm", "confirm") == []
    assert host.read(f"{OURS}/confirmed") == f"{UUID}\n"


def test_confirm_by_hand_says_that_nothing_waits(host: ServiceHost) -> None:
    (line,) = host.service("kexec-confirm", "confirm")
    assert line == "einfo Nothing waits for this boot to be confirmed."
    assert not host.exists(f"{OURS}/confirmed")
