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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from backtrace_jira import bootstrap
from local.aws import FunctionSettings
from local.environment import changed, without_account
from local.lambda_runtime import LambdaRuntime


class Function(Protocol):
    """What an event source needs of a function."""

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


class InProcessFunction:
    """The handler, imported here. While it runs, the environment is the function's, and what it prints is logged.

    Quick to start and easy to look into. One at a time in a process, whose modules keep the function's state.
    """

    def __init__(self, settings: FunctionSettings, log: Path) -> None:
        self._settings = settings
        self._log_path = log
        self._log: IO[str] | None = None
        self._open = contextlib.ExitStack()
        self._process = _Process(settings.environment)

    def start(self) -> None:
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = self._open.enter_context(self._log_path.open("a", buffering=1))
        self._open.callback(self.restart)
        self.restart()

    def stop(self) -> None:
        self._open.close()
        self._log = None

    def restart(self) -> None:
        for module in [each for name, each in sys.modules.items() if name.startswith(bootstrap.__name__)]:
            for value in vars(module).values():
                forget = getattr(value, "cache_clear", None)
                if forget:
                    forget()
        _forget_loggers()

    def __call__(self, event: Mapping[str, Any]) -> Any:
        if self._log is None:
            raise RuntimeError("the function is not started")
        module, _, name = self._settings.handler.rpartition(".")
        handler = getattr(importlib.import_module(module), name)
        copied = json.loads(json.dumps(event))
        try:
            with self._process.lent(self._log):
                return json.loads(json.dumps(handler(copied, Context(self._settings))))
        except Exception:
            traceback.print_exc(file=self._log)
            raise


class BuiltFunction:
    """What `sam build` made, as Lambda runs it. Its requests cannot be counted from here."""

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


def _forget_loggers() -> None:
    """Let Powertools set its loggers up anew; they hold on to the stream they first wrote to."""
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        if hasattr(logger, "init") or name == "backtrace_jira":
            logger.handlers.clear()
            logger.filters.clear()
            for mark in ("init", "powertools_handler"):
                logger.__dict__.pop(mark, None)


class _Process:
    """This process as the function's own, for as long as any thread runs it: environment and standard output.

    contextlib's redirection is for one thread at a time; the first one in changes things, the last one out puts
    them back.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._threads = 0
        self._changes = contextlib.ExitStack()

    @contextlib.contextmanager
    def lent(self, log: IO[str]) -> Iterator[None]:
        with self._lock:
            if self._threads == 0:
                self._changes.enter_context(without_account())
                self._changes.enter_context(changed(self._environment))
                self._changes.enter_context(contextlib.redirect_stdout(log))
            self._threads += 1
        try:
            yield
        finally:
            with self._lock:
                self._threads -= 1
                if self._threads == 0:
                    self._changes.close()
