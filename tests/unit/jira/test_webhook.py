"""Signatures, and what a webhook may have to do with a linked ticket."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtrace_jira.errors import InvalidEvent
from backtrace_jira.jira.webhook import WebhookHint, is_secret, is_signed, read_webhook

CAPTURED = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "webhooks"

# Of Atlassian's webhook page.
SECRET = "It's a Secret to Everybody"
PAYLOAD = b"Hello World!"
SIGNATURE = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"


def signature(body: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def test_the_official_vector() -> None:
    assert is_signed(PAYLOAD, SIGNATURE, SECRET)


@given(st.binary(max_size=200), st.data())
def test_one_flipped_bit_is_no_signature(body: bytes, data: st.DataObject) -> None:
    header = signature(body)
    assert is_signed(body, header, SECRET)
    if body:
        bit = data.draw(st.integers(0, len(body) * 8 - 1))
        flipped = bytearray(body)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not is_signed(bytes(flipped), header, SECRET)
    digit = data.draw(st.integers(len("sha256="), len(header) - 1))
    other = "0" if header[digit] != "0" else "1"
    assert not is_signed(body, header[:digit] + other + header[digit + 1 :], SECRET)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        "sha256",
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.replace("sha256", "sha1"),
        SIGNATURE.replace("sha256", "sha512"),
        SIGNATURE.replace("sha256", "none"),
        f"sha1={hmac.new(SECRET.encode(), PAYLOAD, hashlib.sha1).hexdigest()}",
        SIGNATURE[:-1],
        SIGNATURE + "0",
        "sha256=ü",
        "sha256=\ud800",
        "sha256=" + "a" * 100_000,
    ],
)
def test_what_is_no_signature(header: str) -> None:
    assert not is_signed(PAYLOAD, header, SECRET)


@pytest.mark.parametrize("secret", ["", " ", "\n"])
def test_no_secret_signs_nothing(secret: str) -> None:
    assert not is_signed(PAYLOAD, signature(PAYLOAD, secret), secret)
    assert not is_secret(secret, secret)


def test_upper_case_digits_are_digits() -> None:
    assert is_signed(PAYLOAD, "SHA256=" + SIGNATURE.partition("=")[2].upper(), SECRET)


def webhook(event: str = "jira:issue_updated", *changed: str, **more: Any) -> bytes:
    items = [{"field": name, "fieldId": name, "from": None, "to": "1"} for name in changed]
    body = {"webhookEvent": event, "issue": {"id": "10001", "key": "BUG-1"}, "changelog": {"items": items}}
    return json.dumps(body | more).encode()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (webhook("jira:issue_updated", "status"), ("state",)),
        (webhook("jira:issue_updated", "resolution", "status"), ("state",)),
        (webhook("jira:issue_updated", "assignee", "status"), ("assignee", "state")),
        (webhook("jira:issue_updated", "project", "Key"), ("moved",)),
        (webhook("jira:issue_updated", "fixVersions"), ("versions",)),
        (webhook(changelog={"items": [{"field": "Fix Version"}, {"field": "Fix Version"}]}), ("versions",)),
        (webhook("jira:issue_deleted"), ("deleted",)),
        (webhook(changelog={"items": [{"field": "Status"}]}), ("state",)),
        (webhook(changelog={"items": [{"field": "status", "fieldId": None}]}), ("state",)),
        (webhook(), ()),
        (webhook(changelog=None), ()),
        (webhook(changelog={"items": []}, issue_event_type_name="issue_assigned"), ()),
        (webhook(changelog=[], issue_event_type_name="issue_generic"), ()),
        (webhook("jira:issue_updated", "status", issue={"id": 10001}), ("state",)),
    ],
)
def test_what_may_concern_a_linked_ticket(body: bytes, fields: tuple[str, ...]) -> None:
    hint = read_webhook(body)
    assert hint is not None
    assert (hint.issue_id, hint.fields) == ("10001", fields)


@pytest.mark.parametrize(
    "what", ["released", "unreleased", "updated", "created", "moved", "deleted", "merged"]
)
@pytest.mark.parametrize("project", [10000, "10000"])
def test_a_version_is_told_of_by_its_project(what: str, project: object) -> None:
    body = {
        "timestamp": 1,
        "webhookEvent": f"jira:version_{what}",
        "version": {"id": "7", "projectId": project},
    }
    assert read_webhook(json.dumps(body).encode()) == WebhookHint(
        "", f"jira:version_{what}", ("versions",), "10000"
    )


@pytest.mark.parametrize("version", [None, [], {}, {"id": "7"}, {"projectId": True}, {"projectId": "../x"}])
def test_a_version_of_no_project_is_nobody_s(version: object) -> None:
    assert (
        read_webhook(json.dumps({"webhookEvent": "jira:version_deleted", "version": version}).encode())
        is None
    )


@pytest.mark.parametrize(
    "body",
    [
        webhook("jira:issue_created", "status"),
        webhook("jira:issue_updated", "labels", "summary"),
        webhook("jira:issue_updated", "customfield_10001"),
        webhook("comment_created"),
        webhook("jira:version_released"),
        webhook(changelog=None, issue_event_type_name="issue_commented"),
        webhook(changelog=None, comment={"id": "1"}),
        webhook("jira:issue_updated", "status", issue=None),
        webhook("jira:issue_updated", "status", issue={"key": "BUG-1"}),
        webhook("jira:issue_updated", "status", issue={"id": "BUG-1"}),
        webhook("jira:issue_updated", "status", issue={"id": True}),
        webhook("jira:issue_updated", "status", issue={"id": "١٢"}),
        webhook("jira:issue_updated", "status", issue={"id": "1" * 21}),
        b"{}",
    ],
)
def test_what_cannot(body: bytes) -> None:
    assert read_webhook(body) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b'"x"', b"null", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 50_000]
)
def test_what_is_no_webhook(body: bytes) -> None:
    with pytest.raises(InvalidEvent):
        read_webhook(body)


WANTED = {
    "cloud-comment-created.json": None,
    "cloud-issue-created-many-fields.json": None,
    "cloud-issue-updated-custom-field.json": None,
    "issue-created.json": None,
    "issue-deleted.json": ("deleted",),
    "issue-updated-assigned-nobody.json": ("assignee",),
    "issue-updated-assigned.json": ("assignee",),
    "issue-updated-fix-version.json": ("versions",),
    "issue-updated-labels.json": None,
    "issue-updated-reopened.json": ("state",),
    "issue-updated-resolved.json": ("state",),
    "issue-updated-started-working.json": ("state",),
    "server-comment-created.json": None,
    "server-issue-updated-in-progress.json": ("state",),
    "server-issue-updated-resolved.json": ("state",),
    "server-old-issue-updated-no-event-type-assigned.json": ("assignee",),
}


@pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captured webhooks are not here")
def test_every_captured_webhook_is_understood() -> None:
    found = {path.name: read_webhook(path.read_bytes()) for path in CAPTURED.glob("*.json")}
    assert {name: hint and hint.fields for name, hint in found.items()} == WANTED
    assert {hint.issue_id for hint in found.values() if hint} == {"10040", "10300", "10303"}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "webhookEvent": JSON_VALUES | st.sampled_from(["jira:issue_updated", "jira:issue_deleted"]),
            "issue": JSON_VALUES | st.fixed_dictionaries({"id": JSON_VALUES}),
            "changelog": JSON_VALUES
            | st.fixed_dictionaries(
                {"items": st.lists(JSON_VALUES | st.fixed_dictionaries({"field": JSON_VALUES}))}
            ),
            "issue_event_type_name": JSON_VALUES,
            "comment": JSON_VALUES,
        },
    )
)
def test_any_object_is_understood_or_nobody_s(raw: dict[str, Any]) -> None:
    hint = read_webhook(json.dumps(raw).encode())
    assert hint is None or isinstance(hint, WebhookHint)


@given(st.binary())
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    try:
        read_webhook(body)
    except InvalidEvent:
        return
