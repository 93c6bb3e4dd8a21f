# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of tasks are looked at before a host is drained by them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import files
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.files import Playbooks

from tests.unit.role_tasks import task_of_role

pytestmark = pytest.mark.usefixtures("plugins_found")

DRAIN = """
- name: Tell the balancer
  ansible.builtin.debug:
    msg: "{{ nothing }}"
  changed_when: true
"""
NOTIFIES = DRAIN + "  notify: Reload\n"
ONCE = DRAIN + "  run_once: true\n"
INSIDE = """
- name: All of it
  block:
    - name: Something
      block: [meta: noop]
      rescue:
        - name: Tell the balancer
          ansible.builtin.debug:
          notify: [Reload]
"""


def loaded(folder: Path, text: str) -> tuple[t.Any, list[str]]:
    """A hook's file beside others in the folder hooks of a playbook."""
    (folder / "hooks").mkdir(exist_ok=True)
    path = folder / "hooks/hook.yml"
    path.write_text(text)
    contents, problems = files.load([str(path)], playbooks(folder), str(folder))
    return contents.get(str(path)), problems


def playbooks(folder: Path) -> Playbooks:
    return Playbooks(task_of_role(folder))


@pytest.mark.parametrize("text", [DRAIN, "", "---\n", "[]\n"])
def test_file_of_tasks_is_no_problem(tmp_path: Path, text: str) -> None:
    contents, problems = loaded(tmp_path, text)
    assert (problems, files.hide_changes(contents)) == ([], False)


OTHER_FILE = """
- name: All of it
  block:
    - name: What is in another file
      ansible.builtin.include_tasks: more.yml
"""
OTHER_ROLE = """
- name: What is in a role
  include_role:
    name: balancer
"""
RESCUED = """
- name: All of it
  block: [meta: noop]
  rescue:
    - name: Never mind
      ansible.builtin.debug:
"""


@pytest.mark.parametrize(
    "text",
    [
        *(NOTIFIES, ONCE, INSIDE, OTHER_FILE, OTHER_ROLE, RESCUED),
        *(DRAIN + f"  {word}: true\n" for word in ("ignore_errors", "failed_when")),
    ],
    ids=[
        *("notify", "once", "in a block", "another file", "a role", "a rescue"),
        *("errors", "failures"),
    ],
)
def test_task_that_hides_its_change_is_found(tmp_path: Path, text: str) -> None:
    contents, problems = loaded(tmp_path, text)
    assert (problems, files.hide_changes(contents)) == ([], True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: 1\n", "is no list of tasks", id="a mapping"),
        pytest.param("7\n", "is no list of tasks", id="a number"),
        pytest.param("- a: [\n", "cannot be read", id="no YAML"),
    ],
)
def test_file_that_is_none_of_tasks_is_refused(tmp_path: Path, text: str, said: str) -> None:
    _contents, (found,) = loaded(tmp_path, text)
    assert said in found


def test_file_that_is_missing_is_named_once(tmp_path: Path) -> None:
    path, folder = str(tmp_path / "no.yml"), str(tmp_path)
    for each in (path, folder):
        found = files.load([each, each], playbooks(tmp_path), folder)
        assert found == ({}, [f"There is no task file {each}."])


@pytest.mark.parametrize("word", ["end_host", "end_role", "end_play", "end_batch"])
@pytest.mark.parametrize("name", ["meta", "ansible.builtin.meta"])
def test_file_that_would_leave_a_host_without_a_word_is_refused(
    tmp_path: Path, name: str, word: str
) -> None:
    text = f"- name: All\n  block:\n    - name: End\n      {name}: {word}\n"
    _contents, (found,) = loaded(tmp_path, text)
    assert f"has meta: {word}." in found
    assert loaded(tmp_path, text.replace(word, "flush_handlers"))[1] == []


ENDINGS = {
    "a word": "meta: end_host",
    "its whole name": "ansible.builtin.meta: end_host",
    "its old name": "ansible.legacy.meta: end_host",
    "an action": "action: meta end_host",
    "an action by its whole name": "action: ansible.builtin.meta end_host",
    "an action in words": "action: {module: meta, _raw_params: end_host}",
    "an action in one word": "action: {module: meta end_host}",
    "an action with arguments": "action: meta\n  args: {_raw_params: end_host}",
    "a local action": "local_action: meta end_host",
    "a local action in words": "local_action: {module: ansible.builtin.meta, _raw_params: end_host}",
    "arguments": "meta:\n  args: {_raw_params: end_host}",
    "blanks": "meta: '  end_host '",
    "a template": "meta: \"{{ 'end_host' }}\"",
    "a template with other quotes": """meta: '{{ "end_host" }}'""",
}


@pytest.mark.parametrize("form", ENDINGS.values(), ids=ENDINGS)
def test_end_of_a_host_is_found_in_every_form(tmp_path: Path, form: str) -> None:
    text = f"- name: End\n  {form}\n"
    _contents, (found,) = loaded(tmp_path, text)
    assert "has meta: end_host." in found


@pytest.mark.parametrize("form", ["action: meta noop", "debug: {msg: end_host}", "meta: noop"])
def test_what_ends_nothing_is_no_problem(tmp_path: Path, form: str) -> None:
    assert loaded(tmp_path, f"- name: Stay\n  {form}\n")[1] == []


INCLUDES = {
    "included": "ansible.builtin.include_tasks: more/b.yml",
    "imported": "import_tasks: more/b.yml",
    "by a keyword": "include_tasks: {file: more/b.yml, apply: {become: true}}",
    "by an action": "action: include_tasks more/b.yml",
    "by an action in words": "action: {module: ansible.builtin.include_tasks, file: more/b.yml}",
}


@pytest.mark.parametrize("form", INCLUDES.values(), ids=INCLUDES)
def test_end_of_a_host_is_found_in_files_that_are_included(tmp_path: Path, form: str) -> None:
    more = tmp_path / "hooks/more"
    more.mkdir(parents=True)
    # Beside itself, and back to the first one.
    inner = "- name: On\n  include_tasks: c.yml\n- name: Back\n  include_tasks: ../hook.yml\n"
    (more / "b.yml").write_text(inner)
    (more / "c.yml").write_text("- name: End\n  meta: end_play\n")
    contents, (found,) = loaded(tmp_path, f"- name: More\n  {form}\n")
    assert f"The task file {more}/c.yml has meta: end_play." in found
    # Nor is it told there that something was changed.
    assert files.hide_changes(contents)


# From the folder of the playbook.
PLACES = ("hooks/more.yml", "hooks/tasks/more.yml", "more.yml", "tasks/more.yml")


@pytest.mark.parametrize("place", PLACES)
def test_file_that_is_included_is_found_wherever_ansible_finds_it(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("- name: End\n  meta: end_host\n")
    _contents, (found,) = loaded(tmp_path, "- name: More\n  include_tasks: more.yml\n")
    assert f"The task file {tmp_path / place} has meta: end_host." in found


@pytest.mark.parametrize("name", ["no.yml", '"{{ x }}.yml"'])
def test_file_whose_name_is_not_known_yet_is_no_problem(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, f"- name: More\n  include_tasks: {name}\n")[1] == []


@pytest.mark.parametrize("name", ["look.yml", "drain.yml", "tasks/wait.yml", "../drain.yml"])
@pytest.mark.parametrize("form", ["include_tasks: {}", "import_tasks: {}"])
def test_name_of_a_file_of_the_role_is_refused_for_another_one(
    tmp_path: Path, form: str, name: str
) -> None:
    """Ansible looks in the role first: the reboot's next stage would be run for the hook."""
    beside = tmp_path / "hooks" / name
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(DRAIN)
    _contents, (found,) = loaded(tmp_path, f"- name: More\n  {form.format(name)}\n")
    said = f"includes {name}, and Ansible would take the role's own file of that name."
    assert said in found


def test_name_that_the_role_has_in_a_folder_is_nobody_elses_problem(tmp_path: Path) -> None:
    (tmp_path / "hooks/lb").mkdir(parents=True)
    (tmp_path / "hooks/lb/wait.yml").write_text(DRAIN)
    assert loaded(tmp_path, "- name: More\n  include_tasks: lb/wait.yml\n")[1] == []


# Ansible ends the run for all hosts where it is to run one of these, whoever has it.
BROKEN = {
    "no task": "- 7\n",
    "no tasks in a block": "- name: a\n  block: 7\n",
    "a name that is none": "- name: a\n  7: 8\n",
    "a word that is none": "- name: a\n  debug:\n  wen: true\n",
    "a block that includes": "- name: a\n  include_tasks: more.yml\n  block:\n",
    "a block that ends": "- name: a\n  meta: end_host\n  block:\n",
    "no such module": "- name: a\n  ansible.builtin.comand: id\n",
    "no name": "- name: a\n  include_tasks: {}\n",
    "a number for a name": "- name: a\n  include_tasks: 7\n",
    "imports what is missing": "- name: a\n  import_tasks: no.yml\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_file_that_ansible_cannot_make_tasks_of_is_refused(tmp_path: Path, text: str) -> None:
    found = loaded(tmp_path, text)[1]
    assert f"The task file {tmp_path}/hooks/hook.yml cannot be run: " in found[0]
    inner = tmp_path / "hooks/lb.yml"
    inner.write_text(text)
    found = loaded(tmp_path, "- name: More\n  include_tasks: lb.yml\n")[1]
    assert f"The task file {inner} cannot be run: " in found[0]


def test_file_that_imports_itself_is_refused(tmp_path: Path) -> None:
    (found,) = loaded(tmp_path, "- name: a\n  import_tasks: hook.yml\n")[1]
    assert f"The task file {tmp_path}/hooks/hook.yml cannot be run: " in found


def test_file_that_may_not_be_the_one_is_not_held_against_it(tmp_path: Path) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/lb.yml").write_text(DRAIN)
    (tmp_path / "lb.yml").write_text("- 7\n")
    assert loaded(tmp_path, "- name: More\n  include_tasks: lb.yml\n")[1] == []


@pytest.mark.parametrize("word", ["END_HOST", "end_hosts", "noop_"])
def test_meta_that_ansible_does_not_know_is_refused(tmp_path: Path, word: str) -> None:
    _contents, (found,) = loaded(tmp_path, f"- name: a\n  meta: {word}\n")
    assert f"has meta: {word}, which is none of clear_facts, " in found
    assert "It would end the run for all hosts." in found
