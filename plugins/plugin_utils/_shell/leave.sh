#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Leaves the running system: a clean shutdown, and then the jump into the loaded image or a
# reboot through firmware. It runs detached from every connection and session.
#
# METHOD is kexec or firmware, DELAY and LIMIT are seconds, TOKEN marks whose work this is.
set -u
method=$1
delay=$2
limit=$3
token=$4

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
run=/run/alpinefleet-kexec

# The exit status of a command that was ended by KILL.
killed=137

# The controller reads how far the work came, so that "never started" can be told from "stuck".
note() {
	printf '%s %s\n' "$token" "$1" >"$run/stage.new" && mv "$run/stage.new" "$run/stage"
}

# Whatever still runs cannot be stopped any more: write what is written, forbid more, reboot.
force() {
	note forced
	sync
	printf s >/proc/sysrq-trigger
	printf u >/proc/sysrq-trigger
	sleep 2
	reboot -f
	printf b >/proc/sysrq-trigger
}

shut_down() {
	openrc shutdown &
	shutdown=$!
	(
		sleep "$limit"
		kill -KILL "$shutdown"
	) &
	guard=$!
	wait "$shutdown"
	status=$?
	kill "$guard"
	# Services that failed to stop are no reason to stay; a shutdown that hung is one to force.
	[ "$status" -ne "$killed" ]
}

writable() {
	grep -E '^/dev/[^ ]+ [^ ]+ [^ ]+ (rw|[^ ]*,rw)(,| )' /proc/mounts
}

# OpenRC has done this already unless something held a file open for writing.
make_read_only() {
	sync
	tries=0
	while writable >/dev/null && [ "$tries" -lt 20 ]; do
		printf u >/proc/sysrq-trigger
		sleep 0.2
		tries=$((tries + 1))
	done
}

by_kexec() {
	if ! shut_down; then
		force
	fi
	make_read_only
	note jump
	# The interfaces were taken down with their services, except where the root file system
	# needs one until the end: -x leaves it alone.
	kexec -e -x
	note refused
	reboot -f
}

by_firmware() {
	# Another service of the host may jump into an image that is still loaded.
	if [ "$(cat /sys/kernel/kexec_loaded)" = 1 ]; then
		kexec -u
	fi
	reboot
	sleep "$limit"
	force
}

mkdir -p -m 0700 "$run"
# Only one may lead the shutdown. The directory is on a tmpfs and dies with the boot.
mkdir "$run/leaving" || exit 1
note waiting
sleep "$delay"
note shutdown
"by_$method"
