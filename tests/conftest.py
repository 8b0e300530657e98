"""What all tests share."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Studies that run on this machine, or in another test process, do not keep those of the tests from starting."""
    os.environ["G2G_ABLATE_REGISTRY"] = str(tmp_path_factory.mktemp("registry"))
    yield
    del os.environ["G2G_ABLATE_REGISTRY"]
