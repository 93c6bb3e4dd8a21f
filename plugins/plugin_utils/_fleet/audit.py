# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection.

"""The preflights of a fleet as one report, and the report as a table.

What a host answers is not trusted: types are checked, sizes are bounded, and what could steer a
terminal is taken out.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.alpinefleet.kexec.plugins.module_utils._host import machine
from ansible_collections.alpinefleet.kexec.plugins.module_utils._reasons import Blocks, Reason

from .._parsing import forms, unanswered
from .._parsing.answer import Answer, parse
from .._parsing.forms import Fields
from .._step import StepError
from .._text.table import EMPTY_CELL, TEXT_LIMIT, aligned, one_line

# Raised when a key changes its meaning or goes away, not when one is added.
VERSION = 1

Verdict = t.Literal["kexec", "firmware", "refused", "failed", "unreachable"]
VERDICTS: tuple[Verdict, ...] = t.get_args(Verdict)

# What only an audit finds. The documentation lists them; a test compares.
AUDIT_CODES: dict[str, str] = {
    "host_unreachable": "The controller cannot log in on the host.",
}

# What of an answer there must be for a verdict, and what may be null.
VERDICT_NEEDS = ("able", "reasons", "reboot_needed")
VERDICT_USES = ("facts", "running_release", "boot_loader", "platform", "hung")

# What a table shows of each host of a report, which must be there.
TABLE_NEEDS = ("host", "verdict", "running_release", "boot_loader", "reboot_needed", "reasons")
# What may be null of it.
NULLABLE = ("running_release", "boot_loader", "reboot_needed")
# How many defects of a report are told; the first ones tell what it is.
DEFECTS_LIMIT = 5

# Linux has 64 characters for a release.
SHORT_LIMIT = 64
# Longer than what firmware says of any machine: a name that is cut is of no use as an option.
PLATFORM_LIMIT = 200

COLUMNS = ("HOST", "VERDICT", "KERNEL", "BOOT LOADER", "REBOOT NEEDED", "REASONS")
LEGEND = ("REASON", "BLOCKS", "HOSTS", "REMEDY")
YES_NO = {True: "yes", False: "no"}

Values = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Finding:
    """What is known of one host."""

    host: str
    verdict: Verdict
    running_release: str | None
    boot_loader: str | None
    reboot_needed: bool | None
    platform: str | None
    hung: t.Mapping[str, str | None] | None
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, t.Any]:
        return {**vars(self), "reasons": [reason.as_dict() for reason in self.reasons]}


# --- The report ----------------------------------------------------------------------------


def report(results: object) -> dict[str, t.Any]:
    """The registered results of kexec_preflight, by host, as one report."""
    if not isinstance(results, t.Mapping):
        shown = forms.shown(results)
        raise StepError(
            f"The results of preflights are {shown} and must have a host's name for each result.",
            "Give the registered result of each host, by its name.",
        )
    findings = [finding(str(host), results[host]) for host in sorted(results)]
    return {
        "version": VERSION,
        "summary": _summary(findings),
        "hosts": [each.as_dict() for each in findings],
    }


def _summary(findings: t.Sequence[Finding]) -> dict[str, int]:
    verdicts = [each.verdict for each in findings]
    return {
        "hosts": len(findings),
        **{verdict: verdicts.count(verdict) for verdict in VERDICTS},
        "reboot_needed": sum(each.reboot_needed is True for each in findings),
    }


def finding(host: str, result: object) -> Finding:
    """Judge one host; whatever it returned, there is a verdict and a remedy."""
    if not isinstance(result, t.Mapping) or not result:
        return _without_answer(host, "failed", unanswered.silent("Ansible has no result of it."))
    answer = parse(result)
    said = one_line(answer.said, TEXT_LIMIT) or "Ansible does not say why."
    if answer.unreachable:
        return _without_answer(host, "unreachable", _unreachable(said))
    if answer.failed:
        return _without_answer(host, "failed", unanswered.silent(said))
    defects = answer.defects(VERDICT_NEEDS, VERDICT_USES)
    if defects:
        return _without_answer(host, "failed", unanswered.invalid(defects))
    return _answered(host, answer)


def _without_answer(host: str, verdict: Verdict, reason: Reason) -> Finding:
    return Finding(host, verdict, None, None, None, None, None, (reason,))


def _answered(host: str, answer: Answer) -> Finding:
    reasons = tuple(map(_legible, answer.reasons or ()))
    hung = answer.hung
    return Finding(
        host,
        _verdict(answer.able is True, {reason.blocks for reason in reasons}),
        _name(answer.running_release),
        _name(answer.boot_loader),
        answer.reboot_needed,
        _platform(answer.platform or {}),
        None if hung is None else {key: _name(text) for key, text in hung.items()},
        reasons,
    )


def _verdict(able: bool, levels: t.Collection[Blocks]) -> Verdict:
    """An answer that contradicts itself counts as the graver half of it."""
    if "reboot" in levels:
        return "refused"
    return "kexec" if able and "kexec" not in levels else "firmware"


def _legible(reason: Reason) -> Reason:
    message, remedy = (one_line(text, TEXT_LIMIT) for text in (reason.message, reason.remedy))
    return replace(reason, message=message, remedy=remedy)


def _name(text: str | None) -> str | None:
    """A short text that may be null; the preflight leaves one empty where the host is silent."""
    return one_line(text or "", SHORT_LIMIT) or None


def _platform(fields: t.Mapping[str, str]) -> str | None:
    """The platform as the option denied_platforms takes it."""
    return next((one_line(name, PLATFORM_LIMIT) for name in machine.names(fields)), None)


# --- Hosts without an answer ---------------------------------------------------------------


def _unreachable(said: str) -> Reason:
    return Reason(
        "host_unreachable",
        f"The host cannot be reached: {said}",
        "Check that it runs, and that its address, user and key in the inventory are right.",
        "reboot",
    )


# --- A report, from a file perhaps ---------------------------------------------------------


class ReportError(StepError):
    """What was given is no report, or one of another form."""

    def __init__(self, defects: t.Sequence[str]) -> None:
        told = "; ".join(defects[:DEFECTS_LIMIT])
        super().__init__(
            f"This is no report that can be shown: {told}.",
            "Give what the filter alpinefleet.kexec.audit_report returned, or the file of the audit.",
        )


def read(report_: object) -> list[Finding]:
    """The hosts of a report; one error names all that is wrong with it."""
    top = forms.mapping(report_)
    if top is None:
        raise ReportError([f"it is {forms.shown(report_)}"])
    hosts = top.get("hosts")
    if top.get("version") != VERSION or not isinstance(hosts, list):
        wanted = {"version": str(VERSION), "hosts": "a list"}
        named = [f"its {name} is {_found(top, name)}, not {what}" for name, what in wanted.items()]
        raise ReportError(named)
    found = [_read_host(each) for each in hosts]
    defects = [
        f"hosts[{number}]: {defect}" for number, (_host, own) in enumerate(found) for defect in own
    ]
    if defects:
        raise ReportError(defects)
    return [host for host, _defects in found if host is not None]


def _found(fields: Values, name: str) -> str:
    value = fields.get(name)
    return "a list" if isinstance(value, list) else forms.shown(value)


def _read_host(given: object) -> tuple[Finding | None, list[str]]:
    """One host of a report, or what is wrong with it."""
    values = forms.mapping(given)
    if values is None:
        return None, [f"it is {forms.shown(given)}"]
    odd: dict[str, str] = {}
    fields = Fields(values, odd)
    host = fields.take("host", forms.text)
    verdict: Verdict | None = fields.take("verdict", _verdict_of)
    release = fields.take("running_release", forms.text)
    loader = fields.take("boot_loader", forms.text)
    needed = fields.take("reboot_needed", forms.truth)
    reasons, others = forms.reasons(fields.take("reasons", forms.items))
    defects = [*_lacks(values), *odd.values(), *others]
    if defects or host is None or verdict is None or reasons is None:
        return None, defects
    return Finding(host, verdict, release, loader, needed, None, None, reasons), []


def _lacks(values: Values) -> t.Iterator[str]:
    for name in TABLE_NEEDS:
        if name not in values:
            yield f"it has no {name}"
        elif values[name] is None and name not in NULLABLE:
            yield f"its {name} is None"


def _verdict_of(value: object) -> Verdict | None:
    return next((verdict for verdict in VERDICTS if verdict == value), None)


# --- The table -----------------------------------------------------------------------------


def table(report_: object) -> list[str]:
    """A report as lines of text: the hosts, their number, and what to do about each reason."""
    hosts = read(report_)
    lines = [*aligned([COLUMNS, *(_row(host) for host in hosts)]), "", _total(_summary(hosts))]
    legend = _legend(hosts)
    return [*lines, "", *aligned([LEGEND, *legend])] if legend else lines


def _row(host: Finding) -> tuple[str, ...]:
    codes = dict.fromkeys(reason.code for reason in host.reasons)
    return (
        host.host,
        host.verdict,
        host.running_release or EMPTY_CELL,
        host.boot_loader or EMPTY_CELL,
        EMPTY_CELL if host.reboot_needed is None else YES_NO[host.reboot_needed],
        ", ".join(codes) or EMPTY_CELL,
    )


def _total(summary: Values) -> str:
    verdicts = ", ".join(f"{verdict} {summary[verdict]}" for verdict in VERDICTS)
    return f"hosts {summary['hosts']}: {verdicts}; reboot needed {summary['reboot_needed']}"


def _legend(hosts: t.Iterable[Finding]) -> list[tuple[str, ...]]:
    """Each code and remedy with its number of hosts; one code may have several remedies."""
    found: dict[tuple[Blocks, str, str], set[str]] = {}
    for host in hosts:
        for reason in host.reasons:
            found.setdefault((reason.blocks, reason.code, reason.remedy), set()).add(host.host)
    order = sorted(
        found, key=lambda key: (-forms.LEVELS.index(key[0]), -len(found[key]), key[1], key[2])
    )
    return [
        (code, level, str(len(found[level, code, remedy])), remedy) for level, code, remedy in order
    ]
