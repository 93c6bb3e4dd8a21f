# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of ./test, which sets up what they use. See TESTING.md."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).resolve().parent
COLLECTION = "ansible_collections/alpinefleet/kexec"
# A script says so in its first lines, below a template's comment or in a directive for shellcheck.
SCRIPT = re.compile(
    r"^#(?:!.*[/ ]| shellcheck shell=)(sh|bash|openrc-run)(?: -\w+)?$", re.MULTILINE
)
HEAD_SIZE = 600
# Where the unit tests keep what they ran of the shell programs.
SHELL_COVERAGE = ".cache/shell-coverage"
SHELLCHECK = {
    "sh": ["shellcheck", "--external-sources", "--shell=sh"],
    "bash": ["shellcheck", "--external-sources", "--shell=bash"],
    # OpenRC reads the variables of a service; nothing in the file itself does.
    "openrc-run": ["shellcheck", "--shell=sh", "--exclude=SC2034"],
}

SITE = ".cache/docs"
# Nothing is fetched for a test, so these labels of Ansible's own documentation are not known: what the guides
# and modules here refer to, and what antsibull-docs itself writes.
SITE_CONF = """
intersphinx_mapping = {}
nitpick_ignore = [
    ("std:ref", "ansible_collections.ansible.builtin.raw_module"),
    ("std:ref", "ansible_collections.ansible.builtin.reboot_module"),
    ("std:ref", "action_plugins"),
    ("std:ref", "ansible_configuration_settings"),
    ("std:ref", "common_return_values"),
]
"""

nox.options.default_venv_backend = "none"
nox.options.error_on_external_run = False


def project_files() -> list[str]:
    """Return what is under version control, or would be with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    return sorted({name for name in names if name and os.path.lexists(ROOT / name)})


def without_jinja(text: str) -> str:
    """Return a template as the script that it most likely becomes."""
    text = re.sub(r"\{[#%].*?[#%]\}\n?", "", text, flags=re.DOTALL)
    return re.sub(r"\{\{.*?\}\}", "value", text, flags=re.DOTALL)


def scripts() -> Iterator[tuple[str, str]]:
    """Yield the name and the shell of each shell script, templates among them."""
    for name in project_files():
        head = (ROOT / name).read_bytes()[:HEAD_SIZE].decode(errors="replace")
        found = SCRIPT.search(head)
        if name.endswith(".initd"):
            yield name, "openrc-run"
        elif found is not None and not name.endswith((".md", ".py", ".rst")):
            yield name, found[1]


def script_commands(folder: str) -> list[list[str]]:
    """Return a command of shellcheck for each script; templates are rendered into a folder."""
    commands = []
    for number, (name, shell) in enumerate(scripts()):
        path = Path(name)
        if path.suffix == ".j2":
            text = without_jinja((ROOT / name).read_text(encoding="utf-8"))
            path = Path(folder, f"{number}-{path.stem}")
            path.write_text(text, encoding="utf-8")
        commands.append([*SHELLCHECK[shell], str(path)])
    return commands


def run_each(session: nox.Session, commands: list[list[str]]) -> None:
    """Run all commands, and fail afterwards if one of them did."""
    failed = 0
    for command in commands:
        try:
            session.run(*command)
        except CommandFailed:
            failed += 1
    if failed:
        session.error(f"{failed} of {len(commands)} commands failed")


@contextmanager
def scratch_copy(session: nox.Session) -> Iterator[Path]:
    """Work in a copy of the project at the place where Ansible expects a collection."""
    with tempfile.TemporaryDirectory(prefix="alpinefleet-kexec-") as folder:
        copy = Path(folder, COLLECTION)
        for name in project_files():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
        session.env["ANSIBLE_COLLECTIONS_PATH"] = folder
        with session.chdir(copy):
            yield copy


def wanted_pip() -> str:
    """Return the version of pip that the installed ansible-test asks for."""
    package = importlib.util.find_spec("ansible_test")
    if package is None or package.origin is None:
        raise RuntimeError("ansible-test is not installed")
    source = Path(package.origin).parent / "_internal/python_requirements.py"
    found = re.search(r"\bpip='([\d.]+)'", source.read_text(encoding="utf-8"))
    if found is None:
        raise RuntimeError(f"{source} does not say which pip ansible-test wants")
    return found[1]


def path_with_pyenv() -> str:
    """Return a PATH with each Python of pyenv itself: its shims only fail for most of them."""
    first, _colon, rest = os.environ["PATH"].partition(":")
    if shutil.which("pyenv") is None:
        return os.environ["PATH"]
    root = Path(subprocess.check_output(["pyenv", "root"], text=True).strip())
    return ":".join([first, *map(str, sorted(root.glob("versions/*/bin"))), rest])


@contextmanager
def pip_stand_in() -> Iterator[None]:
    """Lend ansible-test the file that it would download, unless it has one."""
    name = f"get_pip_{wanted_pip().replace('.', '_')}.py"
    place = Path.home() / ".ansible/test/cache" / name
    ours = not place.exists()
    if ours:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / "tests/setup/get_pip.py", place)
    try:
        yield
    finally:
        if ours:
            for path in [place, *place.parent.glob(f"__pycache__/{place.stem}.*")]:
                path.unlink()


def pytest_of(part: str) -> list[str]:
    """Return the command for the tests of a part, which leaves a report of their times."""
    # The cache is not in pytest.ini: Molecule runs pytest without one, and an unknown setting is
    # an error.
    return [
        "pytest",
        "--override-ini=cache_dir=.cache/pytest",
        f"--junitxml=.cache/logs/{part}.xml",
    ]


def build_site(session: nox.Session) -> None:
    """Make a site of the documentation of a scratch copy; what Sphinx warns of is an error."""
    site = ROOT / SITE
    shutil.rmtree(site, ignore_errors=True)
    # antsibull-docs writes to no folder that others may write to.
    site.mkdir(mode=0o755, parents=True)
    # It has what the fragments say, too, as it will have with the next release.
    session.run("antsibull-changelog", "release", "--update-existing")
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error", "--sphinx-theme=alabaster"]
    where = f"--dest-dir={site}"
    session.run("antsibull-docs", "sphinx-init", *options, where, "alpinefleet.kexec")
    with (site / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write(SITE_CONF)
    session.run(str(site / "build.sh"))


def run_scenarios(session: nox.Session, kind: str) -> None:
    """Test all scenarios of a kind with Molecule."""
    if not list(ROOT.glob(f"extensions/molecule/{kind}/*/molecule.yml")):
        session.error(f"extensions/molecule/{kind} has no scenario")
    # Molecule tells working copies apart by the name of their folder alone, and two of one name
    # would take each other's inventory. A socket of ssh stays where its path is short.
    session.env["ANSIBLE_HOME"] = str(ROOT / ".cache/ansible")
    session.env["ANSIBLE_SSH_CONTROL_PATH_DIR"] = "~/.ansible/cp"
    named = "--scenario-name" in session.posargs
    which = [] if named else ["--scenario-name", f"{kind}/*"]
    session.run("molecule", "test", *which, "--no-command-borders", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Python's form and likely bugs, YAML, shell."""
    commands = [
        ["ruff", "format", "--check", "--diff", "."],
        ["ruff", "check", "."],
        ["yamllint", "--strict", "."],
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = script_commands(folder)
        if not found:
            session.error("no shell script was found")
        run_each(session, commands + found)


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    others = [name for name in project_files() if name.endswith(".py")]
    others = [name for name in others if not name.startswith("plugins/")]
    package = "ansible_collections.alpinefleet.kexec.plugins"
    run_each(session, [["mypy", "-p", package], ["mypy", *others]])


@nox.session
def units(session: nox.Session) -> None:
    """Unit tests, the branches of plugins/ and the lines of the shell programs that they reach."""
    if session.posargs:
        session.run(*pytest_of("units"), *session.posargs)
        return
    measured = ["--cov", "--cov-report=term-missing", "-n", "auto", "--dist=loadgroup"]
    shutil.rmtree(ROOT / SHELL_COVERAGE, ignore_errors=True)
    (ROOT / SHELL_COVERAGE).mkdir(parents=True)
    session.env["SHELL_COVERAGE"] = str(ROOT / SHELL_COVERAGE)
    session.run(*pytest_of("units"), *measured, "tests/unit")
    session.run("python", "-m", "tests.shell_coverage", SHELL_COVERAGE)


@nox.session
def licences(session: nox.Session) -> None:
    """A licence for every file."""
    session.env["REUSE_ENCODING_MODULE"] = "charset_normalizer"
    session.run("reuse", "lint", "--lines")


@nox.session
def changelog(session: nox.Session) -> None:
    """Fragments and changelog in their form, and CHANGELOG.md as they make it."""
    data = ROOT / "changelogs/changelog.yaml"
    session.run("antsibull-changelog", "lint")
    session.run("antsibull-changelog", "lint-changelog-yaml", "--strict", str(data))
    shown = ROOT / "CHANGELOG.md"
    if not shown.exists():
        session.error("there is no CHANGELOG.md")
    if "releases: {}" in data.read_text(encoding="utf-8"):
        session.log("nothing is released yet, so CHANGELOG.md is not generated yet")
        return
    with scratch_copy(session) as copy:
        session.run("antsibull-changelog", "generate")
        if (copy / "CHANGELOG.md").read_bytes() != shown.read_bytes():
            session.error("CHANGELOG.md is not what antsibull-changelog generate writes")


@nox.session
def ansible_lint(session: nox.Session) -> None:
    """Profile production, nothing skipped."""
    with scratch_copy(session):
        ours = str(session.env["ANSIBLE_COLLECTIONS_PATH"])
        needed = str(ROOT / ".venv/collections")
        session.env["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join([ours, needed])
        session.run("ansible-lint", "--config-file", ".ansible-lint", "--nocolor")


@nox.session
def sanity(session: nox.Session) -> None:
    """ansible-test's sanity tests, nothing ignored."""
    if list(ROOT.glob("tests/sanity/ignore*")):
        session.error("tests/sanity has a file of ignored findings; this project has none")
    session.env["PATH"] = path_with_pyenv()
    with scratch_copy(session), pip_stand_in():
        session.run("ansible-test", "sanity", "--color", "no")


@nox.session
def docs(session: nox.Session) -> None:
    """Documentation of plugins, roles and guides, every reference in them, and the site they make."""
    with scratch_copy(session):
        # Python's path leads to the working copy, which antsibull-docs would take instead.
        session.env["PYTHONPATH"] = ""
        session.run(
            "antsibull-docs",
            "lint-collection-docs",
            "--plugin-docs",
            "--validate-collection-refs=all",
            "--disallow-unknown-collection-refs",
            "--check-extra-docs-refs",
            ".",
            # It copies the folder, and would mix up its copy with another that Ansible finds.
            env={"ANSIBLE_COLLECTIONS_PATH": ""},
        )
        build_site(session)


@nox.session
def galaxy(session: nox.Session) -> None:
    """The archive can be built, and Galaxy would import it without a word."""
    session.env["GALAXY_IMPORTER_CHECK_REQUIRED_TAGS"] = "true"
    session.env["GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER"] = "true"
    session.env["GALAXY_IMPORTER_RUN_ANSIBLE_LINT"] = "false"  # a part of its own
    with scratch_copy(session) as copy:
        session.run("ansible-galaxy", "collection", "build", "--output-path", "../../..")
        (archive,) = copy.parents[2].glob("*.tar.gz")
        with session.chdir(copy.parents[2]):
            log = str(
                session.run("python", "-m", "galaxy_importer.main", archive.name, silent=True)
            )
    session.log(log)
    if "completed successfully" not in log or re.search(r"\b(WARNING|ERROR)\b", log):
        session.error("galaxy-importer has something to say")


@nox.session
def scripted(session: nox.Session) -> None:
    """Reboots by the real ssh client of hosts that follow a script, with everything that fails."""
    # More at a time than there are processors: they wait most of the time.
    session.run(*pytest_of("scripted"), "-n", "4", "tests/scripted", *session.posargs)


@nox.session
def containers(session: nox.Session) -> None:
    """What needs no kernel of its own, in Alpine containers with OpenRC."""
    run_scenarios(session, "containers")


@nox.session
def machines(session: nox.Session) -> None:
    """Real reboots of real Alpine machines under QEMU."""
    # Two at a time: more emulated machines would only wait for each other.
    session.env["PYTEST_ADDOPTS"] = "--numprocesses=2 --dist=loadgroup"
    run_scenarios(session, "vm")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """kexec_reboot against ansible.builtin.reboot, in figures."""
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session(default=False)
def matrix(session: nox.Session) -> None:
    """Each ansible-core and each Python that the README says was tested, as far as they are here."""
    session.run("python", "-m", "tests.matrix", *session.posargs)


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Turn the fragments into a release of the changelog; no part of ./test."""
    with scratch_copy(session) as copy:
        session.run("antsibull-changelog", "release", *session.posargs)
        for name in ("CHANGELOG.md", "changelogs/changelog.yaml"):
            shutil.copy2(copy / name, ROOT / name)
        kept = {path.name for path in (copy / "changelogs/fragments").iterdir()}
    for fragment in ROOT.glob("changelogs/fragments/*"):
        if fragment.name not in kept:
            fragment.unlink()
