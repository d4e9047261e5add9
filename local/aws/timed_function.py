"""A function in a process of its own, whose processor time is known: that of its start, and that of each event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtrace_jira.bootstrap.init_phase import INITIALIZATION_TYPE
from local import ROOT
from local.aws.resources import FunctionSettings

PROCESS = Path(__file__).with_name("timed_process.py")


class TimedFunction:
    """The handler of these sources, started as Lambda starts it. Times are in milliseconds."""

    def __init__(self, settings: FunctionSettings, log: Path) -> None:
        self.inits: list[float] = []
        """One for each start."""
        self.events: list[list[float]] = []
        """For each start: one for each event."""
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        folders = [str(ROOT / part) for part in ("functions", "layers/bridge")]
        own = {"PYTHONPATH": os.pathsep.join(folders), INITIALIZATION_TYPE: "on-demand"}
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PROCESS), self._settings.handler, str(self._settings.timeout)],
                env={"PATH": os.defpath, **own, **self._settings.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.inits.append(1000 * self._told()["cpu"])
        self.events.append([])

    def stop(self) -> None:
        if self._process:
            self._process.communicate()
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def __call__(self, event: Mapping[str, Any]) -> Any:
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the function is not started")
        print(json.dumps(event), file=self._process.stdin, flush=True)
        told = self._told()
        self.events[-1].append(1000 * told["cpu"])
        if "error" in told:
            raise RuntimeError(told["error"])
        return told["answer"]

    def _told(self) -> dict[str, Any]:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the function is not started")
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._settings.name} does not start: see {self._log}")
        told: dict[str, Any] = json.loads(line)
        return told
