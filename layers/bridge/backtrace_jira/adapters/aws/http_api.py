"""A request as API Gateway's HTTP API hands it to Lambda (payload format 2.0), and the answer that it expects.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from backtrace_jira.synchronisation.receive_webhook import Answer, Webhook

RETRY_AFTER = 60
"""Seconds. Jira Cloud waits five minutes or more anyway."""


def webhook_of(event: Mapping[str, Any]) -> Webhook:
    """Read a request."""
    path = event.get("pathParameters") or {}
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    return Webhook(
        method=str(event.get("requestContext", {}).get("http", {}).get("method", "")),
        connection=str(path.get("connection") or ""),
        secret=str(path.get("secret") or ""),
        headers=headers,
        body=_body(event),
    )


def _body(event: Mapping[str, Any]) -> bytes | None:
    """Return the bytes of the body; None if it should be base64 and is not."""
    text = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def answer_of(answer: Answer) -> dict[str, Any]:
    """Return the answer for API Gateway: the decision, and nothing of the request."""
    headers = {"content-type": "application/json"}
    if answer.status >= 500:
        headers["retry-after"] = str(RETRY_AFTER)
    return {
        "statusCode": answer.status,
        "headers": headers,
        "body": json.dumps({"decision": answer.decision}),
    }
