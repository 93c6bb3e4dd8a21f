#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Tells a system that came up through kexec that it was found to work: whatever waits to take it
# back to firmware ends its wait. TOKEN is that of the image that was proven to run, on the boot BOOT.
# MARK says that the host runs another one by now.
set -u
token=$1
boot=$2
mark=$3

run=/run/alpinefleet-kexec
state=/var/lib/alpinefleet-kexec

# The last value of a parameter of ours. A word that begins or ends inside quotes is a part of another
# parameter, and what is behind "--" is for init.
parameter() {
	set -f
	found=
	quoted=
	read -r line </proc/cmdline
	for word in $line; do
		before=$quoted
		rest=$word
		while [ "$rest" != "${rest#*\"}" ]; do
			rest=${rest#*\"}
			[ -n "$quoted" ] && quoted= || quoted=yes
		done
		[ -z "$before$quoted" ] || continue
		word=${word#\"}
		word=${word%\"}
		case $word in
		--) break ;;
		alpinefleet[-_]"kexec.$1="*) found=${word#*=} ;;
		esac
	done
	found=${found#\"}
	printf '%s\n' "${found%\"}"
}

# What comes late must not confirm the next boot.
if [ "$(cat /proc/sys/kernel/random/boot_id)" != "$boot" ]; then
	printf '\n%s\n' "$mark"
	exit 1
fi
[ "$(parameter token)" = "$token" ] || exit 1

umask 077
mkdir -p "$run" && printf '%s\n' "$token" >"$run/confirmed.new" &&
	mv "$run/confirmed.new" "$run/confirmed" || exit 1

# The jump arrived. Where an oops was made to end only this boot's begin, it is as before again. A
# line that was cut is read all the same.
noted=
if [ -f "$state/jump" ]; then
	read -r noted _boot _release _time oops <"$state/jump"
fi
if [ "$noted" = "$token" ]; then
	rm -f "$state/jump"
	case ",$(parameter added), $oops" in
	*",oops=panic,"*" "[01]) printf '%s\n' "$oops" >/proc/sys/kernel/panic_on_oops ;;
	esac
fi 2>/dev/null
# On a line of its own, whatever a login has printed before.
printf '\n%s\n' "$token"
