# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""audit_report as Ansible finds it."""

from __future__ import annotations

import yaml
from ansible_collections.alpinefleet.kexec.plugins.filter import audit_report
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit

RESULTS = {"web1": {"unreachable": True, "msg": "x"}}


def test_filter_has_its_name_and_makes_the_report() -> None:
    ((name, made),) = audit_report.FilterModule().filters().items()
    assert name == yaml.safe_load(audit_report.DOCUMENTATION)["name"] == "audit_report"
    assert made(RESULTS) == audit.report(RESULTS)


def test_every_value_is_documented_and_returned() -> None:
    documented = yaml.safe_load(audit_report.RETURN)["_value"]["contains"]
    report = audit.report(RESULTS)
    assert documented.keys() == report.keys()
    assert documented["summary"]["sample"].keys() == report["summary"].keys()
    (host,) = report["hosts"]
    assert documented["hosts"]["contains"].keys() == host.keys()
    (sample,) = documented["hosts"]["contains"]["reasons"]["sample"]
    assert sample.keys() == host["reasons"][0].keys()


def test_every_verdict_is_documented() -> None:
    hosts = yaml.safe_load(audit_report.RETURN)["_value"]["contains"]["hosts"]["contains"]
    text = " ".join(hosts["verdict"]["description"])
    assert [verdict for verdict in audit.VERDICTS if f"V({verdict})" not in text] == []
