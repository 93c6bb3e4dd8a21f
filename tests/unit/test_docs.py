# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What README.md and the guides say is what the code does: codes, commands, examples, variables."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.alpinefleet.kexec.plugins.module_utils import _reasons
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootconfig import (
    editors,
    parameter,
)
from ansible_collections.alpinefleet.kexec.plugins.module_utils._bootloader import find
from ansible_collections.alpinefleet.kexec.plugins.module_utils._image import choose
from ansible_collections.alpinefleet.kexec.plugins.module_utils._kexec import once
from ansible_collections.alpinefleet.kexec.plugins.module_utils._record import ensure
from ansible_collections.alpinefleet.kexec.plugins.module_utils._slot import ensure as slots
from ansible_collections.alpinefleet.kexec.plugins.module_utils._trial import ensure as trials
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import (
    task as role_task,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.result import (
    RebootResult,
)
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import audit
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fleet import task as fleet_task
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._host_steps import task as host_task
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import failure
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec as spec_module
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._variables import (
    roles as role_variables,
)
from ansible_collections.alpinefleet.kexec.tests.unit import documentation

from tests.plays import PlayRun, run_playbook

PACKAGE = "ansible_collections.alpinefleet.kexec"
ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
}
REASONS = GUIDES["reasons.rst"]
DOCUMENTS = README + "".join(GUIDES.values())
# The playbooks, each by the name that its variables begin with; some have a name with a hyphen, too.
PLAYBOOKS = {path.stem.replace("-", "_"): path for path in (ROOT / "playbooks").glob("*.yml")}
# Those that run the role of their name, and what the role itself leaves or listens for.
ROLES = ("fast_reboot", "kernel_upgrade", "rolling_upgrade")
OF_ROLES = {"fast_reboot_result", "fast_reboot_drained", "kernel_upgrade_result"}
# The codes that the role fast_reboot adds to those of its reboot.
ROLE_CODES = (
    "drain_failed",
    "handler_failed",
    "hooks_unknown",
    "not_remembered",
    "overtaken",
    "power_cycle_failed",
    "power_cycled",
    "task_failed",
    "undrain_failed",
)

# The one that the role kernel_upgrade adds.
KERNEL_CODES = ("trial_failed",)

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
    codes += [*ROLE_CODES, *KERNEL_CODES]
    assert sorted(code for code, _text in entries(REASONS)) == sorted(codes)


def test_codes_of_the_role_are_those_of_its_flow() -> None:
    text = (ROOT / "plugins/plugin_utils/_fast_reboot/flow.py").read_text(encoding="utf-8")
    used = set(re.findall(r'Reason\(\s*"(\w+)"|"(power_cycle_failed)"', text))
    others = {"argument_invalid", "task_timeout", "unhealthy"}
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


# --- What is in it -------------------------------------------------------------------------


def contents() -> set[str]:
    """The names under which a playbook can ask for something of this collection."""
    places = ("plugins/modules/*.py", "plugins/filter/*.py", "playbooks/*.yml", "roles/*")
    stems = {path.stem for place in places for path in ROOT.glob(place)}
    # A playbook with a hyphen in its name has another one that Ansible can ask for.
    return {stem for stem in stems if not stem.startswith("_") and "-" not in stem}


def test_readme_has_all_that_is_in_the_collection() -> None:
    section = README.partition("\n## What is in it\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`alpinefleet\.kexec\.(\w+)`", row)]
    assert sorted(named) == sorted(contents())


def attributes(module: str) -> dict[str, t.Any]:
    """What the documentation of a module says that it can."""
    return t.cast("dict[str, t.Any]", documentation.of(module).module["attributes"])


def test_readme_says_of_check_and_diff_mode_what_the_modules_say() -> None:
    modules = [path.stem for path in (ROOT / "plugins/modules").glob("*.py")]
    assert {attributes(name)["check_mode"]["support"] for name in modules} <= {"full", "partial"}
    sentence = re.search(
        r"In diff mode `(\w+)`, `(\w+)`\sand `(\w+)` show .*\sand `(\w+)` in check", README
    )
    assert sentence is not None
    support = [attributes(name)["diff_mode"]["support"] for name in sentence.groups()]
    assert support == ["full", "full", "full", "partial"]


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
    "host_step": (host_task.HOST_STEP_SPEC, {}),
    "host_origin": (ensure.ORIGIN_ARGUMENTS, {}),
    "kernel_slot": (slots.SLOT_ARGUMENTS, {}),
    "kernel_trial": (trials.TRIAL_ARGUMENTS, {"required_if": trials.TRIAL_REQUIRED_IF}),
}
PREFIX = "alpinefleet.kexec."
IMPORT = "ansible.builtin.import_playbook"


def tasks(node: t.Any) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Yield module and arguments of each task of this collection, in plays and blocks, too."""
    for item in node if isinstance(node, list) else []:
        for key, value in item.items():
            if key.startswith(PREFIX):
                yield key.removeprefix(PREFIX), value or {}
            elif key == IMPORT and value.startswith(PREFIX):
                yield f"{IMPORT} {value.removeprefix(PREFIX)}", item.get("vars") or {}
            elif key == "ansible.builtin.include_role" and value["name"].startswith(PREFIX):
                entry = value.get("tasks_from", "main")
                yield f"{value['name'].removeprefix(PREFIX)} {entry}", item.get("vars") or {}
            elif key in {"tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"}:
                yield from tasks(value)


def role_options(role: str, entry: str = "main") -> dict[str, t.Any]:
    """Return the options of a role's entry point, as an argument spec."""
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())
    return as_spec(specs["argument_specs"][entry]["options"])


def playbook_options(name: str) -> dict[str, t.Any]:
    """Return the variables that a playbook and its role have, as an argument spec."""
    found = playbook_variables(PLAYBOOKS[name].read_text(encoding="utf-8"), name)
    own = {each: {"type": "raw", "required": found[each] == REQUIRED} for each in found}
    return {**(role_options(name) if name in ROLES else {}), **own}


def as_spec(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return documented options as an argument spec."""
    kept = {"type", "default", "choices", "elements", "required"}
    return {
        name: {key: value for key, value in option.items() if key in kept}
        for name, option in options.items()
    }


def for_values(spec: dict[str, t.Any], arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the spec with no type where a template is given: nobody knows what it becomes."""
    templates = {name for name, value in arguments.items() if "{{" in str(value)}
    return {name: {} if name in templates else option for name, option in spec.items()}


def spec_of(module: str) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the options of what a task of an example asks for, and the rules for them."""
    if module.startswith(IMPORT):
        return playbook_options(module.split()[1]), {}
    return SPECS.get(module) or (role_options(*module.split()), {})


def problems(text: str) -> list[str]:
    """Return what the argument specs have against the tasks of an example."""
    found = []
    for module, arguments in tasks(yaml.safe_load(text)):
        spec, rules = spec_of(module)
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


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        pytest.param(
            "alpinefleet.kexec.fleet_step: {step: stop}", "value of step must be", id="a step"
        ),
        pytest.param(
            f"{IMPORT}: alpinefleet.kexec.look_after\n  vars: {{look_after_serials: 1}}",
            "look_after_serials. Supported parameters",
            id="a variable of a playbook",
        ),
        pytest.param(
            f"{IMPORT}: alpinefleet.kexec.look_after",
            "missing required arguments: look_after_output",
            id="one that a playbook needs",
        ),
    ],
)
def test_problems_sees_what_steps_and_playbooks_do_not_have(asked: str, problem: str) -> None:
    assert problem in " ".join(problems(f"- {asked}\n"))


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


# --- Examples of filters -------------------------------------------------------------------

# Ten times what they take.
FILTERS_SECONDS = 120.0
OF_ONE_RUN = pytest.mark.xdist_group("examples of filters")
# So many that the shares of the example are batches of different sizes.
WEB = [f"web{number}" for number in range(1, 31)]
# A host that says nothing is a failed one.
REPORT = audit.report({"web1": {}})


def filter_examples(name: str) -> list[dict[str, t.Any]]:
    module = importlib.import_module(f"{PACKAGE}.plugins.filter.{name}")
    return t.cast("list[dict[str, t.Any]]", yaml.safe_load(module.EXAMPLES))


def in_batches(play: dict[str, t.Any]) -> dict[str, t.Any]:
    """The play of an example, which tells of its hosts and reboots none of them."""
    told = {"name": "Batch", "ansible.builtin.debug": {"var": "ansible_play_batch"}}
    kept = {key: value for key, value in play.items() if key != "roles"}
    return {**kept, "gather_facts": False, "tasks": [{**told, "run_once": True}]}


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> PlayRun:
    """Run all examples of filters once, on hosts that are this machine."""
    folder = tmp_path_factory.mktemp("filters")
    (folder / "audit.json").write_text(json.dumps(REPORT))
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = folder / "inventory.json"
    hosts: dict[str, t.Any] = {name: {} for name in WEB}
    inventory.write_text(json.dumps({"web": {"hosts": hosts, "vars": here}}))
    of_one = [*filter_examples("audit_report"), *filter_examples("audit_table")]
    one = {"hosts": "web1", "gather_facts": False, "vars": {"report": REPORT}, "tasks": of_one}
    plays = [one, *map(in_batches, filter_examples("batch_sizes"))]
    (folder / "playbook.json").write_text(json.dumps(plays))
    return run_playbook(folder / "playbook.json", inventory, timeout=FILTERS_SECONDS)


def test_every_filter_has_an_example_that_is_run() -> None:
    filters = {path.stem for path in (ROOT / "plugins/filter").glob("*.py")}
    assert filters == {"audit_report", "audit_table", "batch_sizes"}
    for name in filters:
        assert f"| {PREFIX}{name}" in json.dumps(filter_examples(name))


@OF_ONE_RUN
def test_example_of_the_report_counts_the_hosts_that_were_asked(filtered: PlayRun) -> None:
    asked = filtered.task("Ask every host").result
    said = filtered.task("Say how many hosts can reboot through kexec").result["msg"]
    # This machine is none of a fleet.
    assert (asked["able"], int(said)) == (False, 0)


@OF_ONE_RUN
@pytest.mark.parametrize(
    "task", ["Show a report as a table", "Show the report that an audit wrote"]
)
def test_example_of_the_table_shows_a_report(filtered: PlayRun, task: str) -> None:
    assert filtered.task(task).result["msg"] == audit.table(REPORT)


@OF_ONE_RUN
def test_example_of_the_batches_has_one_host_and_then_a_tenth(filtered: PlayRun) -> None:
    batches = [task.result["ansible_play_batch"] for task in filtered.tasks if task.task == "Batch"]
    assert [len(batch) for batch in batches[:3]] == [1, 3, 3]
    assert filtered.rc == 0, filtered.output


# --- The variables of the playbooks --------------------------------------------------------


# In the place of a default, where a playbook has none.
REQUIRED = "required"


def playbook_variables(text: str, prefix: str) -> dict[str, t.Any]:
    """Return the variables that a playbook reads, and their defaults."""
    found = re.findall(rf"\b({prefix}_\w+) \| default\((.+?)(?:, true)?\)", text)
    required = re.findall(rf"{{{{ ({prefix}_\w+) }}}}", text)
    return {
        **dict.fromkeys(required, REQUIRED),
        **{name: yaml.safe_load(default) for name, default in found},
    }


def own_variables(text: str, prefix: str) -> set[str]:
    """Return the variables that a playbook makes itself."""
    registered = re.findall(rf"register: ({prefix}_\w+)", text)
    return {*registered, *re.findall(rf"^ +({prefix}_\w+):", text, re.MULTILINE)}


def documented_variables(text: str, prefix: str) -> dict[str, t.Any]:
    """Return the variables and defaults of the rows of tables, in Markdown and reStructuredText."""
    markdown = re.findall(rf"^\| `({prefix}_\w+)` \| `([^`]+)` \|", text, re.MULTILINE)
    rst = re.findall(rf"^``({prefix}_\w+)`` +(?:``(.+?)``|{REQUIRED}) ", text, re.MULTILINE)
    return {name: yaml.safe_load(default or REQUIRED) for name, default in (*markdown, *rst)}


def role_defaults(prefix: str) -> dict[str, t.Any]:
    """Return the defaults of the role that the playbook of that prefix runs, if it runs one."""
    defaults = ROOT / f"roles/{prefix}/defaults/main.yml"
    return yaml.safe_load(defaults.read_text()) if prefix in ROLES else {}


def test_variables_of_samples() -> None:
    play = (
        'a: "{{ x_a | default(\'y\') }}"\nb: "{{ x_b | default(1) }}"\n'
        "c: \"{{ x_c | default('', true) }}\"\nvars:\n  x_d: 1\nregister: x_e\nf: '{{ x_f }}'\n"
    )
    assert playbook_variables(play, "x") == {"x_a": "y", "x_b": 1, "x_c": "", "x_f": REQUIRED}
    assert own_variables(play, "x") == {"x_d", "x_e"}
    table = "| `x_a` | `y` | Z |\n| `x_c` | `''` | Z |\n"
    assert documented_variables(table, "x") == {"x_a": "y", "x_c": ""}
    table = "``x_a``  ``y``     Z\n``x_c``  ``''``    Z\n         more\n``x_f``  required  Z\n"
    assert documented_variables(table, "x") == {"x_a": "y", "x_c": "", "x_f": REQUIRED}


def test_every_playbook_that_ansible_can_ask_for_is_known() -> None:
    names = {"audit", "fast_reboot", "look_after", "prepare", "status"}
    names |= {"kernel_upgrade", "rolling_upgrade"}
    assert set(PLAYBOOKS) == names
    assert all((ROOT / f"playbooks/{name}.yml").is_file() for name in names)


@pytest.mark.parametrize("prefix", PLAYBOOKS)
def test_readme_or_a_guide_has_the_variables_of_the_playbook(prefix: str) -> None:
    text = PLAYBOOKS[prefix].read_text(encoding="utf-8")
    used = set(re.findall(rf"(?<![\w.]){prefix}_\w+", text))
    used -= own_variables(text, prefix) | OF_ROLES
    own, documented = playbook_variables(text, prefix), documented_variables(DOCUMENTS, prefix)
    assert own.keys() == used
    assert {name: documented.get(name) for name in own} == own
    # Of its role the tables have a choice.
    assert {**role_defaults(prefix), **own, **documented} == {**role_defaults(prefix), **own}


@pytest.mark.parametrize("prefix", PLAYBOOKS)
def test_no_document_names_another_variable(prefix: str) -> None:
    own = playbook_variables(PLAYBOOKS[prefix].read_text(encoding="utf-8"), prefix)
    known = own.keys() | role_defaults(prefix).keys() | OF_ROLES
    # A filter's name stands behind the collection's.
    named = set(re.findall(rf"(?<![\w.]){prefix}_\w+", DOCUMENTS))
    assert named <= known
    assert named


def test_no_document_names_another_variable_of_the_role() -> None:
    known = role_options("kexec_host").keys() | {"kexec_host_result"}
    named = set(re.findall(r"\bkexec_host_\w+", DOCUMENTS))
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
    named = set(re.findall(r"\b(\w+)\.(?:before|after)\b", DOCUMENTS))
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
    assert {editor.name for editor in editors.EDITORS} - read == set(ONLY_WRITTEN)
    sentence = re.search(r"`boot_parameter` writes the configurations of ([^()]*) \(", README)
    assert sentence is not None
    assert re.split(r",\s+|\s+and\s+", sentence[1]) == list(ONLY_WRITTEN.values())


# --- What is said once, and rightly ---------------------------------------------------------


def paragraphs(words: str) -> list[str]:
    """Return the paragraphs of all documents that have some words, each as one line."""
    found = re.split(r"\n\s*\n|\n *(?=\* |#\. )", DOCUMENTS)
    return [line for line in (" ".join(each.split()) for each in found) if words in line]


def test_whoever_names_apk_fix_says_that_it_mends_nothing_without_that_build() -> None:
    named = paragraphs("apk fix")
    assert named
    for each in named:
        assert "where the index still has that build" in each
        assert "ends without an error and mends nothing" in each


# That they do is tried in tests/unit/roles/test_batches.py.
def test_what_other_strategies_do_is_said_once() -> None:
    (said,) = paragraphs("host_pinned")
    assert "``free`` and ``host_pinned`` wait for a batch, too" in said
    assert "each host asks the brake by itself" in said
    others = [each for each in paragraphs("strategy: free") if each != said]
    assert [each for each in others if "batch" in each or "serial" in each] == []
