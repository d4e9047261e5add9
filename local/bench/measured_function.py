"""A built function whose invocations say what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from backtrace_jira.bootstrap.init_phase import INITIALIZATION_TYPE
from local.aws.built import Built
from local.aws.resources import FunctionSettings

PROCESS = Path(__file__).with_name("measured_process.py")


@dataclass(frozen=True)
class Cost:
    """What one invocation cost: seconds of the processor and of the clock, bytes of log, requests and units."""

    cpu: float
    seconds: float
    logged: int
    counts: Mapping[str, float] = field(default_factory=dict)


class MeasuredFunction:
    """A function in a process of its own, which starts with the first event after `restart`."""

    def __init__(self, settings: FunctionSettings, built: Built) -> None:
        self._settings = settings
        self._built = built
        self._process: subprocess.Popen[str] | None = None
        self._answers: IO[str] | None = None
        self.counts_requests = False
        """Whether the next process counts requests, which costs some of the processor."""
        self.init = 0.0
        """Seconds of the processor from the process's beginning to the end of the init phase."""
        self.last = Cost(0.0, 0.0, 0)
        """What the last event cost."""

    def start(self) -> None:
        """Wait for the first event."""

    def stop(self) -> None:
        """End the process."""
        if self._process and self._process.stdin and self._answers:
            self._process.stdin.close()
            self._process.wait(10)
            self._answers.close()
        self._process = self._answers = None

    def restart(self) -> None:
        """Let the next event meet a cold process."""
        self.stop()

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Serve an event.

        Raises:
            RuntimeError: the function failed; its output ends the sentence.
        """
        if self._process is None:
            self._launch()
            self.init = self._answer()["init"]
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.last = Cost(answer["cpu"], answer["seconds"], answer["logged"], answer["counts"])
        return answer["answer"]

    def _launch(self) -> None:
        read, write = os.pipe()
        paths = [self._built.layer / "python", self._built.runtime]
        flags = ["count"] if self.counts_requests else []
        self._output = tempfile.NamedTemporaryFile(prefix="bench-")  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [str(self._built.interpreter), "-S", str(PROCESS), str(write), self._settings.handler, *flags],
            cwd=self._built.function(self._settings.logical_id),
            env={
                "PATH": os.defpath,
                "LANG": "en_US.UTF-8",
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "PYTHONDONTWRITEBYTECODE": "1",
                INITIALIZATION_TYPE: "on-demand",
                "AWS_LAMBDA_FUNCTION_NAME": self._settings.name,
                **{name: str(value) for name, value in self._settings.environment.items()},
            },
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            pass_fds=[write],
            text=True,
        )
        os.close(write)
        self._answers = os.fdopen(read)

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline() if self._answers else ""
        if not line:
            told = Path(self._output.name).read_text(errors="replace")
            raise RuntimeError(f"{self._settings.logical_id} failed: {told[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer
