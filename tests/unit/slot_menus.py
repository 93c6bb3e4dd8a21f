# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts whose boot loaders boot slots: the tools that make their menus, and what those boot."""

from __future__ import annotations

import functools
import os
import re
import shutil
import struct
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings.grub import (
    SETTINGS as GRUB_SETTINGS,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.settings.update_extlinux import (
    SETTINGS as EXTLINUX_SETTINGS,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots import (
    grub,
    update_extlinux,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig.slots.entry import (
    SlotEntry,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import port
from ansible_collections.alpinefleet.kexec.plugins.module_utils._write.files import Writer
from ansible_collections.alpinefleet.kexec.tests.unit import fakes

GRUB_BLOCK = "/boot/grub/grubenv"
ONE, TWO, THREE = (f"6.18.{number}-0-virt-{number:012x}" for number in (38, 56, 60))
CMDLINE = 'root=UUID=1-2 modules=sd-mod,ext4 quiet dyndbg="file a.c +p"'
# The area at the end of extlinux's core, the fields in it, and what is around them.
_AREA, _FIELDS = 512, slice(8, 508)
_MARKS = (bytes.fromhex("a52f2d5a"), bytes.fromhex("64bf28dd"))
ROOT = Path(__file__).resolve().parents[2]
STAND_IN = ROOT / "tests/lab/files/update-extlinux"

# What grub-mkconfig hands to its scripts, as far as ours needs it.
GRUB_LIBRARY = """\
make_system_path_relative_to_its_root() { echo "${1#$STRIP}"; }
prepare_grub_to_access_device() { echo "search --no-floppy --fs-uuid --set=root 1-2"; }
grub_add_tab() { sed 's/^/\t/'; }
"""
GRUB_HEADER = """\
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
else
   set default="DEFAULT"
fi
function load_video {
  insmod all_video
}
"""
GRUB_OF_APK = """\
menuentry 'Alpine, with Linux FLAVOUR' --class os --id 'gnulinux-FLAVOUR' {
    load_video
    search --no-floppy --fs-uuid --set=root 1-2
    linux	/boot/vmlinuz-FLAVOUR root=UUID=1-2 ro OPTIONS
    initrd	/boot/initramfs-FLAVOUR
}
"""
LIMINE_LTS = """\
//lts
  protocol: linux
  path: boot():/boot/vmlinuz-lts
  kernel_cmdline: root=UUID=1-2 ro quiet
  module_path: boot():/boot/initramfs-lts
"""
LIMINE = f"""\
timeout: 3
# default_entry: 9
  Default_Entry: Alpine/virt
interface_branding: Alpine

# Kernels of apk
/+Alpine
  comment: all kernels
{LIMINE_LTS}//virt
  PROTOCOL: linux
  kernel_path: boot():/boot/vmlinuz-virt
  cmdline: root=UUID=1-2 ro quiet
  module_path: boot():/boot/initramfs-virt
/Memory test
  protocol: efi
  path: boot():/memtest.efi
"""
LIMINE_FLAT = """\
/Alpine Linux virt
    protocol: linux
    path: boot():/boot/vmlinuz-virt
    kernel_cmdline: root=UUID=1-2 ro quiet
    module_path: boot():/boot/initramfs-virt
"""
LABEL = re.compile(r"^LABEL (\S+)\n((?:[ \t]+.*\n)*)", re.MULTILINE)
LIMINE_TITLE = re.compile(r"^[ \t]*(/+)(\+?) *(.*)$", re.MULTILINE)
LIMINE_DEFAULT = re.compile(r"^[ \t]*default_entry:[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)
MENU_ENTRY = re.compile(r"^menuentry .* --id '?([^' ]+)'? \{", re.MULTILINE)


def slot(name: str, **changed: t.Any) -> SlotEntry:
    """An entry as it is made of a slot."""
    folder = f"/boot/alpinefleet-kexec/{name}"
    values = {
        "title": f"Linux {name}",
        "kernel": f"{folder}/linux",
        "initramfs": (f"{folder}/initrd",),
        "cmdline": CMDLINE,
    }
    return SlotEntry(name, **{**values, **changed})


def slots(*names: str) -> list[SlotEntry]:
    return [slot(name) for name in names]


@dataclass
class Machine:
    """A tree of files, and the commands of one boot loader."""

    root: Path
    loader: str
    runner: fakes.FakeRunner = field(default_factory=fakes.FakeRunner)
    # What is no part of a path for GRUB.
    strip: str = ""

    def __post_init__(self) -> None:
        make = {
            "extlinux": self._with_extlinux,
            "grub": self._with_grub,
            "limine": self._with_limine,
        }
        make[self.loader]()

    @property
    def host(self) -> port.Host:
        return fakes.bare_host(self.runner, str(self.root))

    @property
    def menu(self) -> str:
        return {
            "extlinux": "/boot/extlinux.conf",
            "grub": "/boot/grub/grub.cfg",
            "limine": "/boot/limine/limine.conf",
        }[self.loader]

    @property
    def own(self) -> str:
        """The file that is ours alone."""
        return {"extlinux": update_extlinux.FRAGMENT, "grub": grub.SCRIPT}[self.loader]

    @property
    def settings(self) -> str:
        made_of = {"extlinux": EXTLINUX_SETTINGS, "grub": GRUB_SETTINGS}
        return made_of.get(self.loader, self.menu)

    def path(self, path: str) -> Path:
        return self.root / path[1:]

    def write(self, path: str, text: str | bytes) -> None:
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_bytes(text.encode() if isinstance(text, str) else text)

    def read(self, path: str) -> str | None:
        return self.path(path).read_text() if self.path(path).exists() else None

    def edit(self, path: str, old: str, new: str) -> None:
        text = self.read(path) or ""
        assert old in text
        self.write(path, text.replace(old, new))

    def files(self) -> dict[str, tuple[int, bytes]]:
        """All files but what is ours to leave: the lock, and what was replaced last."""
        found = [path for path in sorted(self.root.rglob("*")) if path.is_file()]
        return {
            str(path.relative_to(self.root)): (path.stat().st_mode, path.read_bytes())
            for path in found
            if not path.name.endswith((".boot-parameter-old", ".old", ".backup"))
        }

    def copy(self, root: Path) -> Machine:
        """The disk as it is now, in another machine."""
        shutil.copytree(self.root, root, symlinks=True)
        return Machine(root, self.loader)

    # --- What people do, and what boots -----------------------------------------------------

    def remake(self) -> None:
        """Run the tool by hand, where there is one."""
        if self.loader == "extlinux":
            self._update_extlinux()
        elif self.loader == "grub":
            self._mkconfig(self.menu)

    def boots(self) -> str:
        """What the boot loader boots: it knows no doubt."""
        text = self.read(self.menu) or ""
        boots = {"extlinux": _extlinux_boots, "grub": _grub_boots, "limine": limine_boots}
        return boots[self.loader](text)

    def take_orders_for(self, name: str) -> None:
        """Play the command that has a slot boot once."""
        label = f"alpinefleet-kexec-{name}"
        if self.loader == "extlinux":
            order = f"--once={label}"
            self.runner.on("/sbin/extlinux", order, effect=functools.partial(self._keep, label))
            return
        line = f"next_entry={label}"
        act = functools.partial(self._env, line)
        self.runner.on("/editenv", GRUB_BLOCK, "set", line, effect=act)

    # --- The boot loaders --------------------------------------------------------------------

    def _lay_out(self, files: t.Mapping[str, str | bytes]) -> None:
        if not self.path("/boot").exists():
            for path, text in files.items():
                self.write(path, text)
            self.remake()

    def _with_extlinux(self) -> None:
        self.runner.installed |= {
            "update-extlinux": "/sbin/update-extlinux",
            "extlinux": "/sbin/extlinux",
        }
        self.runner.on("/sbin/update-extlinux", effect=self._update_extlinux)
        for name in (ONE, TWO):
            self.take_orders_for(name)
        self.runner.on("/sbin/extlinux", "--clear-once", effect=lambda: self._keep(""))
        self._lay_out(
            {
                "/proc/sys/kernel/bootloader_type": "52\n",
                "/boot/ldlinux.sys": b"\0" * 2048,
                "/boot/vmlinuz-lts": "lts",
                "/boot/initramfs-lts": "",
                "/boot/vmlinuz-virt": "virt",
                "/boot/initramfs-virt": "",
                "/etc/update-extlinux.d/aaa.conf": "# local, without an end",
                EXTLINUX_SETTINGS: "overwrite=1\nroot=UUID=1-2\ndefault=virt\nmodules=ext4\n",
            }
        )

    def _update_extlinux(self) -> None:
        # Nothing here has to outlive a power cut.
        self.write("/usr/lib/quick/sync", "#!/bin/sh\n")
        quick = self.path("/usr/lib/quick")
        (quick / "sync").chmod(0o755)
        environment = {
            "PATH": f"{quick}:{os.environ['PATH']}",
            "UPDATE_EXTLINUX_ROOT": str(self.root),
        }
        subprocess.run(["sh", STAND_IN], env=environment, check=True, capture_output=True)

    def _keep(self, label: str) -> None:
        """What extlinux keeps between boots; earlier orders stay behind the end of the fields."""
        path = self.path("/boot/ldlinux.sys")
        old = path.read_bytes()[-_AREA:][_FIELDS].ljust(500, b"\0")
        fields = bytes([1, len(label)]) + label.encode() + b"\0" if label else b"\0"
        area = _MARKS[0] + struct.pack("<I", 0) + fields + old[len(fields) :]
        path.write_bytes(b"\0" * 1024 + 2 * (area + _MARKS[1]))

    def _with_grub(self) -> None:
        draft = f"{os.path.dirname(self.menu)}/.grub.cfg.boot-parameter-new"
        self.runner.installed |= {
            "grub-mkconfig": "/sbin/grub-mkconfig",
            "grub-editenv": "/editenv",
        }
        self.runner.on("/sbin/grub-mkconfig", effect=lambda: self._mkconfig(draft))
        self.runner.on("/editenv", "--version", stdout="grub-editenv (GRUB) 2.12\n")
        for name in (ONE, TWO):
            self.take_orders_for(name)
        self.runner.on("/editenv", GRUB_BLOCK, "unset", "next_entry", effect=lambda: self._env(""))
        self._lay_out(
            {
                "/proc/sys/kernel/bootloader_type": "114\n",
                "/boot/vmlinuz-lts": "lts",
                "/boot/vmlinuz-virt": "virt",
                "/etc/grub.d/10_linux": "",
                GRUB_SETTINGS: "GRUB_TIMEOUT=2\nGRUB_DEFAULT=1\n",
            }
        )

    def _with_limine(self) -> None:
        self._lay_out(
            {
                "/proc/sys/kernel/bootloader_type": "255\n",
                "/boot/vmlinuz-lts": "lts",
                "/boot/vmlinuz-virt": "virt",
                self.menu: LIMINE,
            }
        )

    def _env(self, line: str) -> None:
        text = f"# GRUB Environment Block\n{line}\n" if line else "# GRUB Environment Block\n"
        self.write(GRUB_BLOCK, text.ljust(1024, "#"))

    def _mkconfig(self, where: str) -> None:
        """As grub-mkconfig does it: settings that a shell reads, then each script that may run."""
        told = _told_by_shell(f'. {self.path(GRUB_SETTINGS)} && printf %s "$GRUB_DEFAULT"')
        parts = [GRUB_HEADER.replace("DEFAULT", told or "0")]
        script = self.path(grub.SCRIPT)
        if os.access(script, os.X_OK):
            parts.append(self._entries_of(script, told))
        flavours = sorted(path.name[8:] for path in self.path("/boot").glob("vmlinuz-*"))
        command = f'. {self.path(GRUB_SETTINGS)} && printf %s "$GRUB_CMDLINE_LINUX_DEFAULT"'
        of_apk = GRUB_OF_APK.replace("OPTIONS", _told_by_shell(command) or "quiet")
        parts += [of_apk.replace("FLAVOUR", flavour) for flavour in flavours]
        self.write(where, "".join(parts))

    def _entries_of(self, script: Path, default: str) -> str:
        folder = self._library()
        return _told_by_shell(
            str(script), GRUB_DEFAULT=default, pkgdatadir=folder, STRIP=self.strip
        )

    def _library(self) -> str:
        self.write("/usr/share/grub/grub-mkconfig_lib", GRUB_LIBRARY)
        return str(self.path("/usr/share/grub"))


def _told_by_shell(command: str, **variables: str) -> str:
    defaults = {"GRUB_DEVICE_BOOT": "/dev/vda2"}
    environment = {**os.environ, **defaults, **variables}
    return subprocess.check_output(["sh", "-c", command], env=environment, text=True)


def _extlinux_boots(text: str) -> str:
    """Of several defaults the last one; without any the first label."""
    labels = LABEL.findall(text)
    marked: list[str] = [name for name, body in labels if "MENU DEFAULT" in body]
    names: list[str] = [name for name, _body in labels]
    return marked[-1] if marked else names[0]


def _grub_boots(text: str) -> str:
    """By an identifier or a number, and the first entry where there is no such one."""
    default: str = re.findall(r'set default="([^"$]*)"', text)[-1]
    names: list[str] = MENU_ENTRY.findall(text)
    by_number = int(default) if default.isdigit() and int(default) < len(names) else 0
    return default if default in names else names[by_number]


def limine_boots(text: str) -> str:
    """By a number among the titles that are shown, or by a way through all; the first by default."""
    text = text.replace("\r", "")
    titles = list(LIMINE_TITLE.finditer(text))
    defaults: list[str] = LIMINE_DEFAULT.findall(text[: titles[0].start()])
    ways: list[str] = []
    shown: list[str] = []
    closed = 0
    for slashes, plus, title in (each.groups() for each in titles):
        depth = len(slashes)
        above = ways[-1].split("/")[: depth - 1] if ways else []
        ways.append("/".join([*above, title]))
        if not closed or depth <= closed:
            shown.append(title)
            closed = 0 if plus else depth
    wanted = defaults[0].strip() if defaults else "1"
    return shown[int(wanted) - 1] if wanted.isdigit() else ways[ways.index(wanted)].split("/")[-1]


def prefixes(machine: Machine, where: Path, act: t.Callable[[], object]) -> list[Machine]:
    """The disk after each write of an act, as a cut of the power there leaves it."""
    found: list[Machine] = []
    kept = {name: getattr(Writer, name) for name in ("write", "remove")}

    def recording(name: str) -> t.Callable[..., None]:
        def record(files: Writer, path: str, *rest: t.Any) -> None:
            kept[name](files, path, *rest)
            found.append(machine.copy(where / str(len(found))))

        return record

    for name in kept:
        setattr(Writer, name, recording(name))
    try:
        act()
    finally:
        for name, method in kept.items():
            setattr(Writer, name, method)
    return found
