# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules for sources: head, what they may speak of, length of functions, tests, and imports."""

from __future__ import annotations

import ast
import graphlib
import itertools
import re
import statistics
import subprocess
import tomllib
import typing as t
import zlib
from pathlib import Path

import pytest
import yaml
from ansible_collections.alpinefleet.kexec.tests.shell_coverage import report as shell_coverage

ROOT = Path(__file__).resolve().parents[2]

# REUSE-IgnoreStart
HEAD = (
    "Copyright (c) 2026 The alpinefleet.kexec authors",
    "GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "SPDX-License-Identifier: GPL-3.0-or-later",
)
# REUSE-IgnoreEnd
WITHOUT_HEAD = {"COPYING", "LICENSES/GPL-3.0-or-later.txt"}

# Written in pieces, so that this file keeps the rule too.
REGISTRIES = (
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("deb.debian", "org"),
    ("security.debian", "org"),
    ("archive.ubuntu", "com"),
    ("galaxy.ansible", "com"),
    ("registry.npmjs", "org"),
    ("hub.docker", "com"),
    ("ghcr", "io"),
    ("quay", "io"),
)
HOST = re.compile("|".join(re.escape(".".join(pieces)) for pieces in REGISTRIES), re.IGNORECASE)
# A path of someone's own machine; /proc/1/root/ and the like are none.
OWN_PATH = re.compile(r"(?<![\w./*-])/(?:" + "|".join(("work", "root", "home")) + r")/\w")

MAXIMUM, MEDIAN, NINTH_DECILE = 60, 12, 30
# An entry point has its options and its wiring, and nothing that decides.
ENTRY_POINTS = ("plugins/action/", "plugins/filter/", "plugins/modules/")
ENTRY_POINT_MAXIMUM = 60

PLUGINS = "ansible_collections.alpinefleet.kexec.plugins"
# The folders and files of plugins/, each a concern. One imports only what stands before it.
ROOMS = (
    "module_utils/_reasons",
    "module_utils/_cmdline",
    "module_utils/_host",
    "module_utils/_write",
    "module_utils/_bootloader",
    "module_utils/_bootconfig",
    "module_utils/_record",
    "module_utils/_jump",
    # What other rooms need to know of trials.
    "module_utils/_trial/journal",
    "module_utils/_image",
    "module_utils/_preflight",
    "module_utils/_kexec",
    "module_utils/_slot",
    "module_utils/_trial",
    "module_utils/_module",
    "plugin_utils/_text",
    "plugin_utils/_parsing",
    "plugin_utils/_step",
    "plugin_utils/_reboot",
    "plugin_utils/_variables",
    "plugin_utils/_transport",
    "plugin_utils/_kexec_reboot",
    "plugin_utils/_fast_reboot",
    "plugin_utils/_host_steps",
    "plugin_utils/_fleet",
    "doc_fragments",
    "modules",
    "filter",
    "action",
)
# Nothing that runs on a host comes from the controller, and no entry point from another one.
CLOSED = {"modules": ("plugin_utils/",), "filter": ("modules",), "action": ("modules", "filter")}


def project_files() -> list[str]:
    """Return the names of the project's files; in an unpacked archive that is all of them."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    skip = re.compile(r"(^|/)(__pycache__|\.venv|\.cache|tests/output)/")
    return sorted(name for name in names if (ROOT / name).is_file() and not skip.search(name))


def text_of(name: str) -> str:
    """Return a file's text, or nothing of a binary file."""
    content = (ROOT / name).read_bytes()
    return "" if b"\0" in content else content.decode()


FILES = project_files()


def test_there_are_files_to_look_at() -> None:
    assert {"galaxy.yml", "test", "tests/unit/test_sources.py"} <= set(FILES)


# --- The head ------------------------------------------------------------------------------


def head_of(name: str) -> tuple[str, ...]:
    """The lines that a file begins with; what every host is sent names its licence once."""
    sent = name.startswith("plugins/module_utils/")
    return tuple(line for line in HEAD if not (sent and line.startswith("GNU")))


def has_head(name: str, text: str) -> bool:
    start = "\n".join(text.splitlines()[:8])
    return all(line in start for line in head_of(name))


def annotated() -> list[str]:
    """Return the patterns of REUSE.toml, for files that cannot bear a head."""
    tables = tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]
    return [pattern for table in tables for pattern in table["path"]]


def is_annotated(name: str, patterns: list[str]) -> bool:
    return any(
        name.startswith(pattern.removesuffix("**")) if pattern.endswith("/**") else name == pattern
        for pattern in patterns
    )


def test_has_head_wants_each_line() -> None:
    comment = [f"# {line}" for line in HEAD]
    assert has_head("test", "\n".join(["#!/bin/sh", *comment]))
    for left_out in comment:
        assert not has_head("test", "\n".join(line for line in comment if line != left_out))


def test_head_of_what_is_sent_is_shorter_by_a_line() -> None:
    assert set(HEAD) - set(head_of("plugins/module_utils/_cmdline.py")) == {HEAD[1]}
    assert head_of("plugins/modules/kexec_load.py") == HEAD


def test_every_file_has_the_head() -> None:
    patterns = annotated()
    bare = [
        name
        for name in FILES
        if name not in WITHOUT_HEAD
        and not is_annotated(name, patterns)
        and not (ROOT / f"{name}.license").exists()
        and not has_head(name, text_of(name))
    ]
    assert bare == []


# --- What a file may speak of --------------------------------------------------------------


def foreign(text: str) -> list[str]:
    """Return the names of registries and the paths of a developer's machine in a text."""
    return [match[0] for pattern in (HOST, OWN_PATH) for match in pattern.finditer(text)]


@pytest.mark.parametrize("pieces", REGISTRIES, ids=lambda pieces: pieces[0])
def test_foreign_sees_a_registry(pieces: tuple[str, str]) -> None:
    assert foreign(f"index-url = https://{'.'.join(pieces)}/simple")


@pytest.mark.parametrize("folder", ["work", "root", "home"])
def test_foreign_sees_a_path(folder: str) -> None:
    assert foreign(f"cd '/{folder}/someone'") == [f"/{folder}/s"]


@pytest.mark.parametrize("text", ["/proc/1/root/etc", "the /work of", "docker.io", "lib/root/x"])
def test_foreign_leaves_alone(text: str) -> None:
    assert foreign(text) == []


def test_no_file_speaks_of_registries_and_machines() -> None:
    found = {name: foreign(text_of(name)) for name in FILES}
    assert {name: words for name, words in found.items() if words} == {}


# --- The length of functions ---------------------------------------------------------------


def lengths(source: str) -> dict[str, int]:
    """Return the lines of each function of a Python source, by name and line."""
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def length_problems(by_name: t.Mapping[str, int]) -> list[str]:
    """Return in what a collection of functions is too long."""
    values = sorted(by_name.values())
    ninth = statistics.quantiles(values, n=10, method="inclusive")[-1]
    problems = [f"{name} has {lines}" for name, lines in by_name.items() if lines > MAXIMUM]
    if statistics.median(values) > MEDIAN:
        problems.append(f"the median is {statistics.median(values)}")
    if ninth > NINTH_DECILE:
        problems.append(f"the ninth decile is {ninth}")
    return problems


def test_lengths_counts_from_def_to_the_last_line() -> None:
    assert lengths("@x\ndef f():\n    def g(): pass\n    return g\n") == {"f:2": 3, "g:3": 1}


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        pytest.param([1] * 8 + [40] * 2, ["the ninth decile is 40.0"], id="decile"),
        pytest.param([1] * 20 + [61], ["f20 has 61"], id="maximum"),
        pytest.param([13] * 5, ["the median is 13"], id="median"),
        pytest.param([12] * 10 + [30], [], id="good"),
    ],
)
def test_length_problems(values: list[int], problems: list[str]) -> None:
    assert length_problems({f"f{n}": lines for n, lines in enumerate(values)}) == problems


def python_folder(name: str) -> str:
    """The part of the project that a Python source is of: each kind of tests is one of its own."""
    first, *others = Path(name).parent.parts or (name,)
    return f"tests/{others[0]}" if first == "tests" and others else first


PYTHON_FOLDERS = sorted({python_folder(name) for name in FILES if name.endswith(".py")})


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("plugins/modules/kexec_load.py", "plugins"),
        ("tests/unit/lab/test_qemu.py", "tests/unit"),
        ("tests/setup/slowest.py", "tests/setup"),
        ("extensions/molecule/vm/conftest.py", "extensions"),
        ("noxfile.py", "noxfile.py"),
    ],
)
def test_python_folder(name: str, folder: str) -> None:
    assert python_folder(name) == folder
    assert folder in PYTHON_FOLDERS


@pytest.mark.parametrize("folder", PYTHON_FOLDERS)
def test_functions_are_short(folder: str) -> None:
    by_name = {
        f"{name} {function}": lines
        for name in FILES
        if name.endswith(".py") and python_folder(name) == folder
        for function, lines in lengths(text_of(name)).items()
    }
    assert length_problems(by_name) == []


# --- What tools are told to pass over -------------------------------------------------------

# In pieces, so that this file has none of them.
MARKS = ("no" + "qa", "type: " + "ignore", "pragma: " + "no cover", "pylint: " + "disable")


def of_ruff() -> set[str]:
    lint = tomllib.loads(text_of("ruff.toml"))["lint"]
    return {*lint["ignore"], *itertools.chain(*lint["per-file-ignores"].values())}


def of_yamllint() -> set[str]:
    rules = yaml.safe_load(text_of(".yamllint"))["rules"]
    return {name for name, setting in rules.items() if setting == "disable"}


def of_shellcheck() -> set[str]:
    option, directive = "--exclude=", "shellcheck " + "disable="
    found = re.findall(rf"(?:{option}|{directive})([SC\d,]+)", "".join(map(text_of, FILES)))
    return set(itertools.chain(*(codes.split(",") for codes in found)))


def rows_of_testing() -> dict[str, set[str]]:
    """The codes in the second column of the table in TESTING.md, by the tool in the first."""
    section = text_of("TESTING.md").partition("\n### What is passed over\n")[2].partition("\n#")[0]
    named: dict[str, set[str]] = {}
    for tool, what in re.findall(r"^\| (\w+) \| ([^|]+) \|", section, re.MULTILINE):
        named.setdefault(tool, set()).update(re.findall(r"`([^`]+)`", what))
    return named


def test_testing_names_all_that_tools_are_told_to_pass_over() -> None:
    rows = rows_of_testing()
    found = {"ruff": of_ruff(), "yamllint": of_yamllint(), "shellcheck": of_shellcheck()}
    assert {tool: rows[tool] for tool in found} == found
    assert "SC2034" in found["shellcheck"]


def test_testing_counts_the_labels_that_sphinx_is_told_to_pass_over() -> None:
    labels = re.findall(r'^    \("std:ref", ', text_of("noxfile.py"), re.MULTILINE)
    assert len(labels) == 5
    assert "| Sphinx | five labels |" in text_of("TESTING.md")


def test_no_line_of_python_is_passed_over() -> None:
    python = {name: text_of(name) for name in FILES if name.endswith(".py")}
    assert [name for name, text in python.items() if any(mark in text for mark in MARKS)] == []


# --- Which shell programs are measured -----------------------------------------------------

# What only an Alpine with these files at their places can run, each a command or two.
IN_CONTAINERS = {"secureboot.hook", "update-grub", "zipl"}


def is_shell(name: str, text: str) -> bool:
    """Tell whether a file is a shell program."""
    return name.endswith(".initd") or re.match(r"#!\S+(/| )(ba)?sh\n", text) is not None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("demo", "#!/usr/bin/env bash\n", True, id="bash"),
        pytest.param("tests/lab/files/update-grub", "#!/bin/sh\n", True, id="sh"),
        pytest.param("a/b.initd", "# Copyright\n", True, id="a service"),
        pytest.param("a/b.py", "#!/usr/bin/python\n", False, id="another language"),
        pytest.param("a/b.md", "Text\n#!/bin/sh\n", False, id="an example"),
    ],
)
def test_is_shell(name: str, text: str, expected: bool) -> None:
    assert is_shell(name, text) is expected


def test_every_shell_program_is_measured_unless_it_is_said_not_to_be() -> None:
    found = {Path(name) for name in FILES if is_shell(name, text_of(name))}
    stand_ins = {path for path in found if "extensions/molecule/containers" in str(path)}
    assert {path.name for path in stand_ins} == IN_CONTAINERS
    # A name stands for one of them.
    measured = shell_coverage.programs(ROOT)
    assert sorted(path.name for path in found - stand_ins) == sorted(measured)


# --- Where the tests of a source are -------------------------------------------------------

# Tests of no single source, and what they are about instead.
OF_SEVERAL = {
    "tests/unit/test_commands.py": "what people and continuous integration call",
    "tests/unit/test_deprecated.py": "what all of them import",
    "tests/unit/test_docs.py": "what documents say of them",
    "tests/unit/test_notes.py": "what programs of two languages write and read",
    "tests/unit/test_project.py": "what belongs together in the project",
    "tests/unit/test_sources.py": "all of them",
    "tests/unit/lab/power/test_samples.py": "real logs, through the whole judge",
    "tests/unit/matrix/test_readme.py": "what the README says of the matrix",
    "tests/unit/plugins/module_utils/_bootconfig/test_edit_hostile.py": "each format alike",
    "tests/unit/plugins/module_utils/_slot/test_store_killed.py": "a program that forks and dies",
    "tests/unit/plugins/module_utils/_write/test_files_killed.py": "a program that forks and dies",
    "tests/unit/playbooks/test_three_runs.py": "one playbook after the other",
    "tests/unit/roles/test_batches.py": "what Ansible makes of the batches of a brake",
    "tests/unit/roles/test_command_line.py": "what a service and the modules make of one line",
    "tests/unit/roles/test_errors.py": "all roles",
    "tests/unit/roles/test_facts.py": "all roles",
    "tests/unit/roles/test_hook_files.py": "what the role and Ansible make of a hook's files",
    "tests/unit/roles/test_left_behind.py": "the roles around a reboot",
    "tests/unit/roles/test_merged_hashes.py": "the role fast_reboot where hashes are merged",
    "tests/unit/roles/test_power_cycle.py": "the last rung of the role fast_reboot",
    "tests/unit/roles/test_stand_in.py": "what stands in for the reboot in those",
    "tests/unit/roles/test_variables.py": "all roles",
    "tests/unit/roles/test_kexec_host_confirm.py": "one of the services of a role",
    "tests/unit/roles/test_kexec_host_modules.py": "two services of a role, and their program",
    "tests/unit/roles/test_kexec_host_services.py": "the other services of a role",
    "tests/unit/roles/test_kexec_host_settings.py": "a template of a role",
    "tests/unit/roles/test_kexec_host_slots.py": "one of them, on a host with slots",
    "tests/unit/roles/test_kexec_host_trial.py": "one of them, while a kernel is on trial",
    "tests/unit/shell_coverage/test_shell_coverage.py": "the whole of a program",
}


def is_protocol(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        re.fullmatch(r"(\w+\.)?Protocol(\[.*\])?", ast.unparse(base)) for base in node.bases
    )


def has_code(source: str) -> bool:
    """Tell whether a Python source does something; constants and protocols do not."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return True
        waiting += [each for each in ast.iter_child_nodes(node) if not is_protocol(each)]
    return False


def mirrored(test: str) -> set[str]:
    """The names, without an ending, that the source of a test file may have."""
    folder, _slash, name = test.removeprefix("tests/unit/").rpartition("/")
    stem = name.removeprefix("test_").removesuffix(".py")
    # A playbook's name may have hyphens, and a program's is that of its folder.
    stems = (stem, stem.replace("_", "-"), f"__{stem}__")
    return {f"{root}{folder}/{each}" for root in ("", "tests/") for each in stems}


def mirror_problems(names: t.Iterable[str], with_code: t.Iterable[str]) -> list[str]:
    """Return which sources with code and which test files have no counterpart in its place."""
    known = set(names)
    tests = {name for name in known if re.search(r"^tests/unit/(.*/)?test_[^/]*\.py$", name)}
    sources = known - tests
    # A folder is a source, too: of shell programs, or a role.
    places = {str(Path(name).with_suffix("")) for name in sources}
    places |= {str(parent) for name in sources for parent in Path(name).parents}
    wanted = {name: f"tests/unit/{Path(name).parent}/test_{Path(name).name}" for name in with_code}
    problems = [f"{name} has no {test}" for name, test in wanted.items() if test not in tests]
    problems += [f"{name} has no source" for name in tests if not mirrored(name) & places]
    return sorted(problems)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("A = 1\nB: int = len('x')\n", False, id="constants"),
        pytest.param("class A(t.Protocol):\n    def f(self): ...\n", False, id="a protocol"),
        pytest.param("class A(Protocol[T]):\n    def f(self): ...\n", False, id="one of a type"),
        pytest.param("class A(NoProtocol):\n    def f(self): ...\n", True, id="another base"),
        pytest.param("class A:\n    x: int = 1\n", False, id="a value"),
        pytest.param("class A:\n    def f(self): ...\n", True, id="a method"),
        pytest.param("def f(): ...\n", True, id="a function"),
        pytest.param("if x:\n    async def f(): ...\n", True, id="a function below a condition"),
    ],
)
def test_has_code(source: str, expected: bool) -> None:
    assert has_code(source) is expected


NOTE, ITS_TEST = "plugins/module_utils/_jump/note.py", "tests/unit/plugins/module_utils/_jump/"


@pytest.mark.parametrize(
    ("names", "problems"),
    [
        pytest.param([NOTE, f"{ITS_TEST}test_note.py", f"{ITS_TEST}conftest.py"], [], id="good"),
        pytest.param([NOTE], [f"{NOTE} has no {ITS_TEST}test_note.py"], id="no test"),
        pytest.param(
            [NOTE, f"{ITS_TEST}test_note.py", f"{ITS_TEST}test_frozen.py"],
            [f"{ITS_TEST}test_frozen.py has no source"],
            id="another name",
        ),
        pytest.param(
            [NOTE, "tests/unit/plugins/module_utils/test_note.py"],
            [
                f"{NOTE} has no {ITS_TEST}test_note.py",
                "tests/unit/plugins/module_utils/test_note.py has no source",
            ],
            id="another folder",
        ),
        pytest.param(["tests/lab/qemu.py", "tests/unit/lab/test_qemu.py"], [], id="a tool"),
        pytest.param(["tests/demo/__main__.py", "tests/unit/demo/test_main.py"], [], id="main"),
        pytest.param(
            ["playbooks/fast-reboot.yml", "tests/unit/playbooks/test_fast_reboot.py"],
            [],
            id="a playbook",
        ),
        pytest.param(
            ["roles/kexec_host/tasks/main.yml", "tests/unit/roles/test_kexec_host.py"],
            [],
            id="a role",
        ),
    ],
)
def test_mirror_problems(names: list[str], problems: list[str]) -> None:
    assert mirror_problems(names, {NOTE} & set(names)) == problems


def test_each_source_and_its_tests_have_one_name() -> None:
    # What only tests is seen at work by the tests that use it; not each file of it has its own.
    with_code = [name for name in FILES if re.search(r"^plugins/.*\.py$", name)]
    with_code = [name for name in with_code if has_code(text_of(name))]
    assert NOTE in with_code
    problems = set(mirror_problems(FILES, with_code))
    excepted = {f"{name} has no source" for name in OF_SEVERAL}
    assert problems - excepted == set()
    assert excepted - problems == set()


# --- The length of entry points ------------------------------------------------------------


def is_documentation(node: ast.stmt) -> bool:
    """Whether a statement is a docstring, or one of the texts that ansible-doc reads."""
    if isinstance(node, ast.Assign):
        names = {each.id for each in node.targets if isinstance(each, ast.Name)}
        return bool(names & {"DOCUMENTATION", "EXAMPLES", "RETURN"})
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def code_lines(source: str) -> int:
    """Count the lines of a Python source that are not blank, comment or documentation."""
    documentation = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and is_documentation(node)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in documentation
        for number, line in enumerate(source.splitlines(), start=1)
    )


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        pytest.param("# why\n\nx = 1  # what\n", 1, id="comments and blanks"),
        pytest.param(
            '"""Says."""\ndef f():\n    """More.\n\n    Of it."""\n    return 1', 2, id="docs"
        ),
        pytest.param(
            'EXAMPLES = r"""\n- a\n"""\nTEXT = """\na\n"""\n', 3, id="documentation of Ansible"
        ),
        pytest.param("f(\n    1,\n)\n", 3, id="a call over lines"),
    ],
)
def test_code_lines(source: str, lines: int) -> None:
    assert code_lines(source) == lines


def test_entry_points_are_thin() -> None:
    lines = {
        name: code_lines(text_of(name))
        for name in FILES
        if name.startswith(ENTRY_POINTS) and name.endswith(".py")
    }
    assert {name.rpartition("/")[0] + "/" for name in lines} == set(ENTRY_POINTS)
    assert {name: count for name, count in lines.items() if count > ENTRY_POINT_MAXIMUM} == {}


# --- What may be caught --------------------------------------------------------------------

# What runs on the controller is Ansible's process: an error that nobody thought of is Ansible's to
# show, and an interruption its to obey.
CONTROLLER = ("plugins/action/", "plugins/filter/", "plugins/plugin_utils/")
BROAD = {"anything", "Exception", "BaseException"}
# Each raises it again, with what a step would forget otherwise: what was done to the host before.
RAISED_AGAIN = {
    "plugins/plugin_utils/_fast_reboot/task.py": ["Exception"],
    # What Ansible ends a task by has another place in each ansible-core.
    "plugins/plugin_utils/_step.py": ["BaseException"],
}


def caught_by(node: ast.AST) -> list[ast.expr | None]:
    """What an except, a suppress or an exit is for; None is one that does not say."""
    if isinstance(node, ast.ExceptHandler):
        return [*node.type.elts] if isinstance(node.type, ast.Tuple) else [node.type]
    if isinstance(node, ast.FunctionDef) and node.name == "__exit__":
        # One that returns something may keep an error to itself, whichever it is.
        returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
        return [None] if any(each and ast.unparse(each) != "None" for each in returned) else []
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return [*node.args]
    return []


def broad(source: str) -> list[str]:
    """Each place at which any error at all is caught, or passed over."""
    caught = [each for node in ast.walk(ast.parse(source)) for each in caught_by(node)]
    names = [ast.unparse(each) if each else "anything" for each in caught]
    return [name for name in names if name in BROAD]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        pytest.param("try:\n    f()\nexcept:\n    pass", ["anything"], id="anything"),
        pytest.param(
            "try:\n    f()\nexcept Exception:\n    raise", ["Exception"], id="raised again"
        ),
        pytest.param(
            "try:\n    f()\nexcept (A, BaseException):\n    g()",
            ["BaseException"],
            id="one of several",
        ),
        pytest.param(
            "with contextlib.suppress(Exception):\n    f()", ["Exception"], id="passed over"
        ),
        pytest.param("try:\n    f()\nexcept (OSError, A) as e:\n    g()", [], id="named errors"),
        pytest.param("with suppress(OSError):\n    raise Exception", [], id="raised"),
        pytest.param(
            "class A:\n    def __exit__(self, *_):\n        return f()", ["anything"], id="kept"
        ),
        pytest.param("class A:\n    def __exit__(self, *_):\n        return", [], id="let through"),
    ],
)
def test_broad(source: str, names: list[str]) -> None:
    assert broad(source) == names


def test_controller_catches_only_what_it_names() -> None:
    found = {
        name: broad(text_of(name))
        for name in FILES
        if name.startswith(CONTROLLER) and name.endswith(".py")
    }
    assert {name: names for name, names in found.items() if names} == RAISED_AGAIN


# --- Who imports whom ----------------------------------------------------------------------


def imported(name: str, source: str) -> set[str]:
    """The modules below plugins/ that a module there imports, by dotted names."""
    package = name.removesuffix(".py").split("/")[:-1]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom):
            continue
        start = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*start, *([node.module] if node.module else [])])
        if node.level or base.startswith(PLUGINS):
            base = base.removeprefix(PLUGINS).strip(".")
            found |= {f"{base}.{alias.name}".strip(".") for alias in node.names}
    return found


def room_of(dotted: str) -> str:
    """The first of the rooms that holds a module."""
    path = dotted.replace(".", "/")
    return next((room for room in ROOMS if f"{path}/".startswith(f"{room}/")), f"no room: {path}")


def import_problems(sources: t.Mapping[str, str]) -> list[str]:
    """Return where modules, by their paths below plugins/, import what they must not."""
    problems, graph = [], {}
    for name, source in sorted(sources.items()):
        own = room_of(name.removesuffix(".py").replace("/", "."))
        graph[name] = imported(name, source)
        others = {room_of(each) for each in graph[name]} - {own}
        for other in sorted(others):
            known = own in ROOMS and other in ROOMS
            closed = other.startswith(CLOSED.get(own, ()))
            if not known or closed or ROOMS.index(other) > ROOMS.index(own):
                problems.append(f"{name} imports {other}")
    return problems + circles(graph)


def circles(graph: t.Mapping[str, set[str]]) -> list[str]:
    """Return the modules that import one another, also inside a room."""
    dotted = {name.removesuffix(".py").replace("/", "."): name for name in graph}
    edges = {
        name: {
            dotted[owner]
            for each in wanted
            for owner in (each, each.rpartition(".")[0])
            if owner in dotted
        }
        for name, wanted in graph.items()
    }
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        return [" and ".join(sorted(set(error.args[1]))) + " import one another"]
    return []


@pytest.mark.parametrize(
    ("sources", "problems"),
    [
        pytest.param(
            {"module_utils/_write/files.py": "from .._host.port import Host\nfrom . import draft"},
            [],
            id="earlier rooms and the same one",
        ),
        pytest.param(
            {"module_utils/_host/port.py": "from .._write import files"},
            ["module_utils/_host/port.py imports module_utils/_write"],
            id="a later room",
        ),
        pytest.param(
            {"module_utils/_bootloader/loaders/grub.py": "from ..._image import kernel"},
            ["module_utils/_bootloader/loaders/grub.py imports module_utils/_image"],
            id="a later room from a folder in a room",
        ),
        pytest.param(
            {"modules/kexec_load.py": f"from {PLUGINS}.plugin_utils._fleet import audit"},
            ["modules/kexec_load.py imports plugin_utils/_fleet"],
            id="a host from the controller",
        ),
        pytest.param(
            {"module_utils/_new.py": "from ._reasons import reason"},
            ["module_utils/_new.py imports module_utils/_reasons"],
            id="a file without a room",
        ),
        pytest.param(
            {
                "module_utils/_host/a.py": "from . import b",
                "module_utils/_host/b.py": "from .a import A",
            },
            ["module_utils/_host/a.py and module_utils/_host/b.py import one another"],
            id="a circle in a room",
        ),
    ],
)
def test_import_problems(sources: dict[str, str], problems: list[str]) -> None:
    assert import_problems(sources) == problems


def sources_of_plugins() -> dict[str, str]:
    return {
        name.removeprefix("plugins/"): text_of(name)
        for name in FILES
        if name.startswith("plugins/") and name.endswith(".py")
    }


def test_imports_run_one_way() -> None:
    sources = sources_of_plugins()
    assert import_problems(sources) == []
    assert {room_of(name.removesuffix(".py").replace("/", ".")) for name in sources} == set(ROOMS)


# --- The oldest Python of a host ------------------------------------------------------------

# What runs there, and the tests of it; the linter knows the syntax of that Python, and not its functions.
OLDEST = (
    "plugins/module_utils",
    "plugins/modules",
    "tests/unit/plugins/module_utils",
    "tests/unit/plugins/modules",
)


def newer_calls(text: str) -> list[int]:
    """The lines that call zip with what it takes from Python 3.10 on."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "zip" and call.keywords
    ]


@pytest.mark.parametrize(
    ("text", "lines"), [("zip(a, b)", []), ("a\nzip(a, b, strict=True)", [2]), ("a.zip(b=1)", [])]
)
def test_call_that_the_oldest_python_does_not_know_is_found(text: str, lines: list[int]) -> None:
    assert newer_calls(text) == lines


@pytest.mark.parametrize("folder", OLDEST)
def test_what_runs_with_the_oldest_python_calls_nothing_newer(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    assert [str(path) for path in files if newer_calls(path.read_text(encoding="utf-8"))] == []


# --- One word for one thing ----------------------------------------------------------------

# Each settings module of a boot loader answers to these.
SHARED = {"SETTINGS", "FORBIDDEN"}


def public_names(source: str) -> set[str]:
    """The classes, constants and other values that a module defines for others."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            # Those of a tuple, too.
            named = [each for target in targets for each in ast.walk(target)]
            found |= {each.id for each in named if isinstance(each, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def names_of_two(sources: t.Mapping[str, str]) -> dict[str, list[str]]:
    """The names that several modules define, with those modules."""
    owners: dict[str, list[str]] = {}
    for module, source in sources.items():
        for name in public_names(source) - SHARED:
            owners.setdefault(name, []).append(module)
    return {name: modules for name, modules in owners.items() if len(modules) > 1}


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("class A: ...", "class A: ...", ["A"]),
        ("class A: ...", "A = 1", ["A"]),
        ("A = 1", "A: int = 2", ["A"]),
        ("A = B = 1", "B = 2", ["B"]),
        ("A, B = 1, 2", "B = 2", ["B"]),
        ("_A = 1", "_A = 1", []),
        ("A = 1", "from one import A", []),
        ("A = 1", "def f():\n    A = 2", []),
        ("SETTINGS = 1", "SETTINGS = 2", []),
    ],
)
def test_names_of_two(one: str, other: str, shared: list[str]) -> None:
    assert names_of_two({"one": one, "other": other}) == {name: ["one", "other"] for name in shared}


def test_no_two_modules_give_one_name_to_two_things() -> None:
    sources = sources_of_plugins()
    found = names_of_two({name: sources[name] for name in sources if "_utils/" in name})
    assert found == {}


# --- What a module takes along to a host ---------------------------------------------------

# Ansible sends with a module all that it imports, whether it is used or not.
LOADS = ("module_utils/_kexec/",)
WRITES = ("module_utils/_write/", "module_utils/_bootconfig/")
# The preflight goes to every host before every reboot. More than two thirds of it are ansible-core's,
# which cannot be changed here; with this much of ours the whole is 263 207 bytes. Whoever needs more
# first looks for what a preflight does not need.
PAYLOAD = 72_900
# What an archive has for each file beside its content, most of it the path, which is there twice.
ENTRY = 250


def taken_along(start: str, sources: t.Mapping[str, str]) -> set[str]:
    """The files, by their paths below plugins/, that one of them imports, and what those do."""
    dotted = {name.removesuffix(".py").replace("/", "."): name for name in sources}
    found: set[str] = set()
    left = {start}
    while left:
        name = left.pop()
        found.add(name)
        for each in imported(name, sources[name]):
            owners = {dotted[o] for o in (each, each.rpartition(".")[0]) if o in dotted}
            left |= owners - found
    return found


def packed(names: t.Iterable[str], sources: t.Mapping[str, str]) -> int:
    """What files weigh in an archive, with their folders."""
    folders = {str(parent) for name in names for parent in Path(name).parents}
    contents = [len(zlib.compress(sources[name].encode())) for name in names]
    return sum(contents) + ENTRY * (len(contents) + len(folders))


def test_taken_along_follows_imports() -> None:
    sources = {
        "modules/a.py": f"from {PLUGINS}.module_utils._b import c",
        "module_utils/_b/c.py": "from ..d import e\nfrom . import f",
        "module_utils/_b/f.py": "import os",
        "module_utils/d.py": "",
        "module_utils/g.py": "from .d import e",
    }
    assert taken_along("modules/a.py", sources) == {*sources} - {"module_utils/g.py"}


def test_packed_counts_files_and_folders() -> None:
    sources = {"a/b.py": "x = 1", "a/c.py": "x = 1"}
    content = len(zlib.compress(b"x = 1"))
    assert packed(sources, sources) == 2 * content + 4 * ENTRY


@pytest.mark.parametrize(
    ("module", "others"),
    [
        pytest.param("kexec_preflight", LOADS + WRITES, id="preflight"),
        pytest.param("kexec_load", WRITES, id="load"),
        pytest.param("boot_parameter", (*LOADS, "module_utils/_preflight/"), id="parameter"),
    ],
)
def test_module_takes_along_only_what_it_does(module: str, others: tuple[str, ...]) -> None:
    sources = sources_of_plugins()
    assert all(any(name.startswith(other) for name in sources) for other in others)
    found = taken_along(f"modules/{module}.py", sources)
    assert "module_utils/_module.py" in found
    assert [name for name in sorted(found) if name.startswith(others)] == []


def test_preflight_does_not_grow_unnoticed() -> None:
    sources = sources_of_plugins()
    assert packed(taken_along("modules/kexec_preflight.py", sources), sources) <= PAYLOAD
