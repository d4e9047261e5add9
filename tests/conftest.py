"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local.aws import dynamodb_local
from local.aws.descriptions import read_once
from local.aws.dynamodb_local import DynamoDBLocal
from tests.world.sync_world import MakeSyncWorld, SyncWorld
from tests.world.world import MakeWorld, World, worlds

REGION = "eu-central-1"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Measure no coverage in random runs: the floor must not hang on luck, and the tracer triples what they cost."""
    for item in items:
        if item.get_closest_marker("hypothesis"):
            item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test use an account, a profile or a proxy of the person who runs it."""
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session", autouse=True)
def _descriptions_of_aws_are_read_once() -> Iterator[None]:
    with read_once():
        yield


@pytest.fixture(scope="session")
def dynamodb_local_endpoint() -> Iterator[str]:
    """Run AWS's own engine once for a session. In CI its absence is a failure, not a skip."""
    missing = dynamodb_local.available()
    if missing:
        if os.environ.get("CI"):
            pytest.fail(f"DynamoDB Local must run in CI: {missing}")
        pytest.skip(f"DynamoDB Local: {missing}")
    with DynamoDBLocal() as server:
        yield server.url


@pytest.fixture
def make_world() -> Iterator[MakeWorld]:
    """Make deployments with moto as the store."""
    with worlds(World) as make:
        yield make


@pytest.fixture
def make_real_world(dynamodb_local_endpoint: str) -> Iterator[MakeWorld]:
    """Make deployments with DynamoDB Local as the store."""
    with worlds(World, dynamodb_local_endpoint) as make:
        yield make


@pytest.fixture
def make_sync_world() -> Iterator[MakeSyncWorld]:
    """Make deployments that synchronise, with moto as the store."""
    with worlds(SyncWorld) as make:
        yield make


@pytest.fixture
def make_real_sync_world(dynamodb_local_endpoint: str) -> Iterator[MakeSyncWorld]:
    """Make deployments that synchronise, with DynamoDB Local as the store."""
    with worlds(SyncWorld, dynamodb_local_endpoint) as make:
        yield make
