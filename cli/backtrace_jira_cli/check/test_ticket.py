"""The test ticket of `check --create-test-ticket`, created the way the function creates tickets."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import date

from backtrace_jira.adapters.jira.client import JiraClient
from backtrace_jira.adapters.jira.tickets import RestJiraTickets
from backtrace_jira.backtrace.error_group import ErrorGroup
from backtrace_jira.errors import BacktraceJiraError, InvalidField, OutcomeUnknown, Refused
from backtrace_jira.jira.field_values import FindUser, to_field_value
from backtrace_jira.jira.fields import FieldSchema
from backtrace_jira.json_types import Histogram
from backtrace_jira.links.link import LinkKey
from backtrace_jira.settings.integration import Integration
from backtrace_jira.tickets.fill_fields import draft_ticket
from backtrace_jira.tickets.templates import fill_template
from backtrace_jira_cli.check.finding import CheckName, Finding, failed, ok
from backtrace_jira_cli.check.overrides import BUILT_IN_NAMES, Template, overrides
from backtrace_jira_cli.deployment.lockout_guard import LockoutGuard
from backtrace_jira_cli.deployment.remedies import explain_error

STAGE = "check"
"""Stands in the test ticket's marker instead of a stage, so that no deployment adopts the ticket."""
TITLE = "Test by backtrace-jira check"


def create_test_ticket(
    integration: Integration, tickets: LockoutGuard[JiraClient], schema: FieldSchema | None, people: FindUser
) -> tuple[Finding, dict[str, str] | None]:
    """Create one ticket, with one request. Return the finding, and the ticket's key and address."""
    check = CheckName.TEST_TICKET
    group = sample_group(integration, schema, people)
    marker = LinkKey(integration.id, group.fingerprint).marker(STAGE)
    try:
        draft = draft_ticket(group, integration, marker, schema=schema, people=people)
        issue = tickets.ask(lambda jira: RestJiraTickets(jira).create(draft))
    except OutcomeUnknown as error:
        return failed(
            check, str(error), f"Jira may have created it: look for the label {marker} in Jira."
        ), None
    except (Refused, InvalidField) as error:
        return failed(check, str(error), "No ticket was created. Correct what the answer names."), None
    except BacktraceJiraError as error:
        return failed(check, *explain_error(error)), None
    created = {"key": issue.key, "url": issue.url}
    return ok(check, f"{issue.key} was created, {issue.url}; delete it when you have seen it"), created


def sample_group(integration: Integration, schema: FieldSchema | None, people: FindUser) -> ErrorGroup:
    """Return an error group whose texts say that it is a test, with values that the create screen takes."""
    now = time.time()
    attributes: dict[str, Histogram] = {"error.message": ((TITLE, 1),)}
    for name, template in overrides(integration).items():
        attributes |= _find_values(name, template, schema, people)
    return ErrorGroup(
        universe=integration.universe,
        project=integration.project,
        fingerprint=secrets.token_hex(32),
        application=TITLE,
        callstack=("nothing_failed", "backtrace_jira_check"),
        occurrences=1,
        timestamp=(now, now),
        classifiers=("test",),
        attributes=attributes,
    )


def _find_values(
    name: str, template: Template, schema: FieldSchema | None, people: FindUser
) -> dict[str, Histogram]:
    """Return values for the attributes of one custom field that Jira's field takes; none if no value fits."""
    wanted = [each for each in template.attributes if each not in BUILT_IN_NAMES]
    if schema is None or not wanted:
        return {}
    try:
        field = schema.resolve(name)
    except InvalidField:
        return {}
    for value in ("test", *field.allowed_names()[:1], *_sample_texts()):
        text = fill_template(template.text, dict.fromkeys(wanted, value)).text
        try:
            to_field_value(field, text, cloud=schema.cloud, people=people)
        except InvalidField:
            continue
        return dict.fromkeys(wanted, ((value, 1),))
    return {}


def _sample_texts() -> Iterator[str]:
    yield "1"
    yield date.today().isoformat()
    yield f"{date.today().isoformat()}T12:00:00Z"
