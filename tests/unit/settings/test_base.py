"""Rules of all settings: required, unknown and frozen keys, trimmed texts, names that are fit for a path."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from backtrace_jira.settings.base import Settings, describe_faults
from backtrace_jira.settings.connection import BacktraceUniverse, Connection
from backtrace_jira.settings.integration import Integration
from tests.builders import integration
from tests.unit.settings.refusals import CANARY, connection, faults, refusal

REQUIRED: list[tuple[type[Settings], dict[str, Any], set[str]]] = [
    (Connection, {"name": "m", "jira_api": "https://h/rest/api/2", "email": "e"}, {"name", "jira_api"}),
    (BacktraceUniverse, {"universe": "u", "address": "https://u.example"}, {"universe", "address"}),
    (
        Integration,
        {"universe": "u", "project": "p", "name": "n", "connection": "c", "project_key": "K", "subject": "s"},
        {"universe", "project", "name", "connection", "project_key", "subject"},
    ),
]


@pytest.mark.parametrize(("model", "values", "required"), REQUIRED)
def test_a_missing_key_and_an_unknown_one_are_refused_and_none_can_be_changed(
    model: type[Settings], values: dict[str, Any], required: set[str]
) -> None:
    accepted = model.model_validate(values)
    for name in required:
        assert faults(model, {k: v for k, v in values.items() if k != name}) == f"{name}: Field required"
        with pytest.raises(ValidationError, match="frozen"):
            setattr(accepted, name, values[name])
    assert "api_tokn: Extra inputs" in faults(model, values | {"api_tokn": CANARY})
    assert CANARY not in faults(model, values | {"api_tokn": CANARY})


@pytest.mark.parametrize(("model", "values", "required"), REQUIRED)
def test_no_error_text_holds_a_value(
    model: type[Settings], values: dict[str, Any], required: set[str]
) -> None:
    said = [
        describe_faults(error)
        for name in model.model_fields
        for wrong in ({"field": [CANARY]}, [CANARY], f"{CANARY} /\n", f"{CANARY}\ud800")
        if (error := refusal(model, values | {name: wrong}))
    ]
    assert len(said) >= 3 * len(required)
    assert CANARY not in "".join(said)


@pytest.mark.parametrize("field", ["email", "project_key", "issue_type", "subject", "labels_field"])
def test_texts_are_trimmed_and_not_blank(field: str) -> None:
    if field == "email":
        assert connection(email=" bot@example.org ").email == "bot@example.org"
        with pytest.raises(ValidationError):
            connection(email="  ")
        return
    assert getattr(integration(**{field: "  X \n"}), field) == "X"
    with pytest.raises(ValidationError):
        integration(**{field: " \n"})


def test_texts_hold_whole_characters_only() -> None:
    for field in ("project_key", "issue_type", "labels_field"):
        with pytest.raises(ValidationError):
            integration(**{field: "half a pair \ud83d"})
    with pytest.raises(ValidationError):
        integration(custom_fields={"half \ud83d": "x"})


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("jira-bugs", True),
        ("Team_1.prod", True),
        ("a" * 64, True),
        (" trimmed ", True),
        ("a" * 65, False),
        ("", False),
        ("a b", False),
        ("a/b", False),
        ("../secrets", False),
        ("a\nb", False),
        ("ä", False),
        ("a*", False),
    ],
)
def test_names_are_fit_for_a_parameter_path(name: str, fine: bool) -> None:
    for field in ("name", "connection"):
        if fine:
            assert getattr(integration(**{field: name}), field) == name.strip()
        else:
            with pytest.raises(ValidationError):
                integration(**{field: name})


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a\n", "ä", "a" * 129, "a;b"])
def test_names_from_backtrace_are_fit_for_a_path(name: str) -> None:
    for field in ("universe", "project"):
        with pytest.raises(ValidationError):
            integration(**{field: name})
    with pytest.raises(ValidationError):
        BacktraceUniverse(universe=name, address="https://u.example")
