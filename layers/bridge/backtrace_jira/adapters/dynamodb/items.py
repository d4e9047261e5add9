"""The items of the link table: what their attributes are, and how they are read.

    integration, fingerprint    key; the second half is "<fingerprint> <trace>" where each error has a ticket
    state, owner, lease_until, uncertain_since, lookups, issue_id, issue_key, issue_url, linked
    record, decided_at          what was decided last (JSON), and when: `backtrace-jira explain` reads both
    synced                      what ticket and group were when they last agreed (JSON)
    page                        the group's page in Backtrace
    previous                    key of the ticket before, until the new one is linked to it
    fired_at, fired_by, aggregated, aggregated_by
                                on a group's item: frequency and threshold
    expires_at                  DynamoDB deletes the item some time after that; never on one with a ticket

Items whose `integration` begins with # are no links: parking notes and create screens of a connection, the turn
that somebody has at a ticket (#turn), watermarks (#watermark), webhooks that came (#webhook), which ticket has which
Fix Version (#fixes, one item each), and what is known of a project's versions (#versions).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from backtrace_jira.adapters.dynamodb.table import Item, Values
from backtrace_jira.jira.issue import Issue
from backtrace_jira.links.last_synced import LastSynced
from backtrace_jira.links.link import Link, LinkKey, LinkState
from backtrace_jira.links.parking import Parking
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

RECENT_DECISIONS = "RecentDecisions"
"""Index of an integration's items by `decided_at` (template.yaml)."""
BY_ISSUE = "ByIssue"
"""Index of the items by the ticket that they hold (template.yaml)."""
PARKING = "#parking"
SCREEN = "#screen"
TURN = "#turn"
WATERMARK = "#watermark"
FIXES = "#fixes"
VERSIONS = "#versions"
"""Stand where an integration's id stands; no id can begin with them."""
SCOPE = "scope "


def s(text: str) -> AttributeValueTypeDef:
    """Give a text as DynamoDB takes it."""
    return {"S": str(text)}


def n(number: float) -> AttributeValueTypeDef:
    """Give a number as DynamoDB takes it."""
    return {"N": repr(number)}


def key_of(key: LinkKey) -> Values:
    """Return the item's key. A fingerprint holds no blank, so the first one ends it."""
    return {"integration": s(key.integration), "fingerprint": s(f"{key.fingerprint} {key.trace}".strip())}


def link_in(item: Item) -> Link:
    """Read a link row. One without a state was decided about before anybody claimed it."""
    text = {name: value["S"] for name, value in item.items() if "S" in value}
    number = {name: float(value["N"]) for name, value in item.items() if "N" in value}
    fingerprint, _, trace = text["fingerprint"].partition(" ")
    issue_id = text.get("issue_id")
    return Link(
        key=LinkKey(text["integration"], fingerprint, trace),
        state=LinkState(text.get("state", LinkState.RELEASED)),
        owner=text.get("owner", ""),
        lease_until=number.get("lease_until", 0.0),
        uncertain_since=number.get("uncertain_since", 0.0),
        lookups=int(number.get("lookups", 0)),
        issue=Issue(issue_id, text["issue_key"], text["issue_url"]) if issue_id else None,
        linked_in_backtrace=bool(item.get("linked", {}).get("BOOL", False)),
        record=record_in(text["record"]) if "record" in text else None,
        synced=synced_in(text["synced"]) if "synced" in text else None,
        page=text.get("page", ""),
        previous=text.get("previous", ""),
    )


RECORDING = ", #record = :record, decided_at = :at"
"""Follows what an update sets, with the values of `recording`."""


def recording(record: Record) -> Values:
    """Give a record, and when it was made."""
    return {":record": s(record_text(record)), ":at": n(record.at)}


def synced_text(synced: LastSynced) -> str:
    """Write what the sides agreed on; what is not known is left out."""
    status = synced.status
    raw: dict[str, Any] = {
        "state": synced.state,
        "assignee": synced.assignee,
        "status": [status.id, status.name, status.category] if status else None,
        "ticket_assignee": synced.ticket_assignee,
        "at": synced.at or None,
        "told": list(synced.told) or None,
        "problems": list(synced.problems) or None,
        "until": list(synced.reopen_criteria) or None,
        "unread": list(synced.unread_versions) or None,
        "fixes": dict(synced.fix_versions) or None,
        "reopens": synced.reopens,
        "regressed": synced.regressed or None,
    }
    return json.dumps({name: value for name, value in raw.items() if value is not None}, ensure_ascii=False)


def synced_in(text: str) -> LastSynced:
    """Read what `synced_text` wrote."""
    raw: dict[str, Any] = json.loads(text)
    return LastSynced(
        state=State(raw["state"]) if "state" in raw else None,
        assignee=raw.get("assignee"),
        status=Status(*raw["status"]) if "status" in raw else None,
        ticket_assignee=raw.get("ticket_assignee"),
        at=raw.get("at", 0.0),
        told=tuple(raw.get("told", ())),
        problems=tuple(raw.get("problems", ())),
        reopen_criteria=tuple(raw.get("until", ())),
        unread_versions=tuple(raw.get("unread", ())),
        fix_versions=raw.get("fixes", {}),
        reopens=raw.get("reopens"),
        regressed=raw.get("regressed", False),
    )


def record_text(record: Record) -> str:
    """Write a record; what is empty is left out."""
    raw: dict[str, Any] = {
        "at": record.at,
        "decision": str(record.decision),
        "reason": record.reason,
        "rule": record.rule,
        "messages": list(record.messages),
        "fields": dict(record.fields),
        "left_out": list(record.left_out),
        "unknown_attributes": list(record.unknown_attributes),
    }
    return json.dumps({name: value for name, value in raw.items() if value}, ensure_ascii=False)


def record_in(text: str) -> Record:
    """Read what `record_text` wrote."""
    raw: dict[str, Any] = json.loads(text)
    return Record(
        at=raw.get("at", 0.0),
        decision=Decision(raw["decision"]),
        reason=raw.get("reason", ""),
        rule=raw.get("rule", ""),
        messages=tuple(raw.get("messages", ())),
        fields=raw.get("fields", {}),
        left_out=tuple(raw.get("left_out", ())),
        unknown_attributes=tuple(raw.get("unknown_attributes", ())),
    )


def parking_text(parking: Parking) -> str:
    """Write a parking note."""
    return json.dumps({"until": parking.until, "refusal": record_text(parking.refusal)})


def parkings_in(item: Item) -> dict[str, Parking]:
    """Read a connection's parking notes, by scope."""
    notes = {
        name.removeprefix(SCOPE): json.loads(value["S"])
        for name, value in item.items()
        if name.startswith(SCOPE)
    }
    return {scope: Parking(note["until"], record_in(note["refusal"])) for scope, note in notes.items()}
