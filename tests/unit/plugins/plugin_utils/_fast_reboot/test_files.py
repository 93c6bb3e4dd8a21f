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
