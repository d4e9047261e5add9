"""A unit test opens no socket, not even to this machine: what needs one stands in another folder."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Let pytest-socket refuse every socket."""
