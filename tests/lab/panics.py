# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store in which firmware keeps the text of a panic (ACPI's ERST), in a machine and after it went on."""

from __future__ import annotations

# Over resets and while the machine is off, it is this file beside the disk.
STORE = "panics.erst"
SIZE = "64K"
DEVICES = "/sys/bus/pci/devices"
# The vendor and the number of QEMU's device.
DEVICE = "0x1b36 0x0012"


def options(path: str) -> list[str]:
    """Return QEMU's options for a store in a file, whose commas are doubled."""
    memory = f"memory-backend-file,id=erst,mem-path={path},size={SIZE},share=on"
    return ["-object", memory, "-device", "acpi-erst,memdev=erst"]


def found_again(devices: str = DEVICES) -> str:
    """Return shell commands that have the kernel find the store where it was.

    QEMU saves what is in the store and not where its registers are: in a machine that goes on from a
    state, writes would lead nowhere until firmware places them anew. The kernel knows both places,
    which go into the configuration of the device, and then its answering to them.
    """
    return f"""
for device in {devices}/*; do
    [ "$(cat "$device/vendor" "$device/device" | xargs)" = '{DEVICE}' ] || continue
    place=4
    head -n 2 "$device/resource" | while read -r start end flags; do
        word=$(printf %08x "$start" | sed 's/\\(..\\)\\(..\\)\\(..\\)\\(..\\)/\\\\x\\4\\\\x\\3\\\\x\\2\\\\x\\1/')
        printf "$word" | dd of="$device/config" bs=4 seek="$place" conv=notrunc 2>/dev/null
        place=$((place + 1))
    done
    printf '\\003\\001' | dd of="$device/config" bs=2 seek=2 conv=notrunc 2>/dev/null
done
"""
