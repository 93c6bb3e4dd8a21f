# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of the lab's packages do what Alpine's own of these names do."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.tests.unit import shell_runner

from tests.lab.packages import FILES

# What a service would reach of this machine is below the folder of a test.
PATH_OF_HOST = re.compile(r"(?<![\w.}])/(?=(?:etc|proc|run|sbin|usr)/)")
# What OpenRC gives to a service, and the commands that it must not reach here.
PRELUDE = r"""
log() { printf '%s\n' "$*" >>"$root/log"; }
alias start-stop-daemon=start_stop_daemon
start_stop_daemon() { log "start-stop-daemon $*"; }
for name in after before checkpath ebegin keyword need pkill provide use mdev; do
    eval "$name() { log \"$name \$*\"; }"
done
eend() { log "eend $1"; return "$1"; }
"""


class Service:
    """One service in a folder that stands for a machine."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self.folder = folder
        for path in ("etc/ssh", "proc/sys/kernel", "usr/bin", "usr/sbin"):
            (folder / path).mkdir(parents=True)
        self.program("usr/sbin/sshd")
        self.program("usr/bin/ssh-keygen")
        for each in [folder, *folder.rglob("*")]:
            each.chmod(0o777)

    def program(self, path: str, *, status: int = 0) -> None:
        """A program that tells how it was called."""
        name = Path(path).name
        lines = ["#!/bin/sh", f'echo "{name} $*" >>"{self.folder}/log"', f"exit {status}"]
        (self.folder / path).write_text("\n".join([*lines, ""]))
        (self.folder / path).chmod(0o755)

    def call(self, function: str, **variables: str) -> int:
        """Call a function of the service as OpenRC does."""
        name = f"{self._name}.initd"
        code = PATH_OF_HOST.sub(f"{self.folder}/", (FILES / name).read_text(encoding="utf-8"))
        code = shell_runner.measured(code, name, self.folder)
        given = {"root": str(self.folder), "RC_SVCNAME": self._name, **variables}
        settings = "".join(f"{key}='{value}'\n" for key, value in given.items())
        text = f"{settings}{PRELUDE}{code}\n{function}\n"
        status, _said = shell_runner.run(text, self._name, (), self.folder)
        return status

    @property
    def log(self) -> list[str]:
        text = (self.folder / "log").read_text()
        return text.replace(f"{self.folder}/", "/").splitlines()


@pytest.fixture
def folder() -> Iterator[Path]:
    # pytest's own folders are closed to other users.
    path = Path(tempfile.mkdtemp(prefix="service-")).resolve()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def sshd(folder: Path) -> Service:
    return Service("sshd", folder)


@pytest.fixture
def mdev(folder: Path) -> Service:
    return Service("mdev", folder)


def test_device_nodes_come_before_what_checks_file_systems(mdev: Service) -> None:
    assert mdev.call("depend") == 0
    assert {"provide dev", "need sysfs dev-mount", "before checkfs fsck"} <= set(mdev.log)


@pytest.mark.parametrize("hotplug", [True, False])
def test_mdev_is_the_helper_of_a_kernel_that_has_one(mdev: Service, hotplug: bool) -> None:
    helper = mdev.folder / "proc/sys/kernel/hotplug"
    if hotplug:
        helper.touch(0o666)
        helper.chmod(0o666)
    assert mdev.call("start") == 0
    assert mdev.log == ["ebegin Starting busybox mdev", "mdev -s", "eend 0"]
    assert not hotplug or helper.read_text() == f"{mdev.folder}/sbin/mdev\n"
    assert helper.exists() is hotplug


@pytest.mark.parametrize("has_key", [True, False])
def test_sshd_makes_its_keys_once(sshd: Service, has_key: bool) -> None:
    if has_key:
        (sshd.folder / "etc/ssh/ssh_host_ed25519_key").touch()
    assert sshd.call("start_pre") == 0
    made = [] if has_key else ["ssh-keygen -A"]
    folder = "checkpath --directory --mode 0755 --owner root:root /run/sshd"
    assert sshd.log == [folder, *made, "sshd -t"]


def test_sshd_does_not_start_with_a_configuration_that_is_none(sshd: Service) -> None:
    sshd.program("usr/sbin/sshd", status=255)
    assert sshd.call("start_pre") == 255


def test_sshd_does_not_start_before_there_are_random_numbers(sshd: Service) -> None:
    assert sshd.call("depend") == 0
    assert "after entropy" in sshd.log


@pytest.mark.parametrize(
    ("runlevel", "ends_connections"),
    [pytest.param("shutdown", True, id="shutdown"), pytest.param("default", False, id="stop")],
)
def test_open_connections_end_with_the_machine_alone(
    sshd: Service, runlevel: str, ends_connections: bool
) -> None:
    assert sshd.call("stop", RC_RUNLEVEL=runlevel) == 0
    assert sshd.log[:2] == [
        "ebegin Stopping sshd",
        "start-stop-daemon --stop --exec /usr/sbin/sshd --pidfile /run/sshd.pid --quiet",
    ]
    assert ("pkill -TERM -x sshd" in sshd.log) is ends_connections


def test_sshd_reads_its_configuration_again(sshd: Service) -> None:
    assert sshd.call("reload") == 0
    assert sshd.log[1:] == [
        "sshd -t",
        "start-stop-daemon --signal HUP --exec /usr/sbin/sshd --pidfile /run/sshd.pid",
        "eend 0",
    ]
