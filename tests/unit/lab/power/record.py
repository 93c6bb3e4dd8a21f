# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the samples in the folder beside this file were made, to make them anew.

    git worktree add FOLDER/ansible_collections/alpinefleet/kexec COMMIT
    python -m tests.unit.lab.power.record OUTPUT NAME=FOLDER NAME=FOLDER

One machine gets one more disk for each NAME. The disk holds an ext4 file system of 16 MiB with a
menu and small stand-ins for kernel and initramfs, and QEMU logs each write to it. It is mounted
over /boot, and the module boot_parameter of the collection in FOLDER changes the menu six times,
is quiet until the kernel wrote the journal back, changes it once more and is quiet again. The
machine is then cut off. OUTPUT gets disk and log, each compressed by xz, and the sums of all menus.

replaced: boot_parameter of commit 7bc0c38, which wrote a temporary file, synced it, renamed it and
synced the directory. kept: that of commit 613d28c, which keeps the old file by a second name and
has the journal written back before and after it renames.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from tests.lab import Lab, MachineSpec, Record, machine, qemu, records, ssh
from tests.lab.commands import run
from tests.lab.image import FEATURES
from tests.lab.layout import MIB, START
from tests.lab.power.disk import write_out
from tests.lab.power.log import entries

SIZE = 16 * MIB
# More than is ever written; the file is sparse.
LOG_SIZE = 256 * MIB
CHANGES, QUIET_SECONDS = 6, 40
MENU = """\
DEFAULT virt
PROMPT 0
TIMEOUT 10

LABEL virt
  LINUX vmlinuz-virt
  INITRD initramfs-virt
  APPEND root=UUID=1-2 modules=sd-mod,usb-storage,ext4 quiet
"""
MOUNTED = """
umount /boot /mnt 2>/dev/null
mount -t ext4 /dev/vd{letter}1 /mnt && mount -o bind /mnt/boot /boot
rm -f /etc/update-extlinux.conf
"""


def make_disk(folder: Path, name: str) -> None:
    """Make a disk of one partition with all that a boot loader reads, and an empty log."""
    disk, tree = folder / f"{name}.raw", folder / f"{name}.tree"
    (tree / "boot").mkdir(parents=True)
    (tree / "boot/extlinux.conf").write_text(MENU, encoding="utf-8")
    (tree / "boot/boot").symlink_to(".")
    for number, file in enumerate(("vmlinuz-virt", "initramfs-virt")):
        (tree / "boot" / file).write_bytes(f"stand-in {number}\n".encode() * 1000)
    with disk.open("wb") as stream:
        stream.truncate(START + SIZE + MIB)
    run(["sfdisk", "--quiet", disk], stdin=f"label: dos\nstart=2048, size={SIZE // 512}, type=83\n")
    options = ["-q", "-F", "-t", "ext4", "-b", "4096", "-O", FEATURES]
    extended = f"offset={START},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
    run(["mke2fs", *options, "-E", extended, "-d", tree, disk, f"{SIZE // 1024}k"])
    with (folder / f"{name}.log").open("wb") as stream:
        stream.truncate(LOG_SIZE)


def disk_options(folder: Path, name: str) -> list[str]:
    """Return QEMU's options for a disk whose writes are logged."""
    words = []
    for kind in ("raw", "log"):
        file = f"driver=file,filename={folder / name}.{kind},node-name={name}-{kind}-file"
        words += ["-blockdev", file]
        raw = f"driver=raw,file={name}-{kind}-file,node-name={name}-{kind}"
        words += ["-blockdev", raw]
    logged = f"driver=blklogwrites,file={name}-raw,log={name}-log,log-super-update-interval=1"
    words += ["-blockdev", f"{logged},node-name={name}"]
    return [*words, "-device", f"virtio-blk-pci,drive={name}"]


def change(record: Record, collections: str, value: int) -> str:
    """Let boot_parameter set a parameter to a value; return the sum of the menu that it wrote."""
    argv = ["ansible", "all", "-i", str(record.inventory), "-m"]
    argv += ["alpinefleet.kexec.boot_parameter", "-a", f"boot_loader=extlinux name=a value={value}"]
    own = os.environ["ANSIBLE_COLLECTIONS_PATH"]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": f"{collections}:{own}"}
    said = subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout
    print(said, flush=True)
    return ssh(record, "sha256sum /boot/extlinux.conf").stdout.split()[0]


def replay(record: Record, letter: str, collections: str) -> list[str]:
    """Change the menu on a disk in turn, with the pauses; return the sums of all menus."""
    mounted = ssh(record, MOUNTED.format(letter=letter))
    if mounted.returncode:
        sys.exit(mounted.stderr)
    sums = [hashlib.sha256(MENU.encode()).hexdigest()]
    for value in range(CHANGES + 1):
        if value == CHANGES:
            time.sleep(QUIET_SECONDS)
        sums.append(change(record, collections, value))
    time.sleep(QUIET_SECONDS)
    return sums


def pack(folder: Path, output: Path, name: str) -> None:
    """Compress the log as far as it was written, if it leads to what is on the disk."""
    log, start, end = folder / f"{name}.log", folder / f"{name}.start", folder / f"{name}.end"
    with log.open("rb") as stream:
        count = sum(1 for _entry in entries(stream))
        length = stream.tell()
        write_out(start, entries(stream), count, end)
    if end.read_bytes() != (folder / f"{name}.raw").read_bytes():
        sys.exit(f"the log of {name} does not lead to what is on its disk")
    (output / f"{name}.disk.xz").write_bytes(lzma.compress(start.read_bytes()))
    (output / f"{name}.log.xz").write_bytes(lzma.compress(log.read_bytes()[:length]))
    print(f"{name}: {count} entries")


def main(output: Path, *pairs: str) -> None:
    """Make a machine with the disks, and pack what was written to them."""
    samples = dict(pair.split("=", 1) for pair in pairs)
    with tempfile.TemporaryDirectory() as name, Lab() as lab:
        folder = Path(name)
        for sample in samples:
            make_disk(folder, sample)
            shutil.copyfile(folder / f"{sample}.raw", folder / f"{sample}.start")
        extra = [word for sample in samples for word in disk_options(folder, sample)]
        with mock.patch.object(machine, "argv", lambda hardware: [*qemu.argv(hardware), *extra]):
            record = lab.up(MachineSpec("judge-sample"))
        sums = {
            sample: replay(record, letter, collections)
            for letter, (sample, collections) in zip("bcdefg", samples.items(), strict=False)
        }
        records.kill(record.path)
        for sample in samples:
            pack(folder, output, sample)
        (output / "menus.json").write_text(json.dumps(sums, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
