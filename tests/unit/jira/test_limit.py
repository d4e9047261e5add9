"""What Jira's headers say of its limit, and what they cannot say."""

from __future__ import annotations

import pytest

from backtrace_jira.jira.limit import Limit, read_limit


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, None),
        ({"x-ratelimit-nearlimit": "true"}, Limit(near=True)),
        ({"x-ratelimit-limit": "100", "x-ratelimit-remaining": "21"}, Limit()),
        ({"x-ratelimit-limit": "100", "x-ratelimit-remaining": "20"}, Limit(near=True)),
        ({"x-ratelimit-fillrate": "5", "x-ratelimit-interval-seconds": "2"}, Limit(rate=2.5)),
        ({"x-ratelimit-fillrate": "5", "x-ratelimit-interval-seconds": "0"}, Limit()),
        ({"x-ratelimit-fillrate": "0", "x-ratelimit-interval-seconds": "1"}, Limit()),
        ({"x-ratelimit-fillrate": "nan", "x-ratelimit-interval-seconds": "1"}, None),
        ({"x-ratelimit-fillrate": "9" * 400, "x-ratelimit-interval-seconds": "9" * 400}, None),
    ],
)
def test_a_limit_is_read_where_it_is_a_number(headers: dict[str, str], limit: Limit | None) -> None:
    assert read_limit(headers) == limit
