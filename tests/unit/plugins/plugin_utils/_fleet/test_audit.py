# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a fleet: verdicts, hosts that lie or say nothing, and the table."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image.choose import Wish
from ansible_collections.alpinefleet.kexec.plugins.module_utils._preflight import survey
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._step import StepError

if t.TYPE_CHECKING:
    from ansible_collections.alpinefleet.kexec.tests.unit import fakes

Result = dict[str, t.Any]

RELEASE = "6.18.56-0-virt"


def reason(code: str, blocks: str = "kexec", remedy: str = "Do it.") -> dict[str, str]:
    return {"code": code, "message": f"Found {code}.", "remedy": remedy, "blocks": blocks}


def answer(*reasons: dict[str, str], able: object = None, **facts: t.Any) -> Result:
    """Return a preflight's result, able unless a reason is given."""
    return {
        "changed": False,
        "able": not reasons if able is None else able,
        "reasons": list(reasons),
        "facts": {
            "running_release": RELEASE,
            "boot_loader": "extlinux",
            "reboot_needed": False,
            **facts,
        },
    }


GONE: Result = {"unreachable": True, "msg": "Failed to connect: Connection refused"}
NO_PYTHON: Result = {
    "failed": True,
    "rc": 127,
    "msg": "The module interpreter '/usr/bin/python3' was not found.",
    "module_stderr": "/bin/sh: /usr/bin/python3: not found\n",
}


def only(result: object) -> Result:
    (host,) = audit.report({"web1": result})["hosts"]
    return t.cast(Result, host)


# --- Verdicts ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "verdict", "codes"),
    [
        pytest.param(answer(), "kexec", [], id="able"),
        pytest.param(
            answer(reason("panic_hangs", "nothing"), able=True),
            "kexec",
            ["panic_hangs"],
            id="advice",
        ),
        pytest.param(answer(reason("kexec_locked")), "firmware", ["kexec_locked"], id="locked"),
        pytest.param(answer(able=False), "firmware", [], id="not able without a reason"),
        pytest.param(
            answer(reason("kexec_locked"), able=True),
            "firmware",
            ["kexec_locked"],
            id="contradiction",
        ),
        pytest.param(
            answer(reason("container", "reboot"), reason("no_openrc")),
            "refused",
            ["container", "no_openrc"],
            id="refused",
        ),
        pytest.param(GONE, "unreachable", ["host_unreachable"], id="unreachable"),
        pytest.param(NO_PYTHON, "failed", ["no_python"], id="no Python"),
        pytest.param({"failed": True, "msg": "x"}, "failed", ["module_failed"], id="failed"),
        pytest.param({}, "failed", ["module_failed"], id="no result"),
        pytest.param(None, "failed", ["module_failed"], id="null"),
    ],
)
def test_verdict(result: object, verdict: str, codes: list[str]) -> None:
    host = only(result)
    assert host["verdict"] == verdict
    assert [each["code"] for each in host["reasons"]] == codes


@pytest.mark.parametrize("result", [GONE, NO_PYTHON, {"failed": True}, None, {"able": True}])
def test_host_without_an_answer_has_a_cause_and_a_remedy(result: object) -> None:
    host = only(result)
    (found,) = host["reasons"]
    assert (host["running_release"], host["boot_loader"], host["reboot_needed"]) == (None,) * 3
    assert found["blocks"] == "reboot"
    assert found["message"].strip(" :.")
    assert found["remedy"].endswith(".")


def test_cause_has_the_last_line_that_the_host_said() -> None:
    result = {
        "failed": True,
        "msg": "MODULE FAILURE",
        "module_stderr": "Traceback\nOSError: full\n",
    }
    (found,) = only(result)["reasons"]
    assert (
        found["message"] == "The preflight could not run on the host: MODULE FAILURE OSError: full"
    )


def test_result_of_a_real_preflight_is_understood(alpine: fakes.FakeHost) -> None:
    alpine.lock()
    host = only(survey.result(survey.survey(alpine.host, Wish())))
    assert (host["verdict"], host["boot_loader"]) == ("firmware", "extlinux")
    assert [each["code"] for each in host["reasons"]] == ["kexec_locked", "cmdline_drift"]


def test_codes_of_the_audit_are_its_own() -> None:
    assert not audit.AUDIT_CODES.keys() & _reasons.VOCABULARY.keys()


# --- The whole report ----------------------------------------------------------------------

FLEET: dict[str, Result] = {
    "web2": answer(reason("kexec_locked", remedy="Unlock it."), reboot_needed=True),
    "web10": answer(reason("kexec_locked", remedy="Reboot."), boot_loader=None),
    "web1": answer(reboot_needed=True),
    "db": GONE,
}


def test_report() -> None:
    report = audit.report(FLEET)
    assert list(report) == ["version", "summary", "hosts"]
    assert report["version"] == 1
    assert report["summary"] == {
        "hosts": 4,
        "kexec": 1,
        "firmware": 2,
        "refused": 0,
        "failed": 0,
        "unreachable": 1,
        "reboot_needed": 2,
    }
    assert [host["host"] for host in report["hosts"]] == ["db", "web1", "web10", "web2"]
    assert report["hosts"][3] == {
        "host": "web2",
        "verdict": "firmware",
        "running_release": RELEASE,
        "boot_loader": "extlinux",
        "reboot_needed": True,
        "platform": None,
        "hung": None,
        "reasons": [reason("kexec_locked", remedy="Unlock it.")],
    }


def test_report_is_json_and_does_not_depend_on_the_order() -> None:
    backwards = dict(reversed(FLEET.items()))
    assert json.dumps(audit.report(FLEET)) == json.dumps(audit.report(backwards))


def test_report_of_no_host() -> None:
    report = audit.report({})
    assert (report["summary"]["hosts"], report["hosts"]) == (0, [])
    assert len(audit.table(report)) == 3


def test_report_of_something_else() -> None:
    with pytest.raises(StepError, match="must have a host's name for each"):
        audit.report(t.cast(t.Any, [GONE]))


# --- Hosts that lie ------------------------------------------------------------------------


def with_reason(**values: t.Any) -> Result:
    return answer(t.cast("dict[str, str]", {**reason("kexec_locked"), **values}))


@pytest.mark.parametrize(
    ("result", "what"),
    [
        pytest.param({"able": True, "reasons": []}, "its reboot_needed is None", id="no facts"),
        pytest.param(answer(able="yes"), "its able is 'yes'", id="able"),
        pytest.param(with_reason(blocks="all"), "a reason is {", id="a reason"),
        pytest.param(answer(hung={"time": 1}), "its hung is {'time': 1}", id="jump"),
        pytest.param(
            {**answer(platform="x", boot_loader=1), "able": 1},
            "its able is 1; its boot_loader is 1; its platform is 'x'.",
            id="several",
        ),
    ],
)
def test_answer_of_another_form(result: Result, what: str) -> None:
    host = only(result)
    assert (host["verdict"], host["running_release"]) == ("failed", None)
    (found,) = host["reasons"]
    assert found["code"] == "answer_invalid"
    assert what in found["message"]


QEMU = {"sys_vendor": "QEMU", "product_name": "Standard PC"}


@pytest.mark.parametrize(
    ("facts", "platform", "hung"),
    [
        pytest.param({}, None, None, id="of an earlier version"),
        pytest.param({"platform": {}, "hung": None}, None, None, id="nothing to tell"),
        pytest.param({"platform": QEMU}, "QEMU Standard PC", None, id="platform"),
        pytest.param({"platform": {"model": "Board\x1b\n"}}, "Board", None, id="noise"),
        pytest.param(
            {"hung": {"release": RELEASE, "time": "\x1b2026", "more": 1}},
            None,
            {"release": RELEASE, "time": "2026"},
            id="jump",
        ),
        pytest.param(
            {"hung": {"release": None}}, None, {"release": None, "time": None}, id="unreadable note"
        ),
    ],
)
def test_platform_and_jump(facts: Result, platform: str | None, hung: Result | None) -> None:
    host = only(answer(**facts))
    assert (host["platform"], host["hung"]) == (platform, hung)


def test_platform_of_the_report_is_one_for_the_option(alpine: fakes.FakeHost) -> None:
    name = only(survey.result(survey.survey(alpine.host, Wish())))["platform"]
    found = survey.survey(alpine.host, Wish(denied_platforms=(name,)))
    assert [each.code for each in found.obstacles] == ["platform_denied"]


def test_texts_of_a_host_are_cleaned_and_cut() -> None:
    noise = "\x1b]0;x\x07" + "a" * 10_000
    host = only(
        {
            **with_reason(message=noise, remedy=noise),
            "facts": answer(running_release=noise, boot_loader=" \n")["facts"],
        }
    )
    (found,) = host["reasons"]
    assert [len(found[key]) for key in ("message", "remedy")] == [1000, 1000]
    assert len(host["running_release"]) == 64
    assert host["boot_loader"] is None
    assert "\x1b" not in json.dumps(host, ensure_ascii=False)


# --- The table -----------------------------------------------------------------------------


UNREACHABLE = "Check that it runs, and that its address, user and key in the inventory are right."


def test_table() -> None:
    assert audit.table(audit.report(FLEET)) == [
        "HOST   VERDICT      KERNEL          BOOT LOADER  REBOOT NEEDED  REASONS",
        "db     unreachable  -               -            -              host_unreachable",
        "web1   kexec        6.18.56-0-virt  extlinux     yes            -",
        "web10  firmware     6.18.56-0-virt  -            no             kexec_locked",
        "web2   firmware     6.18.56-0-virt  extlinux     yes            kexec_locked",
        "",
        "hosts 4: kexec 1, firmware 2, refused 0, failed 0, unreachable 1; reboot needed 2",
        "",
        "REASON            BLOCKS  HOSTS  REMEDY",
        f"host_unreachable  reboot  1      {UNREACHABLE}",
        "kexec_locked      kexec   1      Reboot.",
        "kexec_locked      kexec   1      Unlock it.",
    ]


def test_legend_counts_hosts_and_has_the_gravest_first() -> None:
    twice = answer(reason("kexec_relocked"), reason("kexec_relocked"))
    fleet = {
        "a": twice,
        "b": answer(reason("kexec_locked"), reason("panic_hangs", "nothing")),
        "c": answer(reason("kexec_locked"), reason("container", "reboot")),
    }
    lines = audit.table(audit.report(fleet))
    assert [line.split()[:3] for line in lines[lines.index("") + 4 :]] == [
        ["container", "reboot", "1"],
        ["kexec_locked", "kexec", "2"],
        ["kexec_relocked", "kexec", "1"],
        ["panic_hangs", "nothing", "1"],
    ]
    assert lines[1].endswith(" kexec_relocked")
    assert lines[1].count("kexec_relocked") == 1


def test_table_without_a_reason_has_no_legend() -> None:
    lines = audit.table(audit.report({"web1": answer()}))
    assert lines[-1].startswith("hosts 1: kexec 1")


def test_names_of_hosts_do_not_reach_the_terminal_as_they_are() -> None:
    report = audit.report({"web\x1b[2J": answer()})
    assert report["hosts"][0]["host"] == "web\x1b[2J"
    assert all(line.isprintable() for line in audit.table(report))


# --- A report from elsewhere ---------------------------------------------------------------

WHOLE = audit.report({"web1": answer(reason("kexec_locked"))})


def with_host(**values: t.Any) -> Result:
    return {**WHOLE, "hosts": [{**WHOLE["hosts"][0], **values}]}


def without(name: str) -> Result:
    host = {key: value for key, value in WHOLE["hosts"][0].items() if key != name}
    return {**WHOLE, "hosts": [WHOLE["hosts"][0], host]}


def test_report_from_a_file_is_shown_as_the_one_that_was_written() -> None:
    assert audit.table(json.loads(json.dumps(WHOLE))) == audit.table(WHOLE)


def test_total_is_that_of_the_hosts_that_are_shown() -> None:
    part = {"version": 1, "hosts": audit.report(FLEET)["hosts"][:1]}
    assert "hosts 1: kexec 0, firmware 0, refused 0, failed 0, unreachable 1" in "".join(
        audit.table(part)
    )


@pytest.mark.parametrize("name", audit.TABLE_NEEDS)
def test_report_whose_host_lacks_something_says_what(name: str) -> None:
    with pytest.raises(audit.ReportError, match=rf"hosts\[1\]: it has no {name}\."):
        audit.table(without(name))


@pytest.mark.parametrize(
    ("report", "what"),
    [
        pytest.param("text", "it is 'text'.", id="text"),
        pytest.param([], "it is [].", id="list"),
        pytest.param(None, "it is None.", id="nothing"),
        pytest.param(
            {}, "its version is None, not 1; its hosts is None, not a list.", id="empty dictionary"
        ),
        pytest.param({**WHOLE, "version": 2}, "its version is 2, not 1", id="a later form"),
        pytest.param({**WHOLE, "hosts": {}}, "its hosts is {}, not a list", id="no list"),
        pytest.param({**WHOLE, "hosts": ["web1"]}, "hosts[0]: it is 'web1'", id="a name"),
        pytest.param(with_host(host=None), "hosts[0]: its host is None", id="no name"),
        pytest.param(with_host(verdict="maybe"), "its verdict is 'maybe'", id="verdict"),
        pytest.param(with_host(reboot_needed="yes"), "its reboot_needed is 'yes'", id="truth"),
        pytest.param(with_host(reasons=[{}]), "a reason is {}", id="reason"),
        pytest.param(with_host(reasons="none"), "its reasons is 'none'", id="no reasons"),
        pytest.param({"web1": answer()}, "its version is None", id="results instead of a report"),
    ],
)
def test_what_is_no_report_is_refused_with_all_that_is_wrong(report: object, what: str) -> None:
    with pytest.raises(audit.ReportError) as caught:
        audit.table(report)
    assert what in str(caught.value)
    assert "alpinefleet.kexec.audit_report" in str(caught.value)
    assert str(caught.value).isprintable()


def test_huge_report_of_another_form_is_refused_in_a_few_words() -> None:
    with pytest.raises(audit.ReportError) as caught:
        audit.table({**WHOLE, "hosts": ["\x1b[2J" * 100] * 1000})
    assert len(str(caught.value)) < 800
    assert str(caught.value).isprintable()
