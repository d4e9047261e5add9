"""`backtrace-jira explain` and `links show`: what the Fix Versions of a ticket mean for its group."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from backtrace_jira.adapters.dynamodb.table import Table
from backtrace_jira.adapters.dynamodb.ticket_links import DynamoDBTicketLinks
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced, NamedVersion, Standing, VersionsSeen
from backtrace_jira.links.link import LinkKey
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.settings.integration import Integration
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.states import State, Status
from backtrace_jira_cli.link_document import KEYS
from tests.builders import integration
from tests.cli.conftest import PREFIX, Operator, shared_session
from tests.tables import new_table

NAMES = ParameterNames(PREFIX)
FINGERPRINT = "8910551e27a339e5"
ISSUE = Issue("10001", "BUG-7", "https://jira.example/browse/BUG-7")
CRITERION = '{"field":"version","type":"version_gt","version":"2.4.0"}'
DONE = Status("5", "Done", "done")
V24, V25 = NamedVersion("Mobile 2.4"), NamedVersion("2.5", released=False)
LOOKS = "the schedule looks at every link in turn, `backtrace-jira links check` at once"
UNTIL = Standing.RESOLVED_UNTIL
Link = Callable[..., str]


@pytest.fixture
def link(operator: Operator) -> Link:
    """Store settings and a link; return the rows of `links show` and `explain` on its Fix Versions, which agree."""
    table = new_table(shared_session().client("dynamodb"))
    operator.ssm.put_parameter(Name=NAMES.deployment("links_table"), Value=table, Type="String")
    links = DynamoDBTicketLinks(Table(shared_session().client("dynamodb"), table))

    def make(synced: LastSynced | None, settings: Integration) -> str:
        operator.ssm.put_parameter(
            Name=NAMES.integration(settings), Value=settings.model_dump_json(), Type="String", Overwrite=True
        )
        key = LinkKey(settings.id, FINGERPRINT)
        links.complete(key, ISSUE, Record(time.time(), Decision.CREATED))
        if synced:
            links.mark_linked(key, synced)
        told = [rows(operator, *command) for command in (("links", "show"), ("explain",))]
        assert told[0] == told[1]
        return told[0]

    return make


def rows(operator: Operator, *command: str) -> str:
    result = operator.call(*command, FINGERPRINT)
    assert result.exit_code == 0, result.output
    lines = [
        line
        for line in result.stdout.splitlines()
        if line.startswith(("Fix V", "which", "Backtrace was told"))
    ]
    return "\n".join(" | ".join(cell.strip() for cell in line.split("|", 1)) for line in lines)


def document(operator: Operator) -> dict[str, Any]:
    shown = json.loads(operator.call("links", "show", FINGERPRINT, "--json").stdout)["links"][0]
    explained = json.loads(operator.call("explain", FINGERPRINT, "--json").stdout)["decisions"][0]
    assert {name: explained[name] for name in shown} == shown
    found: dict[str, Any] = shown
    return found


def with_fixes(**fixes: Any) -> Integration:
    return integration(fix_versions={"enabled": True, **fixes})


def seen(standing: Standing, *versions: NamedVersion, boundary: str = "", **more: Any) -> LastSynced:
    found = VersionsSeen(standing, versions, resolution=more.pop("resolution", "Fixed"), boundary=boundary)
    state = more.pop("state", State.RESOLVED)
    return LastSynced(state, "", DONE, "", at=time.time() - 60, versions_seen=found, **more)


@pytest.mark.parametrize(
    ("synced", "fixes", "expected"),
    [
        (
            seen(UNTIL, V24, boundary="version > 2.4", reopen_criteria=(CRITERION,)),
            {},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that reopens the ticket\n"
            "Backtrace was told | version > 2.4.0",
        ),
        (
            seen(UNTIL, V24, boundary="version > 2.4", reopen_criteria=(CRITERION,)),
            {"on_regression": "leave"},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that opens the group in Backtrace, and the "
            "ticket stays done (fix_versions.on_regression: leave)\n"
            "Backtrace was told | version > 2.4.0",
        ),
        (
            seen(UNTIL, V24, boundary="version > 2.4", state=State.MUTED),
            {"on_regression": "new_ticket"},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that makes a new ticket. It is not in "
            "Backtrace: the group is muted, and stays so",
        ),
        (
            seen(UNTIL, V24, boundary="version > 2.4", state=State.OPEN),
            {"on_regression": "comment"},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that is told in a comment, and the ticket "
            "stays done. It is not in Backtrace: the group is open there, because somebody opened it",
        ),
        (
            seen(UNTIL, V24, boundary="version > 2.4", reopen_criteria=(CRITERION,)),
            {"reopen_within_days": 30},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that reopens the ticket, or makes a new one "
            "if it has been done for more than 30 days\n"
            "Backtrace was told | version > 2.4.0",
        ),
        (
            seen(
                UNTIL,
                V24,
                boundary="version > 2.4",
                state=State.OPEN,
                reopen_criteria=(CRITERION,),
                regressed=True,
            ),
            {"on_regression": "comment"},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that is told in a comment, and the ticket "
            "stays done. But the group is open in Backtrace, because an error past it was seen again\n"
            "Backtrace was told | version > 2.4.0",
        ),
        (
            seen(UNTIL, V24, boundary="version > 2.4", state=State.OPEN, reopen_criteria=(CRITERION,)),
            {},
            "Fix Versions | Mobile 2.4\n"
            "which means | resolved until version > 2.4; an error past that reopens the ticket. But the group is "
            "open in Backtrace\n"
            "Backtrace was told | version > 2.4.0",
        ),
        (
            seen(Standing.WAITING, V24, V25),
            {"when": "released"},
            "Fix Versions | Mobile 2.4, 2.5 (not released)\n"
            "which means | it waits for the release of 2.5 in Jira (fix_versions.when: released); until then no "
            "version reopens it",
        ),
        (
            seen(Standing.NO_VERSIONS),
            {},
            "Fix Versions | none\nwhich means | the ticket is done without a Fix Version: no version reopens it",
        ),
        (
            seen(
                Standing.UNREAD, NamedVersion("Next"), unread_versions=("Next: cannot be read as a version",)
            ),
            {},
            "Fix Versions | Next\n"
            "which means | none of them says anything to Backtrace: no version reopens it\n"
            "Fix Version | Next: cannot be read as a version",
        ),
        (
            seen(Standing.NEVER_REOPENED, V24, resolution="Won't Fix"),
            {},
            "Fix Versions | Mobile 2.4\n"
            "which means | nothing: what was resolved as Won't Fix is never reopened (fix_versions.never_reopened)",
        ),
        (
            seen(Standing.NOT_SHOWN, reopen_criteria=(CRITERION,)),
            {},
            "Fix Versions | none\n"
            "which means | not known: Jira does not show the field (backtrace-jira check says more); what stands in "
            "Backtrace stays\n"
            "Backtrace was told | version > 2.4.0",
        ),
        (
            LastSynced(State.RESOLVED, "", DONE, "", at=5.0),
            {},
            "Fix Versions | not looked at since fix_versions was enabled, and the ticket was done before that; "
            f"{LOOKS}",
        ),
        (
            LastSynced(State.OPEN, "", Status("1", "To Do", "new"), "", at=5.0),
            {},
            "Fix Versions | count once the ticket is done",
        ),
        (
            LastSynced(State.IN_PROGRESS, ""),
            {},
            f"Fix Versions | not looked at yet since ticket and group were linked; {LOOKS}",
        ),
        (None, {}, f"Fix Versions | not looked at yet since ticket and group were linked; {LOOKS}"),
        (LastSynced(State.RESOLVED, "", DONE, "", at=5.0), {"enabled": False}, ""),
        (
            seen(UNTIL, V24, boundary="version > 2.4", reopen_criteria=(CRITERION,)),
            {"enabled": False},
            "Fix Versions | off (fix_versions.enabled), but what they wrote still stands in Backtrace\n"
            "Backtrace was told | version > 2.4.0",
        ),
    ],
)
def test_what_they_mean(link: Link, synced: LastSynced | None, fixes: dict[str, Any], expected: str) -> None:
    assert link(synced, with_fixes(**fixes)) == expected


def test_where_each_error_has_a_ticket(link: Link) -> None:
    settings = integration(event="trace", fix_versions={"enabled": True})
    told = link(seen(UNTIL, V24, boundary="version > 2.4", reopen_criteria=(CRITERION,)), settings)
    assert "an error past that gets a ticket of its own (event: trace)" in told


def test_machines_get_facts(link: Link, operator: Operator) -> None:
    link(seen(UNTIL, V24, V25, boundary="version > 2.4", reopen_criteria=(CRITERION,)), with_fixes())
    found = document(operator)
    assert found["fix_versions"] == {
        "enabled": True,
        "standing": "resolved_until",
        "versions": [{"name": "Mobile 2.4", "released": True}, {"name": "2.5", "released": False}],
        "more_versions": 0,
        "resolution": "Fixed",
        "boundary": "version > 2.4",
        "reopen_criteria": [json.loads(CRITERION)],
        "error_past_it": "reopen",
        "remarks": [],
        "meaning": "resolved until version > 2.4; an error past that reopens the ticket",
    }
    assert found["record"]["until"] is None
    keys = [*found, *(f"fix_versions.{name}" for name in found["fix_versions"])]
    assert keys == list(KEYS)


def test_machines_are_told_of_a_ticket_that_is_not_done(link: Link, operator: Operator) -> None:
    link(LastSynced(State.OPEN, "", Status("1", "To Do", "new"), "", at=5.0), with_fixes())
    assert document(operator)["fix_versions"]["standing"] == "not_done"


def test_of_a_link_that_was_never_looked_at_machines_get_nulls(link: Link, operator: Operator) -> None:
    link(None, with_fixes(enabled=False))
    found = document(operator)["fix_versions"]
    assert (found["enabled"], found["standing"], found["versions"], found["meaning"]) == (
        False,
        None,
        [],
        None,
    )
