"""Atlassian's own wiki markup parser, run in Node, as the judge of our markup.

Jira Cloud turns the wiki markup that REST v2 accepts into its document format (ADF) with the npm package
``@atlaskit/editor-wikimarkup-transformer``. It is installed once, into the project's cache folder.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Node = dict[str, Any]

_HERE = Path(__file__).parent
_CACHE = _HERE.parents[2] / ".cache" / "wiki-judge"
_INSTALL = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
_INSTALL_SECONDS = 300


class JudgeUnavailableError(Exception):
    """The judge cannot be had on this machine; the text says why."""


def install() -> Path:
    """Give the folder with the locked packages, installed there by whichever test worker comes first."""
    manifests = [_HERE / "package.json", _HERE / "package-lock.json"]
    digest = hashlib.sha256(b"".join(manifest.read_bytes() for manifest in manifests)).hexdigest()[:16]
    target = _CACHE / digest
    _CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(_CACHE / "lock"):
        if not target.exists():
            _install_into(target, manifests)
    return target


@contextmanager
def running_judge() -> Iterator["Judge"]:
    """Give a judge whose process ends with the block."""
    node = _program("node")
    folder = install()
    with subprocess.Popen(
        [node, str(_HERE / "judge.cjs")],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        yield Judge(process)


class Judge:
    """One Node process that answers for any number of texts."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def parse(self, markup: str) -> list[Node]:
        """Give the top-level nodes of the document that Jira Cloud makes of the markup."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Plain ASCII on the wire: Node also ends a line at U+2028.
        self._process.stdin.write(json.dumps(markup) + "\n")
        self._process.stdin.flush()
        document: Node = json.loads(self._process.stdout.readline())
        assert "error" not in document, document
        content: list[Node] = document.get("content", [])
        return content


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise JudgeUnavailableError(f"{name} is not installed")
    return path


def _install_into(target: Path, manifests: list[Path]) -> None:
    # Renamed when complete, so that an interrupted installation is never taken for a finished one.
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for manifest in manifests:
        shutil.copy(manifest, unfinished)
    command = [_program("npm"), *_INSTALL]
    try:
        done = subprocess.run(
            command, cwd=unfinished, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise JudgeUnavailableError(f"npm ci took more than {_INSTALL_SECONDS} s") from None
    if done.returncode:
        raise JudgeUnavailableError(f"npm ci failed: {done.stderr.strip()[-500:]}")
    unfinished.rename(target)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
