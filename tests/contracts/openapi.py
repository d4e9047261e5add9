"""Atlassian's OpenAPI documents as a judge of recorded exchanges.

The documents lie beside the repository, not in it; where they are absent nothing is judged. The Cloud document is
v3: its operations are those of v2, with text instead of ADF. The Data Center document has known defects, relaxed in
`_defects`: array answers declared as their item, `fields` whose values must all be objects, entity properties that
must be strings.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest
from openapi_schema_validator import OAS30ReadValidator, OAS30Validator, OAS30WriteValidator
from referencing import Registry
from referencing.jsonschema import DRAFT4

Flavour = Literal["cloud", "data-center"]
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "openapi"
FILES: dict[str, str] = {"cloud": "jira-cloud-v3-2025-09.json", "data-center": "jira-dc-10.3.json"}

# Any operation may answer these, documented or not: authentication, permissions, removal, rate limits, outage.
ALWAYS_POSSIBLE = {401, 403, 404, 410, 415, 429, 500, 502, 503}
# Parameters that work although a document omits them: Data Center's transitions take `expand`, its mypermissions
# ignores `permissions`.
_UNDOCUMENTED = {"expand", "permissions"}
_BASE = "urn:jira"
_VERBS = ("get", "post", "put", "delete", "patch")


class Recorded(Protocol):
    """What is judged: one request and its answer. `status` None means that no answer came."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    status: int | None
    response: Any


class ContractViolation(AssertionError):
    """An exchange that Atlassian's document does not allow."""


def documents_present() -> bool:
    return all((FOLDER / name).is_file() for name in FILES.values())


needs_documents = pytest.mark.skipif(
    not documents_present(), reason="Atlassian's OpenAPI documents are not here"
)


def assert_valid(exchanges: Iterable[Recorded], flavour: Flavour, *, check_requests: bool = True) -> int:
    """Judge every exchange and return how many were judged; raise ContractViolation with all complaints.

    A request (body and query) is judged unless Jira refused it or `check_requests` is off, for clients that are
    not ours; an answer is judged unless a fault replaced it.
    """
    if not documents_present():
        return 0
    document = _document(flavour)
    complaints: list[str] = []
    judged = 0
    for exchange in exchanges:
        found = document.judge(exchange, check_requests)
        complaints += found or []
        judged += found is not None
    if complaints:
        raise ContractViolation("\n".join(complaints))
    return judged


@dataclass(frozen=True)
class Operation:
    """One operation of a document and where it stands there."""

    template: str
    verb: str
    spec: Mapping[str, Any]

    def pointer(self, *parts: str) -> str:
        steps = ("paths", self.template, self.verb, *parts)
        return f"{_BASE}#/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)


class Document:
    """One of the two documents."""

    def __init__(self, flavour: Flavour) -> None:
        self.flavour = flavour
        self.content = json.loads((FOLDER / FILES[flavour]).read_text(encoding="utf-8"))
        _empty_changes(self.content)
        if flavour == "data-center":
            _defects(self.content)
        self.registry: Registry[Any] = Registry().with_resource(_BASE, DRAFT4.create_resource(self.content))
        self.templates = [(template, _pattern(template)) for template in self.content["paths"]]

    def judge(self, exchange: Recorded, check_requests: bool) -> list[str] | None:
        """Return the complaints about an exchange; None when it is not a REST call the document can judge."""
        path = self._path(exchange.path)
        if path is None or self._too_old(path, exchange):
            return None
        operation = self._operation(exchange.method, path)
        where = f"{exchange.method} {exchange.path} -> {exchange.status}"
        if operation is None:
            gone = exchange.status in (404, 405, 410, None)
            return [] if gone else [f"{where}: the document has no such operation"]
        complaints = self._request(operation, exchange) if check_requests else []
        complaints += self._answer(operation, exchange)
        return [f"{where}: {complaint}" for complaint in complaints]

    def _path(self, path: str) -> str | None:
        match = re.search(r"/rest/api/(2|3|latest)(/.*)$", path)
        if match is None:
            return None
        return ("/rest/api/3" if self.flavour == "cloud" else "/api/2") + match[2].rstrip("/")

    def _too_old(self, path: str, exchange: Recorded) -> bool:
        """The old create metadata of Data Center is not in the 10.3 document."""
        return self.flavour == "data-center" and path.endswith("/issue/createmeta") and exchange.status == 200

    def _operation(self, method: str, path: str) -> Operation | None:
        fitting = [
            template
            for template, pattern in self.templates
            if pattern.fullmatch(path) and method.lower() in self.content["paths"][template]
        ]
        if not fitting:
            return None
        template = min(fitting, key=lambda name: name.count("{"))
        return Operation(template, method.lower(), self.content["paths"][template][method.lower()])

    def _request(self, operation: Operation, exchange: Recorded) -> list[str]:
        if exchange.status is not None and exchange.status >= 400:
            return []
        complaints = self._query(operation, exchange)
        content = operation.spec.get("requestBody", {}).get("content", {})
        if "/properties/" in operation.template:
            return complaints  # any JSON value; the documents name only examples
        if "application/json" in content and exchange.json is not None:
            pointer = operation.pointer("requestBody", "content", "application/json", "schema")
            sent = exchange.json
            if operation.template.endswith("/assignee"):
                # Unassigning by null is described in prose, not in the schema.
                sent = {name: value for name, value in sent.items() if value is not None}
            complaints += self._complaints({"$ref": pointer}, sent, OAS30WriteValidator, "request")
        elif exchange.json is not None and "requestBody" not in operation.spec:
            complaints.append("request: the operation takes no body")
        return complaints

    def _query(self, operation: Operation, exchange: Recorded) -> list[str]:
        known = {p["name"]: p for p in operation.spec.get("parameters", []) if p.get("in") == "query"}
        unknown = sorted(set(exchange.query) - set(known) - _UNDOCUMENTED)
        missing = sorted(
            name for name, p in known.items() if p.get("required") and name not in exchange.query
        )
        return [f"request: unknown query parameter {name!r}" for name in unknown] + [
            f"request: missing query parameter {name!r}" for name in missing
        ]

    def _answer(self, operation: Operation, exchange: Recorded) -> list[str]:
        status = exchange.status
        fault = getattr(exchange, "fault", None)
        if status is None or (fault is not None and (fault.status is not None or fault.truncate)):
            return []
        responses = operation.spec["responses"]
        if str(status) not in responses:
            return [] if status in ALWAYS_POSSIBLE else ["answer: the document does not name this status"]
        if status == 204:
            return [] if exchange.response is None else ["answer: 204 with a body"]
        schema = self._schema(operation, exchange)
        if schema is None:
            return self._bare(exchange)
        return self._complaints(schema, exchange.response, OAS30ReadValidator, "answer")

    def _schema(self, operation: Operation, exchange: Recorded) -> dict[str, Any] | None:
        status = str(exchange.status)
        content = operation.spec["responses"][status].get("content", {})
        if "schema" not in content.get("application/json", {}):
            return None
        schema: dict[str, Any] = {
            "$ref": operation.pointer("responses", status, "content", "application/json", "schema")
        }
        if operation.verb == "get" and operation.template.endswith("/remotelink"):
            return schema if "globalId" in exchange.query else {"type": "array", "items": schema}
        if self.flavour == "data-center" and status == "200":
            return _wrapped(operation, schema)
        return schema

    def _bare(self, exchange: Recorded) -> list[str]:
        """Judge an answer whose body the document leaves open: a refusal must be one of Jira's error bodies."""
        if exchange.status is None or exchange.status < 400 or not isinstance(exchange.response, dict):
            return []
        if {"message", "status-code"} & set(exchange.response) or "type" in exchange.response:
            return []
        schema = {"$ref": f"{_BASE}#/components/schemas/ErrorCollection"}
        complaints = self._complaints(schema, exchange.response, OAS30ReadValidator, "answer")
        known = {"errorMessages", "errors", "status"}
        return complaints + [f"answer: {key!r} in an error body" for key in set(exchange.response) - known]

    def _complaints(
        self, schema: dict[str, Any], instance: Any, judge: type[OAS30Validator], part: str
    ) -> list[str]:
        validator = judge(schema, registry=self.registry)
        return [
            f"{part} at /{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(instance)
        ]


@cache
def _document(flavour: Flavour) -> Document:
    return Document(flavour)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template)))


# Data Center answers that are arrays, or pages of `values`, although the document names the item.
_ARRAYS = re.compile(
    r"/api/2/(field|project|issuetype|priority|resolution|status|statuscategory|user/search|user/assignable/search"
    r"|project/\{projectIdOrKey\}/(versions|components))"
)
_PAGES = re.compile(r"/api/2/issue/createmeta/.*")


def _wrapped(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    if operation.verb == "get" and _PAGES.fullmatch(operation.template):
        pages = {name: {"type": "integer"} for name in ("maxResults", "startAt", "total")}
        properties = {**pages, "isLast": {"type": "boolean"}, "values": {"type": "array", "items": schema}}
        return {"type": "object", "properties": properties, "required": list(properties)}
    if operation.verb == "get" and _ARRAYS.fullmatch(operation.template):
        return {"type": "array", "items": schema}
    return schema


def _empty_changes(content: dict[str, Any]) -> None:
    """Let a change come from nothing: captured changelogs have null there, on both products."""
    sides = ("from", "fromString", "to", "toString")
    for schema in content["components"]["schemas"].values():
        properties = schema.get("properties", {})
        if set(sides) <= set(properties):
            for name in sides:
                properties[name] = {**properties[name], "nullable": True}


def _defects(content: dict[str, Any]) -> None:
    """Relax what the Data Center document declares too strictly."""
    schemas = content["components"]["schemas"]
    for bean in ("IssueBean", "IssueUpdateBean"):
        for name in ("fields", "renderedFields", "update"):
            if name in schemas[bean]["properties"]:
                schemas[bean]["properties"][name] = {"type": "object"}
    schemas["EntityPropertyBean"]["properties"]["value"] = {}
    schemas["IssueBean"]["properties"]["properties"] = {"type": "object"}


def altered(exchange: Any, **changes: Any) -> Any:
    """Return a copy of an exchange with changed attributes, to show the judge something wrong."""
    changed = copy.copy(exchange)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed
