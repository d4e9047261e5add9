"""botocore's descriptions of AWS's services, read once in a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import botocore.session
from botocore.loaders import create_loader


@contextmanager
def read_once() -> Iterator[None]:
    """Let all sessions share one loader: each would parse the services' descriptions again.

    moto looks into that of EC2 three times as it is imported, so be here before it.
    """
    kept, loader = create_loader, create_loader()
    botocore.session.create_loader = lambda *_: loader
    try:
        yield
    finally:
        botocore.session.create_loader = kept
