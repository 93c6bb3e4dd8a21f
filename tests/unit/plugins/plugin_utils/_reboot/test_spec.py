# Copyright (c) 2026 The alpinefleet.kexec authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times that no reboot can keep are refused, and the spec says what else is."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot import spec
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.failure import RebootError
from ansible_collections.alpinefleet.kexec.plugins.plugin_utils._reboot.health import Health

HOST = "web1"
SECONDS = (*spec.POSITIVE, *spec.NOT_NEGATIVE)


def validated(**arguments: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    validator = ArgumentSpecValidator(spec.ARGUMENT_SPEC, **spec.RULES)
    result = validator.validate(arguments)
    return result.validated_parameters, result.error_messages


def refusal(**arguments: t.Any) -> RebootError:
    parameters, _errors = validated(**arguments)
    with pytest.raises(RebootError) as caught:
        spec.parse(parameters, HOST)
    return caught.value


def test_check_accepts_the_defaults() -> None:
    parameters, errors = validated()
    spec.parse(parameters, HOST)
    assert errors == []


@pytest.mark.parametrize("path", ["/boot/$HOME", "/boot/${HOME}", "~/kernel", "$(id)"])
def test_path_of_the_host_is_not_expanded_on_the_controller(path: str) -> None:
    parameters, errors = validated(kernel=path, initramfs=[path])
    assert (parameters["kernel"], parameters["initramfs"], errors) == (path, [path], [])


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("seconds", [604800.5, 1e12, 1e300])
def test_time_that_nobody_waits_for_is_refused(name: str, seconds: float) -> None:
    error = refusal(**{name: seconds})
    assert error.reason.code == "argument_invalid"
    assert f"The option {name} is" in str(error)


def test_check_accepts_no_delay_and_a_fraction_of_a_second() -> None:
    spec.parse(validated(pre_reboot_delay=0, reboot_timeout=0.5)[0], HOST)


def test_check_accepts_any_delay_where_another_task_waits() -> None:
    spec.parse(validated(pre_reboot_delay=900, reboot_timeout=60, wait=False)[0], HOST)
    late = validated(pre_reboot_delay=60, reboot_timeout=60, wait_for=ORDER)[0]
    spec.parse(late, HOST)


def test_check_accepts_a_delay_that_leaves_time_to_see_the_host_leave() -> None:
    spec.parse(validated(pre_reboot_delay=50, reboot_timeout=60)[0], HOST)


@pytest.mark.parametrize(
    ("delay", "timeout"), [(50.5, 60), (60, 60), (700, 60), (3.9, 4), (0.1, 10)]
)
def test_check_refuses_a_delay_after_which_no_time_is_left(delay: float, timeout: float) -> None:
    error = refusal(pre_reboot_delay=delay, reboot_timeout=timeout)
    assert error.reason.code == "argument_invalid"
    assert f"pre_reboot_delay is {delay:g} and must be less than reboot_timeout" in str(error)


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize(
    "value", [-1, "nan", "inf", "-inf"], ids=["negative", "not a number", "endless", "before time"]
)
def test_check_refuses(name: str, value: t.Any) -> None:
    error = refusal(**{name: value})
    assert error.reason.code == "argument_invalid"
    assert name in str(error)


@pytest.mark.parametrize("name", [*spec.WHOLE, "panic_timeout"])
@pytest.mark.parametrize("value", [-1, 604801])
def test_time_of_the_host_is_refused_before_it_is_asked(name: str, value: int) -> None:
    error = refusal(**{name: value})
    assert error.reason.code == "argument_invalid"
    assert f"The option {name} is {value:g} and must be" in str(error)


@pytest.mark.parametrize("name", spec.POSITIVE)
def test_check_refuses_zero_where_it_means_nothing(name: str) -> None:
    assert str(refusal(**{name: 0})).startswith(f"The option {name} is 0 and must be more than 0.")


@pytest.mark.parametrize(
    "command", ["true\0", "echo \ud800"], ids=["a NUL character", "half a character"]
)
def test_test_command_that_no_host_could_be_given_is_refused(command: str) -> None:
    error = refusal(test_command=command)
    assert (error.reason.code, error.rebooted) == ("argument_invalid", False)
    assert "test_command has a character that no command can have" in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernel", "/boot/vmlinuz-\0"),
        ("flavour", "virt\0"),
        ("initramfs", ["/boot/initramfs-virt", "/boot/\ud800"]),
        ("cmdline_append", ["quiet", "a=\0"]),
        ("denied_platforms", ["\0"]),
    ],
)
def test_text_about_the_image_that_no_host_could_be_given_is_refused(
    name: str, value: t.Any
) -> None:
    error = refusal(**{name: value})
    assert (error.reason.code, error.rebooted) == ("argument_invalid", False)
    assert f"The option {name} has a character that no command can have" in str(error)


@pytest.mark.parametrize("command", ["", "echo 'Grüße'", "test\n-e", "echo \udcff"])
def test_test_command_may_have_any_other_character(command: str) -> None:
    spec.parse(validated(test_command=command)[0], HOST)


def test_refusal_says_that_nothing_happened() -> None:
    error = refusal(reboot_timeout=-1)
    assert (error.stage, error.rebooted) == ("preflight", False)


def test_every_time_is_checked() -> None:
    floats = {name for name, each in spec.ARGUMENT_SPEC.items() if each["type"] == "float"}
    assert floats == set(SECONDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"reboot_timeout": "soon"}, "reboot_timeout", id="words for a time"),
        pytest.param({"method": "kexek"}, "method", id="unknown method"),
        pytest.param({"fallback": "hope"}, "fallback", id="unknown fallback"),
        pytest.param({"timeout": 5}, "timeout", id="unknown option"),
        pytest.param({"kernel": "/boot/a", "flavour": "lts"}, "mutually", id="two kernels"),
        pytest.param({"cmdline_source": "explicit"}, "cmdline", id="explicit without a line"),
        pytest.param({"ignore_reasons": ["not_root"]}, "ignore_reasons", id="not ignorable"),
    ],
)
def test_spec_refuses(arguments: dict[str, t.Any], said: str) -> None:
    _parameters, errors = validated(**arguments)
    assert said in "".join(errors)


ORDER: dict[str, t.Any] = {
    "host": HOST,
    "expires": 4020,
    "mark": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "method": "kexec",
    "token": "5f2b6c0e9d1a4f3b8c7d6e5f4a3b2c1d",
    "boot_id": "3b2d1f60-6f5c-4a0e-9f0d-6a1f0f3c9a77",
}


def test_order_of_an_earlier_task_is_accepted() -> None:
    parameters, errors = validated(wait_for=ORDER)
    spec.parse(parameters, HOST)
    assert errors == []
    assert parameters["wait_for"]["acknowledged"] is False


@pytest.mark.parametrize("name", ORDER)
def test_order_without_what_proves_it_is_refused(name: str) -> None:
    given = {key: value for key, value in ORDER.items() if key != name}
    _parameters, errors = validated(wait_for=given)
    assert name in "".join(errors)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param({"wait_for": {**ORDER, "boot_id": "now"}}, "its boot_id is 'now'", id="boot"),
        pytest.param({"wait_for": {**ORDER, "token": "a b"}}, "its token is 'a b'", id="token"),
        pytest.param({"wait_for": {**ORDER, "mark": ""}}, "its mark is ''", id="mark"),
        pytest.param({"wait_for": {**ORDER, "expires": -1}}, "its expires is -1", id="never valid"),
        pytest.param({"wait_for": {**ORDER, "expires": 0}}, "its expires is 0", id="void at boot"),
        pytest.param(
            {"wait_for": {**ORDER, "hardware_id": "4c4c"}}, "its hardware_id is '4c4c'", id="number"
        ),
        pytest.param(
            {"wait_for": {**ORDER, "hardware_id": ""}}, "its hardware_id is ''", id="no number"
        ),
        pytest.param({"wait_for": ORDER, "wait": False}, "wait=false means nothing", id="no wait"),
        pytest.param(
            {"wait_for": {**ORDER, "host": "web2"}}, "'web2', and this is 'web1'", id="another host"
        ),
        pytest.param({"wait_for": ORDER, "reboot_timeout": 0}, "reboot_timeout is 0", id="time"),
    ],
)
def test_order_that_proves_nothing_is_refused(arguments: dict[str, t.Any], said: str) -> None:
    error = refusal(**arguments)
    assert error.reason.code == "argument_invalid"
    assert said in str(error)
    # What was ordered goes on.
    assert error.rebooted is None


def test_order_that_is_handed_over_has_a_value_for_each_of_its_options() -> None:
    assert [field.name for field in dataclasses.fields(spec.Handed)] == [*spec.ORDER_SPEC]


@pytest.mark.parametrize(
    ("given", "known"),
    [
        pytest.param({"boot_id": ORDER["boot_id"].upper()}, {}, id="capitals"),
        pytest.param({"boot_id": ORDER["boot_id"].replace("-", "")}, {}, id="no dashes"),
        pytest.param({"hardware_id": None}, {"hardware_id": None}, id="machine without a number"),
        pytest.param({"hardware_id": "DMI:4C4C"}, {"hardware_id": "dmi:4c4c"}, id="machine"),
        pytest.param({"expires": "4020"}, {}, id="a number as a text"),
    ],
)
def test_order_is_parsed_to_one_way_to_write_it(
    given: dict[str, t.Any], known: dict[str, t.Any]
) -> None:
    parameters, errors = validated(wait_for={**ORDER, **given})
    handed = spec.parse(parameters, HOST).wait_for
    assert errors == []
    assert isinstance(handed, spec.Handed)
    wanted = {**ORDER, "hardware_id": None, **known}
    assert {name: getattr(handed, name) for name in wanted} == wanted


# --- The health of a host -------------------------------------------------------------------


def parsed(**health: t.Any) -> Health:
    parameters, errors = validated(health=health)
    assert errors == []
    found = spec.parse(parameters, HOST).health
    assert found is not None
    return found


def test_health_that_nobody_asks_for_is_none() -> None:
    assert spec.parse(validated()[0], HOST).health is None


def test_health_has_its_defaults() -> None:
    services_only = Health(True, (), (), (), (), timeout=120.0, stable_seconds=0.0)
    assert parsed() == services_only


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param("nginx -t", ("nginx", "-t"), id="a text"),
        pytest.param("test -e '/a b'", ("test", "-e", "/a b"), id="quotes"),
        pytest.param(["echo", "$HOME; id"], ("echo", "$HOME; id"), id="words"),
    ],
)
def test_command_is_a_list_of_words(given: t.Any, words: tuple[str, ...]) -> None:
    assert parsed(commands=[given]).commands == (words,)


def test_one_of_a_list_may_stand_alone() -> None:
    found = parsed(commands="true", ports=22, ignore_services="ntpd", required_services="sshd")
    assert (found.commands, found.ports) == ((("true",),), (22,))
    assert (found.ignore_services, found.required_services) == (("ntpd",), ("sshd",))


@pytest.mark.parametrize(
    ("health", "said"),
    [
        pytest.param({"ports": [0]}, "health.ports has 0, which is no TCP port", id="no port"),
        pytest.param({"ports": [22, 65536]}, "health.ports has 65536", id="port too high"),
        pytest.param({"ports": [-1]}, "health.ports has -1", id="negative port"),
        pytest.param({"timeout": -1}, "health.timeout is -1", id="negative time"),
        pytest.param({"timeout": "nan"}, "health.timeout is nan", id="no time"),
        pytest.param({"stable_seconds": 1e9}, "health.stable_seconds is 1e+09", id="years"),
        pytest.param({"ignore_services": ["a,b"]}, "have 'a,b', which is no name", id="a comma"),
        pytest.param({"required_services": ["a b"]}, "have 'a b', which", id="two names in one"),
        pytest.param({"ignore_services": [""]}, "have '', which is no name", id="no name"),
        pytest.param({"required_services": ["/etc/init.d/a"]}, "which is no name", id="a path"),
        pytest.param({"commands": [""]}, "has '', which is no command", id="empty command"),
        pytest.param({"commands": [[]]}, "has [], which is no command", id="no words"),
        pytest.param({"commands": ["a 'b"]}, "which is no command", id="open quote"),
        pytest.param({"commands": [["a", 1]]}, "which is no command", id="a number for a word"),
        pytest.param({"commands": [5]}, "has 5, which is no command", id="a number"),
        pytest.param({"commands": [None]}, "which is no command", id="null"),
        pytest.param({"commands": [["a\0"]]}, "health.commands has a character", id="NUL"),
    ],
)
def test_health_that_cannot_be_looked_at_is_refused(health: dict[str, t.Any], said: str) -> None:
    error = refusal(health=health)
    assert (error.reason.code, error.stage) == ("argument_invalid", "preflight")
    assert error.rebooted is False
    assert said in str(error)


@pytest.mark.parametrize(
    ("health", "said"),
    [
        pytest.param({"ports": ["ssh"]}, "ports", id="name for a port"),
        pytest.param({"timeout": "soon"}, "timeout", id="words for a time"),
        pytest.param({"service": True}, "service", id="unknown option"),
        pytest.param("all", "dictionary", id="a word for all"),
    ],
)
def test_spec_refuses_a_health(health: t.Any, said: str) -> None:
    _parameters, errors = validated(health=health)
    assert said in "".join(errors)


def test_order_without_services_is_of_no_use_to_who_asks_for_them() -> None:
    error = refusal(wait_for=ORDER, health={})
    assert error.reason.code == "argument_invalid"
    assert "the order does not say what ran before" in str(error)
    assert error.rebooted is None


@pytest.mark.parametrize(
    ("order", "health"),
    [
        pytest.param({}, {"services": False, "ports": [22]}, id="nobody asks"),
        pytest.param({"services": []}, {}, id="none ran"),
        pytest.param({"services": ["sshd"]}, {}, id="some ran"),
    ],
)
def test_order_is_of_use_to_who_asks_for_what_it_has(
    order: dict[str, t.Any], health: dict[str, t.Any]
) -> None:
    parameters, errors = validated(wait_for={**ORDER, **order}, health=health)
    handed = spec.parse(parameters, HOST).wait_for
    assert errors == []
    assert handed is not None
    assert handed.services == (tuple(order["services"]) if order else None)
