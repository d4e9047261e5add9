"""Payload format 2.0 of HTTP APIs: what a function is given for a request, and what its answer means.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Request, Response

from local.aws.sam import Route

TEXT_TYPES = re.compile(r"text/.*|application/(.*\+)?(json|xml)|application/javascript")
PLAIN, JSON = "text/plain;charset=UTF-8", "application/json"


def matched(routes: Sequence[Route], request: Request) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and what stands for the names in its path; the most literal route wins."""
    path = _sent_path(request)
    for route in sorted(routes, key=lambda each: each.path.count("{")):
        found = re.fullmatch(_pattern(route.path), path)
        if found and route.method == request.method:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def event_of(request: Request, route: Route, parameters: dict[str, str], body: bytes) -> dict[str, Any]:
    """Return the event for a request.

    `rawPath` is decoded, whatever its name says: HTTP APIs do so, unlike REST APIs and function URLs.
    https://github.com/middleapi/standard-server/pull/93
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = {name: ",".join(values) for name, values in request.args.to_dict(flat=False).items()}
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": request.path,
        "rawQueryString": request.query_string.decode("latin-1"),
        **({"cookies": headers["cookie"].split("; ")} if "cookie" in headers else {}),
        "headers": headers,
        **({"queryStringParameters": query} if query else {}),
        "requestContext": _context(request, route),
        **({"pathParameters": parameters} if parameters else {}),
        **_body(body, request.mimetype),
    }


def response_of(answer: Any) -> Response:
    """Return the response that a function's answer stands for: one with a status as it says, else 200 and JSON.

    Raises:
        TypeError, ValueError: it has a status and is no response all the same.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return Response(json.dumps(answer), 200, content_type=JSON)
    headers = answer.get("headers") or {}
    body = answer.get("body") or ""
    if not isinstance(headers, dict) or not isinstance(body, str):
        raise TypeError("headers are an object and a body is text in a function's answer")
    data = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    response = Response(data, _status(answer["statusCode"]), content_type=PLAIN)
    for name, value in headers.items():
        response.headers[name] = str(value)
    for cookie in answer.get("cookies") or []:
        response.headers.add("Set-Cookie", cookie)
    return response


def _status(told: Any) -> int:
    status = int(told) if isinstance(told, int | str) else 0
    if not 200 <= status <= 599:
        raise ValueError(f"not a status: {told!r}")
    return status


def _sent_path(request: Request) -> str:
    """Return the path as it was sent: an encoded slash is none that parts segments."""
    return urlsplit(str(request.environ["RAW_URI"])).path


def _pattern(path: str) -> str:
    """Return a regular expression with a group for each `{name}` of a route's path."""
    parts = re.split(r"\{(\w+)\}", path)
    texts = [re.escape(text) for text in parts[::2]]
    groups = [f"(?P<{name}>[^/]+)" for name in parts[1::2]]
    return "".join(text + group for text, group in zip(texts, [*groups, ""], strict=True))


def _context(request: Request, route: Route) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": "123456789012",
        "apiId": route.api,
        "domainName": request.host,
        "domainPrefix": request.host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.environ["SERVER_PROTOCOL"],
            "sourceIp": request.remote_addr or "",
            "userAgent": request.headers.get("User-Agent", ""),
        },
        "requestId": uuid.uuid4().hex[:15] + "=",
        "routeKey": route.key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": round(now * 1000),
    }


def _body(body: bytes, media_type: str) -> Mapping[str, Any]:
    """Give text as it is and everything else in base64; text that is not UTF-8 counts as everything else."""
    if not body:
        return {"isBase64Encoded": False}
    if TEXT_TYPES.fullmatch(media_type):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
