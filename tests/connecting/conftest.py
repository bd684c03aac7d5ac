"""The servers run once for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connecting import servers


@pytest.fixture(scope="package")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Parties]:
    with servers.parties(tmp_path_factory.mktemp("parties")) as found:
        yield found
