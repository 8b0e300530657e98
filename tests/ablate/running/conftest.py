"""What the tests of real runs compare theirs with."""

import pandas as pd
import pytest

from ablate.running.study import run_study
from benchmarks.toy_study import BARE, table, toy_plan
from tests.ablate.running.toy_runs import STUDY


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table of an undisturbed run of the toy study, without workers and pauses."""
    out = tmp_path_factory.mktemp("quiet")
    result = run_study(toy_plan(**STUDY), out, workers=0, **BARE)
    assert result.exit_code == 0
    return table(out)
