"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from local.aws import dynamodb_local
from local.aws.descriptions import read_once
from local.aws.dynamodb_local import DynamoDBLocal, Engine
from tests.engine import Lender, borrow

# Fixtures import the worlds: unit tests, and the process that starts workers, do without them and moto, a second each.
if TYPE_CHECKING:
    from tests.world.sync_world import MakeSyncWorld
    from tests.world.world import MakeWorld

REGION = "eu-central-1"
LENDER = pytest.StashKey[Lender]()


def pytest_configure(config: pytest.Config) -> None:
    """Read AWS's descriptions once, from before a test module imports moto until the run ends."""
    stack = ExitStack()
    stack.enter_context(read_once())
    config.add_cleanup(stack.close)


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


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist, before it starts, who lends the run's engine; this process does, until the run ends."""
    stash = node.config.stash
    if LENDER not in stash:
        stash[LENDER] = Lender()
        node.config.add_cleanup(stash[LENDER].stop)
    node.workerinput["lender"] = stash[LENDER].url


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine | None]:
    """Give AWS's own engine for tables, one for the whole run; None where it cannot run."""
    lender = getattr(request.config, "workerinput", {}).get("lender")
    if dynamodb_local.available():
        yield None
    elif lender:
        yield borrow(lender)
    else:
        with DynamoDBLocal() as own:
            yield own


@pytest.fixture(scope="session")
def dynamodb_local_endpoint(engine: Engine | None) -> str:
    """Give the engine's address. In CI its absence is a failure, not a skip."""
    if engine is None:
        absent = pytest.fail if os.environ.get("CI") else pytest.skip
        absent(f"DynamoDB Local: {dynamodb_local.available()}")
    return engine.url


@pytest.fixture
def make_world() -> Iterator[MakeWorld]:
    """Make deployments with moto as the store."""
    from tests.world.world import World, worlds

    with worlds(World) as make:
        yield make


@pytest.fixture
def make_real_world(dynamodb_local_endpoint: str) -> Iterator[MakeWorld]:
    """Make deployments with DynamoDB Local as the store."""
    from tests.world.world import World, worlds

    with worlds(World, dynamodb_local_endpoint) as make:
        yield make


@pytest.fixture
def make_sync_world() -> Iterator[MakeSyncWorld]:
    """Make deployments that synchronise, with moto as the store."""
    from tests.world.sync_world import SyncWorld
    from tests.world.world import worlds

    with worlds(SyncWorld) as make:
        yield make


@pytest.fixture
def make_real_sync_world(dynamodb_local_endpoint: str) -> Iterator[MakeSyncWorld]:
    """Make deployments that synchronise, with DynamoDB Local as the store."""
    from tests.world.sync_world import SyncWorld
    from tests.world.world import worlds

    with worlds(SyncWorld, dynamodb_local_endpoint) as make:
        yield make
