#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs COMMAND on the boot that was proven. The host may have come up once more meanwhile: MARK says
# that it runs another one than BOOT, on a line of its own, whatever a login has printed before.
set -u
boot=$1
mark=$2
command=$3

if [ "$(cat /proc/sys/kernel/random/boot_id)" != "$boot" ]; then
	printf '\n%s\n' "$mark"
	exit 1
fi
exec sh -c "$command"
