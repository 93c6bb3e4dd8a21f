#!/usr/bin/env bash
# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Sourced by ./test and ./demo, at the repository's root: makes this machine able to run them.
# set_up PART… installs what the parts need of the system and makes the environment in .venv.

setup_folder=tests/setup
venv=.venv
collections=.cache/collections

# Debian keeps mke2fs, sfdisk and others out of a user's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '==> %s\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The Python that makes .venv. The first three are those that the pinned ansible-core supports.
find_python() {
    local name
    # In an activated environment it is the Python which that one was made with.
    local -r ask='import sys; print(sys.version_info >= (3, 11) and sys._base_executable or exit(1))'
    for name in python3.11 python3.12 python3.13 python3; do
        "$name" -c "$ask" 2>/dev/null && return
    done
    return 1
}

can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# The packages that the parts need and this machine does not have, one a line.
missing_packages() {
    local part probe package python
    while read -r part probe package; do
        [[ " base $* " == *" $part "* ]] || continue
        [[ -e $probe ]] || command -v "$probe" >/dev/null || printf '%s\n' "$package"
    done < <(grep -v '^ *\(#\|$\)' "$setup_folder/system-packages.txt")
    python=$(find_python) || printf 'python3\n'
    if ! { [[ $python ]] && can_make_venv "$python"; }; then
        [[ $python == /usr/bin/python3.* ]] && printf '%s-venv\n' "${python##*/}"
        printf 'python3-venv\n'
    fi
}

# The first of package|package… that this release has.
known_package() {
    local name
    for name in ${1//|/ }; do
        [[ -z $(apt-cache madison "$name" 2>/dev/null) ]] || break
    done
    printf '%s\n' "$name"
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -n "$@"
    fi
}

install_packages() {
    local package
    local -a packages
    mapfile -t packages < <(missing_packages "$@")
    ((${#packages[@]})) || return 0
    say "This machine lacks the packages: ${packages[*]}"
    command -v apt-get >/dev/null ||
        die "There is no apt-get here: install them, under the names they have, and try again."
    ! as_root true 2>/dev/null || as_root apt-get update --quiet --quiet
    mapfile -t packages < <(for package in "${packages[@]}"; do known_package "$package"; done)
    local -ra install=(apt-get install --no-install-recommends --yes "${packages[@]}")
    as_root true 2>/dev/null || die "Only root can install them. Run this, and then the same again:
    sudo ${install[*]}"
    say "Installing them: ${install[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive "${install[@]}" </dev/null
    mapfile -t packages < <(missing_packages "$@")
    ((${#packages[@]} == 0)) || die "Installed, and still not found: ${packages[*]}"
}

# What the environment is made of: another value, another environment.
venv_key() { { cat requirements-test.txt "$setup_folder"/{constraints,collections}.txt && printf '%s\n' "$PWD" "$1"; } | sha256sum; }

make_venv() {
    local python key
    python=$(find_python) || die "No Python of 3.11 or later was found."
    key=$(venv_key "$python")
    [[ -e $venv/key && $(<"$venv/key") == "$key" ]] && return
    say "Making $venv with $python from requirements-test.txt (once, about a minute)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check \
        --requirement requirements-test.txt --constraint "$setup_folder/constraints.txt"
    install_collections
    printf '%s\n' "$key" >"$venv/key"
}

# Only what is used: with hundreds of collections each tool that lists plugins would take minutes.
install_collections() {
    local -r extract='import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
names = [name for name in archive.namelist() if name.startswith(tuple(sys.argv[3:]))]
archive.extractall(sys.argv[2], names)'
    "$venv/bin/python" -m pip download --quiet --quiet --disable-pip-version-check --no-deps \
        --only-binary :all: --dest "$venv/download" --requirement "$setup_folder/collections.txt"
    "$venv/bin/python" -c "$extract" "$venv"/download/*.whl "$venv/collections" \
        ansible_collections/community/{docker,general}/
    rm -r "$venv/download"
}

# Python and Ansible find this working copy under its collection name.
enter_venv() {
    mkdir -p "$collections/ansible_collections/alpinefleet"
    ln -sfn "$PWD" "$collections/ansible_collections/alpinefleet/kexec"
    export PATH="$PWD/$venv/bin:$PATH"
    export ANSIBLE_COLLECTIONS_PATH="$PWD/$collections:$PWD/$venv/collections"
    export PYTHONPATH="$PWD/$collections"
}

set_up() {
    mkdir -p .cache
    install_packages "$@"
    (
        flock 9
        make_venv
    ) 9>.cache/setup.lock
    enter_venv
}
