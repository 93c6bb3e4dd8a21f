# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts run in the shell that Alpine has, on a host that is a folder.

None of this can end the machine that runs the tests, for each of three reasons: every path that
leads to the kernel is turned into one below the folder, and the test refuses a script in which
one is left; every command that ends a machine is a function of the shell, which comes before any
program; and the shell runs as nobody if the tests run as root. Each run has a session of its own,
and what is left of it is ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import (
    frames,
    health,
    observation,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._transport import (
    commands as commands_module,
)
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

TOKEN = "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d"
BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
RELEASE = "6.18.56-0-virt"
UPTIME = 4000
MARK = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
LIMIT = "20.000"

HARMLESS_PROGRAMS = (
    *("awk", "cat", "chmod", "date", "grep", "head", "id", "ln", "mkdir", "mkfifo", "mv"),
    *("readlink", "rm", "sleep", "timeout", "tr"),
)
SYSRQ = re.compile(r"\bprintf (\w) >/proc/sysrq-trigger\b")
KERNEL_PATH = re.compile(r"(?<![\w.])/(?=(?:proc|sys|run|var/lib|dev/console|etc/fstab)\b)")
ABSOLUTE_PATH = re.compile(r"(?<![\w.}\]*$])/[a-z][\w./-]*")
NO_FILES_OF_THE_HOST = {"/dev/null", "/dev/"}

# A machine that obeys is gone, with every process of the run.
GONE = "kill -KILL 0"
OBEDIENT = {
    "busybox": ":",
    "mount": ":",
    "umount": ":",
    "openrc": ":",
    # It writes once more unless it is told not to.
    "kexec": f'[ "$1" = -u ] && return; [ "$3" = -y ] || sync; {GONE}',
    "reboot": GONE,
    "sync": ":",
    "sysrq": f'[ "$1" != b ] || {GONE}',
}
# No clock drives a script here: its time passes when what it waits for hangs, and the limit of a
# shutdown or a jump is over when a test says so.
TIME_PASSES = ': >"$root/time-passes"'
LIMIT_IS_OVER = ': >"$root/limit-is-over"'
HANGS = f"{TIME_PASSES}; command sleep 600"
OUTLASTS_THE_LIMIT = f"{LIMIT_IS_OVER}; command sleep 600"
# A shell of which a guard is made ends where it needs another process.
NO_PROCESS = 'command kill "$@"; killed=$?; [ "$*" != "-KILL $$" ] || exit 2; return "$killed"'
ENDS_A_MACHINE = ("halt", "init", "kill_all", "killall5", "poweroff", "shutdown", "telinit")

Reaction = dict[str, str]


def order(
    method: str = "kexec",
    *,
    token: str = TOKEN,
    boot_id: str = BOOT_ID,
    watchdog: str = "",
    expires: int = UPTIME + 20,
) -> tuple[str, ...]:
    """The arguments of leave.sh."""
    return (method, "0.500", LIMIT, token, boot_id, RELEASE, watchdog, "60", str(expires), MARK)


class FakeMachine:
    """A folder that looks like a host to a script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._busybox = shell_runner.installed("busybox")
        # What is to be seen before the processes that a script has left are ended.
        self.afterwards: t.Callable[[], None] = lambda: None
        for folder in (
            "bin",
            "dev",
            "etc",
            "proc/sys/kernel/random",
            "run/openrc",
            "sys/kernel",
            "var/lib",
        ):
            (root / folder).mkdir(parents=True)
        for name in HARMLESS_PROGRAMS:
            (root / "bin" / name).symlink_to(self._busybox)
        # Alpine has it in busybox; other systems leave it out there.
        (root / "bin" / "flock").symlink_to(shell_runner.installed("flock"))
        # The shell takes no function of this name.
        self.write("bin/rc-service", '#!/bin/sh\necho "rc-service $*" >>${0%/bin/*}/log\n')
        (root / "bin" / "rc-service").chmod(0o755)
        # Init does not end the system.
        self.write("bin/pgrep", "#!/bin/sh\nexit 1\n")
        (root / "bin" / "pgrep").chmod(0o755)
        self.write("log", "")
        self.write("sleeps", "")
        self.write("proc/uptime", f"{UPTIME}.93 7900.00\n")
        self.write("proc/mounts", "/dev/vda1 / ext4 ro,relatime 0 0\n")
        self.write("sys/kernel/kexec_loaded", "1\n")
        self.write("proc/sys/kernel/panic_on_oops", "0\n")
        self.write("proc/sys/kernel/random/boot_id", f"{BOOT_ID}\n")
        for path in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            path.chmod(0o777)
        # A process looks itself up.
        (root / "proc/self").symlink_to("/proc/self")

    def install(self, name: str) -> None:
        (self.root / "bin" / name).symlink_to(self._busybox)

    def lasts_until(self, step: str) -> None:
        """See what is left of a script through to something that it does."""

        def wait() -> None:
            until = time.monotonic() + shell_runner.TIMEOUT
            while step not in self.read("log"):
                assert time.monotonic() < until
                time.sleep(0.01)

        self.afterwards = wait

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o666)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def run(
        self, script: str, *arguments: str, **reaction: str
    ) -> subprocess.CompletedProcess[str]:
        code = shell_runner.measured(harmless(script, self.root), script, self.root)
        text = self._prelude({**OBEDIENT, **reaction}) + code
        status, said = shell_runner.run(
            text,
            "script",
            arguments,
            self.root,
            environment={"PATH": str(self.root / "bin")},
            afterwards=self.afterwards,
        )
        return subprocess.CompletedProcess([script], status, said, "")

    def leave(
        self,
        method: str = "kexec",
        *,
        device: str = "",
        **reaction: str,
    ) -> list[str]:
        """Run leave.sh; return what it did, each with the stage at which it was done."""
        self.load()
        self.run("leave.sh", *order(method, watchdog=device), **reaction)
        return self.read("log").splitlines()

    def load(self, token: str = TOKEN, note: str = "image.json") -> None:
        """Note what the kernel holds, as whoever loads it does."""
        folder = self.root / "run/alpinefleet-kexec"
        folder.mkdir(exist_ok=True)
        if nobody := shell_runner.as_nobody():
            os.chown(folder, nobody["user"], nobody["group"])
        self.write(f"run/alpinefleet-kexec/{note}", f"quiet alpinefleet_kexec.token={token}\n")

    def confirm(self, token: str = TOKEN, boot_id: str = BOOT_ID, **reaction: str) -> str:
        """Run confirm.sh; return what it said."""
        return self.run("confirm.sh", token, boot_id, MARK, **reaction).stdout.strip()

    def _prelude(self, reaction: Reaction) -> str:
        commands = "".join(
            f'{name}() {{ log "{name} $*"; {does}; }}\n' for name, does in reaction.items()
        )
        forbidden = "".join(f"{name}() {{ exit 98; }}\n" for name in ENDS_A_MACHINE)
        return f"""\
[ "$(id -u)" -ne 0 ] || exit 99
root={self.root}
ln -s "/proc/$$" "$root/proc/$$"
log() {{ echo "${{1% }} @$(cat "$root/run/alpinefleet-kexec/stage")" >>"$root/log"; }}
# Only a process that is waited for lets the shell notice the end of another one.
until_() {{ until eval "$1"; do command sleep 0.01; done; }}
pass() {{
    echo "$1" >>"$root/sleeps"
    case $1 in
    "$limit") until_ '[ -e "$root/limit-is-over" ]' ;;
    10) [ ! -e "$root/init-kills" ] || kill -KILL 0 ;;
    0.1) until_ '[ -e "$root/time-passes" ] || ! kill -0 "$bound" 2>/dev/null' ;;
    0.2* | 1) command sleep 0.01 ;;
    esac
    command sleep 0
}}
sleep() {{ pass "$1"; }}
read() {{
    [ "$2" = -t ] || {{ command read "$@"; return; }}
    # A guard waits for a limit, others for a moment.
    [ -n "${{left:-}}" ] || {{ pass "$3"; return; }}
    until_ '[ -e "$root/limit-is-over" ] || ! has_parent'
    command sleep 0.05
    [ ! -e "$root/limit-is-over" ] || left=1
}}
{commands}{forbidden}"""


def harmless(name: str, root: Path) -> str:
    """The script with every way to the real kernel turned aside."""
    text = (commands_module.SHELL / name).read_text(encoding="utf-8")
    # Each line keeps its number.
    code = re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
    code = SYSRQ.sub(r"sysrq \1", code)
    code = re.sub(r"^PATH=.*$", f"PATH={root}/bin", code, flags=re.MULTILINE)
    code = KERNEL_PATH.sub(f"{root}/", code)
    left = {path for path in ABSOLUTE_PATH.findall(code) if not path.startswith(f"{root}/")}
    assert left <= NO_FILES_OF_THE_HOST
    assert "sysrq-trigger" not in code
    return code


@pytest.fixture
def machine() -> t.Iterator[FakeMachine]:
    # pytest's own folders are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="machine-")).resolve()
    yield FakeMachine(root)
    shutil.rmtree(root)


def whose(*steps: str) -> list[str]:
    """What is expected in the log: a step and the stage, which carries the mark."""
    return [re.sub(r" @(\w+)$", rf" @{MARK} \1", step) for step in steps]


def what(steps: list[str]) -> list[str]:
    """The steps without their stages."""
    return [step.partition(" @")[0] for step in steps]


# --- What runs them ---------------------------------------------------------------------


def test_group_is_at_work_as_long_as_a_process_of_it_runs() -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as sleeper:
        assert shell_runner.is_at_work(sleeper.pid)
        sleeper.kill()
        # It has ended, and nobody has waited for it.
        os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
        assert not shell_runner.is_at_work(sleeper.pid)
    assert not shell_runner.is_at_work(sleeper.pid)


def test_lock_of_what_a_program_has_left_is_free_afterwards(machine: FakeMachine) -> None:
    machine.write("lock", "")
    lock = machine.root / "lock"
    text = f"exec 9<>{lock}; {shell_runner.installed('flock')} -n 9 || exit 3; sleep 600 & exit 0"
    for _again in range(20):
        status, said = shell_runner.run(text, "holder", (), machine.root)
        assert (status, said) == (0, "")
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


# What has a note taken back from a file system that is read-only by then.
FORCED = ("mount -o remount,rw /", "mount -o remount,ro /", "sync", "sysrq u", "reboot -n -f")
REMOUNTED = ("mount -o remount,rw / @refused", "mount -o remount,ro / @refused")

# --- Leaving by kexec ----------------------------------------------------------------------


def test_kexec_shuts_down_before_it_jumps(machine: FakeMachine) -> None:
    assert machine.leave() == whose(
        "openrc shutdown @shutdown", "sync @shutdown", "kexec -e -x -y @jump"
    )


@pytest.mark.parametrize("status", [1, 143], ids=["failed", "ended"])
def test_kexec_jumps_although_a_service_did_not_stop(machine: FakeMachine, status: int) -> None:
    assert machine.leave(openrc=f"return {status}")[-1:] == whose("kexec -e -x -y @jump")


@pytest.mark.parametrize("status", [126, 127], ids=["not executable", "not found"])
def test_shutdown_that_cannot_be_run_is_forced(machine: FakeMachine, status: int) -> None:
    steps = machine.leave(openrc=f"return {status}")
    assert what(steps) == ["openrc shutdown", *FORCED]
    assert steps[-1:] == whose("reboot -n -f @forced")


@pytest.mark.parametrize(
    ("asks", "expected"),
    [
        pytest.param("pwd", "/", id="a directory that stays"),
        pytest.param("umask", "0022", id="the usual umask"),
    ],
)
def test_services_are_stopped_with(machine: FakeMachine, asks: str, expected: str) -> None:
    machine.leave(openrc=f'{asks} >"$root/answer"')
    assert machine.read("answer").strip() == expected


def test_kexec_that_the_kernel_refuses_becomes_a_reboot(machine: FakeMachine) -> None:
    steps = machine.leave(kexec="return 1")
    assert steps[-4:] == whose("kexec -e -x -y @jump", *REMOUNTED, "reboot -n -f @refused")


def test_jump_that_hangs_becomes_a_reboot(machine: FakeMachine) -> None:
    machine.lasts_until("reboot -n -f")
    steps = machine.leave(kexec=OUTLASTS_THE_LIMIT)
    assert steps[-2:] == whose("kexec -e -x -y @jump", "reboot -n -f @jump")


@pytest.mark.parametrize("reboot", ["return 1", HANGS], ids=["fails", "hangs"])
@pytest.mark.parametrize(
    ("reaction", "stage"),
    [
        pytest.param({"kexec": OUTLASTS_THE_LIMIT}, "jump", id="jump that hangs"),
        pytest.param({"kexec": "return 1"}, "refused", id="jump that is refused"),
        pytest.param({"openrc": "return 126"}, "forced", id="no shutdown"),
    ],
)
def test_reboot_that_does_not_come_is_left_to_the_kernel(
    machine: FakeMachine, reaction: dict[str, str], stage: str, reboot: str
) -> None:
    machine.lasts_until("sysrq b")
    steps = machine.leave(reboot=reboot, **reaction)
    assert steps[-2:] == whose(f"reboot -n -f @{stage}", f"sysrq b @{stage}")


def test_shell_that_can_have_no_process_resets_what_it_has_shut_down(machine: FakeMachine) -> None:
    # That is how it ends then.
    steps = machine.leave(grep='[ "$1" != -E ] || exit 2; command grep "$@"')
    assert steps[-2:] == whose("sysrq u @shutdown", "sysrq b @shutdown")


def test_shell_that_can_have_no_process_leaves_alone_what_it_has_not_shut_down(
    machine: FakeMachine,
) -> None:
    assert what(machine.leave(flock="exit 2")) == ["flock -n 9"]


def test_guard_that_can_have_no_process_resets_the_host(machine: FakeMachine) -> None:
    machine.lasts_until("sysrq b")
    steps = machine.leave(sync=OUTLASTS_THE_LIMIT, kill=NO_PROCESS)
    others = [step for step in what(steps) if not step.startswith("kill ")]
    assert others[-2:] == ["sysrq u", "sysrq b"]


def test_shutdown_whose_leader_is_killed_becomes_a_reboot(machine: FakeMachine) -> None:
    machine.lasts_until("reboot -n -f")
    steps = machine.leave(
        openrc="command kill -KILL $$; command sleep 0.2; log ended", reboot="return 1"
    )
    assert what(steps)[:2] == ["openrc shutdown", "ended"]
    assert "reboot -n -f" in what(steps)
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON) == "- what led the shutdown was killed.\n"


def test_jump_that_cannot_be_marked_is_not_tried(machine: FakeMachine) -> None:
    steps = machine.leave(mv='case $(cat "$1") in *jump) return 1 ;; esac; command mv "$@"')
    assert "kexec -e -x -y" not in what(steps)
    assert not (machine.root / JUMP).exists()


def test_guard_outlasts_who_asks_everything_to_end(machine: FakeMachine) -> None:
    steps = machine.leave(openrc=f"trap : TERM; kill 0; {OUTLASTS_THE_LIMIT}")
    assert steps[-1:] == whose("reboot @shutdown")
    assert not (machine.root / JUMP).exists()


@pytest.mark.parametrize("command", ["kexec", "reboot"])
def test_firmware_does_not_wait_for_a_command_that_cannot_be_read(
    machine: FakeMachine, command: str
) -> None:
    does = f'[ "$*" = "-n -f" ] && {GONE}; {LIMIT_IS_OVER}; {HANGS}'
    steps = what(machine.leave("firmware", **{command: does}))
    assert steps[:2] == ["kexec -u", "reboot"]


def test_leaver_leaves_the_cgroup_of_its_login(machine: FakeMachine) -> None:
    for place in ("sys/fs/cgroup", "sys/fs/cgroup/openrc"):
        (machine.root / place).mkdir(parents=True)
    for name in ("cgroup.procs", "openrc/tasks"):
        machine.write(f"sys/fs/cgroup/{name}", "")
    machine.leave()
    assert machine.read("sys/fs/cgroup/cgroup.procs") == "0\n"
    assert machine.read("sys/fs/cgroup/openrc/tasks") == "0\n"
    assert not (machine.root / "sys/fs/cgroup/unified").exists()


def test_leaver_without_a_pipe_to_wait_at_does_not_begin(machine: FakeMachine) -> None:
    assert what(machine.leave(mkfifo="return 1"))[-1].startswith("mkfifo ")
    assert not (machine.root / "run/alpinefleet-kexec/stage").exists()


def test_shutdown_that_hangs_is_ended_and_forced(machine: FakeMachine) -> None:
    steps = machine.leave(openrc=f"{OUTLASTS_THE_LIMIT}; log survived")
    assert steps[0] == whose("openrc shutdown @shutdown")[0]
    assert steps[-1] == whose("reboot -n -f @forced")[0]
    assert not any(step.startswith(("kexec", "survived")) for step in steps)


def test_forced_reboot_writes_what_it_can_first(machine: FakeMachine) -> None:
    steps = machine.leave(openrc=OUTLASTS_THE_LIMIT)
    assert what(steps) == ["openrc shutdown", *FORCED]


def test_forced_reboot_does_not_wait_for_dead_storage(machine: FakeMachine) -> None:
    steps = machine.leave(openrc=OUTLASTS_THE_LIMIT, sync=HANGS)
    assert steps[-2:] == whose("sysrq u @forced", "reboot -n -f @forced")


# --- Making the file systems read-only -----------------------------------------------------


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        pytest.param("/dev/vda1 / ext4 ro,relatime 0 0", False, id="read-only"),
        pytest.param("/dev/vda1 / ext4 rw,relatime 0 0", True, id="writable"),
        pytest.param("/dev/vda1 / ext4 rw 0 0", True, id="writable and nothing else"),
        pytest.param("/dev/vda1 / vfat nosuid,rw,noatime 0 0", True, id="writable, in the middle"),
        pytest.param("/dev/vda1 / btrfs ro,rwbarrier 0 0", False, id="a word that begins so"),
        pytest.param("/dev/mapper/a-b /srv xfs rw,quota 0 0", True, id="mapped"),
        pytest.param("tmpfs /run tmpfs rw,nosuid 0 0", False, id="in memory"),
        pytest.param("proc /proc proc rw 0 0", False, id="no file system of a disk"),
    ],
)
def test_only_disks_that_are_written_to_are_remounted(
    machine: FakeMachine, mount: str, expected: bool
) -> None:
    machine.write("proc/mounts", f"{mount}\n")
    remounted = any(step.startswith("sysrq u") for step in machine.leave())
    assert remounted is expected


def test_remounting_ends_when_nothing_is_written_to(machine: FakeMachine) -> None:
    machine.write("proc/mounts", "/dev/vda1 / ext4 rw 0 0\n")
    steps = machine.leave(sysrq='echo "/dev/vda1 / ext4 ro 0 0" >"$root/proc/mounts"')
    assert what(steps) == ["openrc shutdown", "sync", "sysrq u", "kexec -e -x -y"]


def test_jump_waits_for_what_is_being_written(machine: FakeMachine) -> None:
    # It takes longer than anything else is waited for.
    tenths = '"$(grep -c "^0.1$" "$root/sleeps")"'
    writes = f"until [ {tenths} -gt 200 ]; do command sleep 0; done"
    steps = machine.leave(sync=f'{TIME_PASSES}; {writes}; rm "$root/time-passes"; log written')
    assert what(steps) == ["openrc shutdown", "sync", "written", "kexec -e -x -y"]


def test_jump_does_not_wait_for_dead_storage(machine: FakeMachine) -> None:
    assert what(machine.leave(sync=HANGS)) == ["openrc shutdown", "sync", "kexec -e -x -y"]


def test_remounting_does_not_go_on_for_ever(machine: FakeMachine) -> None:
    machine.write("proc/mounts", "/dev/vda1 / ext4 rw 0 0\n")
    steps = machine.leave()
    assert 1 < sum(step.startswith("sysrq u") for step in steps) < 50
    assert steps[-1:] == whose("kexec -e -x -y @jump")


# --- What the next boot must know ----------------------------------------------------------

JUMP = "var/lib/alpinefleet-kexec/jump"
REASON = "var/lib/alpinefleet-kexec/last-reboot"
REFUSES = 'echo "kexec failed:"; echo "Device busy" >&2; return 1'
REFUSED = "- kexec -e failed: kexec failed: Device busy.\n"


def test_jump_is_noted_before_the_shutdown(machine: FakeMachine) -> None:
    before = int(time.time())
    machine.leave(openrc=f'cat "$root/{JUMP}" >"$root/noted"')
    token, boot, release, when, oops = machine.read("noted").split()
    assert (token, boot, release, oops) == (TOKEN, BOOT_ID, RELEASE, "0")
    assert before <= int(when) <= time.time()


def test_note_of_a_jump_that_is_not_tried_is_taken_back(machine: FakeMachine) -> None:
    machine.leave(openrc=OUTLASTS_THE_LIMIT)
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON).startswith(f"- the shutdown did not end within {LIMIT} seconds")


def test_note_of_a_jump_is_taken_back_when_init_ends_the_system(machine: FakeMachine) -> None:
    # Everything is asked to end, this script among it, and is killed a moment later.
    machine.write("init-kills", "")
    steps = machine.leave(openrc="trap : TERM; kill 0; command sleep 0.2")
    assert what(steps) == ["openrc shutdown", *FORCED[:2]]
    assert not (machine.root / JUMP).exists()
    # Nothing failed.
    assert not (machine.root / REASON).exists()


def test_note_that_takes_too_long_does_not_come_after_it_was_taken_back(
    machine: FakeMachine,
) -> None:
    machine.leave(
        date=f'{TIME_PASSES}; command sleep 0.3; command date "$@"',
        openrc="command kill -TERM $$",
        # From here on nothing takes too long.
        reboot=f'rm "$root/time-passes"; command sleep 0.5; {GONE}',
    )
    assert not (machine.root / JUMP).exists()


@pytest.mark.parametrize(
    "reaction",
    [
        pytest.param({"openrc": "command sleep 0.1; log ended"}, id="during the shutdown"),
        pytest.param({"date": 'command date "$@"'}, id="before it"),
        pytest.param({"sync": "log ended"}, id="before the jump"),
    ],
)
def test_shutdown_whose_leader_is_ended_alone_becomes_a_reboot(
    machine: FakeMachine, reaction: dict[str, str]
) -> None:
    ((name, does),) = reaction.items()
    machine.write(DEVICE, "")
    steps = guarded(machine, **{name: f"command kill -TERM $$; {does}"})
    assert "kexec -e -x -y" not in steps
    assert steps[-1] == "reboot"
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON) == "- the program that led the shutdown was told to end.\n"
    assert (machine.root / "run/alpinefleet-kexec/no-kexec").exists()


def test_jump_that_the_kernel_refuses_did_not_hang(machine: FakeMachine) -> None:
    machine.leave(kexec=REFUSES)
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON) == REFUSED


ROOT = "/dev/vda1 / ext4 {} 0 0\n"
LIB = "/dev/vdb {root}/var/lib ext4 {} 0 0\n"
VAR = "/dev/vdc {root}/var xfs {} 0 0\n"
IN_MEMORY = "tmpfs {root}/var/lib tmpfs nosuid,rw 0 0\n"
SUBVOLUME = "/dev/vda2 {root}/var btrfs {},subvol=/@var 0 0\n"
POOL = "tank/var {root}/var/lib zfs {},xattr 0 0\n"
UNDER = "rootfs / rootfs rw 0 0\n"
ROOT_AGAIN = ["mount -o remount,rw /", "mount -o remount,ro /"]
LIB_AGAIN = ["mount -o remount,rw {root}/var/lib", "mount -o remount,ro {root}/var/lib"]
BACK = "mount -t {} -o {} {} {{root}}/{}"


@pytest.mark.parametrize(
    ("running", "late", "steps"),
    [
        pytest.param([ROOT], [ROOT], ROOT_AGAIN, id="the root file system's"),
        pytest.param([ROOT, LIB], [ROOT, LIB], LIB_AGAIN, id="one of their own, read-only"),
        pytest.param(
            [ROOT, LIB],
            [ROOT],
            [BACK.format("ext4", "rw", "/dev/vdb", "var/lib"), "sync", "umount {root}/var/lib"],
            id="one of their own, unmounted",
        ),
        pytest.param(
            [ROOT, VAR, LIB],
            [ROOT],
            [
                BACK.format("xfs", "rw", "/dev/vdc", "var"),
                BACK.format("ext4", "rw", "/dev/vdb", "var/lib"),
                "sync",
                "umount {root}/var/lib",
                "umount {root}/var",
            ],
            id="two, one in the other",
        ),
        pytest.param(
            [ROOT, VAR, LIB],
            [ROOT, VAR],
            [BACK.format("ext4", "rw", "/dev/vdb", "var/lib"), "sync", "umount {root}/var/lib"],
            id="two, one unmounted",
        ),
        pytest.param(
            [ROOT, SUBVOLUME],
            [ROOT],
            [
                BACK.format("btrfs", "rw,subvol=/@var", "/dev/vda2", "var"),
                "sync",
                "umount {root}/var",
            ],
            id="a part of one",
        ),
        pytest.param(
            [ROOT, POOL],
            [ROOT],
            [
                BACK.format("zfs", "rw,xattr", "tank/var", "var/lib"),
                "sync",
                "umount {root}/var/lib",
            ],
            id="one that no table has",
        ),
        pytest.param([ROOT, IN_MEMORY], [ROOT, IN_MEMORY], ["sync"], id="in memory"),
        pytest.param([UNDER, ROOT], [UNDER, ROOT], ROOT_AGAIN, id="mounted over another"),
        pytest.param(
            [ROOT, LIB.replace("lib ", "library "), LIB.replace("lib ", "lib/alpinefleet ")],
            [ROOT],
            ROOT_AGAIN,
            id="others of such a name",
        ),
    ],
)
def test_notes_are_taken_back_where_they_are(
    machine: FakeMachine, running: list[str], late: list[str], steps: list[str]
) -> None:
    def table(mounts: list[str], options: str) -> str:
        return "".join(mounts).format(*[options] * len(mounts), root=machine.root)

    machine.write("proc/mounts", table(running, "rw"))
    machine.write("late", table(late, "ro"))
    log = what(
        machine.leave(
            openrc='cat "$root/late" >"$root/proc/mounts"',
            mount='case $1 in -t) echo "$5 $6 $2 $4 0 0" >>"$root/proc/mounts" ;; esac',
            kexec=REFUSES,
        )
    )
    expected = [step.format(root=machine.root) for step in steps]
    assert log[log.index("kexec -e -x -y") + 1 : -1] == expected
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON) == REFUSED


def test_notes_behind_a_link_are_taken_back_where_it_leads(machine: FakeMachine) -> None:
    data = machine.root / "data"
    data.mkdir()
    data.chmod(0o777)
    (machine.root / "var/lib").rmdir()
    (machine.root / "var/lib").symlink_to(data)
    machine.write("proc/mounts", f"/dev/vda1 / ext4 rw 0 0\n/dev/vdb {data} ext4 rw 0 0\n")
    steps = machine.leave(
        openrc='echo "/dev/vda1 / ext4 ro 0 0" >"$root/proc/mounts"; mv "$root/data" "$root/away"',
        mount='mv "$root/away" "$root/data"; echo "$5 $6 $2 $4 0 0" >>"$root/proc/mounts"',
        kexec=REFUSES,
    )
    assert f"mount -t ext4 -o rw /dev/vdb {data}" in what(steps)
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON) == REFUSED


def test_notes_that_cannot_be_had_are_not_looked_for_where_they_were(machine: FakeMachine) -> None:
    lib = f"{machine.root}/var/lib"
    machine.write("proc/mounts", f"/dev/vda1 / ext4 rw 0 0\n/dev/vdb {lib} ext4 rw 0 0\n")
    steps = machine.leave(
        openrc='echo "/dev/vda1 / ext4 ro 0 0" >"$root/proc/mounts"',
        mount="return 1",
        kexec=REFUSES,
    )
    assert what(steps)[-2:] == [f"mount -t ext4 -o rw /dev/vdb {lib}", "reboot -n -f"]
    # What is in that folder by now is not of the file system that the notes are on.
    assert not (machine.root / REASON).exists()


def test_jump_that_the_kernel_refuses_reboots_where_the_notes_cannot_be_had(
    machine: FakeMachine,
) -> None:
    steps = machine.leave(kexec=REFUSES, mount="return 1")
    assert steps[-1:] == whose("reboot -n -f @refused")
    assert not (machine.root / REASON).exists()


def test_jump_that_the_kernel_refuses_reboots_where_the_notes_hang(machine: FakeMachine) -> None:
    steps = machine.leave(kexec=REFUSES, mount=HANGS)
    assert steps[-1:] == whose("reboot -n -f @refused")


def test_jump_that_hangs_is_one_that_hung(machine: FakeMachine) -> None:
    machine.leave(kexec=OUTLASTS_THE_LIMIT)
    assert machine.read(JUMP).startswith(f"{TOKEN} {BOOT_ID} ")
    assert not (machine.root / REASON).exists()


def test_time_that_is_over_before_the_jump_is_no_jump_that_hung(machine: FakeMachine) -> None:
    machine.lasts_until("reboot -n -f")
    steps = machine.leave(sync=OUTLASTS_THE_LIMIT)
    assert steps[-1:] == whose("reboot -n -f @shutdown")
    assert not (machine.root / JUMP).exists()
    assert machine.read(REASON).startswith("- the file systems were not read-only within")


def test_what_ends_after_the_limit_is_not_followed_by_a_jump(machine: FakeMachine) -> None:
    machine.lasts_until("reboot -n -f")
    # The note is taken back in the meantime.
    steps = machine.leave(sync=f"{LIMIT_IS_OVER}; command sleep 0.2", mount="command sleep 0.4")
    assert "kexec -e -x -y" not in what(steps)
    assert not (machine.root / JUMP).exists()


def test_note_of_an_earlier_jump_stays_where_there_could_be_no_other(machine: FakeMachine) -> None:
    came_up(machine)
    machine.write(JUMP, f"an0ther {OTHER_BOOT} - 1\n")
    machine.leave(kexec=REFUSES, mv='case $2 in */jump) return 1 ;; esac; command mv "$@"')
    assert machine.read(JUMP).startswith("an0ther ")
    assert machine.read(REASON) == REFUSED


def test_reason_of_an_earlier_jump_is_not_that_of_this_one(machine: FakeMachine) -> None:
    came_up(machine)
    machine.write(REASON, "- it was refused.\n")
    machine.leave()
    assert not (machine.root / REASON).exists()


def test_firmware_that_is_forced_says_nothing_of_a_jump(machine: FakeMachine) -> None:
    machine.leave("firmware", reboot=f'{LIMIT_IS_OVER}; [ "$*" != "-n -f" ] || {GONE}')
    assert not (machine.root / REASON).exists()


def test_jump_goes_on_where_it_cannot_be_noted(machine: FakeMachine) -> None:
    (machine.root / "var/lib").chmod(0o555)
    assert machine.leave()[-1:] == whose("kexec -e -x -y @jump")


def test_dead_storage_does_not_hold_the_shutdown_up(machine: FakeMachine) -> None:
    assert "openrc shutdown" in what(machine.leave(date=HANGS))


def test_firmware_notes_no_jump(machine: FakeMachine) -> None:
    machine.leave("firmware")
    assert not (machine.root / JUMP).exists()


# --- The watchdog over the jump ------------------------------------------------------------

# A device that takes what is written to it: a V lets it stop.
DEVICE = "dev/watchdog0"
# A feeder works beside the shutdown.
FED = """until_ '[ -s "$watchdog" ]'"""
# Long enough to notice a feeder where there must be none.
LINGERS = "command sleep 0.2"


def guarded(machine: FakeMachine, **reaction: str) -> list[str]:
    """Leave with a watchdog over the jump; return what was done, without the stages."""
    machine.write(DEVICE, "")
    return what(machine.leave(device=f"{machine.root}/{DEVICE}", **{"openrc": FED, **reaction}))


def sets_time(machine: FakeMachine) -> str:
    device = f"{machine.root}/{DEVICE}"
    return f"busybox timeout -s KILL 1 busybox watchdog -F -T 60 -t 250ms {device}"


def test_watchdog_is_taken_over_before_the_shutdown(machine: FakeMachine) -> None:
    steps = guarded(machine)
    assert sorted(steps[:2]) == [
        "rc-service --ifstarted kexec-confirm stop",
        "rc-service --ifstarted watchdog stop",
    ]
    assert steps.index(sets_time(machine)) > 1


def test_watchdog_runs_on_at_the_jump_and_is_not_fed_any_more(machine: FakeMachine) -> None:
    fed = 'kill -0 "$feeder" 2>/dev/null && log still-fed'
    steps = guarded(machine, kexec=f"{fed}; {GONE}")
    assert "still-fed" not in steps
    assert "kexec -e -x -y" in steps
    assert set(machine.read(DEVICE)) == {"."}


def test_without_a_watchdog_nobody_lets_go_of_one(machine: FakeMachine) -> None:
    steps = what(machine.leave(openrc=LINGERS))
    assert not any(step.startswith(("busybox", "rc-service")) for step in steps)


def test_watchdog_that_cannot_be_had_does_not_hold_the_jump_up(machine: FakeMachine) -> None:
    steps = machine.leave(device=f"{machine.root}/dev", openrc=LINGERS, busybox="return 1")
    assert steps[-1:] == whose("kexec -e -x -y @jump")


@pytest.mark.parametrize(
    "reaction",
    [
        pytest.param({"kexec": "return 1"}, id="refused"),
        pytest.param({"openrc": f"{FED}; return 126"}, id="no shutdown"),
        pytest.param({"openrc": f"{FED}; {OUTLASTS_THE_LIMIT}"}, id="forced"),
        pytest.param({"kexec": OUTLASTS_THE_LIMIT}, id="hung"),
    ],
)
def test_watchdog_does_not_run_on_into_firmware(
    machine: FakeMachine, reaction: dict[str, str]
) -> None:
    machine.lasts_until("stopped")
    stops = f"""until_ 'grep -q V "$root/{DEVICE}"'; log stopped; {GONE}"""
    assert guarded(machine, reboot=stops, **reaction)[-2:] == ["reboot -n -f", "stopped"]


def test_watchdog_does_not_run_on_into_a_poweroff(machine: FakeMachine) -> None:
    begins = ': >"$root/run/openrc/rc.stopping"; return 1'
    guarded(machine, openrc=f"{FED}; {begins}", pgrep="return 0")
    assert machine.read(DEVICE).endswith("V")


def test_watchdog_is_stopped_by_a_feeder_that_was_stopped(machine: FakeMachine) -> None:
    guarded(machine, openrc=f'{FED}; command kill -STOP "$feeder"; return 126')
    assert machine.read(DEVICE).endswith("V")


def test_feeder_does_not_wait_for_the_console(machine: FakeMachine) -> None:
    steps = guarded(machine, busybox="echo fed; echo fed >&2")
    assert steps[-1] == "kexec -e -x -y"
    assert "fed" not in machine.read("dev/console")


@pytest.mark.parametrize("signal_name", ["KILL", "STOP"])
def test_watchdog_is_not_fed_for_a_leaver_that_is_gone(
    machine: FakeMachine, signal_name: str
) -> None:
    machine.afterwards = lambda: shell_runner.starves(machine.root / DEVICE)
    guarded(machine, openrc=f"{FED}; command kill -{signal_name} $$; command sleep 600")
    assert "V" not in machine.read(DEVICE)


# --- Whose image it is ---------------------------------------------------------------------


def test_image_of_another_run_is_not_jumped_into(machine: FakeMachine) -> None:
    machine.load("an0ther")
    completed = machine.run("leave.sh", *order())
    assert completed.returncode == 1
    assert machine.read("log") == ""
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} replaced\n"


def test_image_that_is_not_noted_is_not_jumped_into(machine: FakeMachine) -> None:
    assert machine.run("leave.sh", *order()).returncode == 1
    assert machine.read("log") == ""


def test_image_that_a_service_loaded_and_locked_is_jumped_into(machine: FakeMachine) -> None:
    machine.load("an0ther")
    machine.load(TOKEN, "frozen")
    machine.run("leave.sh", *order())
    assert machine.read("log").splitlines()[-1:] == whose("kexec -e -x -y @jump")


def test_firmware_does_not_ask_for_an_image(machine: FakeMachine) -> None:
    machine.run("leave.sh", *order("firmware"))
    assert "reboot" in what(machine.read("log").splitlines())


# --- Leaving by firmware -------------------------------------------------------------------


def test_firmware_takes_the_image_out_first(machine: FakeMachine) -> None:
    assert machine.leave("firmware") == whose("kexec -u @shutdown", "reboot @shutdown")


def test_firmware_tells_the_services_of_the_host(machine: FakeMachine) -> None:
    machine.leave("firmware")
    assert (machine.root / "run/alpinefleet-kexec/no-kexec").exists()


@pytest.mark.parametrize(
    "place",
    [
        *("expired", "frozen", "holders", "holders.new", "leaving", "no-kexec", "stage"),
        *("stage.new", "confirmed.new"),
    ],
)
@pytest.mark.parametrize("method", ["firmware", "kexec"])
def test_pipe_in_a_place_holds_nobody_up(machine: FakeMachine, method: str, place: str) -> None:
    machine.load()
    pipe = machine.root / "run/alpinefleet-kexec" / place
    os.mkfifo(pipe)
    # The program is not root here.
    pipe.chmod(0o666)
    steps = what(machine.leave(method))
    assert ("kexec -e -x -y" if method == "kexec" else "reboot") in steps
    # What hangs is killed.
    assert not any(step.startswith("kill") for step in steps)


@pytest.mark.parametrize("shape", ["a directory", "a link to nothing", "a link to no folder"])
def test_whatever_is_in_the_place_of_a_mark_firmware_is_left_to(
    machine: FakeMachine, shape: str
) -> None:
    machine.load()
    place = machine.root / "run/alpinefleet-kexec/no-kexec"
    if shape == "a directory":
        place.mkdir()
    else:
        place.symlink_to("nothing" if shape == "a link to nothing" else "nothing/of/this")
    assert "reboot" in what(machine.leave("firmware"))


def test_kexec_tells_them_nothing(machine: FakeMachine) -> None:
    machine.leave()
    assert not (machine.root / "run/alpinefleet-kexec/no-kexec").exists()


def test_firmware_without_an_image_needs_no_kexec(machine: FakeMachine) -> None:
    machine.write("sys/kernel/kexec_loaded", "0\n")
    assert machine.leave("firmware") == whose("reboot @shutdown")


def test_firmware_on_a_kernel_without_kexec(machine: FakeMachine) -> None:
    (machine.root / "sys/kernel/kexec_loaded").unlink()
    assert machine.leave("firmware") == whose("reboot @shutdown")


def test_firmware_that_does_not_come_is_forced(machine: FakeMachine) -> None:
    steps = machine.leave("firmware", reboot=f'{LIMIT_IS_OVER}; [ "$*" != "-n -f" ] || {GONE}')
    assert steps[1] == whose("reboot @shutdown")[0]
    assert steps[-1] == whose("reboot -n -f @forced")[0]


# --- One leader, and its marks -------------------------------------------------------------


@contextlib.contextmanager
def another_leaver(machine: FakeMachine) -> t.Iterator[None]:
    """Somebody who leads the shutdown."""
    marks = machine.root / "run/alpinefleet-kexec"
    marks.mkdir()
    marks.chmod(0o777)
    machine.write("run/alpinefleet-kexec/stage", "an0ther shutdown\n")
    machine.write("run/alpinefleet-kexec/leaving", "")
    with (marks / "leaving").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_second_leaver_does_nothing(machine: FakeMachine) -> None:
    with another_leaver(machine):
        completed = machine.run("leave.sh", *order())
    assert completed.returncode == 1
    assert machine.read("log") == ""
    assert machine.read("run/alpinefleet-kexec/stage") == "an0ther shutdown\n"


def test_mark_that_nobody_holds_does_not_keep_a_leaver_away(machine: FakeMachine) -> None:
    with another_leaver(machine):
        pass
    assert machine.leave()[-1:] == whose("kexec -e -x -y @jump")


def test_leaver_that_died_does_not_lock_the_host(machine: FakeMachine) -> None:
    machine.load("f1rst")
    machine.run("leave.sh", *order(token="f1rst"), openrc=GONE)
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} shutdown\n"
    assert machine.leave()[-1:] == whose("kexec -e -x -y @jump")


def test_leaver_tries_again_while_somebody_looks_at_its_lock(machine: FakeMachine) -> None:
    busy_once = '[ -e "$root/looked" ] || { : >"$root/looked"; return 1; }; command flock "$@"'
    steps = machine.leave(flock=busy_once)
    assert what(steps)[:4] == ["flock -n 9", "flock -n 9", "flock -n 8", "openrc shutdown"]
    assert steps[-1:] == whose("kexec -e -x -y @jump")


def test_nothing_else_changes_the_host_meanwhile(machine: FakeMachine) -> None:
    lock = '"$root/run/alpinefleet-kexec"'
    machine.leave(openrc=f'command flock -n {lock} id >"$root/answer" || echo held >"$root/answer"')
    assert machine.read("answer") == "held\n"


@pytest.mark.parametrize(
    ("method", "last", "stage"),
    [("kexec", [], "replaced"), ("firmware", ["kexec -u", "reboot"], "shutdown")],
)
def test_leaver_does_not_wait_for_ever_for_who_changes_the_host(
    machine: FakeMachine, method: str, last: list[str], stage: str
) -> None:
    machine.load()
    folder = os.open(machine.root / "run/alpinefleet-kexec", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        machine.run("leave.sh", *order(method))
    finally:
        os.close(folder)
    assert what(machine.read("log").splitlines()) == last
    assert machine.read("sleeps").splitlines().count("0.2") == 49
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} {stage}\n"


def test_lock_is_held_while_services_are_stopped(machine: FakeMachine) -> None:
    lock = '"$root/run/alpinefleet-kexec/leaving"'
    machine.leave(openrc=f'command flock -n {lock} id >"$root/answer" || echo held >"$root/answer"')
    assert machine.read("answer") == "held\n"


@pytest.mark.parametrize(
    "boot_id", ["", "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1"], ids=["unnamed", "another"]
)
def test_order_for_another_boot_does_nothing(machine: FakeMachine, boot_id: str) -> None:
    completed = machine.run("leave.sh", *order(boot_id=boot_id))
    assert completed.returncode == 1
    assert machine.read("log") == ""
    assert not (machine.root / "run/alpinefleet-kexec").exists()


def during_delay(does: str) -> str:
    """What happens while the order waits for its delay to be over."""
    return f'case $1 in 0.500) {does} ;; *) pass "$1" ;; esac'


@pytest.mark.parametrize("late", [0, 1, 3600], ids=["on the second", "a second", "an hour"])
def test_order_that_comes_too_late_is_void(machine: FakeMachine, late: int) -> None:
    machine.load()
    completed = machine.run("leave.sh", *order(expires=UPTIME - late))
    assert completed.returncode == 1
    assert machine.read("log") == ""
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} expired\n"


def test_order_that_came_in_time_does_not_expire_during_its_delay(machine: FakeMachine) -> None:
    steps = machine.leave(sleep=during_delay('echo "9999.00 1.00" >"$root/proc/uptime"'))
    assert steps[-1:] == whose("kexec -e -x -y @jump")


@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_host_on_which_no_mark_can_be_left_is_not_left(machine: FakeMachine, method: str) -> None:
    # Whoever finds no mark says that the host stays up.
    (step,) = what(machine.leave(method, mv="return 1"))
    assert step.startswith("mv ")


def test_locks_are_free_when_the_leaver_has_given_way(machine: FakeMachine) -> None:
    free = {}

    def look() -> None:
        for name in ("leaving", "."):
            lock = os.open(machine.root / "run/alpinefleet-kexec" / name, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(lock)
            free[name] = True

    machine.afterwards = look
    begins = ': >"$root/run/openrc/rc.stopping"; return 1'
    machine.leave(openrc=begins, pgrep="return 0", sleep='command sleep "$1"')
    assert free == {"leaving": True, ".": True}


def test_order_that_openrc_refused_for_the_shutdown_of_init_gives_way(machine: FakeMachine) -> None:
    begins = ': >"$root/run/openrc/rc.stopping"; return 1'
    steps = what(machine.leave(openrc=begins, pgrep="return 0"))
    assert steps[:2] == ["openrc shutdown", "pgrep -P 1 -f ^[^ ]*openrc shutdown"]
    assert "kexec -e -x -y" not in steps
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} yielded\n"
    assert not (machine.root / JUMP).exists()


def test_what_is_left_of_a_shutdown_that_was_killed_does_not_keep_the_host_up(
    machine: FakeMachine,
) -> None:
    steps = machine.leave(openrc=': >"$root/run/openrc/rc.stopping"; return 143')
    assert steps[-1:] == whose("kexec -e -x -y @jump")


def test_poweroff_while_the_watchdog_is_taken_over_is_left_alone(machine: FakeMachine) -> None:
    begins = ': >"$root/run/openrc/rc.stopping"; command date "$@"'
    steps = guarded(machine, date=begins)
    assert "openrc shutdown" not in steps
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} yielded\n"


@pytest.mark.parametrize("method", ["kexec", "firmware"])
def test_shutdown_of_somebody_else_is_left_alone(machine: FakeMachine, method: str) -> None:
    # It may be for a poweroff.
    machine.write("run/openrc/rc.stopping", "")
    assert machine.leave(method) == []
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} yielded\n"
    assert not (machine.root / JUMP).exists()


def test_shutdown_of_somebody_else_that_begins_during_the_delay_is_left_alone(
    machine: FakeMachine,
) -> None:
    steps = machine.leave(sleep=during_delay(': >"$root/run/openrc/rc.stopping"'))
    assert "openrc shutdown" not in what(steps)
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} yielded\n"


def test_leaver_waits_for_the_connection_to_end(machine: FakeMachine) -> None:
    machine.leave()
    assert machine.read("sleeps").splitlines()[0] == "0.500"


def test_marks_are_readable_by_root_only(machine: FakeMachine) -> None:
    machine.leave()
    marks = machine.root / "run/alpinefleet-kexec"
    assert marks.stat().st_mode & 0o077 == 0


def test_mark_is_replaced_and_not_rewritten(machine: FakeMachine) -> None:
    machine.leave()
    names = {path.name for path in (machine.root / "run/alpinefleet-kexec").iterdir()}
    assert names == {"holders", "image.json", "leaving", "stage"}
    assert machine.read("run/alpinefleet-kexec/stage") == f"{MARK} jump\n"


def test_token_is_not_taken_for_shell(machine: FakeMachine) -> None:
    machine.load("$(reboot) `reboot`")
    machine.run("leave.sh", *order(token="$(reboot) `reboot`")[:-1], "$(reboot) `reboot`")
    assert not any(step.startswith("reboot") for step in machine.read("log").splitlines())


# --- The console ---------------------------------------------------------------------------


def test_console_shows_what_the_services_say(machine: FakeMachine) -> None:
    machine.leave(openrc="echo Stopping sshd")
    assert machine.read("dev/console") == "Stopping sshd\n"


def test_host_without_a_console_is_left_all_the_same(machine: FakeMachine) -> None:
    (machine.root / "dev/console").mkdir()
    assert machine.leave(openrc="echo Stopping sshd")[-1:] == whose("kexec -e -x -y @jump")


# --- Observing -----------------------------------------------------------------------------


@pytest.fixture
def running(machine: FakeMachine) -> FakeMachine:
    machine.write("proc/sys/kernel/osrelease", "6.18.38-0-virt\n")
    machine.write("proc/sys/kernel/bootloader_type", "114\n")
    machine.write("proc/cmdline", "root=/dev/vda1 rootflags=%s quiet\n")
    return machine


def observe(machine: FakeMachine) -> observation.Observation:
    found = observation.parse(machine.run("observe.sh", "n0nce").stdout, "n0nce")
    assert found is not None
    return found


def test_observe_tells_which_boot_runs(running: FakeMachine) -> None:
    assert observe(running) == observation.Observation(
        BOOT_ID,
        "6.18.38-0-virt",
        "root=/dev/vda1 rootflags=%s quiet",
        "114",
        leaver="",
        stage="",
        uptime=UPTIME + 0.93,
    )


@pytest.mark.parametrize(
    ("place", "said", "found"),
    [
        pytest.param(
            "sys/class/dmi/id/product_uuid", "4C4C4544-0042\n", "dmi:4c4c4544-0042", id="dmi"
        ),
        pytest.param(
            "proc/device-tree/serial-number",
            "10000000A4C6\0",
            "tree:10000000a4c6",
            id="device tree",
        ),
    ],
)
def test_observe_tells_the_number_of_the_machine(
    running: FakeMachine, place: str, said: str, found: str
) -> None:
    (running.root / place).parent.mkdir(parents=True)
    running.write(place, said)
    assert observe(running).hardware_id == found


def test_observe_tells_who_leaves(running: FakeMachine) -> None:
    running.leave()
    found = observe(running)
    assert (found.leaver, found.stage) == (MARK, "jump")


def test_observe_on_a_machine_without_that_boot_protocol(running: FakeMachine) -> None:
    (running.root / "proc/sys/kernel/bootloader_type").unlink()
    assert observe(running).bootloader_type == ""


def test_observe_without_a_boot_id_is_no_answer(running: FakeMachine) -> None:
    (running.root / "proc/sys/kernel/random/boot_id").unlink()
    assert observation.parse(running.run("observe.sh", "n0nce").stdout, "n0nce") is None


# --- The harness itself --------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "printf b >>/proc/sysrq-trigger",
        "/sbin/reboot -f",
        "exec /bin/busybox reboot",
        "cd /root && busybox reboot",
        'echo b >"/etc/passwd"',
    ],
)
def test_script_with_a_way_to_the_real_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "leave.sh").write_text(f"{line}\n")
    monkeypatch.setattr(commands_module, "SHELL", tmp_path)
    with pytest.raises(AssertionError):
        harmless("leave.sh", tmp_path / "root")


def test_script_never_runs_as_root(running: FakeMachine) -> None:
    # The first line of the prelude says so by this status.
    assert running.run("observe.sh", "n0nce").returncode != 99


# --- Confirming ----------------------------------------------------------------------------

CONFIRMED = "run/alpinefleet-kexec/confirmed"
OTHER_BOOT = "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1"
CAME_UP = f"quiet alpinefleet_kexec.token={TOKEN} alpinefleet_kexec.added=panic=10,oops=panic"
OOPS = "proc/sys/kernel/panic_on_oops"


def came_up(machine: FakeMachine, cmdline: str = CAME_UP, oops: str = "0") -> None:
    """The machine runs the image that it was told to jump into."""
    machine.write("proc/cmdline", f"{cmdline}\n")
    machine.write(OOPS, "1\n")
    (machine.root / "var/lib/alpinefleet-kexec").mkdir()
    (machine.root / "var/lib/alpinefleet-kexec").chmod(0o777)
    machine.write(JUMP, f"{TOKEN} {BOOT_ID} {RELEASE} 1700000000 {oops}\n")


def test_confirmation_is_left_for_who_waits_and_acknowledged(machine: FakeMachine) -> None:
    came_up(machine)
    assert machine.confirm() == TOKEN
    assert machine.read(CONFIRMED) == f"{TOKEN}\n"
    assert not (machine.root / JUMP).exists()


@pytest.mark.parametrize(
    ("cmdline", "before", "after"),
    [
        pytest.param(CAME_UP, "0", "0", id="as before"),
        pytest.param(CAME_UP, "1", "1", id="it was so before"),
        pytest.param(CAME_UP, "", "1", id="not noted"),
        pytest.param(CAME_UP, "yes", "1", id="noted as garbage"),
        pytest.param(f"alpinefleet_kexec.token={TOKEN} oops=panic", "0", "1", id="the user's own"),
    ],
)
def test_oops_is_what_it_was_before(
    machine: FakeMachine, cmdline: str, before: str, after: str
) -> None:
    came_up(machine, cmdline, before)
    assert machine.confirm() == TOKEN
    assert machine.read(OOPS).strip() == after


@pytest.mark.parametrize(
    "cmdline", ["quiet", f"xalpinefleet_kexec.token={TOKEN}", f"alpinefleet_kexec.token={TOKEN}0"]
)
def test_another_boot_is_not_confirmed(machine: FakeMachine, cmdline: str) -> None:
    came_up(machine, cmdline)
    assert machine.confirm() == ""
    assert not (machine.root / CONFIRMED).exists()
    assert (machine.root / JUMP).exists()


def test_boot_that_came_up_meanwhile_is_not_confirmed(machine: FakeMachine) -> None:
    came_up(machine)
    assert machine.confirm(boot_id=OTHER_BOOT) == MARK
    assert not (machine.root / CONFIRMED).exists()
    assert (machine.root / JUMP).exists()


# --- The test command ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        pytest.param("echo a b", 0, "a b", id="output"),
        pytest.param("exit 3", 3, "", id="status"),
        pytest.param("false; true # done", 0, "", id="several commands"),
        pytest.param("echo '$(id)' \"it's\"", 0, "$(id) it's", id="quotes"),
    ],
)
def test_command_runs_on_the_boot_that_was_proven(
    machine: FakeMachine, command: str, status: int, said: str
) -> None:
    machine.install("sh")
    completed = machine.run("test.sh", BOOT_ID, MARK, command)
    assert (completed.returncode, completed.stdout.strip()) == (status, said)


def test_command_does_not_run_on_another_boot(machine: FakeMachine) -> None:
    completed = machine.run("test.sh", OTHER_BOOT, MARK, "echo ran")
    assert (completed.returncode, completed.stdout.split()) == (1, [MARK])


def test_note_of_another_jump_stays(machine: FakeMachine) -> None:
    came_up(machine)
    machine.write(JUMP, f"an0ther {BOOT_ID} {RELEASE} 1700000000 0\n")
    assert machine.confirm() == TOKEN
    assert (machine.root / JUMP).exists()


@pytest.mark.parametrize("place", ["confirmed", "confirmed.new", "stage", "no-kexec"])
def test_pipe_in_a_place_holds_no_confirmation_up(machine: FakeMachine, place: str) -> None:
    came_up(machine)
    machine.load()
    os.mkfifo(machine.root / "run/alpinefleet-kexec" / place)
    assert machine.confirm() == TOKEN
    assert machine.read(CONFIRMED) == f"{TOKEN}\n"


def test_confirmation_needs_no_note(machine: FakeMachine) -> None:
    came_up(machine)
    (machine.root / JUMP).unlink()
    assert machine.confirm() == TOKEN


def test_confirmation_that_cannot_be_left_is_not_acknowledged(machine: FakeMachine) -> None:
    came_up(machine)
    (machine.root / "run").chmod(0o555)
    assert TOKEN not in machine.confirm().split()


# --- The health of a host -------------------------------------------------------------------

NONCE = "a1b2c3d4e5f60718"
SERVICES = """\
[default]
sshd =  started
nginx =  crashed
ntpd =  started 00:10:02 (0)
"""
LISTENS = "0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100"
CONNECTED = LISTENS.replace(" 0A ", " 01 ").replace(":0016", ":0017")
LISTENS_6 = LISTENS.replace("00000000:0016", f"{'0' * 32}:01BB")


def examined(
    machine: FakeMachine,
    *commands: str,
    services: bool = False,
    ports: bool = False,
    boot_id: str = BOOT_ID,
    **reaction: str,
) -> str:
    """Run health.sh; return what it said."""
    machine.install("sh")
    asked = ["yes" if each else "no" for each in (services, ports)]
    return machine.run("health.sh", boot_id, MARK, NONCE, *asked, "2", *commands, **reaction).stdout


def understood(said: str, commands: int = 0) -> health.Examination:
    found = health.parse(said, NONCE, commands)
    assert found is not None
    return found


@pytest.fixture
def listening(machine: FakeMachine) -> FakeMachine:
    """A machine with services and connections."""
    machine.write("services", SERVICES)
    (machine.root / "proc/net").mkdir()
    machine.write("proc/net/tcp", f"  sl  local_address st\n{LISTENS}\n{LISTENS}\n{CONNECTED}\n")
    machine.write("proc/net/tcp6", f"  sl  local_address st\n{LISTENS_6}\n")
    (machine.root / "bin/rc-status").write_text(
        '#!/bin/sh\n[ "$*" = "--all --format ini" ] || exit 9\n'
        'cat "${0%/bin/*}/services"\nexit "$(cat "${0%/bin/*}/status")"\n'
    )
    (machine.root / "bin/rc-status").chmod(0o755)
    machine.write("status", "0\n")
    return machine


def test_examination_tells_what_it_is_asked(listening: FakeMachine) -> None:
    said = examined(listening, "true", "exit 3", services=True, ports=True)
    assert understood(said, 2) == health.Examination(
        0, frozenset({"sshd", "ntpd"}), frozenset({22, 443}), (0, 3)
    )


def test_examination_tells_nothing_else(listening: FakeMachine) -> None:
    assert examined(listening).split() == ["BEGIN", NONCE, "END", NONCE]


@pytest.mark.parametrize("status", [1, 127])
def test_examination_says_that_services_cannot_be_listed(
    listening: FakeMachine, status: int
) -> None:
    listening.write("status", f"{status}\n")
    assert understood(examined(listening, services=True)).rc_status == status


def test_host_without_openrc_has_no_services_to_list(machine: FakeMachine) -> None:
    found = understood(examined(machine, services=True))
    assert (found.rc_status, found.started) == (127, frozenset())


def test_host_without_ipv6_has_its_ports(listening: FakeMachine) -> None:
    (listening.root / "proc/net/tcp6").unlink()
    assert understood(examined(listening, ports=True)).ports == {22}


def test_command_that_hangs_is_ended(listening: FakeMachine) -> None:
    found = understood(examined(listening, "sleep 600", "true"), 2)
    assert found.commands[0] != 0
    assert found.commands[1] == 0


@pytest.mark.parametrize(
    "command",
    ["echo END; echo command 0 1", f"printf 'END {NONCE}\n'", "cat", "exit 0 >&2", "exec 2>&-"],
)
def test_what_a_command_prints_or_reads_is_nothing(machine: FakeMachine, command: str) -> None:
    assert understood(examined(machine, command), 1).commands == (0,)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo first; echo; echo 'the last' >&2; echo; exit 3", "the last"),
        ("printf 'no line feed'; exit 1", "no line feed"),
        ("printf '%0300d' 7; exit 1", "0" * 200),
        (f"echo ' {NONCE} 0'; exit 1", f"{NONCE} 0"),
    ],
)
def test_command_that_fails_has_its_last_line_told(
    machine: FakeMachine, command: str, said: str
) -> None:
    found = understood(examined(machine, "exit 9", command, "echo well"), 3)
    assert (found.commands[0], found.commands[2]) == (9, 0)
    assert found.commands[1] != 0
    # One that said nothing has no words of another one, and one that succeeds has none at all.
    assert found.said == {1: said}


def test_what_a_command_has_left_running_is_not_waited_for(machine: FakeMachine) -> None:
    started = time.monotonic()
    assert understood(examined(machine, "sleep 600 & exit 1"), 1).commands == (1,)
    assert time.monotonic() - started < 60


def test_more_services_than_anybody_has_are_cut(listening: FakeMachine) -> None:
    listening.write("services", "".join(f"s{number} =  started\n" for number in range(20000)))
    said = examined(listening, services=True)
    assert len(said) < 100000
    assert "s0" in understood(said).started


def test_any_boot_is_examined_where_none_is_named(listening: FakeMachine) -> None:
    assert understood(examined(listening, "true", boot_id="-"), 1).commands == (0,)


def test_another_boot_is_not_examined(listening: FakeMachine) -> None:
    said = examined(listening, 'echo "ran" >"$root/ran"', boot_id=OTHER_BOOT)
    assert said == f"\n{MARK}\n"
    assert not (listening.root / "ran").exists()


# --- What the host remembers of a run -------------------------------------------------------

NOTE = "var/lib/alpinefleet-kexec/run"
FIRST, SECOND = "1" * 32, "2" * 32
DRAINED = 'drain\ndrained "web"'


AS_ROOT = "echo 0"


def asked(
    machine: FakeMachine,
    *words: str,
    controller: str = OTHER_BOOT,
    user: str = AS_ROOT,
    **reaction: str,
) -> subprocess.CompletedProcess[str]:
    """Run memory.sh, which takes itself for root's."""
    what, run, note = (*words, "")[:3]
    given = (what, run, note, controller, MARK, NONCE)
    return machine.run("memory.sh", *given, id=user, **reaction)


def refusal(completed: subprocess.CompletedProcess[str]) -> tuple[int, list[str]]:
    """Why nothing is remembered, as memory.sh says behind its mark."""
    return completed.returncode, completed.stdout.partition(f"\n{MARK}")[2].split()


def memory(machine: FakeMachine, what: str, run: str = FIRST, note: str = "") -> str | None:
    """What memory.sh tells, None where it does not answer."""
    return frames.between(asked(machine, what, run, note).stdout, NONCE)


@pytest.fixture
def keeper(machine: FakeMachine) -> FakeMachine:
    """A machine whose /var/lib can be written."""
    (machine.root / "var/lib").chmod(0o777)
    return machine


def test_run_that_takes_a_host_is_told_what_was_left_there(keeper: FakeMachine) -> None:
    assert memory(keeper, "take", FIRST) == "\n"
    # There was nothing to take, and nothing is written before there is something to remember.
    assert not (keeper.root / "var/lib/alpinefleet-kexec").exists()
    assert not (keeper.root / "run/alpinefleet-kexec").exists()
    assert memory(keeper, "claim", FIRST, "drain") == "\n"
    assert memory(keeper, "claim", FIRST, DRAINED) == "\n"
    assert keeper.read(NOTE) == f"{FIRST} {DRAINED}\n"
    assert memory(keeper, "take", SECOND) == f"{FIRST} {DRAINED}\n"
    # It is the run of the second from now on, and nothing is forgotten.
    assert keeper.read(NOTE) == f"{SECOND} {DRAINED}\n"
    folder = keeper.root / "var/lib/alpinefleet-kexec"
    assert (folder.stat().st_mode & 0o777, (folder / "run").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


def test_run_that_was_overtaken_is_told_so_and_changes_nothing(keeper: FakeMachine) -> None:
    memory(keeper, "claim", FIRST, DRAINED)
    memory(keeper, "take", SECOND)
    for words in (("keep", FIRST), ("keep", FIRST, "down"), ("claim", FIRST, "down")):
        assert refusal(asked(keeper, *words)) == (1, ["overtaken"])
    assert keeper.read(NOTE) == f"{SECOND} {DRAINED}\n"


def test_of_two_runs_that_begin_at_once_the_first_one_to_write_may_act(keeper: FakeMachine) -> None:
    assert [memory(keeper, "take", run) for run in (FIRST, SECOND)] == ["\n", "\n"]
    memory(keeper, "claim", SECOND, DRAINED)
    assert refusal(asked(keeper, "claim", FIRST, "down")) == (1, ["overtaken"])
    assert keeper.read(NOTE) == f"{SECOND} {DRAINED}\n"


@pytest.mark.parametrize("what", ["take", "claim", "keep", "tell"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"controller": BOOT_ID}, ["target_is_controller"]),
        ({"user": "echo 1000"}, ["not_root", "1000"]),
    ],
)
def test_host_that_is_not_to_be_rebooted_is_refused_before_anything_is_written(
    keeper: FakeMachine, what: str, given: dict[str, str], said: list[str]
) -> None:
    assert refusal(asked(keeper, what, FIRST, "down", **given)) == (1, said)
    for place in ("run", "var/lib"):
        assert not (keeper.root / place / "alpinefleet-kexec").exists()


def test_run_that_has_nothing_to_say_writes_nothing(keeper: FakeMachine) -> None:
    assert memory(keeper, "keep", FIRST) == "\n"
    assert not (keeper.root / "var/lib/alpinefleet-kexec").exists()


def test_run_that_is_done_is_forgotten(keeper: FakeMachine) -> None:
    memory(keeper, "claim", FIRST, DRAINED)
    assert memory(keeper, "keep", FIRST) == "\n"
    assert not (keeper.root / NOTE).exists()
    # Whoever has nothing to keep any more may not act.
    assert memory(keeper, "keep", FIRST, DRAINED) is None


def test_telling_changes_nothing(keeper: FakeMachine) -> None:
    assert memory(keeper, "tell") == "\n"
    assert not (keeper.root / "var/lib/alpinefleet-kexec").exists()
    memory(keeper, "claim", FIRST, DRAINED)
    assert memory(keeper, "tell", "-") == f"{FIRST} {DRAINED}\n"
    assert keeper.read(NOTE) == f"{FIRST} {DRAINED}\n"


def test_note_is_on_the_disk_before_anything_follows(keeper: FakeMachine) -> None:
    memory(keeper, "claim", FIRST, "drain")
    memory(keeper, "keep", FIRST)
    steps = [each for each in what(keeper.read("log").splitlines()) if each.startswith("sync")]
    folder = f"{keeper.root}/var/lib/alpinefleet-kexec"
    assert steps == [f"sync {folder}/run {folder}", f"sync {folder}"]


def test_sync_that_knows_no_files_is_one_of_all(keeper: FakeMachine) -> None:
    told = asked(keeper, "claim", FIRST, "drain", sync='[ "$#" -eq 0 ]').stdout
    assert frames.between(told, NONCE) == "\n"
    assert what(keeper.read("log").splitlines())[-1] == "sync"


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("nothing")])
def test_what_is_no_note_is_replaced(keeper: FakeMachine, make: t.Any) -> None:
    (keeper.root / "var/lib/alpinefleet-kexec").mkdir()
    (keeper.root / "var/lib/alpinefleet-kexec").chmod(0o777)
    make(keeper.root / NOTE)
    assert memory(keeper, "take") == "\n"
    assert memory(keeper, "claim", FIRST, DRAINED) == "\n"
    assert keeper.read(NOTE) == f"{FIRST} {DRAINED}\n"


def test_directory_in_the_place_of_the_note_is_left_alone(keeper: FakeMachine) -> None:
    (keeper.root / NOTE).mkdir(parents=True)
    assert memory(keeper, "claim", FIRST, DRAINED) is None
    assert list((keeper.root / NOTE).iterdir()) == []


def test_note_that_is_huge_is_cut(keeper: FakeMachine) -> None:
    (keeper.root / "var/lib/alpinefleet-kexec").mkdir()
    (keeper.root / "var/lib/alpinefleet-kexec").chmod(0o777)
    keeper.write(NOTE, f"{FIRST} drain\n" + 'drained "web"\n' * 5000)
    told = memory(keeper, "take", SECOND)
    assert told is not None
    assert told.startswith(f"{FIRST} drain\n")
    assert len(told) < 20000


@pytest.mark.parametrize("place", ["var/lib", "run"])
def test_host_that_cannot_remember_does_not_say_that_it_does(
    machine: FakeMachine, place: str
) -> None:
    (machine.root / "var/lib").chmod(0o777)
    (machine.root / place).chmod(0o555)
    assert memory(machine, "claim", FIRST, DRAINED) is None


def test_somebody_else_who_changes_the_host_is_waited_for(keeper: FakeMachine) -> None:
    keeper.load()
    folder = os.open(keeper.root / "run/alpinefleet-kexec", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        assert memory(keeper, "claim", FIRST, DRAINED) is None
    finally:
        os.close(folder)
    assert memory(keeper, "claim", FIRST, DRAINED) == "\n"
