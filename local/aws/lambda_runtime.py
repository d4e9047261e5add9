"""A built function as Lambda runs it: AWS's runtime client in AWS's Runtime Interface Emulator, without a container.

The emulator comes inside the package aws-sam-cli (Linux only). As on Lambda, the function's folder is the working
directory and the layer goes before what the runtime brings along. The interpreter's own packages are left out, so
that nothing is found here which would be missing there.
"""

from __future__ import annotations

import atexit
import hashlib
import http.client
import importlib.util
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from backtrace_jira.bootstrap.init_phase import INITIALIZATION_TYPE

DEPLOYED = "3.13"
"""The Python that template.yaml deploys on."""

LAMBDA_PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
INVOCATIONS = "/2015-03-31/functions/function/invocations"
START_TIMEOUT = 10.0
STOP_TIMEOUT = 5.0


class FunctionError(Exception):
    """The function raised, could not be loaded, or did not answer in time; `payload` is what Lambda would return."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        super().__init__(f"{payload.get('errorType')}: {payload.get('errorMessage')}")
        self.payload = payload


def host_architecture() -> str:
    """Return this machine's processor by Lambda's name."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def emulator() -> Path | None:
    """Return AWS's Runtime Interface Emulator for this machine, None where there is none."""
    package = importlib.util.find_spec("samcli") if sys.platform == "linux" else None
    if package is None or not package.origin:
        return None
    binary = Path(package.origin).parent / "local/rapid" / f"aws-lambda-rie-{host_architecture()}"
    return binary if binary.is_file() else None


def version_of(interpreter: Path | str) -> str | None:
    """Return an interpreter's version as `3.13`, None where it does not run."""
    command = [str(interpreter), "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    return told.stdout.strip() or None


def find_interpreter(wanted: str = DEPLOYED) -> Path:
    """Return a Python of the wanted version; the one that runs now where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [sys.executable, shutil.which(f"python{wanted}")]
    found += sorted(str(path) for path in pyenv.glob(f"versions/{wanted}.*/bin/python"))
    if shutil.which("uv"):
        command = ["uv", "python", "find", "--no-project", wanted]
        found.append(subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip())
    fitting = (Path(each) for each in found if each and version_of(each) == wanted)
    return next(fitting, Path(sys.executable))


def runtime_packages(interpreter: Path, requirements: Path, cache: Path) -> Path:
    """Return the folder with what the Lambda runtime brings along for this interpreter; made once per lock file."""
    version = version_of(interpreter) or DEPLOYED
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = cache / f"runtime-{version}-{host_architecture()}-{digest}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        made = Path(temporary, "runtime")
        arguments = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-compile"]
        arguments += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", version]
        arguments += ["--platform", LAMBDA_PLATFORMS[host_architecture()]]
        arguments += ["--require-hashes", "--requirement", str(requirements), "--target", str(made)]
        subprocess.run([sys.executable, "-m", "pip", "install", *arguments], check=True)
        subprocess.run([interpreter, "-m", "compileall", "-q", made], check=True)
        try:
            made.rename(folder)
        except OSError:  # another process has just made it
            if not folder.is_dir():
                raise
    return folder


class LambdaRuntime:
    """One execution environment. The handler is loaded at the first invocation and kept until `stop()`.

    The emulator leaves out the variable by which a function knows Lambda's init phase, so it is set here.
    """

    def __init__(
        self,
        function_dir: Path,
        layer_dir: Path,
        handler: str,
        env: Mapping[str, str],
        *,
        runtime_dir: Path,
        interpreter: Path,
        timeout: float = 60,
    ) -> None:
        """Take a layer as `sam build` makes it (with `python/` inside), and `runtime_packages()` of the interpreter.

        The function gets `env` and no more of this process's environment than a PATH. `timeout` is in seconds.
        """
        self._function_dir = function_dir
        self._interpreter = interpreter
        self._handler = handler
        self._timeout = timeout
        self._env = {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join([str(layer_dir / "python"), str(runtime_dir)]),
            "PYTHONDONTWRITEBYTECODE": "1",  # Lambda's disk is read-only
            "AWS_LAMBDA_FUNCTION_NAME": handler.partition(".")[0],
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(round(timeout)),
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            INITIALIZATION_TYPE: "on-demand",
            "LAMBDA_TASK_ROOT": str(function_dir),
            # moto's Lambda keeps a template's numbers as numbers
            **{name: str(value) for name, value in env.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._port = 0

    def start(self) -> Self:
        """Start the emulator and wait until it listens."""
        binary = emulator()
        if binary is None:
            raise RuntimeError("AWS's Runtime Interface Emulator is not here: it needs Linux and aws-sam-cli")
        self._port, api_port = _free_ports()
        command = [str(binary), "--log-level", "error"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
        command += [str(self._interpreter), "-S", "-m", "awslambdaric", self._handler]
        self._log = tempfile.NamedTemporaryFile(prefix="lambda-runtime-")  # noqa: SIM115 - closed by stop()
        self._process = subprocess.Popen(
            command,
            cwd=self._function_dir,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        atexit.register(self.stop)
        self._wait_until_it_listens()
        return self

    def stop(self) -> None:
        """End the emulator and the function's process."""
        atexit.unregister(self.stop)
        if self._process:
            # The function is in a process group of its own: only the emulator, told to terminate, ends it as well.
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log:
            self._log.close()
        self._process = self._log = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def invoke(self, event: Any) -> Any:
        """Return the function's answer.

        Raises:
            FunctionError: it raised, could not be loaded, or took longer than the time-out.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=self._timeout + START_TIMEOUT
        )
        try:
            connection.request("POST", INVOCATIONS, json.dumps(event))
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        try:
            payload = json.loads(text)
        except ValueError:  # the emulator reports a time-out in plain text
            raise FunctionError({"errorType": "Lambda", "errorMessage": text}) from None
        if isinstance(payload, dict) and "errorType" in payload:
            raise FunctionError(payload)
        return payload

    @property
    def output(self) -> str:
        """Return what emulator and function have written until now: CloudWatch would show it."""
        return Path(self._log.name).read_text(errors="replace") if self._log else ""

    def _wait_until_it_listens(self) -> None:
        until = time.monotonic() + START_TIMEOUT
        while time.monotonic() < until and self._process and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.01)
        told = self.output
        self.stop()
        raise RuntimeError(
            f"the Runtime Interface Emulator did not start: {told[-500:] or 'it said nothing'}"
        )


def _free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens on; held open together, so that they differ."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
