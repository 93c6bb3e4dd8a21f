#!/bin/sh
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Tells what works on the boot BOOT: what its services say if SERVICES is "yes", which ports are
# listened at if PORTS is, and whether each COMMAND succeeds within SECONDS; of one that does not, the
# last line that it said. The answer is framed by NONCE. The host may have come up once more
# meanwhile: MARK says that it runs another boot, unless BOOT is "-", which any is.
set -u
boot=$1
mark=$2
nonce=$3
services=$4
ports=$5
seconds=$6
shift 6

if [ "$boot" != - ] && [ "$(cat /proc/sys/kernel/random/boot_id)" != "$boot" ]; then
	printf '\n%s\n' "$mark"
	exit 1
fi
printf '\nBEGIN %s\n' "$nonce"
if [ "$services" = yes ]; then
	said=$(rc-status --all --format ini 2>&1)
	printf 'rc-status %s\n' "$?"
	printf '%s\n' "$said" | head -c 65536 | awk '{ print "service " $0 }'
	printf '\n'
fi
if [ "$ports" = yes ]; then
	# In hexadecimal, behind the address; 0A is the state of a port that is listened at.
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk '$4 == "0A" { sub(".*:", "", $2); if (!seen[$2]++) print "port " $2 }'
fi
number=0
for command; do
	# Whoever reads ends at the mark: what a command has left running may hold the pipe for ever.
	{
		timeout "$seconds" sh -c "$command" </dev/null 2>&1
		printf '\n%s %s\n' "$nonce" "$?"
	} | LC_ALL=C awk -v number="$number" -v nonce="$nonce " '
		index($0, nonce) == 1 { print "command " number " " $2; if ($2 != 0) { print said }; exit }
		NF { said = "said " number " " substr($0, 1, 200) }
	'
	number=$((number + 1))
done
printf 'END %s\n' "$nonce"
