"""One running catchall for the tests of this folder: real processes, fresh data."""

from collections.abc import Iterator

import pytest

from bench.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running installation."""
    with Server(tmp_path_factory.mktemp("installation")) as running:
        yield running
