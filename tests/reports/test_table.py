import json

import pandas as pd
import pytest

from reports.table import ResultsError, StudyTable, load_results


@pytest.fixture
def folder(study, tmp_path):
    """A study's folder with its tables, one trial's document and figures."""
    (tmp_path / "plan.json").write_text(json.dumps(study.study), encoding="utf-8")
    study.trials.to_csv(tmp_path / "trials.csv", index=False)
    study.history.to_parquet(tmp_path / "history.parquet")
    trial = tmp_path / "trials" / str(study.trials["trial_id"].iloc[0])
    (trial / "images").mkdir(parents=True)
    layout = {"rows": ["real", "mixed"], "columns": 4, "tile_px": 16}
    document = {"figure": layout, "digests": {"eval_pairs": "abc"}}
    (trial / "trial.json").write_text(json.dumps(document), encoding="utf-8")
    for step in (0, 50):
        (trial / "images" / f"figure_{step:06d}.png").write_bytes(b"")
    return tmp_path


def test_tables_come_back_as_they_were(folder, study):
    table = load_results(folder)
    assert table.study == study.study
    assert table.trials["trial_id"].tolist() == study.trials["trial_id"].tolist()
    assert table.trials["metric.kid"].tolist() == pytest.approx(
        study.trials["metric.kid"].tolist(), nan_ok=True
    )
    pd.testing.assert_frame_equal(table.history, study.history, check_dtype=False)


def test_figures_and_digests_come_from_the_trials_folders(folder):
    table = load_results(folder)
    assert table.images["step"].tolist() == [0, 50]
    assert table.images["rows"].tolist() == [("real", "mixed")] * 2
    assert table.trials["digest.eval_pairs"].tolist()[0] == "abc"
    assert table.trials["digest.eval_pairs"].isna().sum() == len(table.trials) - 1


def test_ids_and_levels_of_digits_stay_text(folder):
    text = (folder / "trials.csv").read_text(encoding="utf-8").replace("without", "0.10")
    (folder / "trials.csv").write_text(text, encoding="utf-8")
    table = load_results(folder)
    assert table.trials["cell_id"].iloc[0] == "000000000000"
    assert table.trials["level.long_fm"].iloc[0] == "0.10"


@pytest.mark.parametrize("name", ["plan.json", "trials.csv", "history.parquet"])
def test_what_is_missing_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ResultsError, match=name.replace(".", r"\.")):
        load_results(folder)


def test_a_damaged_file_is_one_clear_line(folder):
    (folder / "plan.json").write_text("{", encoding="utf-8")
    with pytest.raises(ResultsError, match="can't be read"):
        load_results(folder)


def test_a_missing_column_is_named(study):
    with pytest.raises(ResultsError, match="history lacks the column value"):
        StudyTable(study.study, study.trials, study.history.drop(columns="value"), study.images)
