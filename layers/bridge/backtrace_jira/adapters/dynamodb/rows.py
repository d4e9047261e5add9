"""A model for each kind of item with links and parking notes: reads the item, and writes its JSON texts.

The fields have the names that are stored, so they must not be renamed; the core's classes may be. Unknown attributes
are ignored: a newer version of this program may have written them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Json, TypeAdapter

from backtrace_jira.adapters.dynamodb.items import SCOPE, n, s
from backtrace_jira.adapters.dynamodb.table import Item, Values
from backtrace_jira.jira.issue import Issue
from backtrace_jira.json_types import mend_half_pairs
from backtrace_jira.links.last_synced import LastSynced, Opener, VersionsSeen
from backtrace_jira.links.link import FollowUp, Link, LinkKey, LinkState
from backtrace_jira.links.pace import Pace
from backtrace_jira.links.parking import Parking, ServerNotes
from backtrace_jira.outcomes import Decision, Record
from backtrace_jira.states import State, Status


class Stored(BaseModel):
    """An item of the table, or a JSON text in one of its attributes."""

    model_config = ConfigDict(coerce_numbers_to_str=True, hide_input_in_errors=True, defer_build=True)


M = TypeVar("M", bound=Stored)


def read_item(model: type[M], item: Item) -> M:
    """Read an item: `{"S": "x"}` is "x", and `{"N": "1"}` is "1", which the model converts to a number.

    Raises:
        ValueError: the item is of another kind.
    """
    return model.model_validate(
        {
            name: _without_half_pairs(content)
            for name, value in item.items()
            for kind, content in value.items()
            if kind != "NULL"
        }
    )


def _without_half_pairs(content: Any) -> Any:
    """Replace halves of surrogate pairs: a server's words may end in one, and pydantic would refuse the whole row."""
    if isinstance(content, str) and not content.isascii():
        return content.encode("utf-8", "replace").decode()
    return content


def _json_bytes(text: Any) -> Any:
    return mend_half_pairs(text.encode("utf-8", "replace")) if isinstance(text, str) else text


JSONText = BeforeValidator(_json_bytes)
"""Put beside pydantic's `Json`: older versions of this program stored a server's words as they came."""


class StoredRecord(Stored):
    """Attribute `record`: the last decision."""

    at: float = 0.0
    decision: Decision
    reason: str = ""
    rule: str = ""
    messages: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    left_out: tuple[str, ...] = ()
    unknown_attributes: tuple[str, ...] = ()
    until: float = 0.0

    def to_record(self) -> Record:
        """Return what the core works with."""
        return Record(
            at=self.at,
            decision=self.decision,
            reason=self.reason,
            rule=self.rule,
            messages=self.messages,
            fields=self.fields,
            left_out=self.left_out,
            unknown_attributes=self.unknown_attributes,
            until=self.until,
        )


def record_text(record: Record) -> str:
    """Return the attribute's text, without empty values."""
    raw: dict[str, Any] = {
        "at": record.at,
        "decision": str(record.decision),
        "reason": record.reason,
        "rule": record.rule,
        "messages": list(record.messages),
        "fields": dict(record.fields),
        "left_out": list(record.left_out),
        "unknown_attributes": list(record.unknown_attributes),
        "until": record.until,
    }
    return json.dumps({name: value for name, value in raw.items() if value}, ensure_ascii=False)


RECORDING = ", #record = :record, decided_at = :at"
"""Appended to the SET of an update, with the values of `recording`."""


def recording(record: Record) -> Values:
    """Return the values for `RECORDING`: the record, and its time."""
    return {":record": s(record_text(record)), ":at": n(record.at)}


_OF_LAST_SYNCED = {
    "until": "reopen_criteria",
    "unread": "unread_versions",
    "fixes": "fix_versions",
    "opened": "opened_by",
    "again": "resolved_again",
    "versions": "versions_seen",
}
"""What the core calls attributes that are stored by another name."""


class StoredSynced(Stored):
    """Attribute `synced`: ticket and group when they last agreed. `status` is id, name and category."""

    state: State | None = None
    assignee: str | None = None
    status: tuple[str, str, str] | None = None
    meaning: State | None = None
    ticket_assignee: str | None = None
    at: float = 0.0
    told: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    fixes: dict[str, str] = {}
    reopens: int | None = None
    regressed: bool = False
    opened: Opener = Opener.NOBODY
    again: tuple[float, ...] = ()
    answered: str = ""
    doubted: tuple[str, ...] = ()
    versions: VersionsSeen | None = None
    refused: dict[str, str] = {}
    refused_at: float = 0.0

    def to_last_synced(self) -> LastSynced:
        """Return what the core works with."""
        values = {_OF_LAST_SYNCED.get(name, name): getattr(self, name) for name in type(self).model_fields}
        return LastSynced(**values | {"status": Status(*self.status) if self.status else None})


def synced_text(synced: LastSynced) -> str:
    """Return the attribute's text, without unknown values."""
    status = synced.status
    raw: dict[str, Any] = {
        "state": synced.state,
        "assignee": synced.assignee,
        "status": [status.id, status.name, status.category] if status else None,
        "meaning": synced.meaning,
        "ticket_assignee": synced.ticket_assignee,
        "at": synced.at or None,
        "told": list(synced.told) or None,
        "problems": list(synced.problems) or None,
        "until": list(synced.reopen_criteria) or None,
        "unread": list(synced.unread_versions) or None,
        "fixes": dict(synced.fix_versions) or None,
        "reopens": synced.reopens,
        "regressed": synced.regressed or None,
        "opened": synced.opened_by or None,
        "again": list(synced.resolved_again) or None,
        "answered": synced.answered or None,
        "doubted": list(synced.doubted) or None,
        "versions": asdict(synced.versions_seen) if synced.versions_seen else None,
        "refused": dict(synced.refused) or None,
        "refused_at": synced.refused_at or None,
    }
    return json.dumps({name: value for name, value in raw.items() if value is not None}, ensure_ascii=False)


class LinkRow(Stored):
    """A link row. One without a state holds a decision on a group that was never claimed."""

    integration: str
    fingerprint: str
    """Followed by a blank and the trace, if each error has a ticket."""
    state: LinkState = LinkState.RELEASED
    owner: str = ""
    lease_until: float = 0.0
    uncertain_since: float = 0.0
    lookups: int = 0
    cut_off: int = 0
    issue_id: str = ""
    issue_key: str = ""
    issue_url: str = ""
    linked: bool = False
    record: Annotated[Json[StoredRecord], JSONText] | None = None
    synced: Annotated[Json[StoredSynced], JSONText] | None = None
    page: str = ""
    previous: str = ""
    generation: int = 0
    follow_up: Json[FollowUp] | None = None

    def read_generation(self) -> int:
        """Return the generation. A row of an older release that let go of a ticket must not have a first one again."""
        if self.generation or self.issue_id:
            return self.generation or 1
        let_go = self.record is not None and self.record.decision in (Decision.UNLINKED, Decision.REGRESSED)
        # `page` was written with each ticket, and stayed.
        return 2 if let_go or self.previous or "page" in self.model_fields_set else 1

    def read_follow_up(self) -> FollowUp | None:
        """Return what is wanted. A release before this one, put back for a while, leaves it beside another ticket."""
        return self.follow_up if self.synced and self.synced.regressed else None


def link_in(item: Item) -> Link:
    """Read a link row.

    Raises:
        ValueError: the item is no link row.
    """
    row = read_item(LinkRow, item)
    fingerprint, _, trace = row.fingerprint.partition(" ")
    return Link(
        key=LinkKey(row.integration, fingerprint, trace),
        state=row.state,
        owner=row.owner,
        lease_until=row.lease_until,
        uncertain_since=row.uncertain_since,
        lookups=row.lookups,
        cut_off=row.cut_off,
        issue=Issue(row.issue_id, row.issue_key, row.issue_url) if row.issue_id else None,
        linked_in_backtrace=row.linked,
        record=row.record.to_record() if row.record else None,
        synced=row.synced.to_last_synced() if row.synced else None,
        page=row.page,
        previous=row.previous,
        generation=row.read_generation(),
        is_counted=bool(row.generation) or row.read_generation() == 1,
        follow_up=row.read_follow_up(),
    )


class StoredParking(Stored):
    """A parking note, in the attribute of its scope."""

    until: float
    refusal: Annotated[Json[StoredRecord], JSONText]


def parking_text(parking: Parking) -> str:
    """Return the text of a parking note."""
    return json.dumps({"until": parking.until, "refusal": record_text(parking.refusal)})


PACE = TypeAdapter(Pace)


def pace_text(pace: Pace) -> str:
    """Return the attribute's text, without what is as in a new pace. `written_by` has an attribute of its own."""
    raw = asdict(replace(pace, written_by=""))
    return json.dumps({name: value for name, value in raw.items() if value != getattr(Pace(), name)})


def notes_in(item: Item) -> ServerNotes:
    """Read what is noted of a server.

    What cannot be read (another version of this program wrote it) is as good as not written: it would stop every
    event of a connection, and the next note replaces it.
    """
    pace = Pace()
    with suppress(ValueError):
        pace = PACE.validate_json(item["pace"]["S"]) if "pace" in item else pace
    return ServerNotes(parkings_in(item), replace(pace, written_by=item.get("paced_by", {}).get("S", "")))


def parkings_in(item: Item) -> Mapping[str, Parking]:
    """Read a connection's parking notes, by scope."""
    found: dict[str, Parking] = {}
    for name, value in item.items():
        if name.startswith(SCOPE):
            with suppress(ValueError):
                note = StoredParking.model_validate_json(_json_bytes(value["S"]))
                found[name.removeprefix(SCOPE)] = Parking(note.until, note.refusal.to_record())
    return found
