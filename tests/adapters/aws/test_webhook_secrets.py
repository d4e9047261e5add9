"""Secrets of webhooks out of SSM, and how often SSM is asked: a stranger must not be able to have it asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from backtrace_jira.adapters.aws.webhook_secrets import SHORTEST_AGE, SSMWebhookSecrets
from backtrace_jira.errors import Unreachable
from backtrace_jira.settings.parameter_names import ParameterNames
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NAMES = ParameterNames("/backtrace-jira/test")
LIST, READ = "GetParametersByPath", "GetParameter"


class Store:
    """Parameter Store, the calls to it, and whether it refuses them."""

    def __init__(self) -> None:
        self.client: SSMClient = boto3.client("ssm")
        self.calls: list[str] = []
        self.throttles = False
        self.client.meta.events.register("before-call.ssm", self._before)

    def put(self, connection: str, secret: str = "s1") -> None:
        self.client.put_parameter(
            Name=NAMES.webhook_secret(connection), Value=secret, Type="SecureString", Overwrite=True
        )
        self.calls.clear()

    def remove(self, connection: str) -> None:
        self.client.delete_parameter(Name=NAMES.webhook_secret(connection))
        self.calls.clear()

    def _before(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)
        if self.throttles:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, model.name)


@pytest.fixture
def store() -> Iterator[Store]:
    with mock_aws():
        yield Store()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def new_process(store: Store, clock: Clock, max_age: float = 300) -> SSMWebhookSecrets:
    return SSMWebhookSecrets(store.client, NAMES, max_age=max_age, clock=clock)


def knock(secrets: SSMWebhookSecrets, connection: str) -> str:
    """Ask as a request that is refused does."""
    return secrets.find_secret(connection) or secrets.find_new_secret(connection)


@pytest.mark.parametrize("max_age", [300, 0])
def test_made_up_names_cost_one_listing(store: Store, clock: Clock, max_age: float) -> None:
    store.put("main")
    secrets = new_process(store, clock, max_age)
    for number in range(300):
        assert knock(secrets, f"made-up-{number}") == ""
    assert store.calls == [LIST]
    assert secrets.find_secret("main") == "s1"
    assert store.calls == [LIST, READ]


def test_a_stream_of_made_up_names_costs_one_listing_in_ten_seconds(store: Store, clock: Clock) -> None:
    secrets = new_process(store, clock)
    for number in range(600):
        assert knock(secrets, f"made-up-{number}") == ""
        clock.advance(0.1)
    assert store.calls == [LIST] * 6


def test_made_up_names_leave_nothing_behind(store: Store, clock: Clock) -> None:
    secrets = new_process(store, clock)
    for number in range(3000):
        knock(secrets, f"made-up-{number}")
        clock.advance(1)
    kept = [value for value in vars(secrets).values() if isinstance(value, dict)]
    assert kept
    assert not any(kept)


@pytest.mark.parametrize("max_age", [300, 0])
def test_forged_signatures_for_a_known_name_cost_a_read_in_ten_seconds(
    store: Store, clock: Clock, max_age: float
) -> None:
    store.put("main")
    secrets = new_process(store, clock, max_age)
    for _ in range(300):
        assert secrets.find_secret("main") == secrets.find_new_secret("main") == "s1"
        clock.advance(0.1)
    assert store.calls == [LIST, READ, READ, READ]


def test_made_up_names_do_not_push_a_known_secret_out(store: Store, clock: Clock) -> None:
    store.put("main")
    secrets = new_process(store, clock)
    secrets.find_secret("main")
    for number in range(3000):
        knock(secrets, f"made-up-{number}")
    store.calls.clear()
    assert secrets.find_secret("main") == "s1"
    assert store.calls == []


def test_a_new_webhook_is_known_after_ten_seconds_even_while_strangers_knock(
    store: Store, clock: Clock
) -> None:
    secrets = new_process(store, clock)
    assert knock(secrets, "main") == ""
    store.put("main")
    for number in range(int(SHORTEST_AGE)):
        assert knock(secrets, f"made-up-{number}") == ""
        clock.advance(1)
    assert knock(secrets, "main") == "s1"


def test_a_secret_that_was_removed_is_no_secret(store: Store, clock: Clock) -> None:
    store.put("main")
    secrets = new_process(store, clock)
    assert secrets.find_secret("main") == "s1"
    store.remove("main")
    clock.advance(300)
    assert knock(secrets, "main") == ""


def test_only_what_a_webhook_names_is_decrypted(store: Store, clock: Clock) -> None:
    for number in range(25):
        store.put(f"site-{number}")
    secrets = new_process(store, clock)
    secrets.read_ahead()
    assert store.calls == [LIST] * 3  # pages of ten
    store.calls.clear()
    assert secrets.find_secret("site-7") == "s1"
    assert store.calls == [READ]


@pytest.mark.parametrize("connection", ["main", "made-up"])
def test_a_store_that_refuses_is_not_asked_by_every_request(
    store: Store, clock: Clock, connection: str
) -> None:
    store.put("main")
    secrets = new_process(store, clock)
    store.throttles = True
    for _ in range(300):
        with pytest.raises(Unreachable, match="ThrottlingException"):
            secrets.find_secret(connection)
    assert store.calls == [LIST]
    store.throttles = False
    clock.advance(SHORTEST_AGE)
    assert knock(secrets, connection) == ("s1" if connection == "main" else "")


def test_what_is_known_is_used_while_the_store_refuses_to_say_what_is_new(store: Store, clock: Clock) -> None:
    store.put("main")
    store.put("second", "s2")
    secrets = new_process(store, clock)
    assert secrets.find_secret("main") == "s1"
    store.throttles = True
    clock.advance(SHORTEST_AGE)
    for connection in ("main", "made-up"):
        with pytest.raises(Unreachable):
            secrets.find_new_secret(connection)
    assert secrets.find_secret("main") == "s1"
    store.throttles = False
    assert secrets.find_secret("second") == "s2"
