# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of tasks are looked at before a host is drained by them, as Ansible understands them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot import files
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._fast_reboot.playbooks import (
    Playbooks,
)

from tests.unit.role_tasks import FAST_REBOOT, task_of_role

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


def loaded(folder: Path, text: str) -> tuple[bool | None, list[str]]:
    """A hook's file beside others in the folder hooks of a playbook."""
    (folder / "hooks").mkdir(exist_ok=True)
    path = folder / "hooks/hook.yml"
    path.write_text(text)
    hides, problems = files.load([str(path)], playbooks(folder), str(folder))
    return hides.get(str(path)), problems


def playbooks(folder: Path) -> Playbooks:
    return Playbooks(task_of_role(folder))


@pytest.mark.parametrize("text", [DRAIN, "", "---\n", "[]\n"])
def test_file_of_tasks_is_no_problem(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == (False, [])


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
    (tmp_path / "roles/balancer/tasks").mkdir(parents=True)
    (tmp_path / "roles/balancer/tasks/main.yml").write_text(DRAIN)
    assert loaded(tmp_path, text) == (True, [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: 1\n", "is no list of tasks", id="a mapping"),
        pytest.param("7\n", "is no list of tasks", id="a number"),
        pytest.param("- a: [\n", "cannot be read", id="no YAML"),
    ],
)
def test_file_that_is_none_of_tasks_is_refused(tmp_path: Path, text: str, said: str) -> None:
    _hides, (found,) = loaded(tmp_path, text)
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
    _hides, (found,) = loaded(tmp_path, text)
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
    _hides, (found,) = loaded(tmp_path, text)
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
    hides, (found,) = loaded(tmp_path, f"- name: More\n  {form}\n")
    assert f"The task file {more}/c.yml has meta: end_play." in found
    # Nor is it told there that something was changed.
    assert hides


# From the folder of the playbook.
PLACES = ("hooks/more.yml", "hooks/tasks/more.yml", "more.yml", "tasks/more.yml")


@pytest.mark.parametrize("place", PLACES)
def test_file_that_is_included_is_found_wherever_ansible_finds_it(
    tmp_path: Path, place: str
) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("- name: End\n  meta: end_host\n")
    _hides, (found,) = loaded(tmp_path, "- name: More\n  include_tasks: more.yml\n")
    assert f"The task file {tmp_path / place} has meta: end_host." in found


@pytest.mark.parametrize("name", ["no.yml", '"{{ x }}.yml"'])
def test_file_whose_name_is_not_known_yet_is_no_problem(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, f"- name: More\n  include_tasks: {name}\n")[1] == []


@pytest.mark.parametrize("name", ["look.yml", "drain.yml", "tasks/wait.yml", "../drain.yml"])
def test_name_of_a_file_of_the_role_is_refused_for_another_one(tmp_path: Path, name: str) -> None:
    """Ansible looks in the role first: the reboot's next stage would be run for the hook."""
    beside = tmp_path / "hooks" / name
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(DRAIN)
    (found,) = loaded(tmp_path, f"- name: More\n  include_tasks: {name}\n")[1]
    said = f"/hooks/hook.yml names {name}, and Ansible would take for it what the collection has"
    assert said in found
    # What is imported is looked for beside its file first.
    if not name.startswith("."):
        assert loaded(tmp_path, f"- name: More\n  import_tasks: {name}\n")[1] == []


def test_import_that_ends_in_the_role_is_refused(tmp_path: Path) -> None:
    """As where the file beside the hook is missing."""
    (found,) = loaded(tmp_path, "- name: More\n  import_tasks: failed.yml\n")[1]
    role = FAST_REBOOT / "tasks/failed.yml"
    assert found.startswith((f"The task file {role} ", f"The task file {tmp_path}/hooks/hook.yml"))


@pytest.mark.parametrize(
    "name",
    [
        *("lb/wait.yml", "../lb/main.yml", "../hooks/lb/wait.yml", "{0}/hooks/wait.yml"),
        "{0}/hooks/lb/main.yml",
    ],
)
@pytest.mark.parametrize("form", ["include_tasks", "import_tasks"])
def test_name_that_the_role_has_elsewhere_is_nobody_elses_problem(
    tmp_path: Path, form: str, name: str
) -> None:
    for folder in ("hooks/lb", "lb", "hooks"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for each in ("wait.yml", "main.yml"):
            (tmp_path / folder / each).write_text(DRAIN)
    text = f"- name: More\n  {form}: {name.format(tmp_path)}\n"
    assert loaded(tmp_path, text)[1] == []


@pytest.mark.parametrize(
    ("task", "named"),
    [
        ("include_vars: main.yml", "main.yml"),
        ("include_vars: {file: defaults/main.yml}", "defaults/main.yml"),
        ("include_role: {name: kernel_upgrade}", "kernel_upgrade"),
        ("include_role: {role: fast_reboot}", "fast_reboot"),
    ],
)
def test_what_the_collection_has_of_a_name_is_not_taken_for_somebody_elses(
    tmp_path: Path, task: str, named: str
) -> None:
    (found,) = loaded(tmp_path, f"- name: More\n  {task}\n")[1]
    assert f"/hooks/hook.yml names {named}, and Ansible would take for it" in found


@pytest.mark.parametrize(
    "task", ["include_vars: lb.yml", "include_vars: {dir: vars}", "debug: {msg: main.yml}"]
)
def test_other_names_are_no_problem(tmp_path: Path, task: str) -> None:
    assert loaded(tmp_path, f"- name: More\n  {task}\n")[1] == []


BALANCER = "roles/balancer/tasks"


@pytest.mark.parametrize("form", ["include_role", "import_role"])
@pytest.mark.parametrize(("word", "problems"), [("end_host", 1), ("end_role", 0), ("noop", 0)])
def test_role_of_somebody_elses_ends_itself_and_nothing_else(
    tmp_path: Path, form: str, word: str, problems: int
) -> None:
    (tmp_path / BALANCER).mkdir(parents=True)
    (tmp_path / BALANCER / "main.yml").write_text(f"- meta: {word}\n")
    found = loaded(tmp_path, f"- name: More\n  {form}: {{name: balancer}}\n")[1]
    assert len(found) == problems
    assert all(f"{BALANCER}/main.yml has meta: {word}." in each for each in found)


@pytest.mark.parametrize("named", ["name: nowhere", "{name: balancer, tasks_from: nowhere}"])
def test_role_that_cannot_be_run_is_refused_where_it_is_run_for_each_host(
    tmp_path: Path, named: str
) -> None:
    (tmp_path / BALANCER).mkdir(parents=True)
    (tmp_path / BALANCER / "main.yml").write_text(DRAIN)
    task = f"- name: More\n  include_role: {named}\n"
    task = task.replace("include_role: name", "include_role:\n    name")
    (found,) = loaded(tmp_path, task)[1]
    assert "/hooks/hook.yml includes the role " in found
    assert loaded(tmp_path, f"{task}  when: somewhere\n")[1] == []


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


def test_file_that_ansible_does_not_take_is_not_held_against_it(tmp_path: Path) -> None:
    """The one in the playbook's folder comes first."""
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/lb.yml").write_text("- 7\n")
    (tmp_path / "lb.yml").write_text(DRAIN)
    assert loaded(tmp_path, "- name: More\n  include_tasks: lb.yml\n")[1] == []
    (tmp_path / "lb.yml").write_text("- 7\n")
    (found,) = loaded(tmp_path, "- name: More\n  include_tasks: lb.yml\n")[1]
    assert f"The task file {tmp_path}/lb.yml cannot be run" in found


NO_MODULE = "- name: a\n  ansible.builtin.comand: id\n"


@pytest.mark.parametrize(
    "include",
    [
        "  include_tasks: lb.yml\n  when: lb == 'f5'\n",
        "  include_tasks: lb.yml\n  loop: [1]\n",
        "  include_tasks: lb.yml\n  with_items: [1]\n",
        "  when: lb == 'f5'\n  block:\n    - name: Inside\n      include_tasks: lb.yml\n",
        "  include_tasks: between.yml\n  when: lb == 'f5'\n",
    ],
)
def test_file_that_is_included_for_some_hosts_only_may_be_right_for_those(
    tmp_path: Path, include: str
) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/lb.yml").write_text(NO_MODULE)
    (tmp_path / "hooks/between.yml").write_text("- name: a\n  include_tasks: lb.yml\n")
    assert loaded(tmp_path, f"- name: More\n{include}")[1] == []


@pytest.mark.parametrize(
    "include",
    [
        "  include_tasks: sub.yml\n  vars: {which: own}\n",
        "  vars: {which: own}\n  block:\n    - name: Inside\n      include_tasks: sub.yml\n",
        "  include_tasks: sub.yml\n  loop: [own]\n  loop_control: {loop_var: which}\n",
    ],
)
def test_file_has_the_variables_of_what_includes_it(tmp_path: Path, include: str) -> None:
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/own.yml").write_text(DRAIN)
    (tmp_path / "hooks/sub.yml").write_text('- name: a\n  import_tasks: "{{ which }}.yml"\n')
    assert loaded(tmp_path, f"- name: More\n{include}")[1] == []


SECRET = "hunter2sekret"


@pytest.mark.parametrize(
    "text",
    [
        f"- name: a\n  command: curl -u admin:{SECRET}' http://x\n  no_log: true\n",
        f"- name: a\n  block: {SECRET}\n",
        f"- [{SECRET}]\n",
    ],
)
def test_refusal_has_no_part_of_a_task_in_it(tmp_path: Path, text: str) -> None:
    (found,) = loaded(tmp_path, text)[1]
    assert "cannot be run" in found
    assert SECRET not in found


@pytest.mark.parametrize("word", ["END_HOST", "end_hosts", "noop_"])
def test_meta_that_ansible_does_not_know_is_refused(tmp_path: Path, word: str) -> None:
    _hides, (found,) = loaded(tmp_path, f"- name: a\n  meta: {word}\n")
    assert f"has meta: {word}, which is none of clear_facts, " in found
    assert "It would end the run for all hosts." in found
