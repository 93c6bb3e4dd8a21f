#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the host remembers of the role's runs, over boots. "take" makes RUN the one that may act where
# an earlier one has left something, and tells what; "claim" has the host remember NOTE of a run that
# it does not know, "keep" of one that it does, or nothing if NOTE is empty; "tell" changes nothing.
# CONTROLLER is the boot of whoever asks. Who must not act is told why behind MARK, on a line of its
# own, before anything is written. The answer is framed by NONCE.
set -u
what=$1
id=$2
note=$3
controller=$4
mark=$5
nonce=$6

run=/run/alpinefleet-kexec
state=/var/lib/alpinefleet-kexec
place=$state/run

# Whoever reads a note finds it whole. A pipe in its place would wait for a reader.
put() {
	[ ! -p "$1.new" ] || rm -f "$1.new"
	printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"
}

# Power may fail after the next step: what is noted must be on the disk before it.
put_for_good() {
	put "$1" "$2" && settle "$1"
}

settle() {
	sync "$@" "$state" 2>/dev/null || sync
}

# What no regular file is tells nothing, and is not opened.
remembered() {
	[ ! -f "$place" ] || head -c 16384 "$place"
}

# The first word is the run that may act.
owner() {
	remembered | awk 'NR == 1 { print $1 }'
}

answer() {
	printf '\nBEGIN %s\n%s\nEND %s\n' "$nonce" "$1" "$nonce"
	exit 0
}

refuse() {
	printf '\n%s %s\n' "$mark" "$1"
	exit 1
}

# Whoever has not written yet takes nothing from another run, nor does who has nothing to say any more.
may_act() {
	actor=$(owner)
	[ "$actor" != "$id" ] || return 0
	[ -z "$actor" ] && { [ "$what" = claim ] || [ -z "$note" ]; }
}

read -r boot </proc/sys/kernel/random/boot_id
[ "$boot" != "$controller" ] || refuse target_is_controller
user=$(id -u)
[ "$user" -eq 0 ] || refuse "not_root $user"

[ "$what" != tell ] || answer "$(remembered)"
# A host that remembers nothing is not written to before there is something to remember.
[ -n "$note$(remembered)" ] || answer ""

umask 077
mkdir -p "$run" "$state" || exit 1
# Something could be moved into it, and would not be found again.
[ ! -d "$place" ] || exit 1
# Two runs that come at once do so one after the other.
exec 8<"$run"
tries=0
until flock -n 8; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || exit 1
	sleep 0.1
done

case $what in
take)
	before=$(remembered)
	rest=$(printf '%s\n' "$before" | awk 'NR == 1 { $1 = ""; sub(/^ /, "") } { print }')
	put_for_good "$place" "$id $rest" || exit 1
	answer "$before"
	;;
claim | keep)
	may_act || refuse overtaken
	if [ -n "$note" ]; then
		put_for_good "$place" "$id $note" || exit 1
	else
		rm -f "$place" && settle || exit 1
	fi
	answer ""
	;;
esac
