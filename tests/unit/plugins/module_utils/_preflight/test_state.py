# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a host: every value, what it is where the host does not say, and who sets it."""

from __future__ import annotations

import fcntl
import gzip
import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes, port
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import watchdog
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import (
    state as state_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import Sysctl
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

KERNEL = "/proc/sys/kernel"
CONFIG = f"/boot/config-{fakes.RELEASE}"


def test_read_of_an_alpine_host(alpine: fakes.FakeHost) -> None:
    assert state_module.read(alpine.host) == state_module.State(
        uid=0,
        machine="x86_64",
        release=fakes.RELEASE,
        boot_id=fakes.BOOT_ID,
        cmdline=fakes.RUNNING,
        loaded=False,
        leaving=False,
        stopping=False,
        frozen=None,
        jump=None,
        load_disabled=False,
        load_limit=-1,
        lockdown="none",
        secure_boot=False,
        cap_sys_boot=True,
        container=None,
        config_kexec=True,
        kernel_answer="EINVAL",
        kexec_in_sysfs=True,
        kexec_path=fakes.KEXEC,
        kexec_version="2.0.32",
        openrc_path="/sbin/openrc",
        available_bytes=890962 * 1024,
        platform={"sys_vendor": "QEMU", "product_name": "Standard PC (Q35 + ICH9, 2009)"},
        hardware_id="dmi:4c4c4544-0042-3510-8056-b4c04f4a4e32",
        started_by_kexec=False,
        installed={"virt": fakes.RELEASE},
        module_trees=(fakes.RELEASE,),
        boot_files=(
            f"System.map-{fakes.RELEASE}",
            f"config-{fakes.RELEASE}",
            "extlinux.conf",
            "initramfs-virt",
            "vmlinuz-virt",
        ),
        lock_settings=(),
        guard=watchdog.Guard(
            watchdog.WatchdogDevice("i6300esb", "i6300ESB timer", False, False, 30, 2046, 0),
            confirms=True,
        ),
        xen=None,
        unmounted=None,
        service_scripts={"kexec-confirm": ""},
    )


def test_read_changes_nothing(alpine: fakes.FakeHost) -> None:
    before = alpine.snapshot()
    state_module.read(alpine.host)
    assert alpine.snapshot() == before
    assert alpine.runner.changes == []


def test_read_of_a_host_that_says_nothing(tmp_path: t.Any) -> None:
    runner = fakes.FakeRunner()
    runner.installed = {}
    state = state_module.read(fakes.bare_host(runner, str(tmp_path)))
    assert (state.release, state.boot_id, state.cmdline, state.loaded) == ("", None, "", False)
    assert (state.load_disabled, state.load_limit, state.lockdown) == (None, None, None)
    assert (state.config_kexec, state.kexec_in_sysfs, state.kexec_version) == (None, False, None)
    assert (state.available_bytes, state.installed, state.module_trees) == (None, {}, ())
    assert (state.cap_sys_boot, state.container, state.openrc_path) == (False, None, None)
    assert state.machine


FIELDS = [
    *(
        pytest.param("/proc/self/status", f"{line}\n", field, expected, id=line[:20])
        for field, expected, lines in (
            ("uid", 0, ("Uid:", "Uid:\t0", "Uid:\t0\tx\t0", f"Uid:\t0\t{'9' * 5000}\t0\t0")),
            ("uid", 0, ("Uid:\t0\t-1\t0\t0", "Uid:\t0\t\u0663\t0\t0", "Uid:\t0\t1_0\t0\t0")),
            ("cap_sys_boot", False, ("CapEff:", "CapEff:\tx", "CapEff:\t-1", "CapEff:\t0x400000")),
            ("cap_sys_boot", False, ("CapEff:\t00000000_0040_0000", f"CapEff:\t{'f' * 17}")),
        )
        for line in lines
    ),
    pytest.param(
        "/proc/meminfo", f"MemAvailable: {'9' * 5000} kB\n", "available_bytes", None, id="no size"
    ),
    pytest.param("/proc/self/status", "Uid:\t1000\t33\t0\t0\n", "uid", 33, id="effective user"),
    pytest.param(f"{KERNEL}/arch", "aarch64\n", "machine", "aarch64", id="machine"),
    pytest.param(f"{KERNEL}/kexec_load_disabled", "1\n", "load_disabled", True, id="locked"),
    pytest.param(f"{KERNEL}/kexec_load_disabled", "", "load_disabled", None, id="no number"),
    pytest.param(f"{KERNEL}/kexec_load_limit_reboot", "0\n", "load_limit", 0, id="limit"),
    pytest.param(f"{KERNEL}/random/boot_id", "unknown\n", "boot_id", None, id="no boot_id"),
    pytest.param("/sys/kernel/kexec_loaded", "1\n", "loaded", True, id="loaded"),
    pytest.param(f"{KERNEL}/bootloader_type", "208\n", "started_by_kexec", True, id="by kexec"),
    pytest.param(f"{KERNEL}/bootloader_type", "\n", "started_by_kexec", None, id="not reported"),
    pytest.param(
        "/sys/kernel/security/lockdown",
        "none [integrity] confidentiality\n",
        "lockdown",
        "integrity",
        id="lockdown",
    ),
    pytest.param("/proc/meminfo", "MemFree: 1 kB\n", "available_bytes", None, id="no MemAvailable"),
    pytest.param(
        "/proc/self/status", "CapEff:\t0000000000400000\n", "cap_sys_boot", True, id="cap"
    ),
    pytest.param(
        "/proc/self/status", "CapEff:\t000001ffffbfffff\n", "cap_sys_boot", False, id="no cap"
    ),
    pytest.param(
        "/usr/share/kernel/lts/kernel.release",
        "\n",
        "installed",
        {"virt": fakes.RELEASE},
        id="package without a release",
    ),
]


@pytest.mark.parametrize(("path", "content", "name", "expected"), FIELDS)
def test_read_takes_from_a_file(
    alpine: fakes.FakeHost, path: str, content: str, name: str, expected: object
) -> None:
    alpine.write(path, content)
    assert getattr(state_module.read(alpine.host), name) == expected


XEN = {"/sys/hypervisor/type": "xen\n"}
GUEST = "/sys/hypervisor/guest_type"
FSTAB = "UUID=1 / ext4 rw 0 1\nUUID=2\t/boot\text4\t{} 0 2\n/dev/cdrom /media/cdrom iso9660 noauto 0 0\n"
ROOT = "/dev/vda3 / ext4 rw 0 0\n"
MOUNTED = f"{ROOT}/dev/vda1 /boot ext4 rw 0 0\n"
OF_BOOT: dict[str, tuple[str, str, str | None]] = {
    "not mounted": (FSTAB.format("rw"), ROOT, "/boot"),
    "mounted when it is needed": (FSTAB.format("noauto,ro"), "", "/boot"),
    "mounted": (FSTAB.format("rw"), MOUNTED, None),
    "written with a slash": ("/dev/sda1 //boot/ ext4 rw 0 2\n", MOUNTED, None),
    "without options": ("/dev/sda1 /boot ext4\n", "", "/boot"),
    "a part of the root": ("UUID=1 / ext4 rw 0 1\nUUID=3 /boot/efi vfat rw 0 0\n", "", None),
    "in a remark": ("# UUID=2 /boot ext4 rw 0 2\n", "", None),
}


@pytest.mark.parametrize(("table", "mounted", "point"), OF_BOOT.values(), ids=OF_BOOT)
def test_read_sees_a_boot_that_is_not_mounted(
    alpine: fakes.FakeHost, table: str, mounted: str, point: str | None
) -> None:
    alpine.write("/etc/fstab", table)
    alpine.write("/proc/mounts", mounted)
    assert state_module.read(alpine.host).unmounted == point


DOMAINS: dict[str, tuple[dict[str, str], str | None]] = {
    "a control domain": ({**XEN, "/proc/xen/capabilities": "control_d\n"}, "control_d"),
    "one that runs as a guest": (
        {**XEN, "/proc/xen/capabilities": "control_d\n", GUEST: "PVH\n"},
        "control_d",
    ),
    "a guest": ({**XEN, "/proc/xen/capabilities": "\n", GUEST: "PV\n"}, "PV"),
    "a guest without xenfs": ({**XEN, GUEST: "HVM\n"}, "HVM"),
    "Xen alone": (XEN, None),
    "another hypervisor": ({"/sys/hypervisor/type": "kvm\n", GUEST: "PV\n"}, None),
}


@pytest.mark.parametrize(("files", "expected"), DOMAINS.values(), ids=DOMAINS)
def test_read_of_a_domain_of_xen(
    alpine: fakes.FakeHost, files: dict[str, str], expected: str | None
) -> None:
    for path, content in files.items():
        alpine.write(path, content)
    assert state_module.read(alpine.host).xen == expected


def test_read_takes_the_services_of_all_runlevels_and_no_others(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/init.d/b", "kexec -e\n")
    alpine.write("/etc/runlevels/shutdown/b", "")
    alpine.write("/etc/runlevels/default/a", "")
    alpine.write("/etc/init.d/in-no-runlevel", "")
    scripts = state_module.read(alpine.host).service_scripts
    assert list(scripts.items()) == [("a", ""), ("b", "kexec -e\n"), ("kexec-confirm", "")]


def test_read_sees_that_the_host_is_being_left(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.LEAVING, "")
    with alpine.path(notes.LEAVING).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert state_module.read(alpine.host).leaving
    # The file stays when an order ended early, and says nothing then.
    assert not state_module.read(alpine.host).leaving


def test_read_sees_that_services_are_stopped_for_somebody_else(alpine: fakes.FakeHost) -> None:
    alpine.write(notes.STOPPING, "")
    assert state_module.read(alpine.host).stopping


def test_read_finds_what_locks_after_the_boot(alpine: fakes.FakeHost) -> None:
    alpine.relock("/etc/sysctl.d/99-hard.conf")
    setting = state_module.Sysctl("/etc/sysctl.d/99-hard.conf", 2, "1")
    assert state_module.read(alpine.host).lock_settings == (setting,)


@pytest.mark.parametrize(
    ("limit", "questions"),
    [
        pytest.param("-1\n", 1, id="no limit is set"),
        pytest.param(None, 1, id="kernel without limits"),
        pytest.param("3\n", 0, id="the question would count"),
    ],
)
def test_read_asks_the_kernel_only_where_that_costs_nothing(
    alpine: fakes.FakeHost, limit: str | None, questions: int
) -> None:
    alpine.remove(f"{KERNEL}/kexec_load_limit_reboot")
    if limit is not None:
        alpine.write(f"{KERNEL}/kexec_load_limit_reboot", limit)
    state = state_module.read(alpine.host)
    assert alpine.questions == questions
    assert state.kernel_answer == ("EINVAL" if questions else None)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"\6\0\0\0\1", True, id="on"),
        pytest.param(b"\6\0\0\0\0", False, id="off"),
        pytest.param(b"\6\0", None, id="cut"),
    ],
)
def test_secure_boot_is_behind_the_attributes(
    alpine: fakes.FakeHost, content: bytes, expected: bool | None
) -> None:
    alpine.write(fakes.SECURE_BOOT, content)
    assert state_module.read(alpine.host).secure_boot is expected


def test_secure_boot_is_unknown_on_uefi_without_the_variable(alpine: fakes.FakeHost) -> None:
    alpine.write("/sys/firmware/efi/fw_platform_size", "64\n")
    assert state_module.read(alpine.host).secure_boot is None


def map_users(alpine: fakes.FakeHost) -> None:
    alpine.write("/proc/self/uid_map", "0 100000 65536\n")


def separate_processes(alpine: fakes.FakeHost) -> None:
    alpine.contain()


def change_root(alpine: fakes.FakeHost) -> None:
    alpine.link("/proc/1/root", str(alpine.path("/etc")))


SEPARATIONS = [
    pytest.param(map_users, "user namespace", id="user namespace"),
    pytest.param(separate_processes, "process namespace", id="process namespace"),
    pytest.param(change_root, "changed root", id="changed root"),
]


@pytest.mark.parametrize(("separate", "kind"), SEPARATIONS)
def test_container_by_what_separates_it(
    alpine: fakes.FakeHost, separate: t.Callable[[fakes.FakeHost], None], kind: str
) -> None:
    separate(alpine)
    assert state_module.read(alpine.host).container == kind


@pytest.mark.parametrize(("separate", "_kind"), SEPARATIONS)
def test_container_by_its_name(
    alpine: fakes.FakeHost, separate: t.Callable[[fakes.FakeHost], None], _kind: str
) -> None:
    separate(alpine)
    alpine.write("/proc/1/environ", b"TERM=linux\0container=lxc\0HOME=/\0")
    assert state_module.read(alpine.host).container == "lxc"


@pytest.mark.parametrize(
    ("path", "kind"), [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")]
)
def test_container_by_its_file(alpine: fakes.FakeHost, path: str, kind: str) -> None:
    alpine.contain()
    alpine.write(path, "")
    assert state_module.read(alpine.host).container == kind


def test_container_is_not_believed_by_a_file_alone(alpine: fakes.FakeHost) -> None:
    alpine.write("/.dockerenv", "")
    alpine.write("/proc/1/environ", b"container=docker\0")
    assert state_module.read(alpine.host).container is None


@pytest.mark.parametrize("missing", ["/proc/self/uid_map", "/proc/self/ns/pid", "/proc/1/root"])
def test_container_is_none_where_the_host_does_not_say(
    alpine: fakes.FakeHost, missing: str
) -> None:
    alpine.remove(missing)
    assert state_module.read(alpine.host).container is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param("CONFIG_KEXEC=y\n", True, id="the old call"),
        pytest.param("CONFIG_KEXEC_FILE=y\n", True, id="the new call"),
        pytest.param("# CONFIG_KEXEC is not set\n", False, id="not set"),
        pytest.param("CONFIG_KEXEC_CORE=y\n", False, id="another option"),
    ],
)
def test_config_kexec(alpine: fakes.FakeHost, config: str, expected: bool) -> None:
    alpine.write(CONFIG, config)
    assert state_module.read(alpine.host).config_kexec is expected
    alpine.remove(CONFIG)
    alpine.write("/proc/config.gz", gzip.compress(config.encode()))
    assert state_module.read(alpine.host).config_kexec is expected


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text", id="not compressed"),
        pytest.param(gzip.compress(b"CONFIG_KEXEC=y\n")[:-9], id="cut"),
        pytest.param(b"\x1f\x8b\x08\0\0\0\0\0\0\3\xff\xff", id="damaged"),
    ],
)
def test_config_kexec_is_unknown_where_it_cannot_be_unpacked(
    alpine: fakes.FakeHost, content: bytes
) -> None:
    alpine.remove(CONFIG)
    alpine.write("/proc/config.gz", content)
    assert state_module.read(alpine.host).config_kexec is None


def test_kexec_version_is_unknown_where_the_command_says_none(alpine: fakes.FakeHost) -> None:
    alpine.runner.on(fakes.KEXEC, "--version", rc=127, stderr="not found")
    assert state_module.read(alpine.host).kexec_version is None


# --- Which line sets a sysctl: the order of OpenRC's service, the syntax of busybox --------

KEY = "kernel.kexec_load_disabled"
PANIC = "kernel.panic"

# /usr/lib/sysctl.d/00-alpine.conf of Alpine 3.23, shortened in the middle.
ALPINE = """\
# Prevents SYN DOS attacks. Applies to ipv6 as well, despite name.
net.ipv4.tcp_syncookies = 1

# Only groups within this id range can use ping.
net.ipv4.ping_group_range=999 59999

# Restarts computer after 120 seconds after kernel panic
kernel.panic = 120

# Disable unprivileged use of the bpf(2) syscall.
kernel.unprivileged_bpf_disabled = 1
"""

LINES: dict[str, tuple[str, list[tuple[int, str]]]] = {
    "spaces around": ("kernel.panic = 120", [(1, "120")]),
    "no spaces": ("kernel.panic=120", [(1, "120")]),
    "tabs": ("\tkernel.panic\t=\t120\t", [(1, "120")]),
    "slashes": ("kernel/panic = 5", [(1, "5")]),
    "a hyphen, which only procps knows": ("-kernel.panic = 5", [(1, "5")]),
    "a hyphen and a space": ("- kernel.panic = 5", [(1, "5")]),
    "words behind the number": ("kernel.panic = 1 # soon", [(1, "1")]),
    "no value": ("kernel.panic =", [(1, "")]),
    "twice": ("kernel.panic = 1\n\nkernel.panic = 2\n", [(1, "1"), (3, "2")]),
    "a carriage return": ("kernel.panic = 1\r\n", [(1, "1")]),
    "a remark": ("#kernel.panic = 1\n; kernel.panic = 1", []),
    "another key that starts alike": ("kernel.panic_on_oops = 1", []),
    "another key that ends alike": ("net.kernel.panic = 1", []),
    "no equals sign": ("kernel.panic 1", []),
    "nothing": ("", []),
}

# Files that all set the key; the value says which one it is.
VENDOR = {
    "/lib/sysctl.d/00-a.conf": "lib a",
    "/lib/sysctl.d/50-b.conf": "lib b",
    "/usr/lib/sysctl.d/00-a.conf": "usr-a",
    "/usr/lib/sysctl.d/40-c.conf": "usr-c",
}
ADMIN = {"/etc/sysctl.d/10-d.conf": "etc-d", "/etc/sysctl.d/99-e.conf": "etc-e"}
SINGLE = {"/etc/sysctl.conf": "single"}
RUNTIME = {"/run/sysctl.d/00-f.conf": "run-f"}

ORDERS: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing": ({}, []),
    "vendor files by directory, then by name": (
        VENDOR,
        [
            "/lib/sysctl.d/00-a.conf",
            "/lib/sysctl.d/50-b.conf",
            "/usr/lib/sysctl.d/00-a.conf",
            "/usr/lib/sysctl.d/40-c.conf",
        ],
    ),
    "vendor, administrator, the single file, runtime": (
        {**RUNTIME, **SINGLE, **ADMIN, "/lib/sysctl.d/99-z.conf": "vendor"},
        [
            "/lib/sysctl.d/99-z.conf",
            "/etc/sysctl.d/10-d.conf",
            "/etc/sysctl.d/99-e.conf",
            "/etc/sysctl.conf",
            "/run/sysctl.d/00-f.conf",
        ],
    ),
    "an administrator's file hides both of the vendor": (
        {**VENDOR, "/etc/sysctl.d/00-a.conf": "etc-a"},
        ["/lib/sysctl.d/50-b.conf", "/usr/lib/sysctl.d/40-c.conf", "/etc/sysctl.d/00-a.conf"],
    ),
    "a runtime file hides one of the vendor": (
        {"/lib/sysctl.d/00-f.conf": "lib-f", **RUNTIME},
        ["/run/sysctl.d/00-f.conf"],
    ),
    "a runtime file hides one of the administrator": (
        {"/etc/sysctl.d/00-f.conf": "etc-f", **RUNTIME},
        ["/run/sysctl.d/00-f.conf"],
    ),
    "other names are not read": (
        {"/etc/sysctl.d/README": "x", "/etc/sysctl.d/.a.conf": "x", "/etc/sysctl.d/.conf": "x"},
        [],
    ),
    "a name that is not read hides nothing": (
        {"/lib/sysctl.d/a.conf": "x", "/etc/sysctl.d/a.conf.apk-new": "x"},
        ["/lib/sysctl.d/a.conf"],
    ),
}


@pytest.fixture
def host(tmp_path: Path) -> port.Host:
    return fakes.bare_host(fakes.FakeRunner(), str(tmp_path))


def write(host: port.Host, path: str, text: str) -> None:
    real = Path(host.real(path))
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text(text)


@pytest.mark.parametrize(("text", "found"), LINES.values(), ids=LINES)
def test_parse_settings(text: str, found: list[tuple[int, str]]) -> None:
    assert state_module.parse_sysctl("f", text, PANIC) == [Sysctl("f", *each) for each in found]


@pytest.mark.parametrize(
    ("key", "line"), [(PANIC, 8), ("kernel.unprivileged_bpf_disabled", 11), (KEY, None)]
)
def test_parse_settings_of_alpines_own_file(key: str, line: int | None) -> None:
    found = state_module.parse_sysctl("/usr/lib/sysctl.d/00-alpine.conf", ALPINE, key)
    assert [setting.line for setting in found] == ([] if line is None else [line])


def test_setting_names_its_place() -> None:
    assert str(Sysctl("/etc/sysctl.d/99-hard.conf", 2, "1")) == "/etc/sysctl.d/99-hard.conf:2"


@pytest.mark.parametrize(("files", "order"), ORDERS.values(), ids=ORDERS)
def test_settings_are_in_the_order_of_the_service(
    host: port.Host, files: dict[str, str], order: list[str]
) -> None:
    for path, value in files.items():
        write(host, path, f"{KEY} = {value}\n")
    assert [setting.path for setting in state_module.sysctls(host, KEY)] == order


def test_last_setting_is_the_one_in_force(host: port.Host) -> None:
    write(host, "/etc/sysctl.conf", f"{KEY} = 0\n")
    write(host, "/run/sysctl.d/lock.conf", f"# at run time\n{KEY} = 0\n{KEY} = 1\n")
    assert state_module.sysctls(host, KEY)[-1] == Sysctl("/run/sysctl.d/lock.conf", 3, "1")


def test_settings_pass_over_what_cannot_be_read(host: port.Host) -> None:
    Path(host.real("/etc/sysctl.d/a.conf")).mkdir(parents=True)
    assert state_module.sysctls(host, KEY) == []
