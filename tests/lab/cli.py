# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments in, one call, text out; the only place that prints errors."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence

from . import machine, records, states
from .commands import environment, missing_tool
from .config import ALPINES, DEFAULT_PACKAGES, NEWEST, ImageSpec, MachineSpec, cache_dir
from .container import ensure_archive, ensure_container_image
from .errors import LabError
from .image import ensure_image
from .inventory import render, ssh_argv
from .loaders import LOADERS
from .progress import Progress
from .records import Record

Command = Callable[[argparse.Namespace], int]
INTERRUPTED = 130


def image_spec(options: argparse.Namespace) -> ImageSpec:
    """Return the image that the options ask for."""
    packages = tuple(name for name in options.packages.split(",") if name)
    wanted = () if options.bare else packages
    return ImageSpec(wanted, options.loader, options.mirror, options.alpine)


def machine_spec(options: argparse.Namespace) -> MachineSpec:
    """Return the machine that the options of `up` ask for."""
    return MachineSpec(
        name=options.name,
        memory=options.memory,
        image=image_spec(options),
        locked=options.locked,
        parallel_rc=options.parallel_rc == "yes",
        append=options.append,
        watchdog=options.watchdog,
        panic_store=options.panic_store,
        write_log=options.write_log,
        timeout=options.timeout,
    )


def spec_of(arguments: Sequence[str]) -> MachineSpec:
    """Return the machine that arguments of `up` ask for: its name, and options."""
    return machine_spec(parser().parse_args(["up", *arguments]))


def summary(record: Record) -> dict[str, object]:
    """Return what a script needs of a machine."""
    return {
        "name": record.name,
        "status": records.status(record),
        "port": record.port,
        "inventory": str(record.inventory),
        "serial_log": str(record.serial_log),
        "seconds": record.seconds,
    }


def _tell_up(record: Record, as_json: bool) -> int:
    if as_json:
        print(json.dumps(summary(record)))
    else:
        print(f"{record.name}: up in {record.seconds:.0f} s; inventory {record.inventory}")
    return 0


def do_up(options: argparse.Namespace) -> int:
    spec = machine_spec(options)
    progress = Progress()
    source = states.booted(spec, progress) if options.state else None
    return _tell_up(machine.up(spec, progress, source), options.json)


def do_build(options: argparse.Namespace) -> int:
    print(ensure_image(image_spec(options), Progress()).folder)
    return 0


def do_container_archive(_options: argparse.Namespace) -> int:
    print(ensure_archive(Progress()))
    return 0


def do_container_image(_options: argparse.Namespace) -> int:
    image = ensure_container_image(Progress())
    print(json.dumps({"name": image.name, "volume": image.volume}))
    return 0


def do_down(options: argparse.Namespace) -> int:
    records.clean()
    if bool(options.name) == options.all:
        raise LabError("usage", "down takes a NAME or --all", "name one machine, or say --all")
    for name in [record.name for record in records.listed()] if options.all else [options.name]:
        machine.down(name)
        print(f"{name}: down")
    return 0


def do_status(options: argparse.Namespace) -> int:
    records.clean()
    rows = [summary(record) for record in records.listed()]
    if options.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        print("{name}: {status}, port {port}, console {serial_log}".format(**row))
    if not rows:
        print("no machines")
    return 0


def do_inventory(options: argparse.Namespace) -> int:
    names = options.names or [record.name for record in records.listed()]
    print(render([records.find(name) for name in names]), end="")
    return 0


def do_console(options: argparse.Namespace) -> int:
    record = records.find(options.name)
    if options.path:
        print(record.serial_log)
        return 0
    with record.serial_log.open(encoding="utf-8", errors="replace") as log:
        while True:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            if not options.follow or records.status(record) == "stopped":
                return 0
            time.sleep(0.5)


def do_ssh(options: argparse.Namespace) -> int:
    command = [*ssh_argv(records.find(options.name)), *options.command]
    try:
        os.execvpe(command[0], command, environment())
    except FileNotFoundError as error:
        raise missing_tool(command[0]) from error


def do_restore(options: argparse.Namespace) -> int:
    return _tell_up(machine.restore(options.name, options.timeout), options.json)


def do_power_on(options: argparse.Namespace) -> int:
    return _tell_up(machine.power_on(options.name, options.timeout, Progress()), options.json)


def do_power_cycle(options: argparse.Namespace) -> int:
    machine.power_cycle(options.name)
    return 0


def do_power_button(options: argparse.Namespace) -> int:
    machine.power_button(options.name)
    return 0


def _image_options(parser: argparse.ArgumentParser) -> None:
    packages = ",".join(DEFAULT_PACKAGES)
    parser.add_argument("--packages", default=packages, help="installed by apk (%(default)s)")
    parser.add_argument("--bare", action="store_true", help="sshd only: no python3, no kexec-tools")
    loaders = "extlinux or grub on BIOS, grub-efi on UEFI (%(default)s)"
    parser.add_argument("--loader", choices=sorted(LOADERS), default="extlinux", help=loaders)
    parser.add_argument("--mirror", default="", metavar="URL", help="an Alpine mirror to use")
    older = "which Alpine; on an older one the kernel can be upgraded (%(default)s)"
    parser.add_argument("--alpine", choices=sorted(ALPINES), default=NEWEST, help=older)


def _waiting_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=int, default=600, help="seconds until a login works")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def _up_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--from",
        dest="state",
        choices=("booted",),
        help="take it from a state, which is made first if it is not there",
    )
    parser.add_argument("--memory", type=int, default=1024, metavar="MIB")
    parser.add_argument("--locked", action="store_true", help="leave kexec locked, as Alpine does")
    parser.add_argument("--parallel-rc", choices=("yes", "no"), default="no")
    parser.add_argument("--append", default="", metavar="PARAMS", help="kernel parameters to add")
    parser.add_argument("--watchdog", action="store_true", help="add an i6300esb that resets")
    store = "have firmware keep the text of a panic (ERST)"
    parser.add_argument("--panic-store", action="store_true", help=store)
    parser.add_argument("--write-log", action="store_true", help="log all writes to the disk")
    _image_options(parser)
    _waiting_options(parser)


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command carries its function."""
    top = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, function: Command, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(function=function)
        return sub

    _up_options(add("up", do_up, "boot a machine and wait for a login"))
    _image_options(add("build", do_build, "build the image only"))
    add("container-archive", do_container_archive, "make the containers' root file system only")
    add("container-image", do_container_image, "give the Docker engine the containers' image")
    down = add("down", do_down, "take machines down and remove them")
    down.add_argument("name", nargs="?", metavar="NAME")
    down.add_argument("--all", action="store_true")
    add("status", do_status, "list the machines").add_argument("--json", action="store_true")
    names = add("inventory", do_inventory, "print an inventory for Ansible")
    names.add_argument("names", nargs="*", metavar="NAME")
    console = add("console", do_console, "print the serial console's log")
    console.add_argument("name", metavar="NAME")
    console.add_argument("--follow", action="store_true")
    console.add_argument("--path", action="store_true", help="print the log's path only")
    ssh = add("ssh", do_ssh, "log in, or run a command")
    ssh.add_argument("name", metavar="NAME")
    ssh.add_argument("command", nargs="*", metavar="COMMAND")
    power_on = add("power-on", do_power_on, "start a machine that was powered off")
    power_on.add_argument("name", metavar="NAME")
    _waiting_options(power_on)
    restore = add("restore", do_restore, "take a machine back to the state it was taken from")
    restore.add_argument("name", metavar="NAME")
    _waiting_options(restore)
    add("power-cycle", do_power_cycle, "reset without any shutdown").add_argument("name")
    add("power-button", do_power_button, "press the ACPI power button").add_argument("name")
    return top


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        function: Command = options.function
        return function(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"lab: [os] {error}; see to the cache, {cache_dir()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; nothing was left behind", file=sys.stderr)
        return INTERRUPTED
