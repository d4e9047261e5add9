"""What a function imports when it starts: every module costs a cold start its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.builders import ROOT

MOST = {
    "create_ticket": (615, 100),
    "receive_webhook": (455, 35),
    "apply_jira_change": (625, 120),
    "poll_backtrace": (625, 120),
    "poll_fix_versions": (625, 120),
}
"""Modules of others and our own, with room for other versions of Python: 3.11 counted 597, 439 and 607 of others.

Apart, because they do not cost the same: ours are small, and each is there because a path has to do something.
"""

USELESS = ("boto3", "s3transfer", "aws_lambda_powertools.utilities.parameters", "typer", "rich", "yaml")
"""What no function has any use for."""


@pytest.mark.parametrize("function", MOST)
def test_a_function_imports_no_more_than_it_did(function: str) -> None:
    program = f"import json, sys, {function}.handler; print(json.dumps(sorted(sys.modules)))"
    paths = os.pathsep.join([str(ROOT / "functions"), str(ROOT / "layers/bridge")])
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    loaded = json.loads(ran.stdout)
    assert [name for name in loaded if name in USELESS] == []
    own = [name for name in loaded if name.split(".")[0] in ("backtrace_jira", function)]
    most, most_own = MOST[function]
    assert len(loaded) - len(own) <= most
    assert len(own) <= most_own
