"""The link table: one item per (integration, fingerprint), one more per connection with its parking notes.

Every method is one request. Conditions decide, never a read before a write. botocore may repeat a request
whose answer was lost, so a condition that failed on what we wrote ourselves counts as success.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from backtrace_jira.errors import Throttled, Unreachable
from backtrace_jira.model import Issue, Link, LinkKey, LinkState, Parking, Refusal
from backtrace_jira.ports import Lease

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

PARKING = "#parking"
"""Stands where an integration's id stands; no id can begin with it."""

_THROTTLES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")


class DynamoDBLinks:
    """The `LinkStore` port on one DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, lease: Lease) -> Link | None:
        """Take a key that is new or released."""
        row = self._update(
            lease.key,
            "SET #state = :creating, #owner = :owner, lease_until = :until "
            "REMOVE refusal, uncertain_since, lookups",
            "attribute_not_exists(#state) OR #state = :released",
            {
                ":creating": _s(LinkState.CREATING),
                ":released": _s(LinkState.RELEASED),
                ":owner": _s(lease.owner),
                ":until": _n(lease.until),
            },
        )
        return None if row is None or row.owner == lease.owner else row

    def take_over(self, seen: Link, lease: Lease) -> bool:
        """Take an expired row as it was seen; the create it may stand for is over when its lease is."""
        row = self._update(
            seen.key,
            "SET #state = :uncertain, #owner = :owner, lease_until = :until, "
            "uncertain_since = if_not_exists(uncertain_since, :seen_until)",
            "#owner = :seen_owner AND lease_until = :seen_until AND attribute_not_exists(issue_id)",
            {
                ":uncertain": _s(LinkState.UNCERTAIN),
                ":owner": _s(lease.owner),
                ":until": _n(lease.until),
                ":seen_owner": _s(seen.owner),
                ":seen_until": _n(seen.lease_until),
            },
        )
        return row is None or row.owner == lease.owner

    def start_again(self, lease: Lease) -> bool:
        """Begin a new attempt on our own uncertain row."""
        row = self._update(
            lease.key,
            "SET #state = :creating REMOVE uncertain_since, lookups",
            "#owner = :owner AND #state = :uncertain",
            {
                ":creating": _s(LinkState.CREATING),
                ":uncertain": _s(LinkState.UNCERTAIN),
                ":owner": _s(lease.owner),
            },
        )
        return row is None or (row.owner == lease.owner and row.state is LinkState.CREATING)

    def leave_uncertain(self, lease: Lease, *, now: float, until: float, looked_up: bool) -> None:
        """Give our row back, undecided."""
        self._update(
            lease.key,
            "SET #state = :uncertain, lease_until = :until, "
            "uncertain_since = if_not_exists(uncertain_since, :now) ADD lookups :more",
            "#owner = :owner AND #state IN (:creating, :uncertain) AND lease_until = :held",
            {
                ":uncertain": _s(LinkState.UNCERTAIN),
                ":creating": _s(LinkState.CREATING),
                ":owner": _s(lease.owner),
                ":held": _n(lease.until),
                ":until": _n(until),
                ":now": _n(now),
                ":more": _n(int(looked_up)),
            },
        )

    def release(self, lease: Lease, refusal: Refusal | None) -> None:
        """Give our row back: no ticket."""
        values = {
            ":released": _s(LinkState.RELEASED),
            ":creating": _s(LinkState.CREATING),
            ":owner": _s(lease.owner),
        }
        if refusal is None:
            change = "SET #state = :released REMOVE refusal, lease_until"
        else:
            change = "SET #state = :released, refusal = :refusal REMOVE lease_until"
            values[":refusal"] = _s(_refusal_text(refusal))
        self._update(lease.key, change, "#owner = :owner AND #state = :creating", values)

    def complete(self, key: LinkKey, issue: Issue) -> Issue:
        """Record the ticket, whoever owns the row by now: a ticket that exists must not be forgotten."""
        row = self._update(
            key,
            "SET #state = :complete, issue_id = :id, issue_key = :key, issue_url = :url, linked = :no "
            "REMOVE #owner, lease_until, uncertain_since, lookups, refusal",
            "attribute_not_exists(issue_id)",
            {
                ":complete": _s(LinkState.COMPLETE),
                ":id": _s(issue.id),
                ":key": _s(issue.key),
                ":url": _s(issue.url),
                ":no": {"BOOL": False},
            },
        )
        return issue if row is None or row.issue is None else row.issue

    def mark_linked(self, key: LinkKey) -> None:
        """Record that Backtrace knows."""
        self._update(key, "SET linked = :yes", "attribute_exists(issue_id)", {":yes": {"BOOL": True}})

    def park(self, connection: str, scope: str, parking: Parking) -> None:
        """Write one scope's note into the connection's item."""
        note = json.dumps({"until": parking.until, "refusal": _refusal_text(parking.refusal)})
        self._request(
            "update_item",
            Key={"integration": _s(PARKING), "fingerprint": _s(connection)},
            UpdateExpression="SET #scope = :note",
            ExpressionAttributeNames={"#scope": f"scope {scope}"},
            ExpressionAttributeValues={":note": _s(note)},
        )

    def parkings(self, connection: str) -> Mapping[str, Parking]:
        """Read the connection's item."""
        item = self._get(PARKING, connection)
        notes = {
            name.removeprefix("scope "): json.loads(value["S"])
            for name, value in item.items()
            if name.startswith("scope ")
        }
        return {scope: Parking(note["until"], _refusal(note["refusal"])) for scope, note in notes.items()}

    def get(self, key: LinkKey) -> Link | None:
        """Read a row."""
        item = self._get(key.integration, key.fingerprint)
        return _link(item) if item else None

    def _get(self, integration: str, fingerprint: str) -> Item:
        found = self._request(
            "get_item",
            Key={"integration": _s(integration), "fingerprint": _s(fingerprint)},
            ConsistentRead=True,
        )
        return cast("Item", found.get("Item", {}))

    def _update(
        self, key: LinkKey, change: str, condition: str, values: dict[str, AttributeValueTypeDef]
    ) -> Link | None:
        """Change a row; where the condition fails, return the row as it is."""
        names = {"#state": "state", "#owner": "owner"}
        used = {name: meant for name, meant in names.items() if name in change + condition}
        try:
            self._request(
                "update_item",
                Key={"integration": _s(key.integration), "fingerprint": _s(key.fingerprint)},
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **({"ExpressionAttributeNames": used} if used else {}),
            )
        except _ConditionFailed as failed:
            return _link(failed.item) if failed.item else Link(key, LinkState.RELEASED)
        return None

    def _request(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = getattr(self._client, operation)(TableName=self._table, **arguments)
        except ClientError as error:
            raise _translated(error, operation) from None
        except BotoCoreError as error:
            raise Unreachable(f"DynamoDB {operation}: {type(error).__name__}") from None
        return cast("dict[str, Any]", answer)


class _ConditionFailed(Exception):
    """The condition did not hold; `item` is the row as it stands."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item


def _translated(error: ClientError, operation: str) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    if code == "ConditionalCheckFailedException":
        return _ConditionFailed(cast("Item", error.response.get("Item", {})))
    if code in _THROTTLES:
        return Throttled(f"DynamoDB {operation}: {code}")
    return Unreachable(f"DynamoDB {operation}: {code}")


def _s(text: str) -> AttributeValueTypeDef:
    return {"S": str(text)}


def _n(number: float) -> AttributeValueTypeDef:
    return {"N": repr(number)}


def _link(item: Item) -> Link:
    text = {name: value["S"] for name, value in item.items() if "S" in value}
    number = {name: float(value["N"]) for name, value in item.items() if "N" in value}
    issue_id = text.get("issue_id")
    return Link(
        key=LinkKey(text["integration"], text["fingerprint"]),
        state=LinkState(text["state"]),
        owner=text.get("owner", ""),
        lease_until=number.get("lease_until", 0.0),
        uncertain_since=number.get("uncertain_since", 0.0),
        lookups=int(number.get("lookups", 0)),
        issue=Issue(issue_id, text["issue_key"], text["issue_url"]) if issue_id else None,
        linked_in_backtrace=bool(item.get("linked", {}).get("BOOL", False)),
        refusal=_refusal(text["refusal"]) if "refusal" in text else None,
    )


def _refusal_text(refusal: Refusal) -> str:
    return json.dumps(
        {
            "at": refusal.at,
            "reason": refusal.reason,
            "messages": list(refusal.messages),
            "fields": dict(refusal.fields),
        }
    )


def _refusal(text: str) -> Refusal:
    raw = json.loads(text)
    return Refusal(raw["at"], raw["reason"], tuple(raw["messages"]), raw["fields"])
