#!/usr/bin/env bash
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Sourced by ./test after bootstrap.bash: provide_docker makes sure that a Docker engine answers.
# What it started ends with the shell that called it, and is kept apart from any other engine.

engine_log=.cache/logs/docker-engine.log
engine_seconds=60

# How often it is asked whether something has happened that nobody tells of.
engine_pause=0.2

engine_answers() { timeout 10 docker version >/dev/null 2>&1; }

# Runs as root in a shell of its own: an engine in a folder, until standard input ends or the owner,
# a process, is gone. One or the other happens however the tests end, killed ones too.
run_engine() {
    local -r folder=$1 group=$2 owner=$3
    local engine
    local -a watches
    # Ctrl-C is for the tests; the engine ends after them. Its watches inherit this.
    trap '' INT TERM HUP
    # Without a bridge and rules of iptables the engine leaves the machine's network as it is.
    # Of storage drivers it takes the best that works: overlay2, at the worst vfs.
    dockerd --config-file="$folder/daemon.json" --host="unix://$folder/docker.sock" --group="$group" \
        --data-root="$folder/data" --exec-root="$folder/exec" --pidfile="$folder/docker.pid" \
        --containerd-namespace=alpinefleet --containerd-plugins-namespace=alpinefleet-plugins \
        --bridge=none --iptables=false --ip6tables=false --shutdown-timeout=3 \
        </dev/null &
    engine=$!
    cat <&0 >/dev/null &
    watches=("$!")
    tail --pid="$owner" --follow /dev/null &
    watches+=("$!")
    # "wait -n" would not hear of what has ended before it.
    while kill -0 "$engine" && kill -0 "${watches[0]}" && kill -0 "${watches[1]}"; do
        sleep "$engine_pause"
    done 2>/dev/null
    kill -KILL "${watches[@]}" 2>/dev/null || true
    kill -TERM "$engine" 2>/dev/null || true
    timeout 30 tail --pid="$engine" --follow /dev/null || kill -KILL "$engine" || true
    rm -rf --one-file-system "$folder"
}

stop_engine() {
    exec {engine_input}>&-
    wait "$engine_pid" || true
}

engine_failed() {
    tail -n 5 "$engine_log" >&2
    die "$1; above is the end of $engine_log.
    Start Docker's engine yourself (set DOCKER_HOST if it is at another place than Docker's own), and try again."
}

provide_docker() {
    local folder start=$SECONDS
    engine_answers && return
    as_root true 2>/dev/null ||
        die "No Docker engine answers, and only root can start one. Start it, and then the same again."
    say "No Docker engine answers: starting one for this run (log: $engine_log)"
    mkdir -p "${engine_log%/*}"
    # A socket's path must be short, and the images should be on a disk.
    folder=$(mktemp --directory /var/tmp/alpinefleet-docker.XXXXXX) || die "There is no room in /var/tmp."
    printf '{}\n' >"$folder/daemon.json"
    # What connects a coprocess is closed in all other children: the tests do not hold it.
    coproc engine {
        as_root bash -c "$(declare -p engine_pause; declare -f run_engine); run_engine \"\$@\"" run_engine "$folder" "$(id -gn)" $$
    } >"$engine_log" 2>&1
    # Bash forgets the array as soon as the engine has ended, which may be by now.
    engine_pid=$! engine_input=${engine[1]-}
    [[ $engine_input ]] || engine_failed "Docker's engine did not start"
    trap stop_engine EXIT
    export DOCKER_HOST="unix://$folder/docker.sock"
    until engine_answers; do
        kill -0 "$engine_pid" 2>/dev/null || engine_failed "Docker's engine did not start"
        ((SECONDS - start < engine_seconds)) ||
            engine_failed "Docker's engine did not answer in $engine_seconds s"
        sleep "$engine_pause"
    done
    say "The Docker engine answers after $((SECONDS - start)) s"
}
