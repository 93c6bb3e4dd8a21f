# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that is a folder, for scripts in the shell that Alpine has.

Every path of the scripts is turned into one below the folder, every command that would change
the machine is a function of the shell, and the shell runs as nobody if the tests run as root.
"""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

from ansible_collections.alpinefleet.kexec.tests.shell_coverage import report
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

PROGRAMS = report.programs(report.ROOT)
BOOT_ID = "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77"
UUID = "0d4ba4f5-3c8e-4b57-8f0f-7a7a1b1a9f10"
TOKEN = f"alpinefleet_kexec.token={UUID}"
RUNNING = "BOOT_IMAGE=vmlinuz-virt root=LABEL=root quiet initrd=initramfs-virt"
OURS = "run/alpinefleet-kexec"
OTHER_BOOT = "b7a1c9d2-0c1e-4c52-9f3a-5d2c8c7e1f44"
JUMP = "var/lib/alpinefleet-kexec/jump"
STATE = "var/lib/alpinefleet-kexec/last-reboot"
PATH_OF_HOST = re.compile(
    r"(?<![\w.}])/(?=(?:bin|boot|dev/(?:kmsg|console|watchdog)|etc|lib/modules|proc|run|sbin|sys"
    r"|usr/share|var)\b)"
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
need() { log "need $*"; }
after() { log "after $*"; }
before() { log "before $*"; }
keyword() { log "keyword $*"; }
yesno() { [ "$1" = YES ]; }
fstabinfo() { [ -e "$root/fstab-has-boot" ]; }
mountinfo() { [ -e "$root/boot-is-mounted" ]; }
mount() {
    log "mount $*"
    case $1 in
    -t) echo "$5 $6 $2 $4 0 0" >>"$root/proc/mounts" ;;
    -r) : >"$root/boot-is-mounted" ;;
    -o) is_bound "$@" || return 1 ;;
    esac
    [ ! -e "$root/mount-hangs" ] || command sleep 600
}
# What is mounted on an empty folder is seen there.
is_bound() {
    case $2 in
    bind) [ ! -e "$root/no-bind" ] && { ! rmdir "$4" || ln -s "$3" "$4"; } 2>/dev/null ;;
    remount,bind,ro) [ ! -e "$root/no-read-only" ] ;;
    esac
}
umount() {
    log "umount $*"
    rm -f "$root/boot-is-mounted"
    [ ! -L "$1" ] || { rm "$1"; mkdir "$1"; }
}
logger() { :; }
sync() { [ ! -e "$root/sync-hangs" ] || command sleep 600; }
pgrep() { [ -e "$root/init-ends" ]; }
ln -s "/proc/$$" "$root/proc/$$"
# The time of the feeder is not that of the program.
sleep() {
    if [ "$1" != 0.1 ] && is_the_program; then
        settle; log "sleep $1"; tick "$1"
    elif [ "$1" = 0.1 ] && ! [ -e "$root/mount-hangs" ] && ! [ -e "$root/sync-hangs" ]; then
        # Somebody waits for a command that ends, if not at once on a machine that is in use.
        command sleep 0.02
    else
        command sleep 0.002
    fi
}
read() {
    [ "$2" = -t ] || { command read "$@"; return; }
    is_the_program && { sleep "$3"; return; }
    log "pause $3"
    command sleep 0.01
}
is_the_program() {
    local pid
    command read -r pid _ </proc/self/stat
    [ "$pid" = "$$" ]
}
settle() {
    [ -n "${feeder:-}" ] || return 0
    # Only a process that is waited for lets the shell notice the end of another one.
    until [ -s "$root/dev/watchdog" ] || ! command kill -0 "$feeder" 2>/dev/null; do
        command sleep 0.01
    done
}
# Time passes where somebody sleeps, and what a test wants to happen at a time happens then.
tick() {
    local up
    command read -r up _ <"$root/proc/uptime"
    up=$((${up%%.*} + $1))
    echo "$up.00 0.00" >"$root/proc/uptime"
    [ ! -e "$root/at/$up" ] || . "$root/at/$up"
}
alias rc-service=rc_service start-stop-daemon=start_stop_daemon
rc_service() { log "rc-service $*"; [ "$3" != status ] || [ -e "$root/watchdog-runs" ]; }
start_stop_daemon() { log "start-stop-daemon ${RC_SVCNAME-alone} $*"; }
modprobe() { log "modprobe $*"; [ ! -e "$root/no-driver" ]; }
kill() { [ "$1" = -0 ] || [ "$1" = -CONT ] || log_once "kill $1"; command kill "$@"; }
# Until it has ended it is told again, and others may wait meanwhile.
log_once() { [ "$(grep -v '^pause ' "$root/log" | tail -n 1)" = "$1" ] || log "$1"; }
busybox() { log "busybox $*"; }
uname() { case $1 in -r) echo 6.18.56-0-virt ;; *) cat "$root/machine" ;; esac; }
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
        # What is to be seen before the processes that a program has left are ended.
        self.afterwards: t.Callable[[], None] = lambda: None
        self.write("proc/cmdline", f"{RUNNING}\n")
        self.write("proc/mounts", "/dev/vda1 / ext4 ro,relatime 0 0\n")
        self.write("proc/sysrq-trigger", "")
        self.write("proc/sys/kernel/kexec_load_disabled", "0\n")
        self.write("proc/sys/kernel/random/boot_id", f"{BOOT_ID}\n")
        self.write("proc/sys/kernel/random/uuid", f"{UUID}\n")
        self.write("sys/kernel/kexec_loaded", "0\n")
        self.write("proc/uptime", "4.20 1.00\n")
        self.write("dev/console", "")
        self.write("dev/kmsg", "")
        # A process looks itself up.
        (self.root / "proc/self").symlink_to("/proc/self")
        self.write("boot/vmlinuz-virt", "kernel")
        self.write("boot/initramfs-virt", "initramfs")
        self.write("usr/share/kernel/virt/kernel.release", "6.18.56-0-virt\n")
        self.write("lib/modules/6.18.56-0-virt/modules.dep", "")
        self.write("bin/busybox", '#!/bin/sh\nexit "$(cat "${0%/bin/busybox}/reboot-status")"\n')
        self.write("reboot-status", "0")
        self.write("machine", "x86_64\n")
        self.write(f"{OURS}/.keep", "")
        self.write("run/openrc/softlevel", "default\n")
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
        return self.code(PROGRAMS[name], name, *arguments, after=after, **variables)

    def code(
        self, code: str, name: str = "", *arguments: str, after: str = "", **variables: str
    ) -> int:
        """Run a program, or a part of one that has no name."""
        code = PATH_OF_HOST.sub(f"{self.root}/", code)
        if name:
            code = shell_runner.measured(code, name, self.root)
        settings = "".join(f"{key}='{value}'\n" for key, value in variables.items())
        text = f"root={self.root}\nRC_SVCDIR={self.root}/run/openrc\n{settings}{PRELUDE}{code}\n"
        identity = shell_runner.as_nobody()
        for path in [self.root, *self.root.rglob("*")] if identity else []:
            os.chown(path, identity["user"], identity["group"], follow_symlinks=False)
        status, _said = shell_runner.run(
            text + after, name, arguments, self.root, afterwards=self.afterwards
        )
        return status
