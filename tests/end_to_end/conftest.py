"""What several of these tests need and is slow to make."""

from __future__ import annotations

import pytest

from local.aws.built import Built, build_once


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build once for a run: a worker of xdist has its folder within the run's."""
    folder = tmp_path_factory.getbasetemp()
    return build_once((folder.parent if hasattr(request.config, "workerinput") else folder) / "sam")
