# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What belongs together in this project stays together: docs, specs, roles, scenarios."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.alpinefleet.kexec.plugins"
# What the actions accept: a module of plugin_utils, and its constant.
ACTIONS = {
    "fast_reboot_step": ("_fast_reboot.task", "STEP_ARGUMENTS"),
    "fleet_step": ("_fleet.task", "FLEET_ARGUMENTS"),
    "freeze_variables": ("_variables.roles", "FREEZE_ARGUMENTS"),
    "host_step": ("_host_steps.task", "HOST_STEP_SPEC"),
    "kexec_reboot": ("_reboot.spec", "ARGUMENT_SPEC"),
}

Options = dict[str, dict[str, t.Any]]

# --- The documentation of the actions and what they accept ----------------------------------


def fragment_options(name: str) -> Options:
    """Return the options of a documentation fragment, of this collection or of ansible-core."""
    package, rest = "ansible.plugins.doc_fragments", name.removeprefix("ansible.builtin.")
    if name.startswith("alpinefleet.kexec."):
        package, rest = f"{PACKAGE}.doc_fragments", name.removeprefix("alpinefleet.kexec.")
    file, _dot, variant = rest.partition(".")
    fragment = importlib.import_module(f"{package}.{file}").ModuleDocFragment
    text = getattr(fragment, (variant or "documentation").upper())
    return yaml.safe_load(text).get("options") or {}


def documented_options(documentation: str) -> Options:
    """Return all options of a module's documentation, with those of its fragments."""
    docs = yaml.safe_load(documentation)
    fragments = docs.get("extends_documentation_fragment") or []
    options: Options = {}
    for name in [fragments] if isinstance(fragments, str) else fragments:
        options.update(fragment_options(name))
    return {**options, **(docs.get("options") or {})}


def shape(option: dict[str, t.Any], suboptions: str) -> dict[str, t.Any]:
    """Return what documentation and argument spec both say of an option."""
    inner = option.get(suboptions)
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": bool(option.get("required", False)),
        "default": option.get("default"),
        "choices": list(option["choices"]) if option.get("choices") else None,
        "aliases": sorted(option.get("aliases") or []),
        "options": shapes(inner, suboptions) if inner else None,
    }


def shapes(options: Options, suboptions: str) -> dict[str, t.Any]:
    return {name: shape(option, suboptions) for name, option in options.items()}


def documented(action: str) -> dict[str, t.Any]:
    module = importlib.import_module(f"{PACKAGE}.modules.{action}")
    return shapes(documented_options(module.DOCUMENTATION), "suboptions")


@pytest.mark.parametrize("action", ACTIONS)
def test_documentation_of_an_action_equals_its_argument_spec(action: str) -> None:
    place, name = ACTIONS[action]
    spec = getattr(importlib.import_module(f"{PACKAGE}.plugin_utils.{place}"), name)
    # The action would replace variables of the controller in what it takes for a path.
    as_text = {
        name: {key: "str" if value == "path" else value for key, value in option.items()}
        for name, option in documented(action).items()
    }
    assert as_text == shapes(spec, "options")


def test_every_action_is_compared_with_its_documentation() -> None:
    assert ACTIONS.keys() == {path.stem for path in (ROOT / "plugins/action").glob("*.py")}


def test_paths_of_the_host_are_documented_as_paths() -> None:
    options = documented("kexec_reboot")
    assert options["kernel"]["type"] == options["initramfs"]["elements"] == "path"


def test_shapes_tell_a_difference_in_depth() -> None:
    docs = {"a": {"type": "dict", "suboptions": {"b": {"type": "int", "default": 1}}}}
    spec: Options = {"a": {"type": "dict", "options": {"b": {"type": "int", "default": 1}}}}
    assert shapes(docs, "suboptions") == shapes(spec, "options")
    spec["a"]["options"]["b"]["default"] = 2
    assert shapes(docs, "suboptions") != shapes(spec, "options")


def test_documentation_with_fragments_has_their_options() -> None:
    documentation = "extends_documentation_fragment: [alpinefleet.kexec._image]\noptions: {own: {}}"
    assert documented_options(documentation).keys() >= {"own", "kernel"}


def test_action_group_has_every_module_that_takes_an_image() -> None:
    # Defaults for the group, such as a kernel, are no options of other modules.
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["kexec"]
    modules = sorted(path.stem for path in (ROOT / "plugins/modules").glob("kexec_*.py"))
    assert sorted(group) == modules


# --- The version and what the changelog says of it -----------------------------------------


def release_problems(version: str, releases: dict[str, t.Any], fragments: list[str]) -> list[str]:
    """Return what is missing of a version that is released, or is the next to be."""
    if version in releases or fragments:
        return []
    return [f"{version} is not released and has no fragment"]


@pytest.mark.parametrize(
    ("releases", "fragments", "problems"),
    [
        pytest.param({"1.1.0": {}}, [], [], id="released"),
        pytest.param({"1.0.0": {}}, ["a.yml"], [], id="next"),
        pytest.param({}, ["a.yml"], [], id="first"),
        pytest.param({}, [], ["1.1.0 is not released and has no fragment"], id="bare"),
    ],
)
def test_release_problems(
    releases: dict[str, t.Any], fragments: list[str], problems: list[str]
) -> None:
    assert release_problems("1.1.0", releases, fragments) == problems


def test_version_of_this_collection_is_in_the_changelog() -> None:
    version = load(ROOT / "galaxy.yml")["version"]
    releases = load(ROOT / "changelogs/changelog.yaml")["releases"]
    fragments = [path.name for path in ROOT.glob("changelogs/fragments/*.yml")]
    assert release_problems(version, releases, fragments) == []


# --- Defaults of roles and their argument specs --------------------------------------------


def role_problems(role: Path) -> list[str]:
    """Return where a role's defaults and its argument specs differ."""
    specs_file = role / "meta/argument_specs.yml"
    if not specs_file.exists():
        return [f"{role.name}: no meta/argument_specs.yml"]
    defaults_file = role / "defaults/main.yml"
    defaults = yaml.safe_load(defaults_file.read_text()) if defaults_file.exists() else {}
    options: Options = {}
    for entry in yaml.safe_load(specs_file.read_text())["argument_specs"].values():
        options.update(entry.get("options") or {})
    return [f"{role.name}: {text}" for text in option_problems(defaults or {}, options)]


def option_problems(defaults: dict[str, t.Any], options: Options) -> t.Iterator[str]:
    # A required option has no default, and one without a default is left undefined.
    with_default = {
        name: option["default"] for name, option in options.items() if "default" in option
    }
    for name in sorted(defaults.keys() | with_default.keys()):
        if name not in with_default:
            yield f"{name} is in defaults only"
        elif name not in defaults:
            yield f"{name} has a default in the specs only"
        elif defaults[name] != with_default[name]:
            yield f"{name} is {defaults[name]!r} in defaults, {with_default[name]!r} in the specs"


def write_role(folder: Path, defaults: str, options: str) -> Path:
    role = folder / "sample"
    for name, text in (
        ("defaults/main.yml", defaults),
        ("meta/argument_specs.yml", f"argument_specs: {{main: {{options: {options}}}}}"),
    ):
        (role / name).parent.mkdir(parents=True)
        (role / name).write_text(text)
    return role


@pytest.mark.parametrize(
    ("defaults", "options", "problems"),
    [
        pytest.param("sample_a: 1", "{sample_a: {default: 1}, sample_b: {}}", [], id="equal"),
        pytest.param("{}", "{}", [], id="no options"),
        pytest.param("sample_a: 1", "{}", ["sample: sample_a is in defaults only"], id="no spec"),
        pytest.param(
            "{}",
            "{sample_a: {default: 1}}",
            ["sample: sample_a has a default in the specs only"],
            id="no default",
        ),
        pytest.param(
            "sample_a: 1",
            "{sample_a: {default: 2}}",
            ["sample: sample_a is 1 in defaults, 2 in the specs"],
            id="another value",
        ),
    ],
)
def test_role_problems(tmp_path: Path, defaults: str, options: str, problems: list[str]) -> None:
    assert role_problems(write_role(tmp_path, defaults, options)) == problems


def test_role_problems_of_a_role_without_specs(tmp_path: Path) -> None:
    assert role_problems(tmp_path / "bare") == ["bare: no meta/argument_specs.yml"]


def test_roles_of_this_collection_have_no_problem() -> None:
    roles = sorted(path for path in ROOT.glob("roles/*") if path.is_dir())
    assert [problem for role in roles for problem in role_problems(role)] == []


# --- What each entry point of a role can ----------------------------------------------------

# Attributes are for modules: ansible-core shows none of a role.
CAN = re.compile(
    r"(Check mode|Diff mode|Idempotence) - (full|partial|none|does not apply)\.( [^ ].*)?"
)
WANTED = ["Check mode", "Diff mode", "Idempotence"]


def support_problems(description: t.Sequence[str]) -> list[str]:
    """Return what a description does not say of what an entry point can."""
    said = [found for found in map(CAN.fullmatch, description) if found]
    missing = [name for name in WANTED if name not in [found[1] for found in said]]
    return [
        *(f"nothing of {name}" for name in missing),
        *(f"no details of {found[1]}" for found in said if found[2] != "full" and not found[3]),
    ]


@pytest.mark.parametrize(
    ("description", "problems"),
    [
        pytest.param([f"{name} - full." for name in WANTED], [], id="full"),
        pytest.param(["x", *(f"{name} - none. Why." for name in WANTED)], [], id="none"),
        pytest.param([], [f"nothing of {name}" for name in WANTED], id="nothing"),
        pytest.param(
            ["Check mode - partial.", "Diff mode - maybe.", "Idempotence - full."],
            ["nothing of Diff mode", "no details of Check mode"],
            id="half",
        ),
    ],
)
def test_support_problems(description: list[str], problems: list[str]) -> None:
    assert support_problems(description) == problems


def entry_points() -> t.Iterator[tuple[str, str, dict[str, t.Any]]]:
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        for entry, spec in yaml.safe_load(path.read_text())["argument_specs"].items():
            yield path.parts[-3], entry, spec


@pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, id=f"{role}, {entry}") for role, entry, spec in entry_points()],
)
def test_entry_point_says_what_it_can(spec: dict[str, t.Any]) -> None:
    assert support_problems(spec["description"]) == []


# --- Variables of roles, and the one task that reads each -----------------------------------

# A condition is an expression without braces.
EXPRESSIONS = {"when", "that", "until", "failed_when", "changed_when"}


def templates(node: t.Any, key: str = "") -> t.Iterator[str]:
    """Yield each template in what a file of a role says."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from templates(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from templates(value, key)
    elif isinstance(node, str):
        yield f"{{{{ {node} }}}}" if key in EXPRESSIONS and "{{" not in node else node


def names_read(template: str) -> set[str]:
    # Ansible takes a backslash for itself.
    parsed = jinja2.Environment().parse(template.replace("\\", "\\\\"))
    return {name.name for name in parsed.find_all(jinja2.nodes.Name)}


# A file is looked at for each variable of its role.
@functools.cache
def names_by_piece(path: Path) -> list[set[str]]:
    """Return what each task of a file reads, or the file itself where it has none."""
    if path.suffix == ".yml":
        found = yaml.safe_load(path.read_text())
        pieces = list(flat(found)) if isinstance(found, list) else [found]
    else:
        pieces = [path.read_text()]
    return [set().union(*map(names_read, templates(piece))) for piece in pieces]


def tasks_that_read(role: Path, variable: str) -> list[str]:
    """Return where a role reads a variable: the file, once for each task or variable in it."""
    files = [
        path
        for path in sorted(role.glob("*/*"))
        if path.parent.name not in {"defaults", "meta", "files"}
    ]
    return [
        str(path.relative_to(role))
        for path in files
        for names in names_by_piece(path)
        if variable in names
    ]


def flat(tasks: list[t.Any]) -> t.Iterator[t.Any]:
    """Yield the tasks of a file one by one, those of blocks, too."""
    parts = ("block", "rescue", "always")
    for task in tasks:
        yield {key: value for key, value in task.items() if key not in parts}
        for part in parts:
            yield from flat(task.get(part, []))


def test_tasks_that_read_sees_templates_conditions_and_blocks(tmp_path: Path) -> None:
    files = {
        "tasks/main.yml": "- block: [{debug: {msg: '{{ a | b }}'}, when: [b.c, d]}]\n  when: a\n",
        "tasks/text.yml": "- debug: {msg: a is said}\n",
        "templates/x.j2": "{% if a %}{{ b }}{% endif %}",
        "vars/main.yml": "x: ['{{ d }}']",
        "defaults/main.yml": "a: '{{ d }}'",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    places = {name: tasks_that_read(tmp_path, name) for name in ("a", "b", "d")}
    assert places == {
        "a": ["tasks/main.yml", "tasks/main.yml", "templates/x.j2"],
        "b": ["tasks/main.yml", "templates/x.j2"],
        "d": ["tasks/main.yml", "vars/main.yml"],
    }


SECRET_OF_FAST_REBOOT = ("fast_reboot_power_cycle_command", "fast_reboot_power_cycle_no_log")


# Facts of a host outrank the defaults and the inventory: what is read before a host is asked, and
# never again, no host changes.
@pytest.mark.parametrize("role", ["fast_reboot", "kernel_upgrade", "kexec_host", "rolling_upgrade"])
def test_variables_of_a_role_are_read_once_before_the_host_is_asked(role: str) -> None:
    variables = load(ROOT / f"roles/{role}/defaults/main.yml")
    places = {name: tasks_that_read(ROOT / "roles" / role, name) for name in variables}
    # An entry point of its own, which asks no host; and Ansible must know beforehand what it is not to show.
    entry = {
        "fast_reboot_error_budget": ["tasks/brake.yml"],
        **{name: ["vars/main.yml"] for name in SECRET_OF_FAST_REBOOT},
    }
    # The first step of fast_reboot reads them itself.
    place = {"fast_reboot": [], "rolling_upgrade": ["tasks/note.yml"]}.get(role, ["vars/main.yml"])
    assert places == {name: entry.get(name, place) for name in variables}


# --- Size of what is no Python -------------------------------------------------------------

TASK_LINES, EXPRESSION_LINES = 50, 3


def scalars(node: t.Any) -> t.Iterator[yaml.ScalarNode]:
    """Return every value of a document."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, (tuple, list)):
        for each in node:
            yield from scalars(each)
    elif node is not None:
        yield from scalars(node.value)


def long_expressions(text: str) -> list[str]:
    """Return the expressions that a function with a table of tests should be."""
    found = [each for each in scalars(yaml.compose(text)) if "{{" in each.value]
    return [
        each.value
        for each in found
        # The mark behind a folded text is that of the next line.
        if each.end_mark.line - each.start_mark.line - (each.style in (">", "|"))
        > EXPRESSION_LINES - (each.style not in (">", "|"))
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a: '{{ b }}'", 0),
        ("a: >-\n  {{ b\n  or c\n  or d }}\n", 0),
        ("a: >-\n  {{ b\n  or c\n  or d\n  or e }}\n", 1),
        ("a: >-\n  b\n  or c\n  or d\n  or e\n", 0),
        ("a: '{{ b\n  or c\n  or d }}'", 0),
        ("a: '{{ b\n  or c\n  or d\n  or e }}'", 1),
        ("- - a: >-\n      {{ b\n      or c\n      or d\n      or e }}\n", 1),
        ("", 0),
    ],
)
def test_long_expression_is_found(text: str, count: int) -> None:
    assert len(long_expressions(text)) == count


def test_roles_decide_nothing_in_yaml() -> None:
    files = [path for folder in ("roles", "playbooks") for path in (ROOT / folder).rglob("*.yml")]
    assert files
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}
    assert {name: found for name, text in texts.items() if (found := long_expressions(text))} == {}
    tasks = {name: len(text.splitlines()) for name, text in texts.items() if "/tasks/" in name}
    assert {name: lines for name, lines in tasks.items() if lines > TASK_LINES} == {}


# --- Errors around a role -------------------------------------------------------------------

ERRORS = ("any_errors_fatal", "ignore_errors", "ignore_unreachable")


# What only asks or takes variables, hands all else to another entry point, or is a first task of its own.
WITHOUT_A_BLOCK = {
    ("fast_reboot", "note"): "what it could not take is no run that anybody goes on with",
    ("fast_reboot", "resume"): "settle",
    ("fast_reboot", "look_after"): "settle",
    ("fast_reboot", "status"): "only asks",
    ("fast_reboot", "brake"): "has them otherwise",
    ("kexec_host", "bootstrap"): "changes nothing but that Python is there",
    ("rolling_upgrade", "check"): "the role that includes it has one around it",
    ("rolling_upgrade", "upgrade"): "the role that includes it has one around it",
}


def tasks_at(role: str, entry: str) -> list[dict[str, t.Any]]:
    found = yaml.safe_load((ROOT / f"roles/{role}/tasks/{entry}.yml").read_text(encoding="utf-8"))
    return t.cast("list[dict[str, t.Any]]", found)


def blocks_that_pass_over(tasks: list[dict[str, t.Any]]) -> list[str]:
    """What is wrong with the tasks of an entry point, where a play passes over errors."""
    outermost, *others, last = tasks
    wrong = [word for word in ERRORS if outermost.get(word) is not False]
    wrong += [] if outermost.get("block") and outermost.get("rescue") else ["no block"]
    # The last task passes on that the role failed; nothing else is outside of the block.
    wrong += [] if last.get("ansible.builtin.import_tasks") == "end.yml" else ["no end"]
    return wrong + ["more tasks"] * bool(others) + [each for each in ERRORS if each in last]


@pytest.mark.parametrize(
    ("role", "entry"),
    [
        (role, entry)
        for role, entry, _spec in entry_points()
        if (role, entry) not in WITHOUT_A_BLOCK
    ],
)
def test_entry_point_lets_the_play_pass_over_no_error(role: str, entry: str) -> None:
    assert blocks_that_pass_over(tasks_at(role, entry)) == []
    (end,) = tasks_at(role, "end")
    assert (end["ignore_errors"], "any_errors_fatal" in end) == (False, False)


def test_entry_points_without_a_block_are_those_that_need_none() -> None:
    known = {(role, entry) for role, entry, _spec in entry_points()}
    assert WITHOUT_A_BLOCK.keys() < known
    for (role, entry), why in WITHOUT_A_BLOCK.items():
        if why in {name for _role, name in known}:
            assert f"{why}.yml" in included(role, entry)
    (brake,) = tasks_at("fast_reboot", "brake")
    assert (brake["any_errors_fatal"], brake["ignore_errors"]) == (True, False)


def included(role: str, entry: str) -> set[str]:
    """Return the files of tasks that an entry point comes to by those that it names, itself included."""
    found, left = set(), [f"{entry}.yml"]
    while left:
        file = left.pop()
        found.add(file)
        named = [
            task[name]
            for task in flat(tasks_at(role, file.removesuffix(".yml")))
            for name in task
            if name in INCLUDES
        ]
        left += [each for each in named if isinstance(each, str) and "{" not in each]
        left = [each for each in left if each not in found]
    return found


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("- {block: [], rescue: []}\n- {}", [*ERRORS, "no block", "no end"]),
        (
            """
- {block: [a], rescue: [a], any_errors_fatal: false, ignore_errors: false, ignore_unreachable: true}
- a
- {ansible.builtin.import_tasks: end.yml, ignore_errors: true}
""",
            ["ignore_unreachable", "more tasks", "ignore_errors"],
        ),
    ],
)
def test_block_that_passes_over_something_is_found(text: str, wrong: list[str]) -> None:
    assert blocks_that_pass_over(yaml.safe_load(text)) == wrong


# --- Tags -----------------------------------------------------------------------------------


def keys(node: t.Any) -> t.Iterator[str]:
    """Yield each key in what a file says."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name
            yield from keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys(value)


# By a tag somebody leaves out the guard or the brake, and not the reboot: even by "always".
def test_no_playbook_and_no_role_has_tags() -> None:
    files = [*ROOT.glob("playbooks/*.yml"), *ROOT.glob("roles/*/[!d]*/*.yml")]
    assert {path.parent.name for path in files} >= {"playbooks", "tasks", "handlers", "meta"}
    assert "tags" in keys([{"block": [{"tags": "always"}]}])
    assert [path for path in files if "tags" in keys(yaml.safe_load(path.read_text()))] == []


INCLUDES = {
    f"ansible.builtin.{word}_{what}" for word in ("include", "import") for what in ("tasks", "role")
}


def modules_of(node: list[dict[str, t.Any]]) -> set[str]:
    """The names of all modules in tasks, those of blocks, too."""
    found: set[str] = set()
    for task in node:
        inner = [each for word in BLOCK for each in task.get(word, ())]
        found |= modules_of(inner) if inner else {name for name in task if "." in name}
    return found


BLOCK = ("block", "rescue", "always")
MAINS = sorted(ROOT.glob("roles/*/tasks/main.yml"))


@pytest.mark.parametrize("path", MAINS, ids=[path.parts[-3] for path in MAINS])
def test_main_only_includes(path: Path) -> None:
    found = modules_of(yaml.safe_load(path.read_text()))
    assert found
    assert found <= INCLUDES


# --- Molecule scenarios and the playbooks that their sequences name ------------------------

# Molecule's own sequence, for a scenario that has none.
SEQUENCE = [
    "dependency",
    "cleanup",
    "destroy",
    "syntax",
    "create",
    "prepare",
    "converge",
    "idempotence",
    "side_effect",
    "verify",
    "cleanup",
    "destroy",
]
NO_PLAYBOOK = {"dependency", "syntax", "idempotence", "check"}
# Where a scenario names its hosts, by the folder that it is in.
HOSTS = {"containers": "containers.yml", "vm": "machines.yml"}


def merged(base: dict[str, t.Any], own: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return Molecule's configuration of a scenario: its own over the common one."""
    result = dict(base)
    for key, value in own.items():
        old = result.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        result[key] = merged(t.cast("dict[str, t.Any]", old), value) if both else value
    return result


def load(path: Path) -> dict[str, t.Any]:
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


def playbook_of(step: str, scenario: Path, config: dict[str, t.Any], root: Path) -> Path:
    playbooks = (config.get("ansible") or {}).get("playbooks") or {}
    name = str(playbooks.get(step) or f"{step}.yml")
    return scenario / name.replace("${MOLECULE_PROJECT_DIRECTORY}", str(root))


def has_test(folder: Path) -> bool:
    """Tell whether a folder has a file of tests that pytest finds, with a test in it."""
    return any(
        isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for path in folder.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    )


def host_problems(scenario: Path, shared: bool) -> t.Iterator[str]:
    """Yield what is wrong with the hosts of a scenario that makes its own."""
    hosts = HOSTS.get(scenario.parent.name)
    # One selected scenario that shares its state takes create and destroy from all the others.
    if hosts and shared:
        yield "a scenario with hosts of its own must not share state"
    if hosts and not (scenario / hosts).is_file():
        yield f"no {hosts}"


def scenario_problems(scenario: Path, root: Path) -> list[str]:
    """Return what a scenario's sequence names and nothing provides; Molecule only warns."""
    molecule = root / "extensions/molecule"
    name = scenario.relative_to(molecule)
    config = merged(load(molecule / "config.yml"), load(scenario / "molecule.yml"))
    settings = config.get("scenario") or {}
    steps = dict.fromkeys(settings.get("test_sequence") or SEQUENCE)
    shared = bool(config.get("shared_state") or settings.get("shared_state"))
    problems = [f"{name}: {text}" for text in host_problems(scenario, shared)]
    if shared and name.parts[0] != "default":
        steps = {step: None for step in steps if step not in {"create", "destroy"}}
    testinfra = (config.get("verifier") or {}).get("name") == "testinfra"
    for step in steps:
        if step in NO_PLAYBOOK or (step == "verify" and testinfra):
            continue
        if not playbook_of(step, scenario, config, root).is_file():
            problems.append(f"{name}: no playbook for {step}")
    if "verify" not in steps:
        problems.append(f"{name}: nothing is verified")
    elif testinfra and not has_test(scenario / "tests"):
        problems.append(f"{name}: no test in tests/test_*.py")
    return problems


def write_scenario(root: Path, name: str, config: str, files: dict[str, str]) -> Path:
    scenario = root / "extensions/molecule" / name
    for file, text in {"molecule.yml": config, **files}.items():
        (scenario / file).parent.mkdir(parents=True, exist_ok=True)
        (scenario / file).write_text(text)
    return scenario


GOOD = "{verifier: {name: testinfra}, scenario: {test_sequence: [create, converge, verify]}}"
FILES = {
    "converge.yml": "",
    "create.yml": "",
    "machines.yml": "",
    "tests/test_it.py": "def test_it():\n    pass\n",
}


@pytest.mark.parametrize(
    ("config", "without", "problems"),
    [
        pytest.param(GOOD, None, [], id="good"),
        pytest.param(GOOD, "create.yml", ["vm/it: no playbook for create"], id="no create"),
        pytest.param(GOOD, "tests/test_it.py", ["vm/it: no test in tests/test_*.py"], id="no test"),
        pytest.param(
            GOOD.replace(", verify", ""), None, ["vm/it: nothing is verified"], id="no verify"
        ),
        pytest.param(
            GOOD.replace("testinfra", "ansible"),
            None,
            ["vm/it: no playbook for verify"],
            id="another verifier",
        ),
        pytest.param(
            GOOD.replace("scenario", "shared_state: true, scenario"),
            None,
            ["vm/it: a scenario with hosts of its own must not share state"],
            id="shared state",
        ),
        pytest.param(GOOD, "machines.yml", ["vm/it: no machines.yml"], id="no hosts"),
    ],
)
def test_scenario_problems(
    tmp_path: Path, config: str, without: str | None, problems: list[str]
) -> None:
    files = {name: text for name, text in FILES.items() if name != without}
    assert scenario_problems(write_scenario(tmp_path, "vm/it", config, files), tmp_path) == problems


def test_scenario_problems_of_a_scenario_in_containers(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, "containers/it", GOOD, FILES)
    assert scenario_problems(scenario, tmp_path) == ["containers/it: no containers.yml"]
    (scenario / "containers.yml").touch()
    assert scenario_problems(scenario, tmp_path) == []


def test_scenario_problems_sees_an_empty_test_file(tmp_path: Path) -> None:
    files = {**FILES, "tests/test_it.py": "import os\n"}
    scenario = write_scenario(tmp_path, "it", GOOD, files)
    assert scenario_problems(scenario, tmp_path) == ["it: no test in tests/test_*.py"]


def test_scenario_problems_follows_a_common_playbook(tmp_path: Path) -> None:
    common = "{ansible: {playbooks: {create: '${MOLECULE_PROJECT_DIRECTORY}/shared/create.yml'}}}"
    files = {name: text for name, text in FILES.items() if name != "create.yml"}
    scenario = write_scenario(tmp_path, "it", GOOD, files)
    (tmp_path / "extensions/molecule/config.yml").write_text(common)
    assert scenario_problems(scenario, tmp_path) == ["it: no playbook for create"]
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/create.yml").touch()
    assert scenario_problems(scenario, tmp_path) == []


def test_scenarios_of_this_collection_have_no_problem() -> None:
    scenarios = sorted(path.parent for path in ROOT.glob("extensions/molecule/**/molecule.yml"))
    assert [text for path in scenarios for text in scenario_problems(path, ROOT)] == []
