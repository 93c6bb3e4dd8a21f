# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notes on hosts: one list of places, and one table that all readers of a jump agree on."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import notes
from ansible_collections.alpinefleet.kexec.plugins.module_utils._jump import note
from ansible_collections.alpinefleet.kexec.tests.shell_coverage import report
from ansible_collections.alpinefleet.kexec.tests.unit import fakes
from ansible_collections.alpinefleet.kexec.tests.unit.roles.service_host import (
    BOOT_ID,
    JUMP,
    OTHER_BOOT,
    OURS,
    RUNNING,
    STATE,
    TOKEN,
    UUID,
    ServiceHost,
)

DESCRIPTION = report.ROOT / "docs/notes-on-hosts.md"
LISTED = re.findall(r"^\| `([^`]+)` \|", DESCRIPTION.read_text(), re.MULTILINE)
PROGRAMS = report.programs(report.ROOT)

# --- The list -------------------------------------------------------------------------------


def used_by(text: str) -> set[str]:
    """The places of ours that a program names; what is written beside one belongs to it."""
    text = re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
    text = text.replace("$run", notes.RUN).replace("$state", notes.MEMORY)
    found = re.findall(r"/(?:run|var/lib)/alpinefleet-kexec(?:/[\w.-]+)?", text)
    # A pipe of one process has a name of its own, for a moment.
    return {path.removesuffix(".new") for path in found if not path.endswith("/pause.")}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_use_no_place_that_is_not_listed(name: str) -> None:
    assert used_by(PROGRAMS[name]) <= set(LISTED)


def test_modules_use_no_place_that_is_not_listed() -> None:
    values = [value for name, value in vars(notes).items() if name.isupper()]
    ours = {value for value in values if "alpinefleet-kexec" in value}
    assert {notes.RUN, notes.MEMORY} < ours <= set(LISTED)


def test_no_place_is_listed_twice_or_used_by_nobody() -> None:
    in_shell = set().union(*(used_by(text) for text in PROGRAMS.values()))
    # These no program of the host reads.
    assert sorted(LISTED) == sorted(in_shell | {notes.ORIGIN, notes.RECORDS, notes.TRIAL})


def functions(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)\(\) \{\n(.*?)^\}$", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (
            "leave.sh",
            "kexec-confirm",
            (
                *("has_parent", "is_parent_stopped", "keep_feeding", "leave_cgroup"),
                *("open_pipe", "pause", "put_empty", "reset_host"),
            ),
        ),
        (
            "leave.sh",
            "kexec-exec.initd",
            ("bounded", "options_of", "put", "with_notes", "writable"),
        ),
        ("leave.sh", "kexec-load.initd", ("bounded", "note_holders", "put")),
        ("kexec-confirm", "kexec-confirm.initd", ("has_open_quote", "parameter", "put")),
        ("kexec-confirm", "kexec-load.initd", ("has_open_quote", "parameter", "put")),
        ("kexec-confirm", "confirm.sh", ("has_open_quote", "parameter", "put")),
        ("kexec-confirm", "kexec-load.initd", ("is_there",)),
        ("kexec-confirm", "kexec-modules", ("has_open_quote", "parameter")),
        ("kexec-load.initd", "kexec-modules", ("is_slot",)),
        ("kexec-confirm", "leave.sh", ("put",)),
        ("kexec-confirm", "memory.sh", ("put",)),
    ],
    ids=[
        *("feeding", "notes late in a shutdown", "notes of a jump", "what was asked for", "a boot"),
        *("a boot that is proven", "what is there", "a slot", "what a slot is called", "the end"),
        "a run",
    ],
)
def test_what_programs_share_is_the_same(one: str, other: str, shared: tuple[str, ...]) -> None:
    # Each of them is a file of its own on the host.
    for name in shared:
        assert functions(PROGRAMS[one])[name] == functions(PROGRAMS[other])[name]


# --- The table ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A note, and what it means."""

    make: t.Callable[[Path], object]
    # In another boot, which has no token or another one.
    hung: bool = True
    # In a boot with the token of the notes: the jump arrived, and the note can go.
    arrived: bool = True
    # In the boot that wrote it.
    hung_here: bool = False


def holds(content: str | bytes) -> t.Callable[[Path], object]:
    data = content.encode() if isinstance(content, str) else content
    return lambda path: path.write_bytes(data)


def leads(path: Path) -> None:
    target = path.with_name("target")
    target.write_text(WHOLE)
    path.symlink_to(target.name)


WHOLE = f"{UUID} {OTHER_BOOT} 6.18.56-0-virt 1795671657 0\n"
UNKNOWN = {"arrived": False, "hung_here": True}
TABLE = {
    "none": Row(lambda _path: None, hung=False, arrived=False),
    "whole": Row(holds(WHOLE)),
    "no line feed": Row(holds(WHOLE.strip())),
    "without the oops": Row(holds(f"{UUID} {OTHER_BOOT} - 1795671657\n")),
    "cut in the release": Row(holds(WHOLE[:80])),
    "cut in the boot": Row(holds(WHOLE[:50]), hung_here=True),
    "cut after the token": Row(holds(UUID), hung_here=True),
    "cut in the token": Row(holds(UUID[:20]), **UNKNOWN),
    "another boot": Row(holds(f"{UUID} {BOOT_ID} - 1\n"), hung=False, hung_here=True),
    "another token": Row(holds(f"{BOOT_ID} {OTHER_BOOT} - 1\n"), arrived=False),
    "empty": Row(holds(""), **UNKNOWN),
    "a line feed": Row(holds("\n"), **UNKNOWN),
    "a line feed before": Row(holds("\n" + WHOLE), **UNKNOWN),
    "more spaces": Row(holds(f" {UUID} \t {OTHER_BOOT} - 1\n")),
    "more lines": Row(holds(WHOLE + "more\n" + WHOLE)),
    "a tail that means nothing": Row(holds(f"{UUID} {OTHER_BOOT} \x1b[2J soon *\n")),
    "zeros": Row(holds(b"\0" * 512), **UNKNOWN),
    "bytes": Row(holds(bytes(range(128, 256))), **UNKNOWN),
    "huge": Row(holds(WHOLE.strip() + " x" * (1 << 18))),
    "huge without a space": Row(holds(b"x" * (1 << 19)), **UNKNOWN),
    "shell": Row(holds("$(reboot) `reboot` * ? [a-z]\n"), **UNKNOWN),
    "a link": Row(leads),
    "a link to nothing": Row(lambda path: path.symlink_to("nothing"), **UNKNOWN),
    "a link to no folder": Row(lambda path: path.symlink_to("nothing/of/this"), **UNKNOWN),
    "a link to itself": Row(lambda path: path.symlink_to(path.name), **UNKNOWN),
    "a link to a folder": Row(lambda path: path.symlink_to("."), **UNKNOWN),
    "a directory": Row(lambda path: path.mkdir(), **UNKNOWN),
    "a pipe": Row(os.mkfifo, **UNKNOWN),
}

rows = pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)


@pytest.fixture
def machine() -> t.Iterator[ServiceHost]:
    # pytest's own folders are closed to other users.
    root = Path(tempfile.mkdtemp(prefix="notes-")).resolve()
    yield ServiceHost(root)
    shutil.rmtree(root)


def put(machine: ServiceHost, row: Row, cmdline: str = RUNNING, boot: str = BOOT_ID) -> None:
    path = machine.root / JUMP
    path.parent.mkdir(parents=True)
    row.make(path)
    machine.write("proc/cmdline", f"{cmdline}\n")
    machine.write("proc/sys/kernel/random/boot_id", f"{boot}\n")


def python_says(machine: ServiceHost, boot: str, words: list[str]) -> tuple[bool, bool]:
    jump = note.read(fakes.bare_host(fakes.FakeRunner(), str(machine.root)))
    return note.hung(jump, boot, words), note.arrived(jump, words)


WHERE = {
    "another boot": (BOOT_ID, RUNNING, "hung"),
    "the same boot": (OTHER_BOOT, RUNNING, "hung_here"),
}


@rows
@pytest.mark.parametrize("where", WHERE)
def test_readers_agree_on_what_hung(machine: ServiceHost, row: Row, where: str) -> None:
    boot, cmdline, column = WHERE[where]
    put(machine, row, cmdline, boot)
    hung, _arrived = python_says(machine, boot, cmdline.split())
    machine.service("kexec-load", 'has_hung && log "hung"')
    assert (hung, machine.log() == ["hung"]) == (getattr(row, column),) * 2


def of_leave(name: str, settings: str) -> str:
    """A function of leave.sh and those that it calls."""
    own = functions(PROGRAMS["leave.sh"])
    text = "".join(f"{key}() {{\n{own[key]}}}\n" for key in (name, "put", "note_holders"))
    return f"set -u\nrun={notes.RUN} state={notes.MEMORY}\n{settings}\n{text}"


def by_confirming(machine: ServiceHost) -> None:
    machine.script("confirm.sh", UUID, BOOT_ID, "mark")


def by_waiting(machine: ServiceHost, line: str = TOKEN) -> None:
    machine.write("proc/cmdline", f"alpinefleet_kexec.confirm=60 {line}\n")
    machine.write("run/alpinefleet-kexec/confirmed", f"{UUID}\n")
    machine.script("kexec-confirm")


def by_refusal(machine: ServiceHost) -> None:
    machine.write("run/alpinefleet-kexec/armed", f"{UUID}\n")
    machine.service("kexec-exec", "start")


def by_leaving(machine: ServiceHost) -> None:
    machine.code(f'{of_leave("forget_jump", f"token={UUID}")}forget_jump ""\n')


# Who takes the note away that is of their jump, because it arrived or did not happen.
READERS: dict[str, t.Callable[[ServiceHost], object]] = {
    "kexec-load": lambda machine: machine.service("kexec-load", "start"),
    "kexec-confirm": by_waiting,
    "confirm.sh": by_confirming,
    "kexec-exec": by_refusal,
    "leave.sh": by_leaving,
}


@rows
@pytest.mark.parametrize("reader", READERS)
def test_readers_agree_on_whose_note_it_is(machine: ServiceHost, row: Row, reader: str) -> None:
    put(machine, row, TOKEN)
    before = os.path.lexists(machine.root / JUMP)
    READERS[reader](machine)
    assert (before and not os.path.lexists(machine.root / JUMP)) is row.arrived


# --- The token on the command line ----------------------------------------------------------

# Whether a line says that the image with the token runs.
LINES_WITH_TOKEN = {
    "alone": (TOKEN, True),
    "in the middle": (f"quiet {TOKEN} ro", True),
    "between tabs": (f"quiet\t{TOKEN}\tro", True),
    "in quotes": (f'quiet "{TOKEN}"', True),
    "its value in quotes": (f'quiet {TOKEN.replace("=", "=" + chr(34))}"', True),
    "with a dash": (f"quiet {TOKEN.replace('_', '-')}", True),
    "the last one of two": (f"{TOKEN[:-1]} {TOKEN}", True),
    "before what is for init": (f"{TOKEN} -- single", True),
    "none": ("quiet", False),
    "the first one of two": (f"{TOKEN} {TOKEN[:-1]}", False),
    "behind what is for init": (f"quiet -- {TOKEN}", False),
    "behind what is for init, in quotes": (f'quiet "--" {TOKEN}', False),
    "a part of another": (f'dyndbg="file a {TOKEN} +p"', False),
    "the begin of another": (f'"{TOKEN} b" c', False),
    "longer": (f"{TOKEN}0", False),
    "cut": (TOKEN[:-1], False),
    "of another name": (f"x{TOKEN}", False),
    "no value": (f"alpinefleet_kexec.token= {UUID}", False),
    "an empty value behind": (f"{TOKEN} alpinefleet_kexec.token=", False),
    "a bare name behind": (f"{TOKEN} quiet alpinefleet_kexec.token", True),
    "a bare name behind, in quotes": (f'{TOKEN} "alpinefleet_kexec.token"', True),
    "a bare name behind, with a dash": (f"{TOKEN} alpinefleet-kexec.token quiet", True),
    "a bare name alone": ("alpinefleet_kexec.token", False),
    "between vertical tabs": (f"quiet\v{TOKEN}\vro", True),
    "between form feeds": (f"quiet\f{TOKEN}\f\fro", True),
    "between carriage returns": (f"quiet\r{TOKEN}\r ro", True),
    "between line feeds": (f"quiet\n{TOKEN}\nro", True),
    "before what is for init, and a form feed": (f"{TOKEN}\f--\falpinefleet_kexec.token=0", True),
    "in a quote that is open": (f'quiet "{TOKEN}', True),
    "its value in a quote that is open": (f"quiet {TOKEN.replace('=', '=' + chr(34))}", True),
    "in the quote of another that is open": (f'dyndbg="file a {TOKEN}', False),
    "before a quote that is open": (f'{TOKEN} dyndbg="file a alpinefleet_kexec.token=0', True),
    "before another with a space": (f'{TOKEN} alpinefleet_kexec.token="a b"', False),
    "before another with a space, in quotes": (f'{TOKEN} "alpinefleet_kexec.token=a b"', False),
    "behind what is for init, in a quote that is open": (f'quiet -- "{TOKEN}', False),
    "a quote in its name": (f'"alpinefleet_kexec.token"={UUID}', False),
    "a quote behind its value": (f'{TOKEN}"" quiet', False),
    "before quotes that look like those for init": (f'--"" "-"- {TOKEN}', True),
    "what the shell would read": (f"* $(id) `id` {TOKEN[:-1]}?", False),
}


@pytest.mark.parametrize(("line", "runs"), LINES_WITH_TOKEN.values(), ids=LINES_WITH_TOKEN)
@pytest.mark.parametrize("reader", ["kexec-load", "kexec-confirm", "confirm.sh"])
def test_readers_agree_on_what_runs(
    machine: ServiceHost, reader: str, line: str, runs: bool
) -> None:
    put(machine, TABLE["whole"], line)
    if reader == "kexec-confirm":
        by_waiting(machine, line)
    else:
        READERS[reader](machine)
    assert machine.exists(JUMP) is not runs
    words = _cmdline.running_words(line)
    assert note.arrived(note.Jump(UUID), words) is runs


@pytest.mark.parametrize(("line", "runs"), LINES_WITH_TOKEN.values(), ids=LINES_WITH_TOKEN)
def test_confirming_by_hand_agrees_on_what_runs(
    machine: ServiceHost, line: str, runs: bool
) -> None:
    machine.write("proc/cmdline", f"{line}\n")
    machine.write(f"{OURS}/confirm.pid", "1\n")
    machine.service("kexec-confirm", "confirm")
    assert (machine.read(f"{OURS}/confirmed") == f"{UUID}\n") is runs


# --- The other notes ------------------------------------------------------------------------


def shapes(whole: str) -> dict[str, t.Callable[[Path], object]]:
    """What may be found in the place of a note."""

    def leads(path: Path) -> None:
        path.with_name("target").write_text(whole)
        path.symlink_to("target")

    return {
        "none": lambda _path: None,
        "whole": holds(whole),
        "no line feed": holds(whole.rstrip()),
        "cut": holds(whole[:20]),
        "more lines": holds(whole + "more\n"),
        "more words": holds(whole.rstrip() + " more\n"),
        "words before": holds("more " + whole),
        "huge": holds(whole.rstrip() + " x" * (1 << 18)),
        "empty": holds(""),
        "a line feed": holds("\n"),
        "zeros": holds(b"\0" * 512),
        "bytes": holds(bytes(range(128, 256))),
        "shell": holds("$(reboot) `reboot` * ? [a-z]\n"),
        "a link": leads,
        "a link to nothing": lambda path: path.symlink_to("nothing"),
        "a directory": lambda path: path.mkdir(),
        "a pipe": os.mkfifo,
    }


def is_wish(machine: ServiceHost) -> bool:
    machine.write("run/openrc/rc.stopping", "")
    begun = time.time() + 1
    os.utime(machine.root / "run/openrc/rc.stopping", (begun, begun))
    log = machine.service("kexec-load", 'is_asked_for && log "asked"')
    return log[-1:] == ["asked"]


def jumps(machine: ServiceHost) -> bool:
    return "kexec -e -x -y" in machine.service("kexec-exec", "start")


def is_confirmed(machine: ServiceHost) -> bool:
    machine.write("proc/cmdline", f"{TOKEN} alpinefleet_kexec.confirm=9\n")
    machine.script("kexec-confirm")
    return "busybox reboot" not in machine.log()


TRIAL = f"alpinefleet_kexec.trial={BOOT_ID}"


def of_trial(machine: ServiceHost, confirmed: str = UUID) -> bool:
    """Tell whether a trial that is confirmed, and says no more, is left as one that failed."""
    machine.write(
        "proc/cmdline",
        f"{TOKEN} alpinefleet_kexec.confirm=9 {TRIAL} alpinefleet_kexec.deadline=30\n",
    )
    machine.write(OF_RUN("confirmed"), f"{confirmed}\n")
    machine.script("kexec-confirm")
    return "busybox reboot" in machine.log()


def is_verified(machine: ServiceHost) -> bool:
    return not of_trial(machine)


def fails_trial(machine: ServiceHost) -> bool:
    of_trial(machine)
    return "required_check" in machine.read("var/lib/alpinefleet-kexec/trial-end")


def is_image_of_order(note_name: str) -> t.Callable[[ServiceHost], bool]:
    def reader(machine: ServiceHost) -> bool:
        code = of_leave("is_noted", f"token={UUID}")
        return machine.code(f"{code}is_noted {notes.RUN}/{note_name}\n") == 0

    return reader


def is_used_frozen(machine: ServiceHost) -> bool:
    machine.write("sys/kernel/kexec_loaded", "1\n")
    machine.write("proc/sys/kernel/kexec_load_disabled", "1\n")
    machine.service("kexec-load", 'is_frozen && check_frozen && log "used"')
    return machine.log()[-1:] == ["used"]


def tells_why(machine: ServiceHost) -> bool:
    log = machine.service("kexec-load", "start")
    assert not os.path.lexists(machine.root / STATE) or not (machine.root / STATE).is_file()
    return any("it was refused" in line for line in log)


def is_begun(machine: ServiceHost) -> bool:
    return f"stage {UUID} jump" in observed(machine).splitlines()


def observed(machine: ServiceHost) -> str:
    machine.script("observe.sh", "n0nce")
    return (machine.root / "said").read_text(errors="replace")


FILES = {"whole", "no line feed", "a link"}
# Who only looks for a token finds it among more.
LINES = {*FILES, "more lines", "more words", "words before", "huge"}
REGULAR = {*shapes(""), *LINES} - {"none", "a link to nothing", "a directory", "a pipe"}
OF_RUN = "run/alpinefleet-kexec/{}".format


@dataclass(frozen=True)
class Reading:
    """Who reads a note, and which shapes of it say what the whole one does."""

    place: str
    whole: str
    reader: t.Callable[[ServiceHost], bool]
    says_so: set[str]


READINGS = {
    "intent, kexec-load": Reading(OF_RUN("intent"), f"{BOOT_ID}\n", is_wish, FILES),
    # It is there or not: kexec-load has judged all the rest.
    "armed, kexec-exec": Reading(OF_RUN("armed"), f"{UUID}\n", jumps, REGULAR),
    "confirmed, kexec-confirm": Reading(
        OF_RUN("confirmed"), f"{UUID}\n", is_confirmed, {*FILES, "more lines"}
    ),
    "verified, kexec-confirm": Reading(
        OF_RUN("verified"), f"{BOOT_ID}\n", is_verified, {*FILES, "more lines"}
    ),
    "checks, kexec-confirm": Reading(
        OF_RUN("checks"),
        f"{BOOT_ID} failed the required check x failed.\n",
        fails_trial,
        {*FILES, "more lines", "more words", "huge"},
    ),
    "image.json, leave.sh": Reading(
        OF_RUN("image.json"), f'{{"cmdline": "{TOKEN}"}}\n', is_image_of_order("image.json"), LINES
    ),
    "frozen, leave.sh": Reading(
        OF_RUN("frozen"), f"{UUID}\n{TOKEN}\n", is_image_of_order("frozen"), LINES
    ),
    "last-reboot, kexec-load": Reading(
        STATE, "- it cannot say more than it was refused.\n", tells_why, LINES
    ),
    "stage, observe.sh": Reading(
        OF_RUN("stage"), f"{UUID} jump\n", is_begun, {*FILES, "more lines"}
    ),
}


@pytest.mark.parametrize("shape", shapes(""))
@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_readers_take_only_what_says_so(machine: ServiceHost, reading: Reading, shape: str) -> None:
    path = machine.root / reading.place
    path.parent.mkdir(parents=True, exist_ok=True)
    shapes(reading.whole)[shape](path)
    assert reading.reader(machine) is (shape in reading.says_so)


@pytest.mark.parametrize("shape", shapes(""))
def test_image_that_was_locked_is_used_only_by_its_whole_note(
    machine: ServiceHost, shape: str
) -> None:
    machine.service("kexec-load", "load_and_lock")
    path = machine.root / OF_RUN("frozen")
    whole = path.read_text()
    path.unlink()
    shapes(whole)[shape](path)
    # The token is whatever stands before the rest, which is all compared.
    assert is_used_frozen(machine) is (shape in {*FILES, "words before"})


# --- What is written ------------------------------------------------------------------------


def written_by_service(machine: ServiceHost) -> None:
    machine.ask(OTHER_BOOT)
    machine.service("kexec-load", "stop", RC_RUNLEVEL="shutdown")


def written_by_leaving(machine: ServiceHost) -> None:
    machine.write("proc/sys/kernel/panic_on_oops", "0\n")
    settings = f"token={UUID} boot={OTHER_BOOT} release=6.18.56-0-virt"
    machine.code(of_leave("note_jump", settings) + "note_jump\n")


@pytest.fixture(params=[written_by_service, written_by_leaving])
def written(request: pytest.FixtureRequest, machine: ServiceHost) -> Row:
    """What a writer leaves, as a row of the table."""
    machine.write("proc/sys/kernel/random/boot_id", f"{OTHER_BOOT}\n")
    request.param(machine)
    (machine.root / "log").unlink(missing_ok=True)
    content = (machine.root / JUMP).read_bytes()
    shutil.rmtree((machine.root / JUMP).parent)
    shutil.rmtree(machine.root / "run/openrc")
    return Row(holds(content))


@pytest.mark.parametrize("where", WHERE)
def test_what_is_written_is_read(machine: ServiceHost, written: Row, where: str) -> None:
    test_readers_agree_on_what_hung(machine, written, where)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_written_is_taken_away(machine: ServiceHost, written: Row, reader: str) -> None:
    test_readers_agree_on_whose_note_it_is(machine, written, reader)


@pytest.mark.parametrize(
    "place",
    [
        *("intent", "no-kexec", "armed", "armed.new", "frozen", "holders.new", "image.json"),
        *("leaving", "confirm.pid"),
    ],
)
def test_place_that_is_a_pipe_does_not_hold_a_shutdown_up(machine: ServiceHost, place: str) -> None:
    path = machine.root / notes.RUN.lstrip("/") / place
    if place != "intent":
        machine.ask()
    os.mkfifo(path)
    machine.service("kexec-load", "stop", RC_RUNLEVEL="shutdown")
    machine.service("kexec-exec", "start")
    assert ("kexec -e -x -y" in machine.log()) is (place not in {"intent", "no-kexec"})
    assert "kill -KILL" not in machine.log()


@pytest.mark.parametrize("place", ["no-kexec", "expired"])
@pytest.mark.parametrize("shape", ["a link to nothing", "a directory", "a pipe", "whole"])
def test_boot_that_is_not_confirmed_ends_whatever_is_in_a_place(
    machine: ServiceHost, place: str, shape: str
) -> None:
    machine.write("proc/cmdline", f"{TOKEN} alpinefleet_kexec.confirm=4\n")
    shapes("")[shape](machine.root / notes.RUN.lstrip("/") / place)
    machine.script("kexec-confirm")
    assert "busybox reboot" in machine.log()
    # It was reset after that, for it did not go down.
    assert machine.read("proc/sysrq-trigger") == "b"


@pytest.mark.parametrize("shape", sorted({*shapes("")} - {"none"}))
def test_whatever_is_in_its_place_leaves_a_reboot_to_firmware(
    machine: ServiceHost, shape: str
) -> None:
    machine.ask()
    shapes("")[shape](machine.root / notes.RUN.lstrip("/") / "no-kexec")
    machine.service("kexec-load", "stop", RC_RUNLEVEL="shutdown")
    assert not machine.exists(OF_RUN("armed"))


@pytest.mark.parametrize("shape", ["a link to nothing", "a pipe", "huge"])
@pytest.mark.parametrize("program", ["kexec-load", "kexec-exec", "kexec-confirm", "leave.sh"])
def test_what_is_left_of_another_writer_is_written_over(
    machine: ServiceHost, program: str, shape: str
) -> None:
    path = machine.root / OF_RUN("note")
    shapes("more")[shape](path.with_name("note.new"))
    own = functions(PROGRAMS[program if program in PROGRAMS else f"{program}.initd"])
    machine.code(f"put() {{\n{own['put']}}}\nput {notes.RUN}/note word\n")
    assert path.read_text() == "word\n"


@rows
def test_python_knows_the_jump_that_arrived(machine: ServiceHost, row: Row) -> None:
    put(machine, row)
    _hung, arrived = python_says(machine, BOOT_ID, [TOKEN])
    assert arrived is row.arrived
