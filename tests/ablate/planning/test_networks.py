"""Studies that repeat their seeds with several networks: what is planned, and what is refused."""

import csv
import io
from pathlib import Path

import pytest

from ablate.planning.load import load_study
from ablate.planning.plan import plan
from ablate.planning.plan_file import plan_csv, plan_record, resolved_yaml
from ablate.study.nouns import StudyError
from ablate.study.starts import networks_of
from ablate.trial import trial_file
from tests.ablate.planning.test_pretraining import planned, written

SEVERAL = ("base.checkpoint.networks=3", "seeds=[0,1]")


def test_every_arm_runs_with_every_network_and_seed(tmp_path: Path) -> None:
    made = planned(written(tmp_path), *SEVERAL)
    by_cell = {
        cell: [(trial.network, trial.seed) for trial in made.trials if trial.cell_id == cell]
        for cell, _ in made.cells
    }
    all_ = [(0, 0), (0, 1), (1, 10000), (1, 10001), (2, 20000), (2, 20001)]
    assert len(by_cell) == 2
    assert all(own == all_ for own in by_cell.values())
    assert [trial.network for trial in made.trials] == sorted(t.network or 0 for t in made.trials)


def test_a_network_is_shared_with_studies_in_which_it_is_the_network_of_a_seed(
    tmp_path: Path,
) -> None:
    file = written(tmp_path)
    several, own = planned(file, *SEVERAL), planned(file, "base.checkpoint.per=seed")
    trained = [
        {trial.network: trial.start.trial.id for trial in made.trials if trial.start}
        for made in (several, own)
    ]
    assert trained[0] == trained[1]
    assert list(trained[0]) == [0, 1, 2]


def test_more_networks_or_seeds_keep_the_trials(tmp_path: Path) -> None:
    file = written(tmp_path)
    ids = {trial.id for trial in planned(file, *SEVERAL).trials}
    more = planned(file, "base.checkpoint.networks=4", "seeds=[0,1,2]")
    assert ids < {trial.id for trial in more.trials}
    assert len(more.trials) == 24


def test_files_have_the_number_of_the_network(tmp_path: Path) -> None:
    made = planned(written(tmp_path), *SEVERAL)
    record = plan_record(made)
    assert record["networks"] == [
        {"network": 0, "seeds": [0, 1]},
        {"network": 1, "seeds": [10000, 10001]},
        {"network": 2, "seeds": [20000, 20001]},
    ]
    assert [one["network"] for one in record["trials"]] == [one.network for one in made.trials]
    rows = list(csv.DictReader(io.StringIO(plan_csv(made))))
    assert [row["network"] for row in rows] == [str(trial.network) for trial in made.trials]
    document = trial_file.planned(made.trials[-1])
    assert document["network"] == trial_file.trial_of(document).network == 2
    (tmp_path / "again.yaml").write_text(resolved_yaml(made.spec), encoding="utf-8")
    again = plan(load_study(tmp_path / "again.yaml"))
    assert [trial.id for trial in again.trials] == [trial.id for trial in made.trials]


def test_a_plan_without_networks_says_nothing_of_them(tmp_path: Path) -> None:
    made = planned(written(tmp_path))
    assert networks_of(made.spec) is None
    assert "networks" not in plan_record(made)
    assert "network" not in plan_csv(made).partition("\n")[0]


def test_an_arm_without_a_network_runs_with_every_network_and_seed_too(tmp_path: Path) -> None:
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8")
    levels = (
        "  start:\n    levels:\n      trained: {checkpoint: {train: first.yaml, networks: 3}}\n"
        "      fresh: {checkpoint: null}\n"
    )
    file.write_text(text.replace("design:", levels + "design:"), encoding="utf-8")
    made = planned(file, "base.checkpoint=null")
    fresh = [trial for trial in made.trials if trial.levels["start"] == "fresh"]
    assert len(made.trials) == 4 * 9
    assert {trial.network for trial in fresh} == {None}
    assert len({trial.seed for trial in fresh}) == 9


def test_a_chain_has_networks_of_its_own_from_its_first_step_on(tmp_path: Path) -> None:
    file = written(tmp_path, train="second.yaml")
    second = (
        "extends: first.yaml\nname: second\nbase: {checkpoint: {train: first.yaml, networks: 2}}\n"
    )
    (tmp_path / "second.yaml").write_text(second, encoding="utf-8")
    made = planned(file, *SEVERAL)
    starts = {trial.network: trial.start for trial in made.trials if trial.start}
    first = {
        network: start.trial.start.trial.seed
        for network, start in starts.items()
        if start.trial.start is not None
    }
    assert first == {0: 2000, 1: 2001, 2: 2002}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("base.checkpoint.networks=3", "base.checkpoint.per=seed"), "can't be combined with per"),
        (("base.checkpoint.networks=1",), "1 must be a whole number, at least 2"),
        (("base.checkpoint.networks=three",), "must be a whole number"),
        ((*SEVERAL, "seeds=[0,10000]"), "seeds must be below 10,000, not 10000"),
        ((*SEVERAL, "base.checkpoint.trial={seed: 3}"), "each has a seed of its own"),
        ((*SEVERAL, "outcome.looks=[2,4]"), "must rise to the number of networks, 3"),
        (("base.checkpoint.network=3",), "did you mean networks?"),
    ],
)
def test_what_can_not_be_is_refused(
    tmp_path: Path, settings: tuple[str, ...], message: str
) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        planned(written(tmp_path), *settings)
    assert "\n" not in str(caught.value)


def test_all_arms_have_as_many_networks(tmp_path: Path) -> None:
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8")
    for other, message in (
        ("networks: 4", "the same number in all arms, not 4 and 3"),
        ("per: seed", "per: seed can't be in one study with networks"),
    ):
        levels = (
            "  start:\n    levels:\n      three: {checkpoint: {train: first.yaml, networks: 3}}\n"
            f"      other: {{checkpoint: {{train: first.yaml, {other}}}}}\n"
        )
        file.write_text(text.replace("design:", levels + "design:"), encoding="utf-8")
        with pytest.raises(StudyError, match=message) as caught:
            planned(file, "base.checkpoint=null")
        assert "\n" not in str(caught.value)


def test_other_seeds_must_fit_as_well(tmp_path: Path) -> None:
    spec = planned(written(tmp_path), *SEVERAL).spec
    with pytest.raises(StudyError, match="--seeds 3,20000: with several networks"):
        plan(spec, seeds=[3, 20000])
    assert len(plan(spec, seeds=[5]).trials) == 6
