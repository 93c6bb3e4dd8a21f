# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The choice of files and command line: what is asked for, whose word counts, and no guess."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.find import Configured
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import Entry
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import (
    Cmdline,
    CmdlineSource,
    Files,
    Wish,
    choose_cmdline,
    choose_files,
    installed_flavours,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import (
    Reason,
    ReasonError,
    reason,
)

RELEASE = "6.18.56-0-virt"
BOOT = ("initramfs-lts", "initramfs-virt", "vmlinuz-lts", "vmlinuz-virt")
MICROCODE = "/boot/intel-ucode.img"
NO_LOADER = Configured()


def configured(cmdline: str = "root=/dev/vda1 panic=10 kexec_load_disabled=0") -> Configured:
    entry = Entry("lts", "vmlinuz-lts", (), cmdline)
    files = ("/boot/vmlinuz-lts", (MICROCODE, "/boot/initramfs-lts"))
    return Configured("extlinux", "/boot/extlinux.conf", entry, *files)


LOADER = configured()
LOADER_WITHOUT_KERNEL = Configured(
    "raspberrypi", "/boot/cmdline.txt", Entry("cmdline.txt", None, (), "root=/dev/vda1")
)

# --- Files ---------------------------------------------------------------------------------

VIRT = Files("/boot/vmlinuz-virt", ("/boot/initramfs-virt",), "option")

CHOSEN = [
    pytest.param(
        Wish(),
        LOADER,
        Files("/boot/vmlinuz-lts", (MICROCODE, "/boot/initramfs-lts"), "boot_loader"),
        id="nothing named and a boot loader understood",
    ),
    pytest.param(
        Wish(),
        NO_LOADER,
        Files("/boot/vmlinuz-virt", ("/boot/initramfs-virt",), "convention"),
        id="nothing named and no boot loader",
    ),
    pytest.param(
        Wish(),
        LOADER_WITHOUT_KERNEL,
        Files("/boot/vmlinuz-virt", ("/boot/initramfs-virt",), "convention"),
        id="nothing named and a boot loader that names no kernel",
    ),
    pytest.param(Wish(flavour="virt"), LOADER, VIRT, id="another flavour than the boot loader's"),
    pytest.param(
        Wish(flavour="lts"),
        LOADER,
        Files("/boot/vmlinuz-lts", (MICROCODE, "/boot/initramfs-lts"), "option"),
        id="the boot loader's flavour with its microcode",
    ),
    pytest.param(Wish(kernel="/boot/vmlinuz-virt"), LOADER, VIRT, id="a kernel in /boot"),
    pytest.param(
        Wish(kernel="/srv/vmlinuz-test"),
        LOADER,
        Files("/srv/vmlinuz-test", ("/srv/initramfs-test",), "option"),
        id="a kernel elsewhere with its neighbour",
    ),
    pytest.param(
        Wish(kernel="/srv/bzImage", initramfs=("/srv/root.img",)),
        LOADER,
        Files("/srv/bzImage", ("/srv/root.img",), "option"),
        id="both named",
    ),
    pytest.param(
        Wish(kernel="/srv/bzImage", initramfs=()),
        LOADER,
        Files("/srv/bzImage", (), "option"),
        id="no initramfs wanted",
    ),
    pytest.param(
        Wish(initramfs=("/srv/root.img",)),
        LOADER,
        Files("/boot/vmlinuz-lts", ("/srv/root.img",), "option"),
        id="only the initramfs named",
    ),
]


@pytest.mark.parametrize(("wish", "loader", "expected"), CHOSEN)
def test_choose_files(wish: Wish, loader: Configured, expected: Files) -> None:
    assert choose_files(wish, loader, BOOT, RELEASE) == expected


def test_choose_files_takes_the_only_flavour_there_is() -> None:
    chosen = choose_files(Wish(), NO_LOADER, ("vmlinuz-lts",), RELEASE)
    assert chosen.kernel == "/boot/vmlinuz-lts"


REFUSED = [
    pytest.param(Wish(flavour="rpi"), "flavour_unknown", "lts, virt", id="flavour not installed"),
    pytest.param(
        Wish(flavour="../../tmp/x"), "flavour_unknown", "lts, virt", id="flavour that is a path"
    ),
    pytest.param(
        Wish(kernel="/boot/vmlinuz-rpi"),
        "kernel_missing",
        "/boot/vmlinuz-rpi does not exist; installed flavours: lts, virt",
        id="no kernel of that name",
    ),
    pytest.param(
        Wish(kernel="/boot//vmlinuz-rpi", initramfs=()),
        "kernel_missing",
        "/boot//vmlinuz-rpi does not exist",
        id="no kernel of that name, no initramfs wanted",
    ),
    pytest.param(
        Wish(kernel="/srv/bzImage"), "initramfs_missing", "/srv/bzImage", id="name without a rule"
    ),
]


@pytest.mark.parametrize(("wish", "code", "words"), REFUSED)
def test_choose_files_refuses(wish: Wish, code: str, words: str) -> None:
    with pytest.raises(ReasonError, match=words) as caught:
        choose_files(wish, LOADER, BOOT, RELEASE)
    assert caught.value.reason.code == code


def test_choose_files_refuses_a_kernel_where_boot_is_not_mounted() -> None:
    with pytest.raises(ReasonError) as caught:
        choose_files(Wish(kernel="/boot/vmlinuz-virt"), LOADER, (), RELEASE)
    assert caught.value.reason == reason(
        "kernel_missing",
        "/boot/vmlinuz-virt does not exist; installed flavours: none.",
        "Check the option kernel, or mount /boot.",
    )


PATHS = [
    pytest.param("boot/vmlinuz-virt", id="relative"),
    pytest.param("", id="empty"),
    pytest.param("/", id="the root itself"),
    pytest.param("/boot/", id="directory"),
    pytest.param("/boot/../proc/kcore", id="upwards"),
    pytest.param("/boot/..", id="upwards at the end"),
    pytest.param("/boot/vmlinuz\n--append=x", id="control character"),
    pytest.param("/boot/vmlinuz\0", id="NUL"),
    pytest.param("/boot/vmlinuz\udcff", id="no text"),
    pytest.param("--initrd=/etc/shadow", id="option of a command"),
    pytest.param("/proc/kcore", id="made by the kernel"),
    pytest.param("//./sys/kernel/notes", id="made by the kernel in disguise"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("option", ["kernel", "initramfs"])
def test_choose_files_refuses_a_path(option: str, path: str) -> None:
    wish = Wish(kernel=path) if option == "kernel" else Wish(initramfs=(MICROCODE, path))
    with pytest.raises(ReasonError) as caught:
        choose_files(wish, LOADER, BOOT, RELEASE)
    assert caught.value.reason.code == "path_invalid"
    assert repr(path) in caught.value.reason.message
    assert "full path" in caught.value.reason.remedy


def test_choose_files_does_not_guess_between_flavours() -> None:
    with pytest.raises(ReasonError, match="'edge' is not in /boot; flavours there: lts, virt") as e:
        choose_files(Wish(), NO_LOADER, BOOT, "6.18.1-0-edge")
    assert e.value.reason.code == "flavour_ambiguous"


def test_choose_files_says_that_boot_is_empty() -> None:
    with pytest.raises(ReasonError, match=r"flavours there: none.*mount /boot"):
        choose_files(Wish(), NO_LOADER, (), RELEASE)


@pytest.mark.parametrize(
    ("kernel", "flavour"), [("/boot/vmlinuz-virt", "virt"), ("/srv/bzImage", None)]
)
def test_flavour_is_in_the_name(kernel: str, flavour: str | None) -> None:
    assert Files(kernel, (), "option").flavour == flavour


def test_defects_block_a_reboot_unless_the_names_were_only_derived() -> None:
    assert Files("/k", (), "boot_loader").blocks == "reboot"
    assert Files("/k", (), "option").blocks == "reboot"
    assert Files("/k", (), "convention").blocks == "kexec"


def test_installed_flavours_are_sorted() -> None:
    assert installed_flavours(reversed(BOOT)) == ["lts", "virt"]


# --- Command line --------------------------------------------------------------------------

RUNNING = "BOOT_IMAGE=vmlinuz-lts root=/dev/vdb1 panic=10 kexec_load_disabled=0"
BARE = "root=/dev/vda1 panic=10"


def chosen(
    wish: Wish | None = None,
    loader: Configured = LOADER,
    running: str = RUNNING,
    *,
    needs_unlock: bool = True,
    once: t.Sequence[str] = (),
) -> Cmdline:
    return choose_cmdline(wish or Wish(), loader, running, needs_unlock=needs_unlock, once=once)


def codes(found: Cmdline) -> list[str]:
    return [each.code for each in found.reasons]


SOURCES = [
    pytest.param("auto", LOADER, "boot_loader", "root=/dev/vda1", id="boot loader understood"),
    pytest.param("auto", NO_LOADER, "running", "root=/dev/vdb1", id="no boot loader"),
    pytest.param("boot_loader", LOADER, "boot_loader", "root=/dev/vda1", id="boot loader wanted"),
    pytest.param("running", LOADER, "running", "root=/dev/vdb1", id="running wanted"),
    pytest.param("explicit", LOADER, "explicit", "root=/dev/vdc1", id="explicit"),
]


@pytest.mark.parametrize(("wanted", "loader", "source", "start"), SOURCES)
def test_cmdline_source(wanted: CmdlineSource, loader: Configured, source: str, start: str) -> None:
    text = "root=/dev/vdc1" if wanted == "explicit" else None
    found = chosen(Wish(cmdline_source=wanted, cmdline=text), loader)
    assert found.source == source
    assert found.text.split()[0] == start


def test_cmdline_of_a_boot_loader_that_was_not_found_is_refused() -> None:
    with pytest.raises(ReasonError, match="It has no command line") as caught:
        chosen(Wish(cmdline_source="boot_loader"), NO_LOADER)
    assert caught.value.reason.code == "cmdline_unknown"
    assert caught.value.reason.remedy == "Set cmdline_source to running or explicit."


def test_cmdline_of_a_boot_loader_that_was_not_understood_says_why() -> None:
    why = reason("boot_loader_not_understood", "It includes another file.", "")
    with pytest.raises(ReasonError, match="It includes another file"):
        chosen(Wish(cmdline_source="boot_loader"), Configured(reasons=(why,)))


def test_cmdline_has_the_users_words_and_the_token_last() -> None:
    once = ["alpinefleet_kexec.token=abc"]
    found = chosen(Wish(append=("console=ttyS0",), remove=("panic",)), once=once)
    assert found.text == (
        "root=/dev/vda1 kexec_load_disabled=0 console=ttyS0 alpinefleet_kexec.token=abc"
    )


def test_cmdline_keeps_kexec_unlocked_where_the_boot_loader_would_not() -> None:
    found = chosen(loader=configured(BARE))
    assert found.text == f"{BARE} kexec_load_disabled=0"
    assert (found.unlocked, found.unlocked_by_firmware) == (True, False)


def test_cmdline_of_a_kernel_without_the_lock_is_left_alone() -> None:
    found = chosen(loader=configured(BARE), running=BARE, needs_unlock=False)
    assert found.text == BARE
    assert found.unlocked
    assert codes(found) == []


def test_cmdline_may_lock_if_the_user_says_so() -> None:
    assert not chosen(Wish(append=("kexec_load_disabled=1",))).unlocked


def test_unlocked_by_firmware_is_unknown_without_a_boot_loader() -> None:
    assert chosen(loader=NO_LOADER).unlocked_by_firmware is None


def test_advice_of_a_boot_loader_that_locks_at_the_next_boot() -> None:
    found = chosen(loader=configured(BARE), running=f"{BARE} kexec_load_disabled=0")
    assert "next_boot_locks" in codes(found)


@pytest.mark.parametrize(
    ("configured_text", "running", "drifted"),
    [
        pytest.param(BARE, f"BOOT_IMAGE=x {BARE} initrd=y", False, id="only the loader's words"),
        pytest.param(BARE, f"{BARE} quiet", True, id="a parameter less"),
        pytest.param(f"{BARE} a b", f"{BARE} b a", True, id="another order"),
        pytest.param(BARE, f'{BARE} name="open', True, id="running with an open quote"),
    ],
)
def test_advice_of_a_drift(configured_text: str, running: str, drifted: bool) -> None:
    found = chosen(loader=configured(configured_text), running=running, needs_unlock=False)
    assert ("cmdline_drift" in codes(found)) is drifted


@pytest.mark.parametrize(
    ("panic", "hangs"),
    [
        ("", True),
        ("panic=0", True),
        ("panic=", True),
        ("panic", True),
        ("panic=10", False),
        ("panic=-1", False),
    ],
)
def test_advice_of_a_panic_that_hangs(panic: str, hangs: bool) -> None:
    found = chosen(Wish(cmdline_source="explicit", cmdline=f"root=/dev/vda1 {panic}"))
    assert ("panic_hangs" in codes(found)) is hangs


@pytest.mark.parametrize(("panic", "hangs"), [("", False), ("panic=0", True)])
def test_panic_timeout_leaves_no_hang_but_one_that_is_configured(panic: str, hangs: bool) -> None:
    found = chosen(Wish(panic_timeout=10), configured(f"root=/dev/vda1 {panic}"))
    assert ("panic_hangs" in codes(found)) is hangs
    assert ("panic=10 oops=panic" in found.text) is not hangs


def test_advice_of_the_boot_loader_comes_first() -> None:
    found: Reason = reason("boot_loader_not_found", "None.", "")
    assert chosen(loader=Configured(reasons=(found,))).reasons[0] is found


@pytest.mark.parametrize(
    ("wish", "edits"),
    [
        pytest.param(Wish(), False, id="nothing"),
        pytest.param(Wish(cmdline_source="running"), False, id="another source"),
        pytest.param(Wish(cmdline_source="explicit", cmdline="a"), True, id="explicit"),
        pytest.param(Wish(append=("a",)), True, id="append"),
        pytest.param(Wish(remove=("a",)), True, id="remove"),
    ],
)
def test_edits_cmdline(wish: Wish, edits: bool) -> None:
    assert wish.edits_cmdline is edits


def test_choose_files_refuses_a_kernel_without_an_initramfs_of_its_name() -> None:
    with pytest.raises(ReasonError) as caught:
        choose_files(Wish(kernel="/boot/vmlinuz-rpi"), NO_LOADER, (*BOOT, "vmlinuz-rpi"), RELEASE)
    assert caught.value.reason.code == "initramfs_missing"


# --- The options about an image ------------------------------------------------------------

PARAMS: dict[str, t.Any] = {
    "kernel": None,
    "initramfs": None,
    "flavour": None,
    "cmdline_source": "auto",
    "cmdline": None,
    "cmdline_append": [],
    "cmdline_remove": [],
    "panic_timeout": 0,
    "denied_platforms": [],
    "ignore_reasons": [],
}


def test_wish_of_no_option() -> None:
    assert choose.wish_of(PARAMS) == Wish()


def test_wish_of_every_option() -> None:
    params = {
        "kernel": "/k",
        "initramfs": ["/a", "/b"],
        "flavour": "virt",
        "cmdline_source": "explicit",
        "cmdline": "root=/dev/vda1",
        "cmdline_append": ["a"],
        "cmdline_remove": ["b"],
        "panic_timeout": 10,
        "denied_platforms": ["QEMU Standard PC"],
        "ignore_reasons": ["memory_low"],
        "controller_boot_id": "d7a0c3f2",
    }
    assert choose.wish_of(params) == Wish(
        kernel="/k",
        initramfs=("/a", "/b"),
        flavour="virt",
        cmdline_source="explicit",
        cmdline="root=/dev/vda1",
        append=("a",),
        remove=("b",),
        ignore=("memory_low",),
        controller_boot_id="d7a0c3f2",
        panic_timeout=10,
        denied_platforms=("QEMU Standard PC",),
    )


@pytest.mark.parametrize("seconds", [0, 1, 2147483647])
def test_wish_takes_a_panic_timeout(seconds: int) -> None:
    assert choose.wish_of({**PARAMS, "panic_timeout": seconds}).panic_timeout == seconds


def test_wish_tells_no_initramfs_from_no_word_about_it() -> None:
    assert choose.wish_of({**PARAMS, "initramfs": []}).initramfs == ()
    assert choose.wish_of(PARAMS).initramfs is None


WRONG: list[t.Any] = [
    pytest.param(
        {"cmdline": "root=/dev/vda1"},
        "The option cmdline is set and cmdline_source is auto.",
        "Set cmdline_source to explicit",
        id="command line without effect",
    ),
    pytest.param(
        {"cmdline": "", "cmdline_source": "running"},
        "The option cmdline is set and cmdline_source is running.",
        "Set cmdline_source to explicit",
        id="empty command line without effect",
    ),
    *(
        pytest.param(
            {"cmdline": cmdline, "cmdline_source": "explicit"},
            "the option cmdline is empty",
            "Write the whole command line into cmdline",
            id=f"explicit command line {name}",
        )
        for name, cmdline in {"null": None, "empty": "", "blank": " \n"}.items()
    ),
    *(
        pytest.param(
            {"panic_timeout": seconds},
            f"The option panic_timeout is {seconds} and must be between 0 and 2147483647.",
            "It is a number of seconds; 0 switches it off.",
            id=f"panic timeout {name}",
        )
        for name, seconds in {"negative": -1, "too large": 2**31}.items()
    ),
]


@pytest.mark.parametrize(("params", "message", "remedy"), WRONG)
def test_wish_refuses(params: dict[str, t.Any], message: str, remedy: str) -> None:
    with pytest.raises(ReasonError) as caught:
        choose.wish_of({**PARAMS, **params})
    found = caught.value.reason
    assert (found.code, found.blocks) == ("cmdline_invalid", "reboot")
    assert message in found.message
    assert remedy in found.remedy
