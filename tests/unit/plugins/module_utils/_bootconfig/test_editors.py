# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which boot loader is found, and what makes its menu anew."""

from __future__ import annotations

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import editors
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.menu_commands import (
    Installed,
    installed_on,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.traces import Traces
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader.loader import (
    NotUnderstoodError,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

SIGNS = {
    "extlinux": "/boot/extlinux.conf",
    "grub": "/boot/grub/grub.cfg",
    "limine": "/boot/limine/limine.conf",
    "uboot": "/boot/extlinux/extlinux.conf",
    "raspberrypi": "/boot/cmdline.txt",
    "zipl": "/etc/zipl.conf",
    "efi_stub": "/boot/startup.nsh",
    "uki": "/etc/kernel-hooks.d/secureboot.conf",
    "syslinux": "/media/sda1/boot/syslinux/syslinux.cfg",
}
CONTENT = {"uki": 'cmdline="a"\n'}


@pytest.fixture(autouse=True)
def bare(alpine: fakes.FakeHost) -> None:
    """No boot loader at all, and a kernel that names none."""
    alpine.remove("/boot/extlinux.conf")
    alpine.write("/proc/sys/kernel/bootloader_type", "0\n")


def refusal(alpine: fakes.FakeHost, name: str = "auto") -> ReasonError:
    with pytest.raises(ReasonError) as caught:
        editors.choose(alpine.host, name)
    return caught.value


def install(alpine: fakes.FakeHost, *names: str) -> None:
    for name in names:
        alpine.write(SIGNS[name], CONTENT.get(name, ""))


# --- Which one -----------------------------------------------------------------------------


def test_signs_are_those_of_all_editors() -> None:
    assert ["auto", *SIGNS] == list(editors.CHOICES)


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize("auto", [True, False])
def test_boot_loader_is_found_by_its_files(alpine: fakes.FakeHost, name: str, auto: bool) -> None:
    install(alpine, name)
    assert editors.choose(alpine.host, "auto" if auto else name).loader == name


@pytest.mark.parametrize("name", editors.CHOICES)
def test_boot_loader_that_is_not_there_is_refused(alpine: fakes.FakeHost, name: str) -> None:
    error = refusal(alpine, name)
    assert error.reason.code == "boot_loader_not_found"
    assert name == "auto" or f"the boot loader {name}" in error.reason.message


def test_two_are_refused_where_the_kernel_names_none(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux", "grub")
    error = refusal(alpine)
    assert error.reason.code == "boot_loader_ambiguous"
    assert "/boot/extlinux.conf, /boot/grub/grub.cfg" in error.reason.message


@pytest.mark.parametrize(
    ("type_id", "name"), [("52", "extlinux"), ("49", "extlinux"), ("114", "grub")]
)
def test_kernel_decides_between_two(alpine: fakes.FakeHost, type_id: str, name: str) -> None:
    install(alpine, "extlinux", "grub")
    alpine.write("/proc/sys/kernel/bootloader_type", f"{type_id}\n")
    assert editors.choose(alpine.host, "auto").loader == name


def test_configuration_of_another_one_than_the_kernels_is_refused(alpine: fakes.FakeHost) -> None:
    install(alpine, "limine")
    alpine.write("/proc/sys/kernel/bootloader_type", "114\n")
    error = refusal(alpine)
    assert error.reason.code == "boot_loader_not_found"
    assert SIGNS["limine"] in error.reason.message


def test_named_one_is_taken_whatever_else_is_there(alpine: fakes.FakeHost) -> None:
    install(alpine, *SIGNS)
    alpine.write("/proc/sys/kernel/bootloader_type", "114\n")
    for name in SIGNS:
        assert editors.choose(alpine.host, name).loader == name


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("limine", ("/boot/limine/limine.conf", "/boot/limine.conf")),
        ("grub", ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")),
    ],
)
@pytest.mark.parametrize("auto", [True, False])
def test_two_menus_of_one_loader_are_refused(
    alpine: fakes.FakeHost, name: str, paths: tuple[str, ...], auto: bool
) -> None:
    for path in paths:
        alpine.write(path, "")
    error = refusal(alpine, "auto" if auto else name)
    assert error.reason.code == "boot_loader_ambiguous"
    assert all(path in error.reason.message for path in paths)


def test_two_media_are_refused(alpine: fakes.FakeHost) -> None:
    install(alpine, "syslinux")
    alpine.write("/media/usb/syslinux.cfg", "")
    error = refusal(alpine, "syslinux")
    assert error.reason.code == "boot_loader_ambiguous"
    assert "Unmount" in error.reason.remedy


# --- What the boot loader reads ------------------------------------------------------------


@pytest.mark.parametrize("name", SIGNS)
def test_boot_loader_reads_its_menu_or_what_is_edited(alpine: fakes.FakeHost, name: str) -> None:
    install(alpine, name)
    made = {"zipl": ("/boot/bootmap",), "uki": ("/boot/efi/Alpine/linux-virt.efi",)}
    alpine.write(SIGNS["zipl"], "[alpine]\ntarget = /boot\n")
    assert editors.choose(alpine.host, name).read_at_boot == made.get(name, (SIGNS[name],))


def test_settings_of_update_extlinux_are_not_read_at_boot(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux")
    alpine.write("/etc/update-extlinux.conf", "")
    assert editors.choose(alpine.host, "extlinux").read_at_boot == (SIGNS["extlinux"],)


# --- What is edited ------------------------------------------------------------------------


def test_extlinux_without_settings_is_edited_itself(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux")
    found = editors.choose(alpine.host, "auto")
    assert (found.files, found.commands, found.menu) == (("/boot/extlinux.conf",), None, None)


def test_extlinux_with_settings_is_generated(alpine: fakes.FakeHost) -> None:
    install(alpine, "extlinux")
    alpine.write("/etc/update-extlinux.conf", "")
    alpine.runner.installed["update-extlinux"] = "/sbin/update-extlinux"
    found = editors.choose(alpine.host, "auto")
    assert (found.files, found.menu) == (("/etc/update-extlinux.conf",), "/boot/extlinux.conf")
    assert found.commands is not None
    assert found.commands(installed_on(alpine.host)) == [["/sbin/update-extlinux"]]


def test_settings_alone_are_extlinux_only_with_its_command(alpine: fakes.FakeHost) -> None:
    alpine.write("/etc/update-extlinux.conf", "")
    assert refusal(alpine).reason.code == "boot_loader_not_found"
    alpine.runner.installed["update-extlinux"] = "/sbin/update-extlinux"
    assert editors.choose(alpine.host, "auto").loader == "extlinux"
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").loader == "grub"


def test_grub_takes_the_settings_of_extlinux_along(alpine: fakes.FakeHost) -> None:
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").files == ("/etc/default/grub",)
    alpine.write("/etc/update-extlinux.conf", "")
    assert editors.choose(alpine.host, "auto").files == (
        "/etc/default/grub",
        "/etc/update-extlinux.conf",
    )


def test_parameters_that_other_settings_make(alpine: fakes.FakeHost) -> None:
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").fixed == {"root"}
    alpine.write("/etc/update-extlinux.conf", "")
    assert editors.choose(alpine.host, "auto").fixed == {"modules", "root"}


def test_menu_of_grub_is_made_beside_its_place_where_that_is_possible(
    alpine: fakes.FakeHost,
) -> None:
    alpine.write("/boot/grub2/grub.cfg", "")
    found = editors.choose(alpine.host, "auto")
    assert found.draft is None
    assert found.generated == ("/boot/grub2/grub.cfg.new", "/boot/grub2/grub.cfg.backup")
    alpine.runner.installed["grub-mkconfig"] = "/sbin/grub-mkconfig"
    found = editors.choose(alpine.host, "auto")
    draft = "/boot/grub2/.grub.cfg.boot-parameter-new"
    assert (found.draft, found.generated) == (draft, (draft, f"{draft}.new"))
    assert found.commands is not None
    assert found.commands(installed_on(alpine.host)) == [["/sbin/grub-mkconfig", "-o", draft]]


@pytest.mark.parametrize("name", ["extlinux", "grub", "zipl", "uki"])
def test_command_that_is_missing_is_a_reason(alpine: fakes.FakeHost, name: str) -> None:
    install(alpine, name)
    alpine.write("/etc/update-extlinux.conf", "")
    found = editors.choose(alpine.host, name)
    assert found.commands is not None
    with pytest.raises(ReasonError, match="is not installed") as caught:
        found.commands(installed_on(alpine.host))
    assert caught.value.reason.code == "boot_menu_not_regenerated"


def test_uki_with_a_file_of_its_own(alpine: fakes.FakeHost) -> None:
    alpine.write(SIGNS["uki"], "cmdline=/etc/kernel/cmdline\n")
    assert editors.choose(alpine.host, "auto").files == (SIGNS["uki"], "/etc/kernel/cmdline")


def test_uki_hook_that_is_not_active_is_no_sign(alpine: fakes.FakeHost) -> None:
    alpine.write(SIGNS["uki"], "# Set it.\ncmdline=\n")
    install(alpine, "grub")
    assert editors.choose(alpine.host, "auto").loader == "grub"


def test_uki_settings_that_are_a_program_are_a_sign_and_refused(alpine: fakes.FakeHost) -> None:
    alpine.write(SIGNS["uki"], 'cmdline="$(cat /x)"\ncmdline+=" y"\n')
    with pytest.raises(NotUnderstoodError):
        editors.choose(alpine.host, "auto")


def test_raspberrypi_with_another_command_line_is_refused(alpine: fakes.FakeHost) -> None:
    install(alpine, "raspberrypi")
    alpine.write("/boot/usercfg.txt", "cmdline=other.txt\n")
    with pytest.raises(NotUnderstoodError, match="sets cmdline"):
        editors.choose(alpine.host, "auto")


# --- The choice, as a function of what was found -------------------------------------------

MENUS = {name: (SIGNS[name],) for name in ("extlinux", "grub", "uboot", "raspberrypi")}
ALSO = frozenset({"/etc/update-extlinux.conf"})
DRAFT = "/boot/grub/.grub.cfg.boot-parameter-new"
UPDATES = Installed({"update-extlinux": "/sbin/update-extlinux"})


def has(*names: str) -> dict[str, tuple[str, ...]]:
    return {name: MENUS[name] for name in names}


@pytest.mark.parametrize(
    ("traces", "loader", "files", "menu", "draft"),
    [
        pytest.param(
            Traces(menus=has("extlinux")),
            "extlinux",
            ["/boot/extlinux.conf"],
            None,
            None,
            id="menu of extlinux",
        ),
        pytest.param(
            Traces(menus=has("extlinux"), files=ALSO),
            "extlinux",
            [*ALSO],
            "/boot/extlinux.conf",
            None,
            id="menu of extlinux that is made",
        ),
        pytest.param(
            Traces(menus={"extlinux": ("/boot/syslinux.cfg",)}, files=ALSO),
            "extlinux",
            ["/boot/syslinux.cfg"],
            None,
            None,
            id="menu that update-extlinux does not make",
        ),
        pytest.param(
            Traces(files=ALSO, installed=UPDATES),
            "extlinux",
            [*ALSO],
            "/boot/extlinux.conf",
            None,
            id="settings and their command",
        ),
        pytest.param(
            Traces(menus=has("grub"), files=ALSO, installed=UPDATES),
            "grub",
            ["/etc/default/grub", *ALSO],
            "/boot/grub/grub.cfg",
            None,
            id="settings that GRUB reads, too",
        ),
        pytest.param(
            Traces(menus=has("grub"), installed=Installed({"grub-mkconfig": "/a"})),
            "grub",
            ["/etc/default/grub"],
            "/boot/grub/grub.cfg",
            DRAFT,
            id="menu of GRUB that is made beside its place",
        ),
        pytest.param(
            Traces(started_by=0x34, menus=has("extlinux", "grub")),
            "extlinux",
            ["/boot/extlinux.conf"],
            None,
            None,
            id="the one that the kernel names",
        ),
        pytest.param(
            Traces(texts={SIGNS["uki"]: "cmdline=/etc/kernel/cmdline"}),
            "uki",
            [SIGNS["uki"], "/etc/kernel/cmdline"],
            None,
            None,
            id="an active hook",
        ),
        pytest.param(
            Traces(menus=has("uboot"), texts={SIGNS["uki"]: "cmdline="}),
            "uboot",
            [SIGNS["uboot"]],
            None,
            None,
            id="an inactive hook",
        ),
        pytest.param(
            Traces(menus=has("raspberrypi"), configurations=("arm_64bit=1\n",)),
            "raspberrypi",
            [SIGNS["raspberrypi"]],
            None,
            None,
            id="firmware",
        ),
    ],
)
def test_choice_follows_from_traces(
    traces: Traces, loader: str, files: list[str], menu: str | None, draft: str | None
) -> None:
    found = editors.chosen(traces, "auto")
    assert (found.loader, [*found.files], found.menu, found.draft) == (loader, files, menu, draft)


@pytest.mark.parametrize(
    ("text", "releases", "images"),
    [
        pytest.param("cmdline=a", {"lts": "6-lts"}, ["/boot/efi/Alpine/linux-lts.efi"], id="known"),
        pytest.param("cmdline=a\noutput_dir=$x", {"lts": "6-lts"}, [], id="where is not said"),
        pytest.param("cmdline=a", {"lts": "6\0"}, [], id="of what is not said"),
        pytest.param("cmdline=a", {}, [], id="no kernel"),
    ],
)
def test_images_follow_from_traces(text: str, releases: dict[str, str], images: list[str]) -> None:
    traces = Traces(texts={SIGNS["uki"]: text}, installed=Installed(releases=releases))
    assert [*editors.chosen(traces, "uki").images] == images


@pytest.mark.parametrize(
    ("traces", "why"),
    [
        pytest.param(Traces(texts={SIGNS["uki"]: "cmdline=a\0"}), "has a NUL byte", id="hook"),
        pytest.param(
            Traces(files=frozenset({SIGNS["zipl"]}), texts={SIGNS["zipl"]: "target=/a\0"}),
            "has a NUL byte",
            id="zipl",
        ),
        pytest.param(
            Traces(menus=has("raspberrypi"), configurations=("", "include a.txt\n")),
            "includes a.txt",
            id="firmware",
        ),
    ],
)
def test_what_is_not_understood_is_not_chosen(traces: Traces, why: str) -> None:
    with pytest.raises(NotUnderstoodError, match=why):
        editors.chosen(traces, "auto")


@pytest.mark.parametrize(
    ("traces", "code"),
    [
        pytest.param(Traces(), "boot_loader_not_found", id="nothing"),
        pytest.param(Traces(files=ALSO), "boot_loader_not_found", id="settings without a command"),
        pytest.param(
            Traces(started_by=0x72, menus=has("uboot")), "boot_loader_not_found", id="another's"
        ),
        pytest.param(Traces(menus=has("grub", "uboot")), "boot_loader_ambiguous", id="two"),
    ],
)
def test_no_choice_follows_from_traces(traces: Traces, code: str) -> None:
    with pytest.raises(ReasonError) as caught:
        editors.chosen(traces, "auto")
    assert caught.value.reason.code == code


@pytest.mark.parametrize("of_extlinux", [True, False])
def test_whoever_reads_the_file_of_u_boot_says_what_stands_in_it(of_extlinux: bool) -> None:
    found = editors.chosen(Traces(menus=has("uboot"), of_extlinux=of_extlinux), "uboot")
    text = "LABEL a\nLINUX /k\nAPPEND 'a'\n"
    if of_extlinux:
        assert len(found.lines({SIGNS["uboot"]: text})) == 1
    else:
        with pytest.raises(NotUnderstoodError, match="takes a quote"):
            found.lines({SIGNS["uboot"]: text})
