# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict: the causes of one error told apart, each with its own remedy, and what else is said."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Cmdline, Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.inspect import Inspected
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import note
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import judge
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import (
    state as state_module,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.judge import (
    CHECKS,
    Subject,
    boot_mount,
    hypervisor,
    services,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight.state import (
    State,
    Sysctl,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Reason, reason
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

MIB = 1024 * 1024
LOCKED_CMDLINE = "root=/dev/vda1"
SETTING = Sysctl("/etc/sysctl.d/99-hard.conf", 3, "1")


@pytest.fixture
def able(alpine: fakes.FakeHost) -> State:
    return state_module.read(alpine.host)


def subject(state: State, **changes: t.Any) -> judge.Subject:
    return replace(judge.Subject(state, Wish(), None, Inspected()), **changes)


def judge_host(state: State, *, unlocked_by_firmware: bool | None, **wish: t.Any) -> list[Reason]:
    cmdline = Cmdline("", "running", True, unlocked_by_firmware, ())
    return judge.judge(subject(state, wish=Wish(**wish), cmdline=cmdline))


def codes(state: State, *, unlocked_by_firmware: bool | None = True) -> list[str]:
    found = judge_host(state, unlocked_by_firmware=unlocked_by_firmware)
    return [each.code for each in found]


def test_nothing_stands_against_an_unlocked_host(able: State) -> None:
    assert codes(able) == []


# --- One error, many causes ----------------------------------------------------------------

# What the kernel answers with EPERM, and what is behind it.
CAUSES: list[t.Any] = [
    pytest.param(
        {"load_disabled": True, "cmdline": LOCKED_CMDLINE}, ["kexec_locked"], id="booted locked"
    ),
    pytest.param(
        {"load_disabled": True, "lock_settings": (SETTING,)},
        ["kexec_relocked"],
        id="locked after the boot",
    ),
    pytest.param({"load_disabled": True}, ["kexec_relocked"], id="locked after the boot by hand"),
    pytest.param(
        {"load_disabled": True, "cmdline": LOCKED_CMDLINE, "lock_settings": (SETTING,)},
        ["kexec_locked", "kexec_relocked"],
        id="locked twice",
    ),
    pytest.param({"load_limit": 0}, ["kexec_limit_reached"], id="limit used up"),
    pytest.param({"lockdown": "integrity"}, ["lockdown"], id="lockdown"),
    pytest.param({"lockdown": "confidentiality"}, ["lockdown"], id="stricter lockdown"),
    pytest.param({"cap_sys_boot": False}, ["no_cap_sys_boot"], id="capability dropped"),
    pytest.param({}, ["kexec_denied"], id="nothing that could be read"),
    pytest.param(
        {
            "load_disabled": True,
            "cmdline": LOCKED_CMDLINE,
            "lockdown": "integrity",
            "load_limit": 0,
            "cap_sys_boot": False,
        },
        ["no_cap_sys_boot", "kexec_locked", "kexec_limit_reached", "lockdown"],
        id="everything at once",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), CAUSES)
def test_causes_of_one_error_are_told_apart(
    able: State, fields: dict[str, t.Any], expected: list[str]
) -> None:
    assert codes(replace(able, kernel_answer="EPERM", **fields)) == expected


def test_the_same_error_has_another_remedy_for_another_cause(able: State) -> None:
    def remedy(**fields: t.Any) -> str:
        state = replace(able, kernel_answer="EPERM", **fields)
        return judge_host(state, unlocked_by_firmware=False)[0].remedy

    remedies = {
        remedy(load_disabled=True, cmdline=LOCKED_CMDLINE),
        remedy(load_disabled=True, lock_settings=(SETTING,)),
        remedy(lockdown="integrity"),
        remedy(load_limit=0),
        remedy(cap_sys_boot=False),
        remedy(),
    }
    assert len(remedies) == 6


@pytest.mark.parametrize("answer", ["EPERM", "EACCES"])
def test_a_refusal_without_a_cause_names_the_answer(able: State, answer: str) -> None:
    (found,) = judge_host(replace(able, kernel_answer=answer), unlocked_by_firmware=True)
    assert found.code == "kexec_denied"
    assert answer in found.message


@pytest.mark.parametrize("answer", ["EINVAL", None])
def test_no_refusal_is_no_reason(able: State, answer: str | None) -> None:
    assert codes(replace(able, kernel_answer=answer)) == []


def test_a_setting_that_does_not_lock_is_not_blamed(able: State) -> None:
    state = replace(able, load_disabled=True, lock_settings=(replace(SETTING, value="0"),))
    (found,) = judge_host(state, unlocked_by_firmware=True)
    assert "something that is not in sysctl.d" in found.message


def test_a_setting_is_named_with_its_line(able: State) -> None:
    state = replace(able, load_disabled=True, lock_settings=(SETTING,))
    (found,) = judge_host(state, unlocked_by_firmware=True)
    assert "/etc/sysctl.d/99-hard.conf:3" in found.message
    assert found.remedy.startswith("Remove that line from /etc/sysctl.d/99-hard.conf and reboot")


@pytest.mark.parametrize(
    ("unlocked_by_firmware", "start"),
    [
        pytest.param(True, "Reboot once through firmware", id="configured already"),
        pytest.param(False, "Add kexec_load_disabled=0", id="not configured"),
        pytest.param(None, "Add kexec_load_disabled=0", id="not known"),
    ],
)
def test_the_remedy_of_a_lock_knows_the_boot_loader(
    able: State, unlocked_by_firmware: bool | None, start: str
) -> None:
    state = replace(able, load_disabled=True, cmdline=LOCKED_CMDLINE)
    (found,) = judge_host(state, unlocked_by_firmware=unlocked_by_firmware)
    assert found.remedy.startswith(start)


@pytest.mark.parametrize(("secure_boot", "told"), [(True, True), (False, False), (None, False)])
def test_lockdown_by_secure_boot_is_told(able: State, secure_boot: bool | None, told: bool) -> None:
    state = replace(able, lockdown="integrity", secure_boot=secure_boot)
    (found,) = judge_host(state, unlocked_by_firmware=True)
    assert ("because Secure Boot is on" in found.message) is told


# --- Support -------------------------------------------------------------------------------

SUPPORT: list[t.Any] = [
    pytest.param({"config_kexec": False}, ["no_kexec_support"], id="configuration says no"),
    pytest.param({"kernel_answer": "ENOSYS"}, ["no_kexec_support"], id="kernel says no"),
    pytest.param(
        {"config_kexec": None, "kexec_in_sysfs": False}, ["no_kexec_support"], id="no file in sysfs"
    ),
    pytest.param({"config_kexec": None}, [], id="no configuration and a file in sysfs"),
    pytest.param({"kexec_path": None}, ["no_kexec_tools"], id="no command"),
    pytest.param({"openrc_path": None}, ["no_openrc"], id="no OpenRC"),
    pytest.param(
        {"platform": {"product_name": "Google Compute Engine"}}, ["platform_denied"], id="platform"
    ),
]


@pytest.mark.parametrize(("fields", "expected"), SUPPORT)
def test_support(able: State, fields: dict[str, t.Any], expected: list[str]) -> None:
    assert codes(replace(able, **fields)) == expected


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        pytest.param(
            {"sys_vendor": "Acme", "product_name": "X1"},
            "The host is a Acme X1, a platform that the option denied_platforms names.",
            id="only by the option",
        ),
        pytest.param(
            {"product_name": "Google Compute Engine"},
            "The host is a Google Compute Engine, a platform that the option denied_platforms "
            "names.",
            id="by the option, too",
        ),
    ],
)
def test_platform_of_the_option(able: State, platform: dict[str, str], message: str) -> None:
    (found,) = judge_host(
        replace(able, platform=platform),
        unlocked_by_firmware=True,
        denied_platforms=["acme x1", "google compute engine"],
    )
    assert (found.code, found.message) == ("platform_denied", message)


# --- What makes all the rest meaningless ---------------------------------------------------


def test_a_container_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, container="lxc", uid=1000, kexec_path=None)) == ["container"]


def test_another_user_than_root_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, uid=1000, cap_sys_boot=False)) == ["not_root"]


def test_a_host_that_is_being_left_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, leaving=True, kexec_path=None)) == ["already_leaving"]


def test_a_host_that_somebody_shuts_down_is_not_judged_further(able: State) -> None:
    assert codes(replace(able, stopping=True, kexec_path=None)) == ["already_leaving"]


def test_only_root_is_told_that_a_host_is_being_left(able: State) -> None:
    assert codes(replace(able, leaving=True, uid=1000)) == ["not_root"]


@pytest.mark.parametrize(
    "controller",
    [fakes.BOOT_ID, f"{fakes.BOOT_ID}\n", fakes.BOOT_ID.upper()],
    ids=["equal", "with its line feed", "in capitals"],
)
def test_the_controller_is_refused_before_all_else(able: State, controller: str) -> None:
    (found,) = judge_host(
        replace(able, container="docker"),
        unlocked_by_firmware=True,
        controller_boot_id=controller,
    )
    assert found.code == "target_is_controller"


@pytest.mark.parametrize(
    ("own", "controller"),
    [
        pytest.param(fakes.BOOT_ID, "d7a0c3f2-04f3-4b7e-8a44-0d1c8fb0a6e1", id="another boot"),
        pytest.param(fakes.BOOT_ID, None, id="controller that does not say"),
        pytest.param(None, None, id="neither says"),
        pytest.param(None, "unknown", id="no boot_id on either side"),
    ],
)
def test_another_machine_is_not_the_controller(
    able: State, own: str | None, controller: str | None
) -> None:
    found = judge_host(
        replace(able, boot_id=own), unlocked_by_firmware=True, controller_boot_id=controller
    )
    assert found == []


def test_what_an_unfit_host_lacks_is_not_told_besides(able: State) -> None:
    missing = reason("kernel_missing", "It is not there.", "Put it there.")
    unfit = replace(able, uid=1000, available_bytes=0)
    found = judge.judge(subject(unfit, unmet=(missing,)))
    assert [each.code for each in found] == ["not_root", "kernel_missing"]


# --- The lock, memory, and the need --------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, True, id="unlocked by the parameter"),
        pytest.param(
            {"load_disabled": True, "cmdline": LOCKED_CMDLINE}, True, id="locked without it"
        ),
        pytest.param({"cmdline": LOCKED_CMDLINE}, False, id="never locked"),
        pytest.param(
            {"load_disabled": True, "cmdline": LOCKED_CMDLINE, "frozen": note.Frozen()},
            False,
            id="locked by the service",
        ),
        pytest.param(
            {"load_disabled": True, "frozen": note.Frozen()}, True, id="unlocked, and locked by it"
        ),
        pytest.param({"cmdline": 'a="b kexec_load_disabled=0'}, False, id="inside an open quote"),
    ],
)
def test_needs_unlock(able: State, fields: dict[str, t.Any], expected: bool) -> None:
    assert judge.needs_unlock(replace(able, **fields)) is expected


@pytest.mark.parametrize(
    ("available", "low"),
    [
        pytest.param(36 * MIB, False, id="just enough"),
        pytest.param(36 * MIB - 1, True, id="a byte too little"),
        pytest.param(None, False, id="not known"),
    ],
)
def test_memory_for_two_copies_and_room_to_work(
    able: State, available: int | None, low: bool
) -> None:
    state = replace(able, available_bytes=available)
    found = judge.memory(subject(state, inspected=Inspected(total_bytes=10 * MIB)))
    assert [each.code for each in found] == ["memory_low"] * low


def test_memory_is_told_in_figures(able: State) -> None:
    state = replace(able, available_bytes=20 * MIB)
    (found,) = judge.memory(subject(state, inspected=Inspected(total_bytes=10 * MIB)))
    assert found.message == "20 MiB of memory are available and the image needs 36 MiB."


@pytest.mark.parametrize(
    ("fields", "flavour", "release", "expected"),
    [
        pytest.param({}, "virt", fakes.RELEASE, [], id="up to date"),
        pytest.param({}, None, None, [], id="nothing is known"),
        pytest.param(
            {"release": fakes.OLD_RELEASE, "module_trees": (fakes.OLD_RELEASE,)},
            "virt",
            None,
            [f"{fakes.OLD_RELEASE} is running and {fakes.RELEASE} is installed."],
            id="upgraded",
        ),
        pytest.param(
            {"release": fakes.OLD_RELEASE},
            "virt",
            fakes.RELEASE,
            [
                f"{fakes.OLD_RELEASE} is running and {fakes.RELEASE} is installed.",
                f"The modules of the running kernel {fakes.OLD_RELEASE} are gone.",
            ],
            id="upgraded and modules gone",
        ),
        pytest.param(
            {},
            "test",
            "6.19.0",
            [f"{fakes.RELEASE} is running and 6.19.0 is installed."],
            id="kernel without a package",
        ),
    ],
)
def test_reboot_need(
    able: State,
    fields: dict[str, t.Any],
    flavour: str | None,
    release: str | None,
    expected: list[str],
) -> None:
    assert judge.judge_reboot_need(replace(able, **fields), flavour, release) == expected


# --- A root file system that the new kernel may not get at ---------------------------------

PASSPHRASE, LACKS = "passphrase_needed", "initramfs_lacks_module"
ALL = {"dm_crypt", "zfs", "ext4", "xfs", "btrfs"}

ADVICE: dict[str, tuple[str, set[str] | None, list[str]]] = {
    "a disk as it is": ("root=UUID=1 modules=ext4 rootfstype=ext4", ALL, []),
    "mkinitfs, a passphrase": ("root=/dev/mapper/r cryptroot=UUID=2 cryptdm=r", ALL, [PASSPHRASE]),
    "mkinitfs, its own key file": ("root=/dev/mapper/r cryptroot=UUID=2 cryptkey", ALL, []),
    "mkinitfs, a key file": ("root=/dev/mapper/r cryptroot=UUID=2 cryptkey=/k.bin", ALL, []),
    "dracut, a passphrase": ("root=UUID=1 rd.luks.uuid=2", ALL, [PASSPHRASE]),
    "dracut, a key file": ("root=UUID=1 rd.luks.uuid=2 rd.luks.key=/k", ALL, []),
    "mkinitcpio, a passphrase": ("cryptdevice=UUID=2:r root=/dev/mapper/r", ALL, [PASSPHRASE]),
    "for init and not for the kernel": ("root=UUID=1 -- cryptroot=UUID=2", set(), []),
    "a word that only begins so": ("root=UUID=1 cryptroots=2", ALL, []),
    "encrypted, and no module for it": ("cryptroot=UUID=2 cryptkey", {"ext4"}, [LACKS]),
    "both": ("cryptroot=UUID=2", {"ext4"}, [PASSPHRASE, LACKS]),
    "ZFS": ("root=ZFS=pool/root", ALL, []),
    "ZFS without its module": ("root=ZFS=pool/root", {"ext4"}, [LACKS]),
    "ZFS as dracut names it": ("root=zfs:pool/root", {"ext4"}, [LACKS]),
    "ZFS by its type": ("root=pool/root rootfstype=zfs", {"ext4"}, [LACKS]),
    "the last root counts": ("root=ZFS=pool/root root=UUID=1", set(), []),
    "xfs without its module": ("root=UUID=1 rootfstype=xfs", {"ext4"}, [LACKS]),
    "an older ext": ("root=UUID=1 rootfstype=ext3", {"ext4"}, []),
    "a type that is no module": ("root=tmpfs rootfstype=tmpfs", set(), []),
    "what the initramfs has is not known": ("root=ZFS=pool/root", None, []),
}


@pytest.mark.parametrize(("cmdline", "modules", "codes"), ADVICE.values(), ids=ADVICE)
def test_advice_on_the_root(cmdline: str, modules: set[str] | None, codes: list[str]) -> None:
    found = list(judge.judge_root(_cmdline.split(cmdline), modules))
    assert [each.code for each in found] == codes
    assert {each.blocks for each in found} <= {"nothing"}


def test_advice_names_what_says_so() -> None:
    (found,) = judge.judge_root(["root=ZFS=pool/root"], set())
    assert "root=ZFS=pool/root, and the module zfs is neither" in found.message


# --- Each check of the preflight -----------------------------------------------------------

# As the wiki of Alpine has them.
LOAD = """#!/sbin/openrc-run
stop() {
\tif ! yesno ${RC_GOINGDOWN}; then
\t\texit
\tfi
\tkexec -l "${BOOTPART}/${KERNEL}" \\
\t\t--reuse-cmdline
}
"""
EXEC = "#! /sbin/openrc-run\nstart() {\n\tkexec -e\n\treturn 0\n}\n"
OURS = "run=/run/alpinefleet-kexec\nkexec -e\n"


Check = t.Callable[[Subject], t.Iterable[Reason]]


def service(name: str, text: str) -> dict[str, t.Any]:
    return {"service_scripts": {name: text}}


FINDS: dict[str, tuple[Check, dict[str, t.Any], str | None]] = {
    "a control domain": (
        hypervisor,
        {"xen": "control_d"},
        "control domain of Xen: a jump would leave Xen",
    ),
    "a paravirtualised guest": (hypervisor, {"xen": "PV"}, "paravirtualised guest of Xen"),
    "another guest of Xen": (hypervisor, {"xen": "HVM"}, None),
    "a machine of its own": (hypervisor, {"xen": None}, None),
    "a /boot that is not mounted": (
        boot_mount,
        {"unmounted": "/boot"},
        "/boot is in /etc/fstab and not mounted",
    ),
    "a /boot that is mounted": (boot_mount, {"unmounted": None}, None),
    "a service that loads at the end": (
        services,
        service("kexec-load", LOAD),
        "The services kexec-load use kexec",
    ),
    "two services": (
        services,
        {"service_scripts": {"kexec-exec": EXEC, "kexec-load": LOAD}},
        "The services kexec-exec, kexec-load use kexec",
    ),
    "a service of another name": (
        services,
        service("fast", "start() {\n\t/usr/sbin/kexec --force k\n}\n"),
        "The services fast use kexec",
    ),
    "our own services": (services, service("kexec-exec", OURS), None),
    "several options in one": (
        services,
        service("a", "\tkexec -le k\n"),
        "The services a use kexec",
    ),
    "a line that goes on": (services, service("a", "kexec \\\n\t-e\n"), "The services a use kexec"),
    "a command behind another": (
        services,
        service("a", "sync; kexec -e\n"),
        "The services a use kexec",
    ),
    "a command of OpenRC": (
        services,
        service("a", 'command="/usr/sbin/kexec"\ncommand_args="-e"\n'),
        "The services a use kexec",
    ),
    "an image for a crash, spelled out": (
        services,
        service("kdump", "kexec --load-panic k\n"),
        None,
    ),
    "a look whether it is there": (
        services,
        service("a", "[ -x /usr/sbin/kexec ] && [ -e /boot/x ]\ncommand -v kexec || [ -f /x ]\n"),
        None,
    ),
    "a word about it": (
        services,
        service("a", 'ebegin "Use kexec -l"\nlogger -t kexec -e\n'),
        None,
    ),
    "a long line": (services, service("a", "kexec " * 20000), None),
    "an image for a crash": (services, service("kdump", "kexec -p --initrd=i k\n"), None),
    "a remark about kexec": (services, service("a", "# kexec -e would be faster\n"), None),
    "another word": (services, service("a", "notkexec -e\nkexec-tools -e\n"), None),
}


@pytest.mark.parametrize(("check", "fields", "message"), FINDS.values(), ids=FINDS)
def test_check_finds(
    able: State, check: Check, fields: dict[str, t.Any], message: str | None
) -> None:
    found = list(check(subject(replace(able, **fields))))
    assert len(found) == (message is not None)
    assert message is None or message in found[0].message


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_check_says_nothing_of_an_alpine_host(able: State, check: Check) -> None:
    assert list(check(subject(able))) == []
