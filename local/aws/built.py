"""What `sam build` makes, for an interpreter and processor of this machine so that it can be run here."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from local import CACHE, ROOT
from local.aws.lambda_runtime import find_interpreter, host_architecture, runtime_packages, version_of

REQUIREMENTS = ROOT / "tests/end_to_end/runtime-requirements.txt"
TIMEOUT = 600


class BuildFailed(Exception):
    """What sam said."""


@dataclass(frozen=True)
class Built:
    """The artifacts, the interpreter they were built for, and what the runtime brings along for it."""

    folder: Path
    interpreter: Path
    version: str
    runtime: Path

    @property
    def layer(self) -> Path:
        return self.folder / "Bridge"

    def function(self, logical_id: str) -> Path:
        return self.folder / logical_id


def missing() -> str | None:
    """Return why nothing can be built and run here, or None."""
    if sys.platform != "linux":
        return "the artifacts are for Linux"
    return None if shutil.which("make") else "there is no make"


def build_once(folder: Path) -> Built:
    """Build into a folder that processes share: the first one builds, the others wait for it."""
    interpreter = find_interpreter()
    built = Built(
        folder / "build",
        interpreter,
        version_of(interpreter) or "",
        runtime_packages(interpreter, REQUIREMENTS, CACHE),
    )
    folder.mkdir(exist_ok=True)
    done = folder / "done"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _build(built)
            done.touch()
    return built


def _build(wanted: Built) -> None:
    """Build template.yaml."""
    environment = {
        **os.environ,
        "BRIDGE_ARCH": host_architecture(),
        "BRIDGE_PYTHON": wanted.version,
        "BRIDGE_PIP": shlex.join([sys.executable, "-m", "pip"]),
        "PATH": os.pathsep.join([str(wanted.interpreter.parent), os.environ["PATH"]]),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command = [sys.executable, "-m", "samcli", "build", "--no-cached", "--build-dir", str(wanted.folder)]
    command += ["--template-file", str(ROOT / "template.yaml")]
    command += ["--parameter-overrides", f"Architecture={host_architecture()}"]
    sam = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    if sam.returncode:
        raise BuildFailed(sam.stdout + sam.stderr)
