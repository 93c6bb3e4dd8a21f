# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of kexec_host in the shell that Alpine has, on a host that is a folder.

Every path of the scripts is turned into one below the folder, every command that would change
the machine is a function of the shell, and the shell runs as nobody if the tests run as root.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import typing as t
from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[3] / "roles/kexec_host/files"
BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
UUID = "0d4ba4f5-3c8e-4b57-8f0f-7a7a1b1a9f10"
TOKEN = f"alpinefleet_kexec.token={UUID}"
RUNNING = "BOOT_IMAGE=vmlinuz-virt root=LABEL=root quiet initrd=initramfs-virt"
OURS = "run/alpinefleet-kexec"
STATE = "var/lib/alpinefleet-kexec/last-reboot"
PATH_OF_HOST = re.compile(
    r"(?<![\w.}])/(?=(?:bin|boot|dev/kmsg|etc|lib/modules|proc|run|sbin|sys|usr/share|var)\b)"
)
# What OpenRC gives to a service, and the commands that a service must not reach here.
PRELUDE = r"""
[ "$(id -u)" -ne 0 ] || exit 99
log() { printf '%s\n' "$*" >>"$root/log"; }
einfo() { log "einfo $*"; }
ewarn() { log "ewarn $*"; }
eerror() { log "eerror $*"; }
ebegin() { log "ebegin $*"; }
eend() { return "$1"; }
yesno() { [ "$1" = YES ]; }
fstabinfo() { [ -e "$root/fstab-has-boot" ]; }
mountinfo() { [ -e "$root/boot-is-mounted" ]; }
mount() { log "mount $*"; : >"$root/boot-is-mounted"; }
umount() { log "umount $*"; rm "$root/boot-is-mounted"; }
logger() { :; }
sync() { :; }
sleep() { log "sleep $1"; }
df() { printf 'Filesystem\n/dev/vda1 1 1 1 1%% /\n'; }
uname() { case $1 in -r) echo 6.18.56-0-virt ;; *) echo x86_64 ;; esac; }
kexec() {
    log "kexec $*"
    case $1 in
    -a) [ ! -e "$root/kexec-fails" ] && echo 1 >"$root/sys/kernel/kexec_loaded" ;;
    *) echo 'kexec -e is refused' >&2 && return 1 ;;
    esac
}
"""


class ServiceHost:
    """A folder with what the services look at."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/cmdline", f"{RUNNING}\n")
        self.write("proc/mounts", "/dev/vda1 / ext4 ro,relatime 0 0\n")
        self.write("proc/sysrq-trigger", "")
        self.write("proc/sys/kernel/kexec_load_disabled", "0\n")
        self.write("proc/sys/kernel/random/boot_id", f"{BOOT_ID}\n")
        self.write("proc/sys/kernel/random/uuid", f"{UUID}\n")
        self.write("sys/kernel/kexec_loaded", "0\n")
        self.write("dev/kmsg", "")
        self.write("boot/vmlinuz-virt", "kernel")
        self.write("boot/initramfs-virt", "initramfs")
        self.write("usr/share/kernel/virt/kernel.release", "6.18.56-0-virt\n")
        self.write("lib/modules/6.18.56-0-virt/modules.dep", "")
        self.write("bin/busybox", '#!/bin/sh\nexit "$(cat "${0%/bin/busybox}/reboot-status")"\n')
        self.write("reboot-status", "0")
        self.write(f"{OURS}/.keep", "")
        (self.root / "bin/busybox").chmod(0o777)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def ask(self, boot: str = BOOT_ID, *, before: float = 2.0) -> None:
        """Somebody asked for a reboot through kexec, seconds before the shutdown began."""
        self.write(f"{OURS}/intent", f"{boot}\n")
        self.write("run/openrc/rc.stopping", "")
        begun = 1_800_000_000.0
        os.utime(self.root / "run/openrc/rc.stopping", (begun, begun))
        os.utime(self.root / f"{OURS}/intent", (begun - before, begun - before))

    def service(self, name: str, function: str, **variables: str) -> list[str]:
        """Call a function of a service as OpenRC does; return what it did."""
        self.script(f"{name}.initd", after=f"{function}\n", **variables)
        return self.log()

    def log(self) -> list[str]:
        return self.read("log").splitlines() if self.exists("log") else []

    def script(self, name: str, *arguments: str, after: str = "", **variables: str) -> int:
        code = (FILES / name).read_text(encoding="utf-8")
        code = PATH_OF_HOST.sub(f"{self.root}/", code.replace("#!/bin/sh\n", ""))
        settings = "".join(f"{key}='{value}'\n" for key, value in variables.items())
        text = f"root={self.root}\nRC_SVCDIR={self.root}/run/openrc\n{settings}{PRELUDE}{code}\n"
        identity = as_nobody()
        for path in [self.root, *self.root.rglob("*")] if identity else []:
            os.chown(path, identity["user"], identity["group"])
        return subprocess.run(
            [installed("busybox"), "ash", "-c", text + after, name, *arguments],
            cwd=self.root,
            timeout=30,
            check=False,
            **identity,
        ).returncode


def as_nobody() -> dict[str, t.Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def installed(name: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"these tests need {name}"
    return path


@pytest.fixture
def host() -> t.Iterator[ServiceHost]:
    # pytest's own folders are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="services-")).resolve()
    yield ServiceHost(root)
    shutil.rmtree(root)


def stop(host: ServiceHost, **variables: str) -> list[str]:
    return host.service("kexec-load", "stop", **{"RC_RUNLEVEL": "shutdown", **variables})


def loads(log: list[str]) -> list[str]:
    return [line for line in log if line.startswith("kexec -a")]


# --- kexec-load, when the system goes down -------------------------------------------------


def test_stop_loads_what_was_asked_for(host: ServiceHost) -> None:
    host.ask()
    (line,) = loads(stop(host))
    files = f"{host.root}/boot/vmlinuz-virt --initrd={host.root}/boot/initramfs-virt"
    assert line == f"kexec -a -l {files} --command-line={TOKEN} root=LABEL=root quiet"
    assert host.read(f"{OURS}/armed").strip() == UUID
    assert host.read(STATE).startswith(f"{UUID} the jump into the loaded kernel did not happen")
    assert not host.exists(f"{OURS}/intent")


def test_stop_loads_nothing_unless_asked(host: ServiceHost) -> None:
    assert stop(host) == []
    assert not host.exists(f"{OURS}/armed")


def refuses_intent(host: ServiceHost) -> None:
    assert loads(stop(host)) == []
    assert not host.exists(f"{OURS}/armed")
    # It is consumed all the same.
    assert not host.exists(f"{OURS}/intent")


def test_stop_refuses_the_wish_of_another_boot(host: ServiceHost) -> None:
    host.ask(UUID)
    refuses_intent(host)


@pytest.mark.parametrize("before", [-1.0, 61.0], ids=["after the shutdown began", "long before"])
def test_stop_refuses_a_wish_of_another_time(host: ServiceHost, before: float) -> None:
    host.ask(before=before)
    refuses_intent(host)


def test_stop_tells_a_tenth_of_a_second_apart(host: ServiceHost) -> None:
    host.ask(before=-0.1)
    refuses_intent(host)


def test_stop_by_hand_loads_nothing_and_keeps_the_wish(host: ServiceHost) -> None:
    host.ask()
    log = stop(host, RC_RUNLEVEL="default")
    assert log == ["einfo Reboots go through firmware until this service is started again."]
    assert host.exists(f"{OURS}/intent")


def test_stop_leaves_a_shutdown_to_the_one_that_leads_it(host: ServiceHost) -> None:
    host.ask()
    host.write(f"{OURS}/leaving", "")
    with (host.root / OURS / "leaving").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert stop(host) == []
    assert host.exists(f"{OURS}/intent")
    # A lock that nobody holds any more is no leader.
    assert len(loads(stop(host))) == 1


def test_stop_leaves_one_reboot_to_firmware_on_request(host: ServiceHost) -> None:
    host.ask()
    host.write(f"{OURS}/no-kexec", "")
    refuses_intent(host)
    assert not host.exists(f"{OURS}/no-kexec")


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        pytest.param(
            lambda host: host.write("boot/initramfs-virt", ""),
            "/boot/initramfs-virt is missing or empty",
            id="empty initramfs",
        ),
        pytest.param(
            lambda host: (host.root / "boot/vmlinuz-virt").unlink(),
            "/boot/vmlinuz-virt is missing or empty",
            id="no kernel",
        ),
        pytest.param(
            lambda host: host.write("usr/share/kernel/virt/kernel.release", "6.18.60-0-virt\n"),
            "the modules of 6.18.60-0-virt are not installed",
            id="no modules",
        ),
        pytest.param(
            lambda host: host.write("proc/sys/kernel/kexec_load_disabled", "1\n"),
            "kexec is locked",
            id="locked",
        ),
        pytest.param(
            lambda host: host.write("kexec-fails", ""), "kexec could not load", id="load fails"
        ),
        pytest.param(
            lambda host: host.write("proc/cmdline", "x" * 2048 + "\n"),
            "and the kernel takes 2047",
            id="command line too long",
        ),
    ],
)
def test_stop_that_cannot_load_remembers_why(
    host: ServiceHost, arrange: t.Callable[[ServiceHost], object], why: str
) -> None:
    host.ask()
    arrange(host)
    stop(host)
    assert not host.exists(f"{OURS}/armed")
    assert host.read(STATE).startswith("- ")
    assert why in host.read(STATE).replace(str(host.root), "")


def test_stop_mounts_boot_only_for_loading(host: ServiceHost) -> None:
    host.ask()
    host.write("fstab-has-boot", "")
    steps = [line.partition(" ")[0] for line in stop(host)]
    assert [step for step in steps if step in ("mount", "kexec", "umount")] == [
        "mount",
        "kexec",
        "umount",
    ]


def test_settings_come_first(host: ServiceHost) -> None:
    host.ask()
    for name in ("k", "i"):
        host.write(f"boot/{name}", name)
    paths = {name: f"{host.root}/boot/{name}" for name in ("k", "i")}
    stop(host, kexec_kernel=paths["k"], kexec_initramfs=paths["i"], kexec_cmdline="a b")
    assert loads(host.log()) == [
        f"kexec -a -l {paths['k']} --initrd={paths['i']} --command-line={TOKEN} a b"
    ]


@pytest.mark.parametrize(
    ("running", "inherited"),
    [
        pytest.param("a  b\tc", "a b c", id="white space"),
        pytest.param('x="a b" quiet', 'x="a b" quiet', id="space in a value"),
        pytest.param('"x=a  b" quiet', '"x=a  b" quiet', id="quotes around a parameter"),
        pytest.param("a initrd=i -- BOOT_IMAGE=k init", "a -- init", id="words for init"),
        pytest.param(
            "alpinefleet_kexec.token=old a alpinefleet-kexec.token=old", "a", id="own tokens"
        ),
        pytest.param("initrdx=1 noinitrd panic=1", "initrdx=1 noinitrd panic=1", id="prefixes"),
        pytest.param(r"a=\$HOME $(id) `id` %s *", r"a=\$HOME $(id) `id` %s *", id="shell"),
    ],
)
def test_running_command_line_is_inherited(host: ServiceHost, running: str, inherited: str) -> None:
    host.ask()
    host.write("proc/cmdline", f"{running}\n")
    (line,) = loads(stop(host))
    assert line.partition("--command-line=")[2] == f"{TOKEN} {inherited}"


# --- kexec-load, when the system comes up --------------------------------------------------


def start(host: ServiceHost, **variables: str) -> list[str]:
    return host.service("kexec-load", "start", **variables)


def test_start_loads_nothing(host: ServiceHost) -> None:
    assert start(host) == []


@pytest.mark.parametrize(
    ("cmdline", "said"),
    [
        pytest.param(f"quiet {TOKEN}", "einfo This boot came through kexec.", id="kexec"),
        pytest.param(
            RUNNING,
            "ewarn The last reboot was to go through kexec and went through firmware: it hung.",
            id="firmware",
        ),
    ],
)
def test_start_tells_of_the_last_reboot_once(host: ServiceHost, cmdline: str, said: str) -> None:
    host.write(STATE, f"{UUID} it hung.\n")
    host.write("proc/cmdline", f"{cmdline}\n")
    assert start(host) == [said]
    assert start(host) == [said]


def test_start_loads_and_locks_where_that_is_set(host: ServiceHost) -> None:
    assert len(loads(start(host, kexec_lock_after_load="YES"))) == 1
    assert host.read("proc/sys/kernel/kexec_load_disabled") == "1\n"
    lines = host.read(f"{OURS}/frozen").splitlines()
    assert lines[:2] == [UUID, f"{TOKEN} root=LABEL=root quiet"]
    assert lines[2] == f"{hashlib.sha256(b'kernel').hexdigest()}  {host.root}/boot/vmlinuz-virt"


def test_start_again_leaves_what_is_locked(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    assert len(loads(start(host, kexec_lock_after_load="YES"))) == 1


def test_stop_uses_what_was_locked(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    host.write("proc/sys/kernel/random/uuid", f"{BOOT_ID}\n")
    host.ask()
    assert len(loads(stop(host))) == 1
    assert host.read(f"{OURS}/armed").strip() == UUID


def test_stop_does_not_use_what_was_locked_and_then_replaced(host: ServiceHost) -> None:
    start(host, kexec_lock_after_load="YES")
    host.write("boot/vmlinuz-virt", "upgraded")
    host.ask()
    stop(host)
    assert not host.exists(f"{OURS}/armed")
    assert "changed after the image was loaded" in host.read(STATE)


def test_start_on_a_locked_kernel_warns(host: ServiceHost) -> None:
    host.write("proc/sys/kernel/kexec_load_disabled", "1\n")
    (line,) = start(host)
    assert line.startswith("ewarn kexec is locked")


# --- kexec-exec ----------------------------------------------------------------------------


def execute(host: ServiceHost) -> list[str]:
    return host.service("kexec-exec", "start")


def test_exec_does_nothing_unless_armed(host: ServiceHost) -> None:
    host.write("sys/kernel/kexec_loaded", "1\n")
    assert execute(host) == []


def test_exec_jumps_once(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    assert "kexec -e -x" in execute(host)
    assert not host.exists(f"{OURS}/armed")


def test_exec_that_fails_remembers_why(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    host.write(STATE, f"{UUID} nothing\n")
    log = execute(host)
    assert host.read(STATE) == "- kexec -e failed: kexec -e is refused.\n"
    assert [line for line in log if line.startswith("mount")] == [
        "mount -o remount,rw /",
        "mount -o remount,ro /",
    ]


def test_exec_does_not_jump_from_what_is_writable(host: ServiceHost) -> None:
    host.write(f"{OURS}/armed", UUID)
    host.write(STATE, f"{UUID} nothing\n")
    host.write("proc/mounts", "/dev/vda1 / ext4 ro 0 0\n/dev/vdb1 /srv ext4 rw,noatime 0 0\n")
    log = execute(host)
    assert not any(line.startswith("kexec") for line in log)
    assert host.read("proc/sysrq-trigger") == "u"
    assert host.read(STATE) == "- /srv could not be made read-only.\n"


# --- kexec-reboot --------------------------------------------------------------------------


def test_reboot_leaves_the_wish_for_this_boot(host: ServiceHost) -> None:
    assert host.script("kexec-reboot") == 0
    assert host.read(f"{OURS}/intent").strip() == BOOT_ID
    assert (host.root / OURS / "intent").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "arguments",
    [("-f",), ("-nf",), ("-d",), ("--help",), ("now",), ("-d", "1", "-f")],
    ids=" ".join,
)
def test_reboot_leaves_what_it_does_not_know_to_busybox(
    host: ServiceHost, arguments: tuple[str, ...]
) -> None:
    host.script("kexec-reboot", *arguments)
    assert not host.exists(f"{OURS}/intent")


def test_reboot_waits_before_it_leaves_the_wish(host: ServiceHost) -> None:
    host.script("kexec-reboot", "-d", "7")
    assert host.log() == ["sleep 7"]
    assert host.exists(f"{OURS}/intent")


def test_reboot_that_fails_takes_the_wish_back(host: ServiceHost) -> None:
    host.write("reboot-status", "5")
    assert host.script("kexec-reboot") == 5
    assert not host.exists(f"{OURS}/intent")


def test_reboot_during_a_shutdown_is_no_wish(host: ServiceHost) -> None:
    host.write("run/openrc/rc.stopping", "")
    assert host.script("kexec-reboot") == 0
    assert not host.exists(f"{OURS}/intent")


def test_reboot_without_a_place_for_the_wish_reboots(host: ServiceHost) -> None:
    shutil.rmtree(host.root / OURS)
    host.write(OURS, "a file")
    assert host.script("kexec-reboot") == 0
