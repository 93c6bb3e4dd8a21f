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
      block: []
      rescue:
        - name: Tell the balancer
          ansible.builtin.debug:
          notify: [Reload]
"""


def loaded(folder: Path, text: str) -> tuple[t.Any, list[str]]:
    path = folder / "drain.yml"
    path.write_text(text)
    contents, problems = files.load([str(path)], Playbooks())
    return contents.get(str(path)), problems


@pytest.mark.parametrize("text", [DRAIN, "", "---\n", "[]\n", "- 7\n", "- name: a\n  block: 7\n"])
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
  import_role:
    name: balancer
"""
RESCUED = """
- name: All of it
  block: []
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
        assert files.load([each, each], Playbooks()) == ({}, [f"There is no task file {each}."])


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


@pytest.mark.parametrize(
    "form", ["action: meta noop", "debug: {msg: end_host}", "meta: noop", "7: 8"]
)
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
    (tmp_path / "more").mkdir()
    # Beside itself, and back to the first one.
    inner = "- name: On\n  include_tasks: c.yml\n- name: Back\n  import_tasks: ../drain.yml\n"
    (tmp_path / "more/b.yml").write_text(inner)
    (tmp_path / "more/c.yml").write_text("- name: End\n  meta: end_play\n")
    contents, (found,) = loaded(tmp_path, f"- name: More\n  {form}\n")
    assert f"The task file {tmp_path}/more/c.yml has meta: end_play." in found
    # Nor is it told there that something was changed.
    assert files.hide_changes(contents)


@pytest.mark.parametrize("name", ["no.yml", '"{{ x }}.yml"', "{}", "7"])
def test_file_whose_name_is_not_known_yet_is_no_problem(tmp_path: Path, name: str) -> None:
    assert loaded(tmp_path, f"- name: More\n  include_tasks: {name}\n")[1] == []
