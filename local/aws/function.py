"""A function to invoke: its handler in this process, or what `sam build` made of it in Lambda's own runtime."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from backtrace_jira import bootstrap
from backtrace_jira.bootstrap.init_phase import INITIALIZATION_TYPE
from local.aws.environment import changed, without_account
from local.aws.lambda_runtime import LambdaRuntime
from local.aws.resources import FunctionSettings


class Function(Protocol):
    """A function that an event source, a schedule or an HTTP API can invoke."""

    def start(self) -> None:
        """Make it ready."""

    def stop(self) -> None:
        """Leave nothing of it behind."""

    def restart(self) -> None:
        """Start cold: whatever it remembered is gone."""

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Invoke it; what it raises comes through."""


class Context:
    """Lambda's context object, as far as handlers and Powertools look at it."""

    memory_limit_in_mb = 512

    def __init__(self, settings: FunctionSettings) -> None:
        self.function_name = settings.name
        self.invoked_function_arn = f"arn:aws:lambda:local:123456789012:function:{settings.name}"
        self.aws_request_id = str(uuid.uuid4())
        self._until = time.monotonic() + settings.timeout

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._until - time.monotonic()) * 1000))


class NotStartedError(RuntimeError):
    """The function is not started, or no longer."""


class InProcessFunction:
    """The handler, imported here. While it runs, the environment is the function's, and what it prints is logged.

    Quick to start and easy to look into. Several may live in a process, whose modules keep their state: each path
    has its own modules, and what they share is set up anew whenever another function's turn comes. The handler is
    imported by the first invocation after a start, with Lambda's init phase, so that one which cannot be imported
    stops no other.
    """

    def __init__(self, settings: FunctionSettings, log: Path) -> None:
        self._settings = settings
        self._environment = {**settings.environment, INITIALIZATION_TYPE: "on-demand"}
        self._log_path = log
        self._log: IO[str] | None = None
        self._open = contextlib.ExitStack()

    def start(self) -> None:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = self._open.enter_context(self._log_path.open("a", buffering=1))
        self._open.callback(self.restart)
        self.restart()

    def stop(self) -> None:
        self._log = None  # from here on, no invocation begins; those that have begun still write to the log
        TURNS.wait_until_over(self)
        self._open.close()

    def restart(self) -> None:
        module_name = self._settings.handler.rpartition(".")[0]
        path = module_name.partition(".")[0]
        for module in [module for name, module in sys.modules.items() if _belongs(name, path)]:
            for value in vars(module).values():
                forget = getattr(value, "cache_clear", None)
                if forget:
                    forget()
        sys.modules.pop(module_name, None)  # to import it again is a new init phase
        TURNS.forget(self)

    def __call__(self, event: Mapping[str, Any]) -> Any:
        log = self._log
        if log is None:
            raise NotStartedError
        copied = json.loads(json.dumps(event))
        with TURNS.taken(self, self._environment, log):
            if self._log is None:
                raise NotStartedError  # it was stopped while this invocation waited for its turn
            try:
                return json.loads(json.dumps(self._handler()(copied, Context(self._settings))))
            except Exception:
                traceback.print_exc(file=log)
                raise

    def _handler(self) -> Callable[[Any, Context], Any]:
        module, _, name = self._settings.handler.rpartition(".")
        handler: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
        return handler


class BuiltFunction:
    """A function that `sam build` made, run as Lambda runs it. This process cannot count its requests."""

    def __init__(self, settings: FunctionSettings, **artifacts: Any) -> None:
        """Take the artifacts as `LambdaRuntime` does: function_dir, layer_dir, runtime_dir, interpreter."""
        self._runtime = LambdaRuntime(
            handler=settings.handler, env=settings.environment, timeout=settings.timeout, **artifacts
        )

    def start(self) -> None:
        self._runtime.start()

    def stop(self) -> None:
        self._runtime.stop()

    def restart(self) -> None:
        self._runtime.stop()
        self._runtime.start()

    def __call__(self, event: Mapping[str, Any]) -> Any:
        return self._runtime.invoke(event)


def _belongs(module: str, path: str) -> bool:
    """Say whether a module is of a path: its handler, or what is wired for it."""
    own = (path, f"{bootstrap.__name__}.{path}")
    return module in own or module.startswith(tuple(f"{name}." for name in own))


def _forget_logging() -> None:
    """Let Powertools set its loggers and metrics up anew.

    They hold on to the stream they first wrote to, and to the name of the service.
    """
    bootstrap.logger.cache_clear()
    bootstrap.metrics.cache_clear()
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        if hasattr(logger, "init") or name == "backtrace_jira":
            logger.handlers.clear()
            logger.filters.clear()
            for mark in ("init", "powertools_handler"):
                logger.__dict__.pop(mark, None)


class Turns:
    """The right to this process: its environment and standard output are one function's at a time.

    Any number of threads may run the same function. Another one waits until all of them are done, so a function
    must not wait for another one, by a request to it, say. contextlib's redirection is for one thread at a time:
    the first one in changes things, the last one out puts them back.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._owner: object = None
        """Whose turn it is, or was last: the loggers are this one's."""
        self._threads = 0
        self._changes = contextlib.ExitStack()

    @contextlib.contextmanager
    def taken(self, owner: object, environment: Mapping[str, str], log: IO[str]) -> Iterator[None]:
        """Give the process to a function for a while."""
        with self._free:
            self._free.wait_for(lambda: self._threads == 0 or self._owner is owner)
            if self._threads == 0:
                self._enter(owner, environment, log)
            self._threads += 1
        try:
            yield
        finally:
            with self._free:
                self._threads -= 1
                if self._threads == 0:
                    self._changes.close()
                    self._free.notify_all()

    def wait_until_over(self, owner: object) -> None:
        """Wait for the invocations of a function that have begun, for half a minute at the most."""
        with self._free:
            self._free.wait_for(lambda: self._threads == 0 or self._owner is not owner, timeout=30)

    def forget(self, owner: object) -> None:
        """Leave nothing of a function in the loggers, if they are its own."""
        with self._free:
            if self._owner is owner and self._threads == 0:
                _forget_logging()
                self._owner = None

    def _enter(self, owner: object, environment: Mapping[str, str], log: IO[str]) -> None:
        self._changes.enter_context(without_account())
        self._changes.enter_context(changed(environment))
        self._changes.enter_context(contextlib.redirect_stdout(log))
        if self._owner is not owner:
            _forget_logging()
            bootstrap.logger()  # a warm function has set it up long ago and does not do so again
            self._owner = owner


TURNS = Turns()
"""The process has one environment, so it has one of these."""
