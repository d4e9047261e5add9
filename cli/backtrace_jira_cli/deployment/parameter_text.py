"""The text of a parameter: settings as JSON that Parameter Store accepts."""

from __future__ import annotations

from backtrace_jira.settings.base import Settings

STANDARD_VALUE = 4096
LARGEST_VALUE = 8192
"""Bytes. Above the standard size a parameter is an advanced one, which AWS charges for.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
"""


def parameter_text(settings: Settings) -> str:
    """Return the JSON of a parameter.

    SSM takes {{...}} for a reference to another parameter and refuses such a value. Jira's wiki markup uses {{...}}
    for fixed-width text. In JSON, two opening braces in a row occur only within texts, where the second can be
    escaped.
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html (Value)
    """
    return settings.model_dump_json(exclude_none=True).replace("{{", "{\\u007b")


def size_of(text: str) -> int:
    """Return the size that SSM counts, in bytes."""
    return len(text.encode())
