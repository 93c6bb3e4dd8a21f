# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines: read as the kernel reads them, and built so that a chain of kexecs is stable."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _cmdline
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import ReasonError
from hypothesis import given
from hypothesis import strategies as st

REMEDY = (
    "Correct the options cmdline, cmdline_append and cmdline_remove, "
    "or the boot loader's configuration."
)
UUID = "root=UUID=a22e8b58-0080-46d7-882a-347f73a074a2"
OPTIONS = "modules=sd-mod,usb-storage,ext4 quiet rootfstype=ext4"
TOKEN = "997839d738a9a557b7430a3721d67040"

# /proc/cmdline of real hosts, and what of it is not for one boot only.
RUNNING = {
    "extlinux": (
        f"BOOT_IMAGE=vmlinuz-virt {UUID} {OPTIONS} console=ttyS0,115200 initrd=initramfs-virt",
        f"{UUID} {OPTIONS} console=ttyS0,115200",
    ),
    "grub": (f"BOOT_IMAGE=/boot/vmlinuz-lts {UUID} ro {OPTIONS}", f"{UUID} ro {OPTIONS}"),
    "the EFI stub": (f"initrd=\\initramfs-virt {UUID} {OPTIONS}", f"{UUID} {OPTIONS}"),
    "an earlier kexec": (
        f"{UUID} {OPTIONS} kexec_load_disabled=0 alpinefleet_kexec.token={TOKEN}",
        f"{UUID} {OPTIONS} kexec_load_disabled=0",
    ),
    "an earlier kexec that added words": (
        f"{UUID} panic=10 oops=panic alpinefleet_kexec.added=panic=10,oops=panic quiet",
        f"{UUID} quiet",
    ),
    "an earlier kexec that added another time": (
        f"{UUID} panic=10 panic=5 alpinefleet_kexec.added=panic=5",
        f"{UUID} panic=10",
    ),
    "an earlier kexec that was watched": (
        f"{UUID} alpinefleet_kexec.confirm=300 alpinefleet_kexec.watchdog=i6300esb,60",
        UUID,
    ),
    "nothing that was added": (f"{UUID} alpinefleet_kexec.added=,quiet quiet", f"{UUID} quiet"),
    "words for init that look like added ones": (
        f"{UUID} -- panic=10 alpinefleet_kexec.added=panic=10",
        f"{UUID} -- panic=10",
    ),
    "kexec with a way back": (f"kexec_jump_back_entry=0x9ff0 {UUID}", UUID),
    "extlinux with words for init": (
        f"BOOT_IMAGE=vmlinuz-lts {UUID} -- single initrd=initramfs-lts",
        f"{UUID} -- single",
    ),
    "a diskless Raspberry Pi": (
        "modules=loop,squashfs,sd-mod,usb-storage quiet console=tty1",
        "modules=loop,squashfs,sd-mod,usb-storage quiet console=tty1",
    ),
}

SPLITS: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", []),
    "only spaces": (" \t\n ", []),
    "one word": ("quiet", ["quiet"]),
    "a line feed at the end": ("quiet panic=10\n", ["quiet", "panic=10"]),
    "spaces between": ("  a \t b\v\f\rc ", ["a", "b", "c"]),
    "quotes around a value": ('acpi_osi="!Windows 2006" ro', ['acpi_osi="!Windows 2006"', "ro"]),
    "quotes around a word": ('"dyndbg=file a.c +p" ro', ['"dyndbg=file a.c +p"', "ro"]),
    "quotes inside a word": ('a"b c"d e', ['a"b c"d', "e"]),
    "single quotes mean nothing": ("a='b c'", ["a='b", "c'"]),
    "a backslash means nothing": ("initrd=\\a b", ["initrd=\\a", "b"]),
    "no space to the kernel": ("a\u2003b\u00a0c", ["a\u2003b\u00a0c"]),
}

NAMES: dict[str, tuple[str, str, str | None]] = {
    "a bare name": ("quiet", "quiet", None),
    "a value": ("panic=10", "panic", "10"),
    "an empty value": ("init=", "init", ""),
    "a value with equals signs": (UUID, "root", "UUID=a22e8b58-0080-46d7-882a-347f73a074a2"),
    "dashes": ("kexec-load-disabled=0", "kexec_load_disabled", "0"),
    "dashes in the value": ("modules=sd-mod", "modules", "sd-mod"),
    "a quoted value": ('acpi_osi="!Windows 2006"', "acpi_osi", "!Windows 2006"),
    "a quoted word": ('"acpi_osi=!Windows 2006"', "acpi_osi", "!Windows 2006"),
    "a quote in the name": ('"init"=a', 'init"', "a"),
    "a quote at the end of a value": ('init=a""', "init", 'a""'),
    "quotes in a value": ('init="a"b"c"', "init", 'a"b"c'),
    "an empty value in quotes": ('init=""', "init", ""),
    "a module's parameter": ("watchdog.stop_on_reboot=0", "watchdog.stop_on_reboot", "0"),
}

LAST_VALUES: dict[str, tuple[str, str | None]] = {
    "absent": ("quiet ro", None),
    "once": ("panic=10", "10"),
    "twice": ("panic=10 quiet panic=5", "5"),
    "bare at last": ("panic=10 panic", "10"),
    "bare": ("panic", None),
    "bare, in quotes": ('panic=10 "panic" quiet', "10"),
    "empty at last": ("panic=10 panic=", ""),
    "in quotes for init": ('panic=10 "--" panic=5', "10"),
    "behind what only looks like that for init": ('--"" panic=5', "5"),
    "only for init": ("quiet -- panic=5", None),
    "another name that starts alike": ("panic_on_warn=1", None),
}

# Alpine's kernels start locked; see the kernel's __setup("kexec_load_disabled=").
UNLOCKS: dict[str, tuple[str, bool]] = {
    "absent": ("quiet", False),
    "zero": ("kexec_load_disabled=0", True),
    "one": ("kexec_load_disabled=1", False),
    "zero with dashes": ("kexec-load-disabled=0", True),
    "zero in quotes": ('kexec_load_disabled="0"', True),
    "octal zero": ("kexec_load_disabled=00", True),
    "hexadecimal zero": ("kexec_load_disabled=0x0", True),
    "zero with a plus sign": ("kexec_load_disabled=+0", True),
    "hexadecimal sixteen": ("kexec_load_disabled=0x10", False),
    "zero behind one": ("kexec_load_disabled=1 kexec_load_disabled=0", True),
    "one behind zero": ("kexec_load_disabled=0 kexec_load_disabled=1", False),
    "zero, then no number": ("kexec_load_disabled=0 kexec_load_disabled=no", True),
    "zero, then a bare name": ("kexec_load_disabled=0 kexec_load_disabled", True),
    "a bare name": ("kexec_load_disabled", False),
    "zero, then more than the kernel takes": (
        f"a kexec_load_disabled=0 {_cmdline.UNLOCK_PARAMETER}={'9' * 5000}",
        True,
    ),
    "an empty value": ("kexec_load_disabled=", False),
    "a word": ("kexec_load_disabled=off", False),
    "no octal number": ("kexec_load_disabled=08", False),
    "an unfinished hexadecimal number": ("kexec_load_disabled=0x", False),
    "a negative zero": ("kexec_load_disabled=-0", False),
    "Python's binary zero": ("kexec_load_disabled=0b0", False),
    "Python's octal zero": ("kexec_load_disabled=0o0", False),
    "Python's underscore": ("kexec_load_disabled=0_0", False),
    "a zero of another script": ("kexec_load_disabled=\u0660", False),
    "for init": ("quiet -- kexec_load_disabled=0", False),
    "the sysctl form": ("sysctl.kernel.kexec_load_disabled=0", False),
}

WITHOUT: dict[str, tuple[str, list[str], str]] = {
    "nothing": ("a b", [], "a b"),
    "by name": ("a=1 b a=2", ["a"], "b"),
    "by name and value": ("console=tty0 console=ttyS0", ["console=tty0"], "console=ttyS0"),
    "a bare name": ("quiet ro", ["quiet"], "ro"),
    "with dashes": ("a_b=1 c", ["a-b"], "c"),
    "not for init": ("a -- a", ["a"], "-- a"),
    "absent": ("a", ["b", "c=1"], "a"),
}

WITH_PARAMETER: dict[str, tuple[str, str, str]] = {
    "absent": ("a", "b=1", "a b=1"),
    "in force": ("b=1 a", "b=1", "b=1 a"),
    "in force under another value": ("b=1 a", "b=2", "b=1 a b=2"),
    "overruled later": ("b=1 b=2", "b=1", "b=1 b=2 b=1"),
    "before the words for init": ("a -- s", "b", "a b -- s"),
    "present for init only": ("a -- b", "b", "a b -- b"),
    "first of all": ("", "b", "b"),
}

REPEATS: dict[str, tuple[str, str]] = {
    "no repeat": (f"{UUID} ro", f"{UUID} ro"),
    "root twice": ("root=/dev/sda2 ro root=/dev/vda2", "ro root=/dev/vda2"),
    "every console": ("console=tty0 console=ttyS0", "console=tty0 console=ttyS0"),
    "a bare name keeps the value": ("root=/dev/vda2 root", "root=/dev/vda2 root"),
    "for init": ("init=/a -- init=/b", "init=/a -- init=/b"),
    "panic and modules": ("panic=5 modules=a panic=10 modules=b", "panic=10 modules=b"),
}

BUILDS: dict[str, tuple[str, dict[str, object], str]] = {
    "nothing to do": ("root=/dev/vda2", {}, "root=/dev/vda2"),
    "an empty line": ("", {"append": ["panic=10"]}, "panic=10"),
    "append": ("quiet", {"append": ["panic=10", "quiet"]}, "quiet panic=10"),
    "remove": ("quiet ro panic=0", {"remove": ["panic", "quiet"]}, "ro"),
    "remove, then append": ("a=1 b", {"remove": ["a"], "append": ["a=2"]}, "b a=2"),
    "remove the root in force": ("root=a ro root=b", {"remove": ["root=b"]}, "ro"),
    "replace the root": ("root=a ro", {"append": ["root=b"]}, "ro root=b"),
    "keep the lock open": ("quiet", {"keep_unlocked": True}, "quiet kexec_load_disabled=0"),
    "the lock is open": (
        "kexec_load_disabled=0 quiet",
        {"keep_unlocked": True},
        "kexec_load_disabled=0 quiet",
    ),
    "replace a lock": (
        "kexec_load_disabled=1 quiet",
        {"keep_unlocked": True},
        "quiet kexec_load_disabled=0",
    ),
    "the user may lock": (
        "quiet",
        {"keep_unlocked": True, "append": ["kexec_load_disabled=1"]},
        "quiet kexec_load_disabled=0 kexec_load_disabled=1",
    ),
    "a token": (
        "a -- s",
        {"once": [f"alpinefleet_kexec.token={TOKEN}"]},
        f"a alpinefleet_kexec.token={TOKEN} -- s",
    ),
    "a quoted parameter": ("a", {"append": ['b="c d"']}, 'a b="c d"'),
}

BOTH = "panic=10 oops=panic alpinefleet_kexec.added=panic=10,oops=panic"
ONE = "panic=10 alpinefleet_kexec.added=panic=10"

# Command lines that get a panic timeout of ten seconds.
PANICS: dict[str, tuple[str, dict[str, object], str]] = {
    "nothing said": ("quiet", {}, f"quiet {BOTH}"),
    "an empty line": ("", {}, BOTH),
    "words for init": ("quiet -- panic=5", {}, f"quiet {BOTH} -- panic=5"),
    "a time": ("panic=5", {}, "panic=5"),
    "none": ("panic=0 quiet", {}, "panic=0 quiet"),
    "at once": ("panic=-1", {}, "panic=-1"),
    "a bare name": ("panic quiet", {}, f"panic quiet {BOTH}"),
    "no number": ("panic=soon quiet", {}, f"quiet {BOTH}"),
    "a time of an earlier kexec": (f"quiet {BOTH.replace('10', '5')}", {}, f"quiet {BOTH}"),
    "an oops": ("oops=panic quiet", {}, f"oops=panic quiet {ONE}"),
    "a bare oops": ("oops quiet", {}, f"oops quiet {BOTH}"),
    "the user's time": ("quiet", {"append": ["panic=30"]}, "quiet panic=30"),
    "the user's oops": ("quiet", {"append": ["oops=x"]}, f"quiet oops=x {ONE}"),
    "the user wants none": ("quiet panic=5", {"remove": ["panic"]}, "quiet"),
    "the user does not want this one": ("quiet", {"remove": ["panic=10"]}, "quiet"),
    "the user wants another than that": ("panic=5", {"remove": ["panic=5"]}, BOTH),
    "the user does not want an oops to count": ("quiet", {"remove": ["oops"]}, f"quiet {ONE}"),
    "a token": (
        "quiet",
        {"once": ["alpinefleet_kexec.confirm=300", f"alpinefleet_kexec.token={TOKEN}"]},
        f"quiet {BOTH} alpinefleet_kexec.confirm=300 alpinefleet_kexec.token={TOKEN}",
    ),
}

# What the kernel makes of panic=, which is read with base 0.
PANIC_SECONDS: dict[str, tuple[str, int | None]] = {
    "absent": ("quiet", None),
    "a number": ("panic=10", 10),
    "zero": ("panic=0", 0),
    "a sign": ("panic=+10", 10),
    "at once": ("panic=-1", -1),
    "two signs": ("panic=-+1", None),
    "octal": ("panic=010", 8),
    "no octal number": ("panic=08", None),
    "hexadecimal": ("panic=0x1F", 31),
    "in quotes": ('panic="10"', 10),
    "empty": ("panic=", None),
    "no value": ("panic", None),
    "no number": ("panic=10s", None),
    "the last": ("panic=10 panic=5", 5),
    "the last that is one": ("panic=10 panic=x", 10),
    "the largest": ("panic=2147483647", 2147483647),
    "the smallest": ("panic=-2147483648", -2147483648),
    "too large": ("panic=2147483648", None),
    "for init": ("-- panic=10", None),
}

NOT_ONE_PARAMETER: dict[str, tuple[str, str]] = {
    "two words": ("a b", "'a b' is not exactly one kernel parameter"),
    "nothing": ("", "'' is not exactly one kernel parameter"),
    "a space at the end": ("a ", "'a ' is not exactly one kernel parameter"),
    "the end of the kernel's part": ("--", "'--' is not exactly one kernel parameter"),
    "an open quote": ('a="b', "a double quote is not closed in 'a=\"b'"),
}

NOT_VALID: dict[str, tuple[str, str]] = {
    "a line feed": ("a\nb", "it contains a control character"),
    "a NUL": ("a\0b", "it contains a control character"),
    "bytes that are no text": ("a\udcffb", "it contains a control character"),
    "a byte that is a space": ("label=\u00e0", "it contains a letter that the kernel takes"),
    "an open quote": ('"a b', "a double quote is not closed in '\"a b'"),
}

LIMITS = {
    "x86_64": 2048,
    "i686": 2048,
    "aarch64": 2048,
    "ppc64le": 2048,
    "armv6l": 1024,
    "armv7l": 1024,
    "riscv64": 1024,
    "loongarch64": 4096,
    "s390x": 4096,
}

# Parameters as they are found, with every character that means something to a parser.
PARAMETERS = st.text(st.sampled_from("ab=_-.,01!\\'"), min_size=1).filter(lambda word: word != "--")
QUOTED = st.text(st.sampled_from("ab= ,"), min_size=1).map(lambda text: f'name="{text}"')
WORDS = st.lists(PARAMETERS | QUOTED)
NAMED = st.sampled_from(
    ["root=a", "root=b", "console=tty0", "BOOT_IMAGE=x", "initrd=y", "quiet", "panic=0"]
)


@pytest.mark.parametrize(("text", "words"), SPLITS.values(), ids=SPLITS)
def test_split(text: str, words: list[str]) -> None:
    assert _cmdline.split(text) == words


@pytest.mark.parametrize("text", ['"', 'a="b c', 'a="b" "'])
def test_split_refuses_an_open_quote(text: str) -> None:
    with pytest.raises(ReasonError) as caught:
        _cmdline.split(text)
    assert caught.value.reason.code == "cmdline_invalid"
    assert caught.value.reason.blocks == "reboot"
    assert caught.value.reason.message == (
        f"The kernel command line is not valid: a double quote is not closed in {text!r}."
    )
    assert caught.value.reason.remedy == REMEDY


@given(WORDS)
def test_split_undoes_join(words: list[str]) -> None:
    assert _cmdline.split(_cmdline.join(words)) == words


@given(st.text())
def test_join_of_split_is_stable(text: str) -> None:
    try:
        words = _cmdline.split(text)
    except ReasonError:
        return
    assert _cmdline.split(_cmdline.join(words)) == words


@pytest.mark.parametrize(("word", "name", "value"), NAMES.values(), ids=NAMES)
def test_name_and_value(word: str, name: str, value: str | None) -> None:
    assert _cmdline.name_of(word) == name
    assert _cmdline.value_of(word) == value


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        pytest.param(["a", "b"], (["a", "b"], []), id="nothing for init"),
        pytest.param(["a", "--", "b"], (["a"], ["--", "b"]), id="a word for init"),
        pytest.param(["--"], ([], ["--"]), id="only the sign"),
        pytest.param(["a", "--", "b", "--"], (["a"], ["--", "b", "--"]), id="the sign twice"),
    ],
)
def test_kernel_part(words: list[str], parts: tuple[list[str], list[str]]) -> None:
    assert _cmdline.kernel_part(words) == parts


@pytest.mark.parametrize(("text", "value"), LAST_VALUES.values(), ids=LAST_VALUES)
def test_last_value(text: str, value: str | None) -> None:
    assert _cmdline.last_value(_cmdline.split(text), "panic") == value


@pytest.mark.parametrize(("text", "unlocks"), UNLOCKS.values(), ids=UNLOCKS)
def test_unlocks_kexec(text: str, unlocks: bool) -> None:
    assert _cmdline.unlocks_kexec(_cmdline.split(text)) is unlocks


@pytest.mark.parametrize(("text", "names", "left"), WITHOUT.values(), ids=WITHOUT)
def test_without(text: str, names: list[str], left: str) -> None:
    assert _cmdline.join(_cmdline.without(_cmdline.split(text), names)) == left


@pytest.mark.parametrize(("text", "word", "result"), WITH_PARAMETER.values(), ids=WITH_PARAMETER)
def test_with_parameter(text: str, word: str, result: str) -> None:
    assert _cmdline.join(_cmdline.with_parameter(_cmdline.split(text), word)) == result


@given(WORDS, PARAMETERS)
def test_with_parameter_twice_is_like_once(words: list[str], word: str) -> None:
    once = _cmdline.with_parameter(words, word)
    assert _cmdline.with_parameter(once, word) == once


@pytest.mark.parametrize(("text", "result"), REPEATS.values(), ids=REPEATS)
def test_resolve_repeats(text: str, result: str) -> None:
    assert _cmdline.join(_cmdline.resolve_repeats(_cmdline.split(text))) == result


@pytest.mark.parametrize(("running", "lasting"), RUNNING.values(), ids=RUNNING)
def test_strip_transient(running: str, lasting: str) -> None:
    assert _cmdline.join(_cmdline.strip_transient(_cmdline.split(running))) == lasting


@pytest.mark.parametrize(("source", "options", "result"), BUILDS.values(), ids=BUILDS)
def test_build(source: str, options: dict[str, t.Any], result: str) -> None:
    assert _cmdline.build(source, **options) == result


@pytest.mark.parametrize(("running", "lasting"), RUNNING.values(), ids=RUNNING)
def test_build_of_a_running_command_line(running: str, lasting: str) -> None:
    assert _cmdline.build(running) == lasting


@pytest.mark.parametrize("running", [pair[0] for pair in RUNNING.values()], ids=RUNNING)
def test_build_does_not_grow_over_a_chain_of_kexecs(running: str) -> None:
    once = [f"alpinefleet_kexec.token={TOKEN}"]
    first = _cmdline.build(running, append=["panic=10"], keep_unlocked=True, once=once)
    second = _cmdline.build(first, append=["panic=10"], keep_unlocked=True, once=once)
    assert second == first


@pytest.mark.parametrize(("text", "seconds"), PANIC_SECONDS.values(), ids=PANIC_SECONDS)
def test_panic_seconds(text: str, seconds: int | None) -> None:
    assert _cmdline.panic_seconds(_cmdline.split(text)) == seconds


@pytest.mark.parametrize(("source", "options", "result"), PANICS.values(), ids=PANICS)
def test_build_with_a_panic_timeout(source: str, options: dict[str, t.Any], result: str) -> None:
    built = _cmdline.build(source, panic_timeout=10, **options)
    assert built == result
    again = _cmdline.build(built, panic_timeout=10, **options)
    assert again == result


@given(st.lists(PARAMETERS | NAMED), st.integers(1, _cmdline.MAX_INT))
def test_what_a_panic_timeout_added_goes_again(words: list[str], seconds: int) -> None:
    source = _cmdline.join(words)
    built = _cmdline.build(source, panic_timeout=seconds)
    assert _cmdline.panic_seconds(_cmdline.split(built)) is not None
    assert _cmdline.build(built, panic_timeout=seconds) == built
    assert _cmdline.build(built) == _cmdline.build(source)


@given(st.lists(PARAMETERS | NAMED), st.lists(NAMED, max_size=2), st.booleans())
def test_build_twice_is_like_once(words: list[str], append: list[str], unlocked: bool) -> None:
    lasting = [word for word in append if _cmdline.name_of(word) not in _cmdline.TRANSIENT][:1]
    once = _cmdline.build(_cmdline.join(words), append=lasting, keep_unlocked=unlocked)
    assert _cmdline.build(once, append=lasting, keep_unlocked=unlocked) == once


@given(WORDS)
def test_build_unlocks_every_line(words: list[str]) -> None:
    built = _cmdline.build(_cmdline.join(words), keep_unlocked=True)
    assert _cmdline.unlocks_kexec(_cmdline.split(built))


@pytest.mark.parametrize("option", ["append", "remove"])
@pytest.mark.parametrize(("word", "why"), NOT_ONE_PARAMETER.values(), ids=NOT_ONE_PARAMETER)
def test_build_refuses_what_is_not_one_parameter(option: str, word: str, why: str) -> None:
    options: dict[str, t.Any] = {option: [word]}
    with pytest.raises(ReasonError) as caught:
        _cmdline.build("quiet", **options)
    assert caught.value.reason.code == "cmdline_invalid"
    assert caught.value.reason.message == f"The kernel command line is not valid: {why}."


def test_check_takes_what_is_good() -> None:
    text = f'{UUID} {OPTIONS} acpi_osi="!Windows 2006" label=\u00e9'
    _cmdline.check(text, "x86_64")


@pytest.mark.parametrize(("text", "why"), NOT_VALID.values(), ids=NOT_VALID)
def test_check_refuses(text: str, why: str) -> None:
    with pytest.raises(ReasonError) as caught:
        _cmdline.check(text, "x86_64")
    assert caught.value.reason.code == "cmdline_invalid"
    assert caught.value.reason.message.startswith(f"The kernel command line is not valid: {why}")
    assert caught.value.reason.remedy == REMEDY


@pytest.mark.parametrize(("machine", "limit"), LIMITS.items(), ids=LIMITS)
def test_check_knows_the_limit_of_the_architecture(machine: str, limit: int) -> None:
    _cmdline.check("a" * (limit - 1), machine)
    with pytest.raises(ReasonError) as caught:
        _cmdline.check("a" * limit, machine)
    assert caught.value.reason.code == "cmdline_too_long"
    assert caught.value.reason.message == (
        f"The command line needs {limit + 1} bytes and {machine} kernels accept {limit}."
    )
    assert caught.value.reason.remedy == (
        "Remove parameters with cmdline_remove, set panic_timeout to 0, or shorten the boot "
        "loader's configuration."
    )


def test_check_counts_bytes_and_not_letters() -> None:
    with pytest.raises(ReasonError, match="needs 2401 bytes"):
        _cmdline.check("\u00e9" * 1200, "x86_64")


def test_running_words_closes_the_quote_that_the_kernel_left_open() -> None:
    assert _cmdline.running_words('a="b c') == ['a="b c"']
    assert _cmdline.running_words('a="b" c') == ['a="b"', "c"]


@pytest.mark.parametrize(
    ("text", "kernel", "init"),
    [
        pytest.param("a -- b", ["a"], ["--", "b"], id="plain"),
        pytest.param('a "--" b', ["a"], ['"--"', "b"], id="in quotes, which the kernel takes away"),
        pytest.param('a "-- b"', ["a", '"-- b"'], [], id="a part of a word"),
        pytest.param('a --" b"', ["a", '--" b"'], [], id="quotes behind it"),
        pytest.param("a ---", ["a", "---"], [], id="one more"),
    ],
)
def test_what_is_for_init(text: str, kernel: list[str], init: list[str]) -> None:
    assert _cmdline.kernel_part(_cmdline.split(text)) == (kernel, init)
