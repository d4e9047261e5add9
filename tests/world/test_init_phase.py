"""What a function does while Lambda starts it, and what is left to its first event. An error there is no error yet."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoRegionError

from backtrace_jira import bootstrap
from backtrace_jira.bootstrap import init_phase, logger
from backtrace_jira.bootstrap.init_phase import INITIALIZATION_TYPE
from backtrace_jira.errors import InvalidSettings, Unreachable
from backtrace_jira.settings.parameter_names import ParameterNames
from backtrace_jira.synchronisation.jira_change import JiraChange
from local.aws.environment import changed
from tests.world.sync_world import MakeSyncWorld, SyncWorld, http_event
from tests.world.world import PREFIX, SharedSession, Wire

SETTINGS = ["ssm GetParametersByPath"] + ["ssm GetParameter"] * 4 + ["dynamodb GetItem"]
"""All integrations; a connection, its secret, a universe, its token; and the connection to the table."""
AHEAD = {
    "create_ticket": SETTINGS,
    "receive_webhook": ["dynamodb GetItem", "ssm GetParametersByPath", "sqs SendMessage"],
    "apply_jira_change": SETTINGS,
    "poll_backtrace": SETTINGS,
    "poll_fix_versions": SETTINGS,
}
READS_SETTINGS = [name for name in AHEAD if name != "receive_webhook"]
NAMES = ParameterNames(PREFIX)


class Process:
    """A function's process, from its start."""

    def __init__(self, world: SyncWorld, function: str, clients: list[str]) -> None:
        self.world = world
        self.function = function
        self.clients = clients
        """The clients of AWS that it has made."""
        self._handler: ModuleType | None = None

    def start(self, kind: str | None = "on-demand", *, lacking: str = "", max_receives: int = 1) -> list[str]:
        """Import the handler as Lambda does; return the calls that it makes. No `kind`: it is not Lambda."""
        self._environment = {
            **self.world.env,
            "MAX_RECEIVES": str(max_receives),
            "POWERTOOLS_METRICS_NAMESPACE": "Test",
            **({INITIALIZATION_TYPE: kind} if kind else {}),
        }
        self._environment.pop(lacking, None)
        forget(self.function)
        self.world.wire.calls.clear()
        self.clients.clear()
        with changed(self._environment):
            self._handler = importlib.import_module(f"{self.function}.handler")
        return list(self.world.wire.calls)

    def invoke(self) -> Any:
        assert self._handler is not None
        self.world.wire.calls.clear()
        self.clients.clear()
        with changed(self._environment):
            return self._handler.lambda_handler(self._event(), Context())

    def _event(self) -> dict[str, Any]:
        if self.function == "create_ticket":
            return self.world.event()
        if self.function == "apply_jira_change":
            return self.world.event(JiraChange("main", "10001").to_json())
        return http_event(b"{}", {}) if self.function == "receive_webhook" else {}


class Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


class Refusing(Wire):
    """AWS refuses calls, and does not say so in a way that botocore repeats."""

    def __init__(self, service: str, code: str) -> None:
        super().__init__()
        self.service: str | None = None
        self._refused = service
        self._error = ClientError({"Error": {"Code": code}}, "operation")

    def before(self, call: str) -> None:
        super().before(call)
        if self.service and call.startswith(self.service):
            raise self._error

    def begin(self) -> None:
        self.service = self._refused


def forget(function: str) -> None:
    """Leave nothing of a function in this process."""
    sys.modules.pop(f"{function}.handler", None)
    for module in (bootstrap, importlib.import_module(f"backtrace_jira.bootstrap.{function}")):
        for value in vars(module).values():
            getattr(value, "cache_clear", lambda: None)()


Start = Callable[..., Process]


@pytest.fixture
def process(make_sync_world: MakeSyncWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Make a process of a function; nothing of it is left behind."""
    clients: list[str] = []
    make = SharedSession.create_client

    def counted(self: SharedSession, service: str, config: Any = None) -> Any:
        clients.append(service)
        return make(self, service, config)

    def of(function: str, wire: Wire | None = None) -> Process:
        world = make_sync_world("cloud", wire or Wire())
        monkeypatch.setattr(SharedSession, "create_client", counted)
        return Process(world, function, clients)

    yield of
    for function in AHEAD:
        forget(function)


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency", "lambda-managed-instances"])
@pytest.mark.parametrize("function", AHEAD)
def test_clients_and_settings_are_there_before_the_first_event(
    process: Start, function: str, kind: str
) -> None:
    started = process(function)
    assert started.start(kind) == AHEAD[function]
    assert sorted(started.clients) == ["dynamodb", "sqs", "ssm"]
    started.invoke()
    assert started.clients == []
    secret = ["ssm GetParameter"] if function == "receive_webhook" else []
    assert [call for call in started.world.wire.calls if call.startswith("ssm")] == secret


@pytest.mark.parametrize("function", AHEAD)
def test_a_snapshot_holds_clients_and_nothing_that_was_read(process: Start, function: str) -> None:
    started = process(function)
    assert started.start("snap-start") == []
    assert sorted(started.clients) == ["dynamodb", "sqs", "ssm"]


@pytest.mark.parametrize("function", AHEAD)
def test_an_import_that_is_not_lambda_s_does_nothing(process: Start, function: str) -> None:
    started = process(function)
    assert started.start(None) == []
    assert started.clients == []
    started.invoke()
    assert sorted(started.clients) == ["dynamodb", "sqs", "ssm"]


def test_the_public_function_reads_no_secret_before_a_webhook_names_a_connection(process: Start) -> None:
    started = process("receive_webhook")
    assert "ssm GetParameter" not in started.start()


def test_the_message_that_only_opens_the_connection_is_never_stored(process: Start) -> None:
    started = process("receive_webhook")
    assert "sqs SendMessage" in started.start()
    assert started.world.changes_waiting() == []


# Whatever is wrong: the function starts, and the event says it.


@pytest.mark.parametrize("function", AHEAD)
def test_a_variable_that_is_missing_is_named_by_the_event(process: Start, function: str) -> None:
    started = process(function)
    assert started.start(lacking="LINKS_TABLE") == []
    with pytest.raises(InvalidSettings, match="LINKS_TABLE"):
        started.invoke()


@pytest.mark.parametrize("function", AHEAD)
def test_clients_that_cannot_be_made_are_the_event_s_error(
    process: Start, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = process(function)

    def fail(*_: object, **__: object) -> None:
        raise NoRegionError

    with monkeypatch.context() as patch:
        patch.setattr(SharedSession, "create_client", fail)
        assert started.start() == []
        with pytest.raises(NoRegionError):
            started.invoke()
    started.invoke()
    assert started.clients


@pytest.mark.parametrize("parameter", [NAMES.connection("main"), NAMES.jira_secret("main")])
def test_a_parameter_that_is_missing_is_the_dead_letter_s_reason(process: Start, parameter: str) -> None:
    started = process("create_ticket")
    started.world.remove(parameter)
    started.start()
    assert started.invoke() == {"batchItemFailures": []}
    (letter,) = started.world.dead_letters()
    assert f"{parameter}: the parameter is missing" in letter["Reason"]


def test_what_one_integration_lacks_is_read_for_the_others(process: Start) -> None:
    started = process("create_ticket")
    broken = {"name": "gone", "jira_api": started.world.jira.url, "email": "a@b.example"}
    started.world.put(NAMES.connection("gone"), json.dumps(broken))
    other = started.world.settings.model_copy(update={"project": "another", "connection": "gone"})
    started.world.put(NAMES.integration(other), other.model_dump_json())
    odd = started.world.settings.model_copy(update={"project": "odd"})
    started.world.put(NAMES.integration(odd), "{}")
    started.start()
    started.invoke()
    assert started.world.wire.count("ssm") == 0
    assert len(started.world.jira.issues) == 1


@pytest.mark.parametrize(
    ("service", "code", "calls"),
    [
        ("ssm", "ThrottlingException", 1),
        ("ssm", "AccessDeniedException", 1),
        ("ssm", "ServiceUnavailable", 1),
        ("dynamodb", "AccessDeniedException", len(SETTINGS)),
        ("dynamodb", "ProvisionedThroughputExceededException", len(SETTINGS)),
    ],
)
@pytest.mark.parametrize("function", READS_SETTINGS)
def test_a_store_that_refuses_is_asked_once_and_left_to_the_event(
    process: Start, service: str, code: str, calls: int, function: str
) -> None:
    wire = Refusing(service, code)
    started = process(function, wire)
    wire.begin()
    assert len(started.start()) == calls
    wire.service = None
    started.invoke()
    assert started.clients == []


def test_a_store_that_still_refuses_postpones_the_event(process: Start) -> None:
    wire = Refusing("ssm", "ThrottlingException")
    started = process("create_ticket", wire)
    wire.begin()
    started.start(max_receives=30)
    assert started.invoke()["batchItemFailures"] == [{"itemIdentifier": "m0"}]
    assert started.world.dead_letters() == []


def test_a_webhook_that_meets_a_store_in_trouble_is_sent_again_by_jira(process: Start) -> None:
    wire = Refusing("", "InternalServerError")
    started = process("receive_webhook", wire)
    wire.begin()
    wire.service = "dynamodb"
    started.start()
    wire.service = "ssm"
    assert started.invoke()["statusCode"] == 503


def test_a_queue_in_trouble_is_left_to_the_webhook(process: Start) -> None:
    wire = Refusing("sqs", "InternalError")
    started = process("receive_webhook", wire)
    wire.begin()
    started.start()
    wire.service = None
    started.invoke()
    assert started.clients == []


def test_a_read_that_hangs_does_not_hold_up_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INITIALIZATION_TYPE, "on-demand")
    monkeypatch.setattr(init_phase, "LONGEST_READING", 0.01)
    answer, answered = Event(), Event()

    def hang() -> None:
        answer.wait(60)
        answered.set()

    init_phase.read_ahead(hang)
    assert not answered.is_set()
    answer.set()
    assert answered.wait(60)


def test_what_fails_is_logged_with_its_reason_and_stops_what_comes_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(INITIALIZATION_TYPE, "on-demand")
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(
        logger(), "warning", lambda message, extra: told.append({"message": message, **extra})
    )
    reads: list[str] = []

    def fail() -> None:
        raise Unreachable("SSM get_parameters_by_path: ThrottlingException")

    init_phase.read_ahead(lambda: reads.append("first"), fail, lambda: reads.append("third"))
    assert reads == ["first"]
    assert told == [
        {
            "message": "init phase: left to the first event",
            "detail": "Unreachable: SSM get_parameters_by_path: ThrottlingException",
        }
    ]
