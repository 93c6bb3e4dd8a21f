# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What README.md and the guides say is what the code does: codes, commands, examples, variables."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader import (
    find,
    known,
    parameter,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import once
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record import ensure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import (
    task as role_task,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.result import (
    RebootResult,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import task as fleet_task
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec as spec_module
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import (
    roles as role_variables,
)
from ansible_collections.alpinefleet.kexec.tests.unit import documentation

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
}
REASONS = GUIDES["reasons.rst"]
# The playbooks, each with the name that its variables begin with.
PLAYBOOKS = {
    "fast_reboot": ROOT / "playbooks/fast-reboot.yml",
    "audit": ROOT / "playbooks/audit.yml",
    "rolling_upgrade": ROOT / "playbooks/rolling-upgrade.yml",
}
# Those that run the role of their name, and what the role itself leaves or listens for.
ROLES = ("fast_reboot", "rolling_upgrade")
OF_ROLES = {"fast_reboot_result", "fast_reboot_drained"}
# The codes that the role fast_reboot adds to those of its reboot.
ROLE_CODES = (
    "drain_failed",
    "handler_failed",
    "hooks_unknown",
    "not_remembered",
    "overtaken",
    "power_cycle_failed",
    "power_cycled",
    "undrain_failed",
)

# --- The list of reasons -------------------------------------------------------------------


def entries(text: str) -> list[tuple[str, str]]:
    """Return the codes that have a heading of the third level, each with the text below it."""
    pieces = re.split(r"^([a-z][a-z0-9_]*)\n\^+\n", text, flags=re.MULTILINE)
    return list(zip(pieces[1::2], pieces[2::2], strict=True))


def field(entry: str, name: str) -> str:
    """Return a field of an entry as one line, nothing if there is none."""
    found = re.search(rf"^:{name}: (.*(?:\n  .*)*)", entry, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


ENTRIES = dict(entries(REASONS))
SAMPLE = "one\n^^^\n\n:Meaning: Some\n  words.\n:Blocks: ``kexec``\n\nPart\n----\n\ntwo\n^^^\n\n:Stage: x\n"


def test_entries_and_fields_of_a_sample() -> None:
    found = entries(SAMPLE)
    assert [code for code, _text in found] == ["one", "two"]
    assert field(found[0][1], "Meaning") == "Some words."
    assert field(found[1][1], "Stage") == "x"
    assert field(found[1][1], "Blocks") == ""


def test_reasons_list_each_code_once_and_no_other() -> None:
    codes = [*_reasons.VOCABULARY, *failure.FAILURES, *failure.NOTES, *audit.AUDIT_CODES]
    codes += ROLE_CODES
    assert sorted(code for code, _text in entries(REASONS)) == sorted(codes)


def test_codes_of_the_role_are_those_of_its_flow() -> None:
    text = (ROOT / "plugins/plugin_utils/_fast_reboot/flow.py").read_text(encoding="utf-8")
    used = set(re.findall(r'Reason\(\s*"(\w+)"|"(power_cycle_failed)"', text))
    others = {"argument_invalid", "module_failed", "unhealthy"}
    assert {"".join(found) for found in used} == {*ROLE_CODES, *others}


@pytest.mark.parametrize("code", sorted(ENTRIES))
def test_reason_says_what_it_means_and_what_to_do(code: str) -> None:
    assert [name for name in ("Meaning", "Found", "Remedy") if not field(ENTRIES[code], name)] == []


@pytest.mark.parametrize("code", sorted(_reasons.VOCABULARY))
def test_reason_of_the_host_says_how_far_it_blocks(code: str) -> None:
    ignorable, blocks = code in _reasons.IGNORABLE, field(ENTRIES[code], "Blocks")
    assert blocks.startswith(f"``{_reasons.VOCABULARY[code]}``")
    assert ("ignore_reasons" in ENTRIES[code]) is ignorable
    assert ("when it is ignored" in blocks) is ignorable


@pytest.mark.parametrize("code", sorted(failure.FAILURES))
def test_reason_of_the_controller_says_at_which_stage(code: str) -> None:
    stages = re.findall(r"``(\w+)``", field(ENTRIES[code], "Stage"))
    assert stages
    assert set(stages) <= set(t.get_args(failure.Stage))
    assert field(ENTRIES[code], "Rebooted").split(",", maxsplit=1)[0] in {"true", "false", "null"}


def test_guide_to_failures_has_each_stage_in_order() -> None:
    headings = [code for code, _text in entries(GUIDES["guide_when_it_fails.rst"])]
    assert headings == list(t.get_args(failure.Stage))


# --- Commands, links and playbooks ---------------------------------------------------------


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code in one language, of Markdown or of reStructuredText."""
    fenced = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    directive = rf"^( *)\.\. code-block:: {re.escape(language)}\n\n((?: +.*\n|\n)+)"
    directed = re.findall(directive, text, re.MULTILINE)
    return [textwrap.dedent(body) for _indent, body in [*fenced, *directed]]


def commands(text: str) -> list[list[str]]:
    """Return the words of each line in the blocks for a console."""
    lines = [line for block in blocks(text, "console") for line in block.splitlines()]
    return [line.removeprefix("$ ").split() for line in lines if line]


def test_blocks_of_both_markups() -> None:
    markdown = "1. x\n\n   ```yaml\n   a: 1\n   ```\n```console\n$ ./x y\n```\n"
    rst = "..  code\n\n.. code-block:: yaml+jinja\n\n    - a:\n\n      b\n\nText\n"
    assert blocks(markdown, "yaml") == ["a: 1\n"]
    assert blocks(rst, "yaml+jinja") == ["- a:\n\n  b\n\n"]
    assert commands(markdown) == [["./x", "y"]]


def test_commands_of_the_readme_can_be_run() -> None:
    own = {words[0] for words in commands(README) if words[0].startswith("./")}
    assert own == {"./demo", "./test"}
    assert [name for name in own if not os.access(ROOT / name, os.X_OK)] == []


def test_parts_of_the_tests_that_the_readme_names_exist() -> None:
    usage = subprocess.check_output(["./test", "--help"], cwd=ROOT, text=True)
    named = re.findall(r"`\./test (\w+)`", README)
    assert named
    assert [part for part in named if part not in usage.split()] == []


def test_links_of_the_readme_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).is_file()] == []


@pytest.mark.parametrize("text", [README, *GUIDES.values()], ids=["README.md", *GUIDES])
def test_content_that_is_named_exists(text: str) -> None:
    named = set(re.findall(r"\balpinefleet\.kexec\.([a-z][a-z_]*)", text)) - {"docsite"}
    places = (
        "plugins/modules/{}.py",
        "plugins/filter/{}.py",
        "playbooks/{}.yml",
        "roles/{}/tasks/main.yml",
    )
    files = {name: [place.format(name) for place in places] for name in named}
    # The action group has the name of the collection.
    missing = {
        name
        for name, paths in files.items()
        if name != "kexec" and not any((ROOT / path).is_file() for path in paths)
    }
    assert missing == set()
    assert named


# --- Examples in YAML ----------------------------------------------------------------------

SPECS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "boot_parameter": (parameter.ARGUMENTS, parameter.ARGUMENT_RULES),
    "kexec_preflight": (
        choose.PREFLIGHT_ARGUMENTS,
        {"mutually_exclusive": choose.MUTUALLY_EXCLUSIVE, "required_if": choose.REQUIRED_IF},
    ),
    "kexec_load": (
        once.LOAD_ARGUMENTS,
        {"mutually_exclusive": choose.MUTUALLY_EXCLUSIVE, "required_if": choose.REQUIRED_IF},
    ),
    "kexec_reboot": (spec_module.ARGUMENT_SPEC, spec_module.RULES),
    "fast_reboot_step": (role_task.STEP_ARGUMENTS, {}),
    "fleet_step": (fleet_task.FLEET_ARGUMENTS, {}),
    "freeze_variables": (role_variables.FREEZE_ARGUMENTS, {}),
    "host_origin": (ensure.ORIGIN_ARGUMENTS, {}),
}
PREFIX = "alpinefleet.kexec."


def tasks(node: t.Any) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Yield module and arguments of each task of this collection, in plays and blocks, too."""
    for item in node if isinstance(node, list) else []:
        for key, value in item.items():
            if key.startswith(PREFIX):
                yield key.removeprefix(PREFIX), value or {}
            elif key == "ansible.builtin.include_role" and value["name"].startswith(PREFIX):
                entry = value.get("tasks_from", "main")
                yield f"{value['name'].removeprefix(PREFIX)} {entry}", item.get("vars") or {}
            elif key in {"tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"}:
                yield from tasks(value)


def role_options(role: str, entry: str = "main") -> dict[str, t.Any]:
    """Return the options of a role's entry point, as an argument spec."""
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())
    options = specs["argument_specs"][entry]["options"]
    kept = {"type", "default", "choices", "elements", "required"}
    return {
        name: {key: value for key, value in option.items() if key in kept}
        for name, option in options.items()
    }


def for_values(spec: dict[str, t.Any], arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the spec with no type where a template is given: nobody knows what it becomes."""
    templates = {name for name, value in arguments.items() if "{{" in str(value)}
    return {name: {} if name in templates else option for name, option in spec.items()}


def problems(text: str) -> list[str]:
    """Return what the argument specs have against the tasks of an example."""
    found = []
    for module, arguments in tasks(yaml.safe_load(text)):
        spec, rules = SPECS.get(module) or (role_options(*module.split()), {})
        result = ArgumentSpecValidator(for_values(spec, arguments), **rules).validate(arguments)
        found += [f"{module}: {message}" for message in result.error_messages]
    return found


EXAMPLES = {
    "README.md": blocks(README, "yaml"),
    **{name: blocks(text, "yaml+jinja") for name, text in GUIDES.items() if name != "reasons.rst"},
    **{name: [documentation.of(name).examples] for name in SPECS},
}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param("{flavor: lts}", "flavor. Supported parameters", id="unknown"),
        pytest.param("{fallback: never}", "value of fallback must be one of", id="choice"),
        pytest.param("{reboot_timeout: soon}", "reboot_timeout", id="type"),
        pytest.param("{kernel: /x, flavour: lts}", "mutually exclusive", id="both"),
    ],
)
def test_problems_sees_a_wrong_option(arguments: str, problem: str) -> None:
    task = f"- block:\n    - alpinefleet.kexec.kexec_reboot: {arguments}\n"
    (found,) = problems(f"- hosts: all\n  tasks:\n    {textwrap.indent(task, '    ').strip()}\n")
    assert problem in found


@pytest.mark.parametrize("place", sorted(EXAMPLES))
def test_examples_use_options_that_exist(place: str) -> None:
    assert [text for example in EXAMPLES[place] for text in problems(example)] == []


def test_every_module_has_its_examples_looked_at() -> None:
    assert SPECS.keys() == {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "plugins/filter").glob("*.py")), ids=lambda p: p.stem
)
def test_examples_of_a_filter_use_it(path: Path) -> None:
    (examples,) = re.findall(
        r'^EXAMPLES = r"""\n(.*?)"""', path.read_text(), re.DOTALL | re.MULTILINE
    )
    assert f"| alpinefleet.kexec.{path.stem}" in examples
    assert problems(examples) == []


@pytest.mark.parametrize("place", sorted(EXAMPLES))
def test_examples_have_a_task_of_this_collection(place: str) -> None:
    assert any(list(tasks(yaml.safe_load(example))) for example in EXAMPLES[place])


# --- The variables of the playbooks --------------------------------------------------------


def playbook_variables(text: str, prefix: str) -> dict[str, t.Any]:
    """Return the variables that a playbook reads with a default, and the defaults."""
    found = re.findall(rf"\b({prefix}_\w+) \| default\((.+?)(?:, true)?\)", text)
    return {name: yaml.safe_load(default) for name, default in found}


def own_variables(text: str, prefix: str) -> set[str]:
    """Return the variables that a playbook makes itself."""
    registered = re.findall(rf"register: ({prefix}_\w+)", text)
    return {*registered, *re.findall(rf"^ +({prefix}_\w+):", text, re.MULTILINE)}


def documented_variables(text: str, prefix: str) -> dict[str, t.Any]:
    """Return the variables and defaults of the rows of a Markdown table."""
    rows = re.findall(rf"^\| `({prefix}_\w+)` \| `([^`]+)` \|", text, re.MULTILINE)
    return {name: yaml.safe_load(default) for name, default in rows}


def role_defaults(prefix: str) -> dict[str, t.Any]:
    """Return the defaults of the role that the playbook of that prefix runs, if it runs one."""
    defaults = ROOT / f"roles/{prefix}/defaults/main.yml"
    return yaml.safe_load(defaults.read_text()) if prefix in ROLES else {}


def test_variables_of_samples() -> None:
    play = (
        'a: "{{ x_a | default(\'y\') }}"\nb: "{{ x_b | default(1) }}"\n'
        "c: \"{{ x_c | default('', true) }}\"\nvars:\n  x_d: 1\nregister: x_e\n"
    )
    assert playbook_variables(play, "x") == {"x_a": "y", "x_b": 1, "x_c": ""}
    assert own_variables(play, "x") == {"x_d", "x_e"}
    table = "| `x_a` | `y` | Z |\n| `x_c` | `''` | Z |\n"
    assert documented_variables(table, "x") == {"x_a": "y", "x_c": ""}


@pytest.mark.parametrize("prefix", PLAYBOOKS)
def test_readme_has_the_variables_of_the_playbook(prefix: str) -> None:
    text = PLAYBOOKS[prefix].read_text(encoding="utf-8")
    used = set(re.findall(rf"(?<![\w.]){prefix}_\w+", text))
    used -= own_variables(text, prefix) | OF_ROLES
    own, documented = playbook_variables(text, prefix), documented_variables(README, prefix)
    assert own.keys() == used
    assert {name: documented.get(name) for name in own} == own
    # Of its role the README has a choice.
    assert {**role_defaults(prefix), **own, **documented} == {**role_defaults(prefix), **own}


@pytest.mark.parametrize("prefix", PLAYBOOKS)
def test_no_document_names_another_variable(prefix: str) -> None:
    own = playbook_variables(PLAYBOOKS[prefix].read_text(encoding="utf-8"), prefix)
    known = own.keys() | role_defaults(prefix).keys() | OF_ROLES
    text = README + "".join(GUIDES.values())
    # A filter's name stands behind the collection's.
    named = set(re.findall(rf"(?<![\w.]){prefix}_\w+", text))
    assert named <= known
    assert named


def test_no_document_names_another_variable_of_the_role() -> None:
    known = role_options("kexec_host").keys() | {"kexec_host_reboot_required"}
    named = set(re.findall(r"\bkexec_host_\w+", README + "".join(GUIDES.values())))
    assert {"kexec_host_mode", "kexec_host_reboot_allowed"} <= named <= known


# --- Results ------------------------------------------------------------------------------


def result_names() -> set[str]:
    """Return the names of what kexec_reboot and the role fast_reboot return."""
    of_role = {each.name for each in dataclasses.fields(RebootResult)}
    return {*documentation.of("kexec_reboot").returns, *of_role, "done", "failed"}


def result_table(guide: str) -> list[str]:
    """Return the first column of the guide's table of values."""
    (rows,) = re.findall(r"^Value +What it tells\n=+ +=+\n(.*?)^=", guide, re.DOTALL | re.MULTILINE)
    return re.findall(r"^``(\w+)``", rows, re.MULTILINE)


@pytest.mark.parametrize("name", ["guide_first_reboot.rst", "guide_fleet.rst"])
def test_guide_explains_values_that_a_result_has(name: str) -> None:
    explained = result_table(GUIDES[name])
    assert len(explained) > 5
    assert set(explained) <= result_names()


def test_no_document_names_a_value_before_or_after_that_no_result_has() -> None:
    text = README + "".join(GUIDES.values())
    named = set(re.findall(r"\b(\w+)\.(?:before|after)\b", text))
    assert {"boot_id", "release", "cmdline"} <= named <= result_names()


def test_readme_shows_values_that_a_result_has() -> None:
    samples = re.findall(r"^```json\n(\{\n.*?)^```", README, re.DOTALL | re.MULTILINE)
    shown = [re.findall(r'^    "(\w+)":', sample, re.MULTILINE) for sample in samples]
    assert [bool(names) for names in shown] == [True, True]
    assert {name for names in shown for name in names} <= result_names()


# --- Versions ------------------------------------------------------------------------------


def test_readme_names_the_ansible_core_that_is_required() -> None:
    required = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    (version,) = re.findall(r">=(\d+\.\d+)", required)
    assert f"ansible-core {version} or later" in README
    assert f"| ansible-core | {version} and later |" in README


# --- Boot loaders --------------------------------------------------------------------------

# How the README calls those that boot_parameter writes and nobody else reads.
ONLY_WRITTEN = {
    "zipl": "zipl",
    "efi_stub": "EFI stubs",
    "uki": "unified kernel images",
    "syslinux": "boot media",
}


def test_readme_names_each_boot_loader_that_is_written_and_not_read() -> None:
    read = {loader.name for loader in find.LOADERS}
    assert {editor.name for editor in known.EDITORS} - read == set(ONLY_WRITTEN)
    sentence = re.search(r"`boot_parameter` writes the configurations of ([^()]*) \(", README)
    assert sentence is not None
    assert re.split(r",\s+|\s+and\s+", sentence[1]) == list(ONLY_WRITTEN.values())
