"""The items of the link table: their attributes and keys.

    integration, fingerprint    key; the second half is "<fingerprint> <trace>" where each error has a ticket
    state, owner, lease_until, uncertain_since, lookups, cut_off, issue_id, issue_key, issue_url, linked
    record, decided_at          the last decision (JSON), and its time: `backtrace-jira explain` reads both
                                (no index has the time: it would change with every decision)
    synced                      the values of ticket and group when they last agreed (JSON)
    page                        the group's page in Backtrace
    previous                    key of the ticket before, until the new one is linked to it
    follow_up                   the ticket that is to follow this one after a regression (JSON)
    generation                  the number of the ticket, or of the next one; a row without it has its first, or had it
    fired_at, fired_by, aggregated, aggregated_by
                                on a group's item: frequency and threshold
    expires_at                  DynamoDB deletes the item some time after that; never on one with a ticket

Items whose `integration` begins with # are no links: the notes of a server (#parking: a parking note for each scope,
and the pace), create screens of a connection (#screen), the turn that a process has at a ticket (#turn), watermarks
(#watermark, with the sweep that goes on from there), stored webhooks (#webhook), the Fix Versions of tickets (#fixes,
one item for each ticket and version), the last list of a project's versions (#versions), what the polls remember
(#polls), and our own failures by message (#failure).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtrace_jira.adapters.dynamodb.table import Values
from backtrace_jira.links.link import LinkKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

BY_TICKET = "ByTicket"
"""Index of the keys of the items that hold a ticket, by its `issue_id` (template.yaml)."""
BY_ISSUE = "ByIssue"
"""What the release before had for that. It may be deleted once no deployment comes from there any more."""
PARKING = "#parking"
SCREEN = "#screen"
TURN = "#turn"
WATERMARK = "#watermark"
FIXES = "#fixes"
VERSIONS = "#versions"
POLLS = "#polls"
"""Replace the integration's id in keys of items that are no links; no id begins with #."""
SCOPE = "scope "
"""Beginning of the name of an attribute with a parking note; the scope follows."""


def s(text: str) -> AttributeValueTypeDef:
    """Return a text as DynamoDB's API takes it."""
    return {"S": str(text)}


def n(number: float) -> AttributeValueTypeDef:
    """Return a number as DynamoDB's API takes it."""
    return {"N": repr(number)}


def key_of(key: LinkKey) -> Values:
    """Return the item's key. A fingerprint holds no blank, so the first one ends it."""
    return {"integration": s(key.integration), "fingerprint": s(f"{key.fingerprint} {key.trace}".strip())}
