# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kexec-confirm while a kernel is on trial, on a host that is a folder."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import (
    JUMP,
    OTHER_BOOT,
    OURS,
    STATE,
    TOKEN,
    UUID,
    ServiceHost,
)

RUN = "campaign-7.web-1"
TRIAL = f"alpinefleet_kexec.trial={RUN}"
PROOF = f"alpinefleet_kexec.proof={RUN}"
DEADLINE = "alpinefleet_kexec.deadline=90"
CONFIRM = "alpinefleet_kexec.confirm=60"
WATCHDOG = "alpinefleet_kexec.watchdog=i6300esb,30"
CONFIRMED = f"printf {UUID} >$root/{OURS}/confirmed"
VERIFIED = f"echo {RUN} >$root/{OURS}/verified"
END = "var/lib/alpinefleet-kexec/trial-end"
CHECKS = f"{OURS}/checks"
REQUIRED = "etc/alpinefleet-kexec/required.d"
WANTED = "etc/alpinefleet-kexec/wanted.d"
LATE = "the kernel on trial was not verified within 90 seconds."
# A check takes its time, while that of the host is what the program waits.
UNTIL_CHECKED = f"while [ ! -s $root/{CHECKS} ]; do command sleep 0.01; done"


def on_trial(host: ServiceHost, *parameters: str, cmdline: str = f"quiet {TOKEN} {TRIAL}") -> bool:
    """Run what the service runs; tell whether the kernel was left."""
    host.write("proc/cmdline", " ".join([cmdline, *parameters]) + "\n")
    host.script("kexec-confirm")
    return "busybox reboot" in host.log()


def at(host: ServiceHost, uptime: int, command: str) -> None:
    """Let something happen at a time after the boot."""
    host.write(f"at/{uptime}", f"{command}\n")


def uptime(host: ServiceHost) -> int:
    return int(host.read("proc/uptime").partition(".")[0])


def put_check(host: ServiceHost, folder: str, name: str, does: str) -> None:
    host.write(f"{folder}/{name}", f"#!/bin/sh\n{does}\n")
    (host.root / folder / name).chmod(0o755)


def last_words(host: ServiceHost) -> str:
    return host.read(END) if host.exists(END) else ""


# --- The end of a trial ---------------------------------------------------------------------


def test_trial_that_is_verified_stays(host: ServiceHost) -> None:
    host.write(JUMP, f"{UUID} {OTHER_BOOT} - 1\n")
    at(host, 20, CONFIRMED)
    at(host, 70, VERIFIED)
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert uptime(host) == 70
    assert host.read("dev/kmsg") == "<6>kexec-confirm: The kernel on trial is verified.\n"
    assert not host.exists(JUMP)
    # It says that the kernel had begun, in case that nothing is left to say more.
    assert last_words(host).startswith(f"{RUN} unknown ") is bool(last_words(host))


@pytest.mark.parametrize("verified", ["", f"echo another >$root/{OURS}/verified"])
def test_trial_that_is_confirmed_and_no_more_is_left_at_its_deadline(
    host: ServiceHost, verified: str
) -> None:
    at(host, 20, CONFIRMED)
    at(host, 70, verified)
    assert on_trial(host, CONFIRM, DEADLINE)
    assert last_words(host) == f"{RUN} deadline {LATE}\n"
    assert host.read(STATE) == f"{UUID} {LATE}\n"
    assert host.exists(f"{OURS}/no-kexec")


def test_trial_that_is_not_even_confirmed_is_left_sooner(host: ServiceHost) -> None:
    assert on_trial(host, CONFIRM, DEADLINE)
    why = "the system that kexec booted was not confirmed within 60 seconds."
    assert last_words(host) == f"{RUN} deadline {why}\n"


def test_trial_that_is_verified_and_not_confirmed_is_not_settled(host: ServiceHost) -> None:
    at(host, 20, VERIFIED)
    assert on_trial(host, CONFIRM, DEADLINE)


def test_trial_that_nobody_has_to_confirm_waits_for_its_verdict(host: ServiceHost) -> None:
    at(host, 40, VERIFIED)
    assert not on_trial(host, DEADLINE, cmdline=f"quiet {TRIAL}")
    assert uptime(host) == 40


def test_trial_without_a_token_is_left_at_its_deadline(host: ServiceHost) -> None:
    assert on_trial(host, DEADLINE, cmdline=f"quiet {TRIAL}")
    assert host.read(STATE) == f"- {LATE}\n"


def test_boot_through_firmware_that_proves_a_kernel_is_left_at_its_deadline(
    host: ServiceHost,
) -> None:
    assert on_trial(host, DEADLINE, cmdline=f"quiet {PROOF}")
    assert last_words(host) == f"{RUN} deadline {LATE}\n"


def test_boot_through_firmware_that_proves_a_kernel_is_verified(host: ServiceHost) -> None:
    at(host, 40, VERIFIED)
    assert not on_trial(host, DEADLINE, cmdline=f"quiet {PROOF}")
    assert uptime(host) == 40


@pytest.mark.parametrize("deadline", ["", "0", "-1", "1h", "*"])
def test_trial_without_a_deadline_has_one(host: ServiceHost, deadline: str) -> None:
    at(host, 20, CONFIRMED)
    assert on_trial(host, CONFIRM, f"alpinefleet_kexec.deadline={deadline}")
    assert "not verified within 600 seconds" in last_words(host)


def test_deadline_without_a_trial_is_none(host: ServiceHost) -> None:
    assert not on_trial(host, DEADLINE, cmdline=f"quiet {TOKEN}")
    at(host, 20, CONFIRMED)
    assert not on_trial(host, DEADLINE, CONFIRM, cmdline=f"quiet {TOKEN}")
    assert uptime(host) == 20


def test_watchdog_is_fed_until_the_trial_is_verified(host: ServiceHost) -> None:
    host.write("dev/watchdog", "")
    at(host, 20, CONFIRMED)
    at(host, 50, 'log "fed: $(tail -c 1 "$root/dev/watchdog")"')
    at(host, 70, VERIFIED)
    assert not on_trial(host, CONFIRM, DEADLINE, WATCHDOG)
    assert "fed: ." in host.log()
    assert host.read("dev/watchdog").endswith("V")


def test_shutdown_of_a_trial_is_not_made_a_reboot(host: ServiceHost) -> None:
    host.write("run/openrc/rc.stopping", "")
    at(host, 120, "command kill -TERM $$")
    assert not on_trial(host, DEADLINE)


@pytest.mark.parametrize(("ends_with", "resets"), [("", "b"), (VERIFIED, "")])
def test_trial_goes_on_for_a_shell_that_can_have_no_process(
    host: ServiceHost, ends_with: str, resets: str
) -> None:
    at(host, 20, f"{CONFIRMED}; exit 2")
    at(host, 70, ends_with)
    on_trial(host, DEADLINE, CONFIRM)
    assert host.read("proc/sysrq-trigger") == resets
    assert uptime(host) >= (70 if ends_with else 90)


def test_last_words_that_cannot_be_written_are_no_obstacle(host: ServiceHost) -> None:
    host.write("var/.keep", "")
    (host.root / "var").chmod(0o555)
    assert on_trial(host, DEADLINE)
    (host.root / "var").chmod(0o755)


# --- Somebody is at work on the host --------------------------------------------------------


def test_no_time_passes_while_a_trial_is_held(host: ServiceHost) -> None:
    at(host, 20, f"{CONFIRMED}; touch $root/{OURS}/hold")
    at(host, 30, 'log "$(cat "$root/dev/kmsg")"')
    at(host, 500, f"rm $root/{OURS}/hold")
    assert on_trial(host, CONFIRM, DEADLINE)
    assert "<4>kexec-confirm: The trial is held, until" in "\n".join(host.log())
    # What ends it takes 142 seconds where nobody hears that it is to end.
    assert 500 + 70 <= uptime(host) - 142 <= 500 + 72 + 4


def test_trial_is_held_before_it_is_confirmed(host: ServiceHost) -> None:
    host.write(f"{OURS}/hold", "")
    at(host, 300, f"{CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)


def test_only_a_trial_is_held(host: ServiceHost) -> None:
    host.write(f"{OURS}/hold", "")
    assert on_trial(host, CONFIRM, cmdline=f"quiet {TOKEN}")


def test_hold_that_outlives_boots_holds_the_trial_once_it_can_be_looked_at(
    host: ServiceHost,
) -> None:
    host.write("var/lib/alpinefleet-kexec/hold", "")
    at(host, 20, CONFIRMED)
    at(host, 40, f"while [ ! -e $root/{OURS}/hold ]; do command sleep 0.01; done")
    at(host, 300, VERIFIED)
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert host.exists("var/lib/alpinefleet-kexec/hold")


def test_checks_of_a_trial_that_is_held_come_after_it(host: ServiceHost) -> None:
    put_check(host, REQUIRED, "10-first", f'[ ! -e "{host.root}/{OURS}/hold" ]')
    host.write(f"{OURS}/hold", "")
    at(host, 200, f"rm $root/{OURS}/hold")
    at(host, 210, f"{UNTIL_CHECKED}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert host.read(CHECKS) == f"{RUN} passed\n"


def test_what_failed_while_somebody_came_to_work_there_is_asked_again(host: ServiceHost) -> None:
    hold = f"{host.root}/{OURS}/hold"
    again = f"{host.root}/etc/alpinefleet-kexec/again"
    put_check(host, REQUIRED, "x", f'[ -e "{again}" ] || {{ touch "{again}" "{hold}"; exit 1; }}')
    (host.root / "etc/alpinefleet-kexec").chmod(0o777)
    at(host, 20, f"while [ ! -e {again} ]; do command sleep 0.01; done")
    at(host, 200, f"rm {hold}; {UNTIL_CHECKED}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert host.read(CHECKS) == f"{RUN} passed\n"


# --- What the host checks itself ------------------------------------------------------------


def test_required_check_that_fails_ends_the_trial(host: ServiceHost) -> None:
    put_check(host, REQUIRED, "10-first", "exit 0")
    put_check(host, REQUIRED, "20-disk", "echo a disk is missing; exit 3")
    put_check(host, REQUIRED, "30-last", f'echo ran >"{host.root}/last"')
    at(host, 30, f"{CONFIRMED}; {UNTIL_CHECKED}")
    assert on_trial(host, CONFIRM, DEADLINE)
    why = "the required check 20-disk failed with status 3."
    assert last_words(host) == f"{RUN} required_check {why}\n"
    assert uptime(host) < 30 + 142 + 4
    assert not host.exists("last")


def test_required_checks_that_pass_are_noted_and_the_wanted_ones_asked(host: ServiceHost) -> None:
    put_check(host, REQUIRED, "10-first", "exit 0")
    put_check(host, WANTED, "10-first", f'echo "$0" >>"{host.root}/run/asked"; exit 1')
    put_check(host, WANTED, "20-last", f'echo "$0" >>"{host.root}/run/asked"')
    (host.root / "run").chmod(0o777)
    asked = 'while [ "$(wc -l <"$root/run/asked")" != 2 ]; do command sleep 0.01; done 2>/dev/null'
    at(host, 30, f"{UNTIL_CHECKED}; {asked}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert host.read(CHECKS) == f"{RUN} passed\n"
    folder = host.root / WANTED
    assert host.read("run/asked").splitlines() == [f"{folder}/10-first", f"{folder}/20-last"]


def test_host_without_checks_passes_them(host: ServiceHost) -> None:
    at(host, 30, f"{UNTIL_CHECKED}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert host.read(CHECKS) == f"{RUN} passed\n"


def test_checks_are_asked_once_the_services_run(host: ServiceHost) -> None:
    host.write("run/openrc/softlevel", "boot\n")
    put_check(host, REQUIRED, "x", f'grep -q default "{host.root}/run/openrc/softlevel"')
    at(host, 30, 'echo default >"$root/run/openrc/softlevel"')
    at(host, 40, f"{UNTIL_CHECKED}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert host.read(CHECKS) == f"{RUN} passed\n"


@pytest.mark.parametrize("name", ["a b", "x~", "$(reboot)", "*"])
def test_what_has_the_name_of_no_program_is_not_asked(host: ServiceHost, name: str) -> None:
    put_check(host, REQUIRED, name, "exit 1")
    at(host, 30, f"{UNTIL_CHECKED}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)


def test_what_cannot_be_executed_is_told_and_not_asked(host: ServiceHost) -> None:
    host.write(f"{REQUIRED}/README", "exit 1\n")
    (host.root / REQUIRED / "folder").mkdir()
    told = 'log "$(cat "$root/dev/kmsg")"'
    at(host, 30, f"{UNTIL_CHECKED}; {told}; {CONFIRMED}; {VERIFIED}")
    assert not on_trial(host, CONFIRM, DEADLINE)
    assert (
        "<4>kexec-confirm: The required check README is not executable and is left out."
        in host.log()
    )


def test_check_that_does_not_end_has_failed(host: ServiceHost) -> None:
    put_check(host, REQUIRED, "hangs", "exec sleep 600")
    # The time of a check is not that of the program.
    bounds = 'timeout() { [ "$3" = 60 ] && shift 3 && command timeout -s KILL 0.2 "$@"; }\n'
    at(host, 5, bounds)
    at(host, 30, f"{CONFIRMED}; {UNTIL_CHECKED}")
    assert on_trial(host, CONFIRM, DEADLINE)
    why = "the required check hangs did not end within 60 seconds."
    assert last_words(host) == f"{RUN} required_check {why}\n"


def test_checks_that_cannot_be_ended_do_not_hold_the_deadline_up(host: ServiceHost) -> None:
    put_check(host, REQUIRED, "hangs", "exec sleep 600")
    at(host, 20, CONFIRMED)
    assert on_trial(host, CONFIRM, DEADLINE)
    assert last_words(host) == f"{RUN} deadline {LATE}\n"


def test_console_that_is_held_up_does_not_hold_checks_up(host: ServiceHost) -> None:
    put_check(host, REQUIRED, "x", "exit 1")
    (host.root / "dev/console").unlink()
    os.mkfifo(host.root / "dev/console")
    at(host, 30, f"{CONFIRMED}; {UNTIL_CHECKED}")
    assert on_trial(host, CONFIRM, DEADLINE)
    assert "required_check" in last_words(host)


# --- The service ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cmdline", "wanted"),
    [
        (TRIAL, True),
        (PROOF, True),
        (f"quiet -- {TRIAL}", False),
        (f"quiet -- {PROOF}", False),
        (DEADLINE, False),
    ],
)
def test_service_guards_a_trial(host: ServiceHost, cmdline: str, wanted: bool) -> None:
    host.write("proc/cmdline", f"{cmdline}\n")
    settings: dict[str, t.Any] = {"RC_RUNLEVEL": "sysinit", "RC_SVCNAME": "kexec-confirm"}
    log = host.service("kexec-confirm", "start", **settings)
    assert any(line.startswith("start-stop-daemon") for line in log) is wanted
