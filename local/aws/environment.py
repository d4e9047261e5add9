"""The process's environment, changed for a while."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

LOOPBACK = "127.0.0.1,localhost,::1"


@contextmanager
def changed(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables; put everything back in the end."""
    kept = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@contextmanager
def without_account() -> Iterator[None]:
    """Let no account, profile or proxy of the person at the machine have a say in what happens here."""
    own = {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}
    direct = {
        name: ",".join(part for part in (os.environ.get(name), LOOPBACK) if part)
        for name in ("NO_PROXY", "no_proxy")
    }
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with changed(direct | nothing):
        for name in own.keys() - nothing.keys():
            del os.environ[name]
        yield
