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

# Whoever reads a note finds it whole. A pipe in its place would wait for a reader.
put() {
	[ ! -p "$1.new" ] || rm -f "$1.new"
	printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"
}

# The kernel takes a quote that is left open for one until the end of the line.
has_open_quote() {
	rest=$1
	while [ "$rest" != "${rest#*\"*\"}" ]; do
		rest=${rest#*\"*\"}
	done
	[ "$rest" != "${rest#*\"}" ]
}

# The last value of a parameter of ours, on a line that is taken apart as the kernel does: at white space
# outside quotes, of which it takes those around a parameter and around a value away. What is behind "--"
# is for init.
parameter() {
	set -f
	line=
	while read -r word; do
		line="$line $word"
	done </proc/cmdline
	if has_open_quote "$line"; then
		line="$line\""
	fi
	IFS=$(printf ' \t\n\v\f\r')
	found=
	word=
	for part in $line; do
		word=${word:+$word }$part
		if has_open_quote "$word"; then
			continue
		fi
		case $word in
		\"*) word=${word#\"} word=${word%\"} ;;
		esac
		case $word in
		--) break ;;
		alpinefleet[-_]"kexec.$1="*) found=${word#*=} ;;
		esac
		word=
	done
	case $found in
	\"*) found=${found#\"} found=${found%\"} ;;
	esac
	printf '%s\n' "$found"
}

# What comes late must not confirm the next boot.
if [ "$(cat /proc/sys/kernel/random/boot_id)" != "$boot" ]; then
	printf '\n%s\n' "$mark"
	exit 1
fi
[ "$(parameter token)" = "$token" ] || exit 1

umask 077
mkdir -p "$run" && put "$run/confirmed" "$token" || exit 1

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
