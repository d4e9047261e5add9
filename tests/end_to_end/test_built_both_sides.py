"""What `sam build` made keeps both sides the same, in Lambda's own runtime."""

from __future__ import annotations

import os

import pytest

from local.aws import built as building
from local.aws.built import Built
from local.aws.dynamodb_local import Engine
from local.aws.function import BuiltFunction
from local.aws.lambda_runtime import emulator
from local.stack import LocalStack
from tests.end_to_end.two_sides import a_version_webhook, both_ways, fix_versions, prepare


@pytest.mark.built
@pytest.mark.skipif(building.missing() is not None and "CI" not in os.environ, reason=str(building.missing()))
def test_the_built_artifacts_do_the_same_in_lambda_s_own_runtime(built: Built, engine: Engine | None) -> None:
    if emulator() is None:
        absent = pytest.fail if "CI" in os.environ else pytest.skip
        absent("AWS's Runtime Interface Emulator is not here")
    with LocalStack(
        dynamodb=engine,
        function=lambda settings: BuiltFunction(
            settings,
            function_dir=built.function(settings.logical_id),
            layer_dir=built.layer,
            runtime_dir=built.runtime,
            interpreter=built.interpreter,
        ),
    ) as stack:
        prepare(stack)
        both_ways(stack)
        fix_versions(stack)
        a_version_webhook(stack)
