"""A cache folder of the test session, so that no test writes to the user's, and the classifier is
trained once."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("G2G_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
