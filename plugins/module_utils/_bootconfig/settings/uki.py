# Copyright (c) 2026 The alpinefleet.kexec authors
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The command line that secureboot-hook puts into unified kernel images."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from ..._bootloader.loader import NotUnderstoodError, text_lines
from ..edit import words_of
from ..text import Line, Span, Texts
from .shell import assigned

SETTINGS = "/etc/kernel-hooks.d/secureboot.conf"

# What the hook does without settings.
_OUTPUT = {"output_dir": "/boot/efi/Alpine", "output_name": "linux-{flavor}.efi"}


# An image without a command line of its own takes that of firmware, if it is made at all.
EMPTY_MEANS = "no image has a command line without it"


def active(text: str) -> bool:
    """Tell whether the hook makes images; as the package installs it, it makes none."""
    span = assigned(SETTINGS, text, "cmdline")
    return span is not None and bool(text[span.start : span.end].strip())


def _setting(text: str) -> Span:
    span = assigned(SETTINGS, text, "cmdline")
    if span is None or not active(text):
        raise NotUnderstoodError("it sets no cmdline, without which the hook does nothing")
    return span


def file_of(text: str) -> str | None:
    """The file that holds the command line, None if the settings hold it themselves."""
    span = _setting(text)
    words = words_of({SETTINGS: text}, (span,))
    if not words[0].startswith(("/", ".")):
        return None
    if len(words) > 1 or words[0].startswith(".") or "{" in words[0]:
        raise NotUnderstoodError(f"cmdline names no single file: {text[span.start : span.end]!r}")
    return words[0]


def image(text: str, flavour: str, version: str) -> str:
    """Where the hook writes the image of a kernel."""
    name = _output(text, "output_name")
    name = name.replace("{flavor}", flavour, 1).replace("{version}", version, 1)
    return posixpath.join(_output(text, "output_dir"), name)


def _output(text: str, variable: str) -> str:
    span = assigned(SETTINGS, text, variable)
    if span is None:
        return _OUTPUT[variable]
    return "".join(char for char, _raw in span.quoting.read(text[span.start : span.end]))


def lines(texts: Texts) -> list[Line]:
    """The one command line of all images; in a file of its own it may have several lines."""
    path = file_of(texts.get(SETTINGS, ""))
    if path is None:
        return [(replace(_setting(texts[SETTINGS]), empty_means=EMPTY_MEANS),)]
    if path not in texts:
        raise NotUnderstoodError(f"cmdline names {path}, which cannot be read")
    pieces = [
        Span(path, start, start + len(line), empty_means=EMPTY_MEANS)
        for start, line in text_lines(texts[path])
        if line.strip() and not line.startswith("#")
    ]
    return [tuple(pieces) or (_new(path, texts[path]),)]


def _new(path: str, text: str) -> Span:
    """Behind comments, or in a file that has nothing yet."""
    end = len(text)
    before = "" if not text or text.endswith("\n") else "\n"
    return Span(path, end, end, before=before, after="\n")
