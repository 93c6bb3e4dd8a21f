#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Tells which boot runs, framed by a number that only this call knows: what a login or sudo
# prints around it cannot be taken for an answer. A login may end in the middle of a line.
set -u
printf '\nBEGIN %s\n' "$1"
printf 'boot_id %s\n' "$(cat /proc/sys/kernel/random/boot_id)"
printf 'release %s\n' "$(cat /proc/sys/kernel/osrelease)"
printf 'bootloader_type %s\n' "$(cat /proc/sys/kernel/bootloader_type 2>/dev/null)"
number=$(cat /sys/class/dmi/id/product_uuid 2>/dev/null)
number=${number:+dmi:$number}
serial=$(cat /proc/device-tree/serial-number 2>/dev/null)
printf 'hardware_id %s\n' "${number:-${serial:+tree:$serial}}"
# Before the stage: an order that expires by then, and has left no mark, will never be begun.
printf 'uptime %s\n' "$(cat /proc/uptime)"
stage=/run/alpinefleet-kexec/stage
printf 'stage %s\n' "$([ ! -f "$stage" ] || head -c 256 "$stage")"
printf 'cmdline %s\n' "$(cat /proc/cmdline)"
printf 'END %s\n' "$1"
