#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Leaves the running system: a clean shutdown, and then the jump into the loaded image or a
# reboot through firmware. It runs detached from every connection and session.
#
# METHOD is kexec or firmware, DELAY and LIMIT are seconds, TOKEN is that of the image, and BOOT is
# the boot to leave: an order that arrives late must not hit the next one. RELEASE is the
# kernel of the image. WATCHDOG is a device that bites if the jump takes longer than WATCHDOG_LIMIT
# seconds, or empty. At the uptime EXPIRES an order that has not begun is void: whoever gave it may
# have told somebody that the host stays up. MARK says whose order this is.
set -u
method=$1
delay=$2
limit=$3
token=$4
boot=$5
release=$6
watchdog=$7
watchdog_limit=$8
expires=$9
mark=${10}

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
run=/run/alpinefleet-kexec
state=/var/lib/alpinefleet-kexec
feeder=
shutdown=
guard=

# Whoever reads a note finds it whole. A pipe in its place would wait for a reader.
put() {
	[ ! -p "$1.new" ] || rm -f "$1.new"
	printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"
}

# Leaves a note that says all by being there. A pipe that is opened like this does not wait for a reader, and
# where nothing can be opened a command that is not special does not end the shell.
put_empty() {
	true <>"$1"
}

# The controller reads how far the work came, so that "never started" can be told from "stuck".
note() {
	put "$run/stage" "$mark $1"
}

is_jumping() {
	read -r _mark stage <"$run/stage"
	[ "$stage" = jump ]
}

has_expired() {
	read -r up _ </proc/uptime
	[ "${up%%.*}" -ge "$expires" ]
}

# OpenRC ends the system already, and not for this order: it may be for a poweroff.
is_stopping() {
	[ -e /run/openrc/rc.stopping ]
}

# Whoever waits at a pipe into which nobody writes needs no process for that, and there may be none to
# have. All that this starts waits at the same one.
open_pipe() {
	rm -f "$run/pause.$$"
	mkfifo "$run/pause.$$" && exec 4<>"$run/pause.$$" && rm -f "$run/pause.$$"
}

pause() {
	# shellcheck disable=SC3045 # The shell of the host has it.
	read -r -t "$1" _ <&4
}

# OpenRC may end what is left in the cgroup of a service, such as the ssh server's, when it stops that.
leave_cgroup() {
	for processes in cgroup.procs unified/cgroup.procs openrc/tasks; do
		[ ! -e "/sys/fs/cgroup/$processes" ] || echo 0 >"/sys/fs/cgroup/$processes"
	done
}

# Dead storage makes whatever uses it wait forever; nothing else must wait with it, and what it ends
# late must not undo what was done meanwhile.
bounded() {
	tenths=$(($1 * 10))
	shift
	"$@" 8>&- 9>&- &
	bound=$!
	while [ "$tenths" -gt 0 ]; do
		# A command that is waited for lets the shell notice that the other one has ended.
		sleep 0.1
		kill -0 "$bound" 2>/dev/null || return 0
		tenths=$((tenths - 1))
	done
	kill -KILL "$bound" 2>/dev/null
}

# Notes which file systems hold the notes, the nearest one last, as long as they are mounted: a table
# of file systems does not tell what will have been.
note_holders() {
	rm -f "$run/holders.new"
	awk -v path="$(readlink -f "$state")/" '
		index(path, $2 == "/" ? $2 : $2 "/") == 1
	' /proc/mounts >"$run/holders.new" && mv "$run/holders.new" "$run/holders"
}

# A host on which a jump does not arrive does not jump again: whoever proves the arrival removes
# this note. What the kernel does on an oops is given back then.
note_jump() {
	oops=$(cat /proc/sys/kernel/panic_on_oops)
	mkdir -p "$state" || return 1
	note_holders
	rm -f "$state/last-reboot" &&
		put "$state/jump" "$token $boot $release $(date +%s) $oops"
}

# The options of what is mounted at a place, if anything is.
options_of() {
	awk -v place="$1" '$2 == place { found = $4 } END { print found }' /proc/mounts
}

# Late in a shutdown the file system of the notes is read-only, or unmounted. It is there for the
# moment that a command on them takes.
with_notes() {
	own=
	nearest=/
	while read -r device holder type options _rest; do
		nearest=$holder
		[ -z "$(options_of "$holder")" ] || continue
		mount -t "$type" -o "$options" "$device" "$holder" || break
		own="$holder $own"
	done <"$run/holders"
	case ",$(options_of "$nearest")," in
	,,) ;;
	*,ro,*)
		mount -o remount,rw "$nearest" && "$@"
		mount -o remount,ro "$nearest"
		;;
	*)
		"$@"
		sync
		;;
	esac
	for holder in $own; do
		umount "$holder"
	done
}

# There was no jump that could have hung. Where the host reboots all the same, its next boot hears
# why that is not the boot that was wanted.
forget_jump() {
	[ -d "$state" ] || return 0
	if [ -f "$state/jump" ]; then
		read -r noted _rest <"$state/jump"
		[ "$noted" != "$token" ] || rm -f "$state/jump"
	fi
	[ -n "$1" ] || return 0
	put "$state/last-reboot" "- $(printf %s "$1" | tr '\n' ' ')"
}

take_back() {
	[ "$method" = kexec ] || return 0
	bounded 10 with_notes forget_jump "$1"
}

# The death of the one who started this gives this process another parent; no number of a process
# that is used again can stand in for it.
has_parent() {
	read -r stat </proc/self/stat
	stat=${stat##*) }
	stat=${stat#* }
	[ "${stat%% *}" = "$$" ]
}

is_parent_stopped() {
	read -r stat </proc/$$/stat || return 0
	case ${stat##*) } in
	[Tt]*) ;;
	*) return 1 ;;
	esac
}

# Feeds a watchdog for the one who started this, and for nobody else: where that one is killed, or
# stopped, nothing is fed any more and the watchdog resets the host. Asked to end, this stops the
# watchdog; killed, it leaves it running.
keep_feeding() {
	ended=
	trap 'ended=yes' TERM HUP
	# A console may be held up.
	exec >/dev/null 2>&1
	step=1
	[ "$2" -gt 3 ] || step=0.25
	# Only busybox can set its time. It is killed, so that the watchdog is never stopped meanwhile.
	busybox timeout -s KILL 1 busybox watchdog -F -T "$2" -t 250ms "$1"
	exec 3>"$1"
	while [ -z "$ended" ] && has_parent; do
		is_parent_stopped || printf . >&3
		pause "$step"
	done
	[ -z "$ended" ] || printf V >&3
	exit 0
}

release_watchdog() {
	rc-service --ifstarted kexec-confirm stop
	rc-service --ifstarted watchdog stop
}

# Whoever holds the watchdog lets go of it, and this work feeds it during the shutdown.
feed() {
	[ -n "$watchdog" ] || return 0
	bounded 15 release_watchdog
	keep_feeding "$watchdog" "$watchdog_limit" &
	feeder=$!
}

# Killed, the feeder leaves the watchdog running. From here on it must not be fed: also what is
# left of the old kernel may hang.
let_it_run() {
	[ -n "$feeder" ] || return 0
	kill -KILL "$feeder"
	wait "$feeder"
}

# A signal that comes right after the fork is lost on a shell with traps.
end_feeding() {
	while kill -TERM "$feeder" 2>/dev/null; do
		kill -CONT "$feeder" 2>/dev/null
		sleep 0.2
	done
}

# Firmware may take longer than the watchdog waits. The feeder may have been killed before.
stop_watchdog() {
	[ -n "$feeder" ] || return 0
	if kill -TERM "$feeder" 2>/dev/null; then
		bounded 3 end_feeding
	else
		printf V >"$watchdog"
	fi
}

# The last thing that a shell can do that cannot have a process any more.
reset_host() {
	printf u >/proc/sysrq-trigger
	# The kernel does that beside what follows.
	pause 2
	printf b >/proc/sysrq-trigger
}

# Reboots at once, without asking or telling anybody.
fall() {
	stop_watchdog
	# The kernel may be in the middle of what it did not end.
	bounded 10 reboot -n -f
	printf b >/proc/sysrq-trigger
}

# Whatever still runs cannot be stopped any more: write what is written, forbid more, reboot.
force() {
	note forced
	take_back "$1"
	bounded 10 sync
	printf u >/proc/sysrq-trigger
	sleep 2
	fall
}

# Init ends the system as somebody else asked it to.
give_way() {
	trap - EXIT
	[ -z "$guard" ] || kill -KILL "$guard"
	note yielded
	stop_watchdog
	take_back ""
	exit 1
}

# OpenRC does one shutdown at a time. This one may have been refused for that of init, which is not
# over then; what is left of one that was killed says nothing.
is_overtaken() {
	is_stopping && pgrep -P 1 -f '^[^ ]*openrc shutdown' >/dev/null
}

# Guards outlast whoever asks all of this to end, and do not keep the locks. One that can have no
# process resets the host. They wait until something is so, and no longer than the limit.
stand_guard_until() {
	trap '' TERM HUP INT
	trap reset_host EXIT
	exec 8>&- 9>&-
	left=${limit%%.*}
	until "$@" || [ "$left" -le 0 ]; do
		pause 1
		left=$((left - 1))
	done
}

is_orphan() {
	! has_parent
}

is_over_for_nobody() {
	is_orphan && ! kill -0 "$shutdown" 2>/dev/null
}

# A shutdown that does not end is ended, and the leader goes on. One whose leader is gone has nobody to
# reboot after it.
guard_shutdown() {
	stand_guard_until is_over_for_nobody
	kill -KILL "$shutdown"
	if has_parent; then
		trap - EXIT
		exit 0
	fi
	force "what led the shutdown was killed."
}

# Whatever hangs from there on, the machine does not stay down. Who is late does not jump any more.
guard_jump() {
	stand_guard_until is_orphan
	kill -KILL "$$"
	is_jumping || take_back "the file systems were not read-only within $limit seconds."
	fall
}

shut_down() {
	trap reset_host EXIT
	openrc shutdown &
	shutdown=$!
	guard_shutdown &
	guard=$!
	wait "$shutdown"
	status=$?
	kill -KILL "$guard"
	# Services that failed to stop are no reason to stay. A shutdown that was killed or could not
	# be run is one to force.
	case $status in
	126 | 127 | 137) return 1 ;;
	esac
}

is_noted() {
	[ -f "$1" ] && grep -qF "$token" "$1"
}

writable() {
	grep -E '^/dev/[^ ]+ [^ ]+ [^ ]+ (rw|[^ ]*,rw)(,| )' /proc/mounts
}

# OpenRC has done this already unless something held a file open for writing.
make_read_only() {
	bounded 60 sync
	tries=0
	while writable >/dev/null && [ "$tries" -lt 20 ]; do
		printf u >/proc/sysrq-trigger
		sleep 0.2
		tries=$((tries + 1))
	done
}

# Init ends the system: it kills this within moments, and no jump will have hung. Where it does not,
# somebody ended this alone, and the shutdown that has begun would have nobody to reboot after it.
hand_over() {
	trap '' TERM
	take_back ""
	stop_watchdog
	sleep 10
	left=${limit%%.*}
	while [ -n "$shutdown" ] && kill -0 "$shutdown" 2>/dev/null && [ "$left" -gt 0 ]; do
		sleep 1
		left=$((left - 1))
	done
	[ -z "$guard" ] || kill -KILL "$guard"
	take_back "the program that led the shutdown was told to end."
	by_firmware
}

by_kexec() {
	trap hand_over TERM
	bounded 5 note_jump
	feed
	# The time that this took is enough for somebody to ask for a poweroff.
	if is_stopping; then
		give_way
	fi
	if ! shut_down; then
		force "the shutdown did not end within $limit seconds, or could not be run."
	fi
	guard_jump &
	guard=$!
	if is_overtaken; then
		give_way
	fi
	make_read_only
	# A jump that hangs must not count as none.
	note jump || force "$run cannot be written to."
	# The interfaces were taken down with their services, except where the root file system
	# needs one until the end: -x leaves it alone. -y does not write once more, for that may hang.
	let_it_run
	said=$(kexec -e -x -y 2>&1)
	# From here on nothing waits without a bound.
	kill -KILL "$guard"
	printf '%s\n' "$said"
	note refused
	stop_watchdog
	take_back "kexec -e failed: ${said:-it said nothing}."
	fall
}

by_firmware() {
	# The host's own services, or those of somebody else, may jump into an image.
	put_empty "$run/no-kexec"
	if [ "$(cat /sys/kernel/kexec_loaded)" = 1 ]; then
		bounded 10 kexec -u
	fi
	bounded 30 reboot
	sleep "$limit"
	force "the shutdown did not end within $limit seconds."
}

[ "$(cat /proc/sys/kernel/random/boot_id)" = "$boot" ] || exit 1

# A working directory on a file system that is unmounted would end this shell.
cd /
leave_cgroup
# The last process that memory is taken from.
{ echo -1000 >/proc/self/oom_score_adj; } 2>/dev/null

# Which service does not stop can be seen where an operator looks for it.
if (: >/dev/console) 2>/dev/null; then
	exec >/dev/console 2>&1
fi

mkdir -p "$run" && chmod 700 "$run"
# Only one may lead the shutdown; the lock ends with the last process that holds it. Somebody who
# looks whether it is held has it for a moment.
exec 9<>"$run/leaving"
tries=0
until flock -n 9; do
	tries=$((tries + 1))
	[ "$tries" -lt 5 ] || exit 1
	sleep 0.2
done
# Whatever changes the host takes the lock of the folder. Nobody does once this has it, and who
# writes a file of the boot loader has ended that. Firmware is not held up for longer than this.
exec 8<"$run"
tries=0
until flock -n 8; do
	tries=$((tries + 1))
	if [ "$tries" -ge 50 ]; then
		[ "$method" = kexec ] || break
		note replaced
		exit 1
	fi
	sleep 0.2
done
# Another run may have loaded its image meanwhile. The kernel does not tell which one it holds, but
# whoever loads leaves a note.
if [ "$method" = kexec ] && ! is_noted "$run/image.json" && ! is_noted "$run/frozen"; then
	note replaced
	exit 1
fi
# The mark comes first: who finds none after that time knows that there will be no shutdown. So there
# is none where it cannot be left.
open_pipe && note waiting || exit 1
if has_expired; then
	note expired
	exit 1
fi
sleep "$delay"
if is_stopping; then
	note yielded
	exit 1
fi
note shutdown
"by_$method"
