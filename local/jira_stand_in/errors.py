"""The one error the stand-in raises: a refusal with Jira's own body.

Source of the shape: ``ErrorCollection`` of Atlassian's OpenAPI documents, Cloud and Data Center.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class JiraError(Exception):
    """A refusal that becomes the answer of the request it was raised in."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> None:
        super().__init__(status, messages, errors)
        self.status = status
        self.messages: Iterable[str] = messages
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})
        self.content_type = content_type
        self._body = body

    @property
    def body(self) -> Any:
        """Return the explicit body, or the usual error collection."""
        if self._body is not None:
            return self._body
        return {"errorMessages": list(self.messages), "errors": self.errors}


class FieldError(Exception):
    """A value that a field refuses; the text becomes the message under the field's id."""
