"""A sandbox for each test, and one authority elsewhere for all tests of a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.sandboxed import furnished
from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import Setup
from tests.targets.grpc_plans import grpc_box
from wizard.targets.hub_grpc import HubGrpc


@pytest.fixture
def rest(tmp_path: Path) -> Setup:
    """A Hub that does not run, to be secured as REST."""
    return Setup(furnished(tmp_path / "box"))


@pytest.fixture
def grpc(tmp_path: Path) -> Setup:
    """A Hub that does not run, to be secured as gRPC."""
    return Setup(grpc_box(tmp_path / "box"), HubGrpc)


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(tmp_path_factory.mktemp("authority") / "elsewhere")
