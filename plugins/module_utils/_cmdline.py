# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""Kernel command lines, edited as a list of parameters and never as text."""

from __future__ import annotations

import re
import typing as t

from ._reasons import ReasonError, reason

# The kernel does not hand parameters with a dot in their name on to init.
TOKEN_PARAMETER = "alpinefleet_kexec.token"

# Names the words that were added for one boot, so that they are dropped with it.
ADDED_PARAMETER = "alpinefleet_kexec.added"

# Seconds in which the new system must be confirmed, and the watchdog that it must feed.
CONFIRM_PARAMETER = "alpinefleet_kexec.confirm"
WATCHDOG_PARAMETER = "alpinefleet_kexec.watchdog"

# Names the slot that an entry of a boot loader's menu boots.
SLOT_PARAMETER = "alpinefleet_kexec.slot"
# The run that has a kernel on trial, and the seconds of uptime in which that must be over.
TRIAL_PARAMETER = "alpinefleet_kexec.trial"
# The same of the one boot through firmware by which it is proven, which no kexec has begun.
PROOF_PARAMETER = "alpinefleet_kexec.proof"
DEADLINE_PARAMETER = "alpinefleet_kexec.deadline"

UNLOCK_PARAMETER = "kexec_load_disabled"

# Put there by boot loaders and by this collection for one boot only.
TRANSIENT = frozenset(
    {
        "BOOT_IMAGE",
        "initrd",
        "kexec_jump_back_entry",
        ADDED_PARAMETER,
        CONFIRM_PARAMETER,
        DEADLINE_PARAMETER,
        PROOF_PARAMETER,
        SLOT_PARAMETER,
        TOKEN_PARAMETER,
        TRIAL_PARAMETER,
        WATCHDOG_PARAMETER,
    }
)

# The kernel and mkinitfs take the last of these, so that earlier ones only cost space. Others may
# repeat on purpose (console=, hugepages=), and their order matters.
LAST_WINS = frozenset({"init", "modules", "panic", "root", "rootflags", "rootfstype"})

# COMMAND_LINE_SIZE of each architecture, with room for the closing NUL.
LIMITS: dict[str, int] = {
    "armv6l": 1024,
    "armv7l": 1024,
    "loongarch64": 4096,
    "riscv64": 1024,
    "s390x": 4096,
}
DEFAULT_LIMIT = 2048

# What kernels, shells and boot loaders take for white space; Python knows more of it.
SPACES = " \t\n\v\f\r"

# A word as the kernel splits them: at white space outside double quotes.
WORD = re.compile(f'(?:[^{SPACES}"]|"[^"]*")+')

# The kernel looks at bytes and takes this one, a part of some letters in UTF-8, for a space.
BYTE_SPACE = b"\xa0"

# What the kernel's kstrtoul with base 0 takes; a leading zero means octal.
_NUMBER = re.compile(r"\+?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]{0,19})", re.ASCII)

# The kernel keeps the seconds of panic= in one of these.
MAX_INT = 2**31 - 1


def split(text: str) -> list[str]:
    """The words as they stand."""
    if has_open_quote(text):
        raise _invalid(f"a double quote is not closed in {text!r}")
    return WORD.findall(text)


def has_open_quote(text: str) -> bool:
    return text.count('"') % 2 == 1


def running_words(text: str) -> list[str]:
    """The running command line was accepted by the kernel, whatever its quotes."""
    return split(f'{text}"' if has_open_quote(text) else text)


def join(words: t.Iterable[str]) -> str:
    """The words as one command line."""
    return " ".join(words)


def _bare(text: str) -> str:
    """Without the quotes that the kernel takes away."""
    return text[1:].removesuffix('"') if text.startswith('"') else text


def name_of(word: str) -> str:
    """The name of a parameter as the kernel compares it: dashes and underscores are equal."""
    return _bare(word).partition("=")[0].replace("-", "_")


def value_of(word: str) -> str | None:
    """The value of a parameter without its quotes, None for a bare name."""
    _name, equals, value = _bare(word).partition("=")
    return _bare(value) if equals else None


def kernel_part(words: t.Sequence[str]) -> tuple[list[str], list[str]]:
    """Split at "--", behind which everything is for init."""
    ends = (index for index, word in enumerate(words) if _bare(word) == "--")
    cut = next(ends, len(words))
    return list(words[:cut]), list(words[cut:])


def last_value(words: t.Sequence[str], name: str) -> str | None:
    """The last value of that name; the kernel refuses a bare one, and what came before stays."""
    values = [value_of(word) for word in kernel_part(words)[0] if name_of(word) == name]
    return next((value for value in reversed(values) if value is not None), None)


def unlocks_kexec(words: t.Sequence[str]) -> bool:
    """Tell whether these parameters unlock kexec on Alpine's kernels: the last valid number is 0."""
    unlocked = False
    for word in kernel_part(words)[0]:
        if name_of(word) == UNLOCK_PARAMETER and _NUMBER.fullmatch(value_of(word) or ""):
            unlocked = not str(value_of(word)).strip("+0xX")
    return unlocked


def panic_seconds(words: t.Sequence[str]) -> int | None:
    """What panic= sets: the last number that the kernel takes, None if there is none."""
    values = [value_of(word) for word in kernel_part(words)[0] if name_of(word) == "panic"]
    numbers = [number for value in values if (number := _integer(value or "")) is not None]
    return numbers[-1] if numbers else None


def _integer(text: str) -> int | None:
    """A number as the kernel's kstrtoint with base 0 reads it, None if it refuses the text."""
    if not _NUMBER.fullmatch(text[1:] if re.match("-[^+]", text) else text):
        return None
    digits = text.lstrip("+-").lower()
    number = int(text, 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10)
    return number if -MAX_INT - 1 <= number <= MAX_INT else None


def without(words: t.Iterable[str], names: t.Collection[str]) -> list[str]:
    """Drop parameters by name, or by name and value where a word with "=" is given."""
    exact = {word for word in names if "=" in word}
    by_name = {name_of(word) for word in names if "=" not in word}
    kernel, init = kernel_part(list(words))
    return [word for word in kernel if word not in exact and name_of(word) not in by_name] + init


def with_parameter(words: t.Sequence[str], word: str) -> list[str]:
    """Append a parameter unless it is in force already."""
    kernel, init = kernel_part(words)
    same = [present for present in kernel if name_of(present) == name_of(word)]
    if same and same[-1] == word:
        return list(words)
    return [*kernel, word, *init]


def resolve_repeats(words: t.Sequence[str]) -> list[str]:
    """Keep only the last of each parameter of which the last one wins."""
    kernel, init = kernel_part(words)
    last = {name_of(word): index for index, word in enumerate(kernel) if _last_wins(word)}
    kept = [
        word
        for index, word in enumerate(kernel)
        if not _last_wins(word) or last[name_of(word)] == index
    ]
    return kept + init


def _last_wins(word: str) -> bool:
    """A bare name replaces no value: neither the kernel nor mkinitfs reads it."""
    return name_of(word) in LAST_WINS and value_of(word) is not None


def strip_transient(words: t.Sequence[str]) -> list[str]:
    """Drop what belongs to one boot only, so that a chain of kexecs does not grow.

    extlinux appends initrd= to the end of the line, which may be behind "--".
    """
    lasting = without(words, _added(words))
    return [word for word in lasting if name_of(word) not in TRANSIENT]


def differ(*texts: str) -> bool:
    """Tell whether command lines say something else, but for one boot."""
    words = [resolve_repeats(strip_transient(running_words(text))) for text in texts]
    return words[0] != words[1]


def _added(words: t.Sequence[str]) -> list[str]:
    """The words that an earlier kexec added and named."""
    named = (last_value(words, ADDED_PARAMETER) or "").split(",")
    return [word for word in named if "=" in word]


def build(
    source: str,
    *,
    append: t.Sequence[str] = (),
    remove: t.Sequence[str] = (),
    keep_unlocked: bool = False,
    panic_timeout: int = 0,
    once: t.Sequence[str] = (),
) -> str:
    """The command line for an image, from one that a boot loader or a user gave.

    What is to last for one boot only is in once.
    """
    words = resolve_repeats(strip_transient(split(source)))
    words = without(words, [_checked(word) for word in remove])
    if keep_unlocked and not unlocks_kexec(words):
        words = with_parameter(without(words, [UNLOCK_PARAMETER]), f"{UNLOCK_PARAMETER}=0")
    for word in append:
        words = with_parameter(words, _checked(word))
    words = _with_panic_timeout(words, panic_timeout, remove)
    for word in once:
        words = with_parameter(words, word)
    return join(resolve_repeats(words))


def _with_panic_timeout(words: list[str], seconds: int, remove: t.Sequence[str]) -> list[str]:
    """Let a panic end in a reboot, unless the line or the user says something of it already."""
    panic = f"panic={seconds}"
    if seconds == 0 or panic_seconds(words) is not None or not without([panic], remove):
        return words
    # An oops that becomes a panic is worth something only where a panic ends by itself.
    oops = [] if last_value(words, "oops") is not None else without(["oops=panic"], remove)
    added = [panic, *oops]
    for word in [*added, f"{ADDED_PARAMETER}={','.join(added)}"]:
        words = with_parameter(words, word)
    return words


def _checked(word: str) -> str:
    """Refuse what is not exactly one parameter."""
    if split(word) != [word] or word == "--":
        raise _invalid(f"{word!r} is not exactly one kernel parameter")
    return word


def check(text: str, architecture: str) -> None:
    """Refuse a command line that the kernel would cut or misread."""
    if not text.isprintable():
        raise _invalid("it contains a control character")
    if BYTE_SPACE in text.encode():
        raise _invalid("it contains a letter that the kernel takes for a space")
    split(text)
    check_size(
        text,
        architecture,
        "Remove parameters with cmdline_remove, set panic_timeout to 0, or shorten the boot "
        "loader's configuration.",
    )


def check_size(text: str, architecture: str, remedy: str, before: str = "") -> None:
    """Refuse what the kernel would cut, unless more was before."""
    limit = LIMITS.get(architecture, DEFAULT_LIMIT)
    size, old = (len(each.encode("utf-8", "surrogateescape")) + 1 for each in (text, before))
    if size > max(limit, old):
        raise ReasonError(
            reason(
                "cmdline_too_long",
                f"The command line needs {size} bytes and {architecture} kernels accept {limit}.",
                remedy,
            )
        )


def _invalid(why: str) -> ReasonError:
    return ReasonError(
        reason(
            "cmdline_invalid",
            f"The kernel command line is not valid: {why}.",
            "Correct the options cmdline, cmdline_append and cmdline_remove, "
            "or the boot loader's configuration.",
        )
    )
