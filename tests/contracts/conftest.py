"""The judge of wiki markup, Atlassian's own parser. A machine without Node says what was skipped; in CI it fails."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contracts.wiki_judge import Judge, JudgeUnavailableError, running_judge


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    try:
        with running_judge() as judge:
            yield judge
    except JudgeUnavailableError as reason:
        if os.environ.get("CI"):
            pytest.fail(f"the judge is needed here: {reason}")
        pytest.skip(f"no judge: {reason}")
