"""The hot tables that their suites share: each backend in turn, with projects in it."""

from pathlib import Path

import pytest

from tests.unit.store_hot.batches import BACKENDS, Feeder, make_projects, opened


@pytest.fixture(params=BACKENDS)
def hot(request, tmp_path: Path):
    with opened(request.param, tmp_path) as made:
        make_projects(made)
        yield made


@pytest.fixture
def feeder(hot):
    return Feeder(hot)
