#!/usr/bin/env bash
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Sourced by ./test after docker.bash: which parts there are, and run_parts PART… -- ARGUMENT…, which
# runs parts with the arguments and fails if one of them did.

quick=(lint types units licences changelog)
gates=(ansible_lint sanity docs galaxy)
all=("${quick[@]}" "${gates[@]}" containers scripted machines)
others=(bench matrix)
logs=.cache/logs

# among WORD LIST…
among() { [[ " ${*:2} " == *" $1 "* ]]; }

is_part() { among "$1" "${all[@]}" "${others[@]}"; }

runner=(nox)

# In a shell of its own: what it provides ends with it.
run_part() {
    [[ $1 != containers ]] || provide_docker
    "${runner[@]}" --session "$1" -- "${@:2}"
}

# Leaves a row of the table, and fails where the part does.
timed() {
    local start=$SECONDS result=ok
    (run_part "$@") </dev/null 2>&1 || result=FAILED
    printf '%-14s %-8s %5d s\n' "$1" "$result" $((SECONDS - start)) >"$logs/$1.result"
    [[ $result == ok ]]
}

# The scripted hosts wait most of the time: they run beside the parts from the first gate on, and
# their log is shown when it is their turn. The process leads a group that an interrupt can end,
# also where ./test itself was started by something that has it ignore interrupts.
beside=

start_beside() {
    set -m
    {
        runner=(env --default-signal=INT nox)
        timed scripted "$@"
    } >"$logs/scripted.log" &
    beside=$!
    set +m
}

# Tells whether it passed. What has ended is nobody's to end any more.
end_beside() {
    local failed=0
    wait "$beside" || failed=1
    beside=
    return "$failed"
}

# What a trap for EXIT returns becomes the script's own result, if it is a failure.
stop_beside() {
    [[ -z $beside ]] || kill -INT -- "-$beside" 2>/dev/null || true
}

show_results() {
    local part
    printf '\n======== summary ========\n'
    for part; do
        cat "$logs/$part.result"
    done
    printf '\n======== longest tests ========\n'
    python "${BASH_SOURCE[0]%/*}/slowest.py" "$logs"
}

run_parts() {
    local part failed=0
    local -a parts=()
    while [[ $1 != -- ]]; do
        parts+=("$1")
        shift
    done
    shift
    mkdir -p "$logs"
    # Only what ran now is told below.
    rm -f "$logs"/*.{xml,result}
    # An interrupted part ends the run, and not only the part.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap stop_beside EXIT
    for part in "${parts[@]}"; do
        if among "$part" "${gates[@]}" && among scripted "${parts[@]}"; then
            [[ $beside || -e $logs/scripted.result ]] || start_beside "$@"
        fi
        printf '\n======== %s ========\n' "$part"
        if [[ $part == scripted && $beside ]]; then
            end_beside || failed=1
            cat "$logs/scripted.log"
        else
            timed "$part" "$@" | tee "$logs/$part.log" || failed=1
        fi
    done
    show_results "${parts[@]}"
    return "$failed"
}
