"""The metrics of disentanglement that the report looks for are those that a study can record."""

from dataclasses import replace

import pytest

from g2g_core.metrics import METRICS
from g2g_core.metrics.menu import DEFAULT
from reports import open_study
from reports.page.blocks import plain
from reports.sections.disentanglement import (
    PREFERRED,
    SAME_MEASURE,
    chosen_metrics,
    dependent,
    disentanglement,
)


def test_each_name_is_a_metric():
    assert [
        wanted for wanted in PREFERRED if not any(name.startswith(wanted) for name in METRICS)
    ] == []


def test_a_study_of_real_images_that_names_no_metrics_has_two():
    names = [name for name, metric in METRICS.items() if name in DEFAULT and not metric.needs]
    assert chosen_metrics(names, "long_l1") == ["content_distance_edges", "class_effect"]


def test_the_most_telling_come_first_and_the_outcome_is_not_among_them():
    names = ["content_effect", "translation_accuracy", "swap_score"]
    assert chosen_metrics(names, "swap_score") == ["translation_accuracy", "content_effect"]


def test_a_metric_of_other_weights_counts_as_well():
    assert chosen_metrics(["long_l1", "raw_swap_score"], "long_l1") == ["raw_swap_score"]
    both = ["raw_swap_score", "swap_score", "raw_class_effect"]
    assert chosen_metrics(both, "long_l1") == ["swap_score", "raw_class_effect"]


def test_what_is_measured_against_the_truth_is_one_measure():
    """`swap_score` is 1 - mixed_l1 over what copies have: against any such outcome it is no second
    opinion."""
    against_truth = [
        name
        for name, metric in METRICS.items()
        if "truth" in metric.needs and not name.startswith("copy_")
    ]
    assert len(against_truth) > 5
    assert all(dependent("swap_score", name) for name in against_truth)
    assert dependent("swap_score", "average_mixed_l1")
    assert not any(dependent("swap_score", name) for name in METRICS if name not in against_truth)


def test_each_group_holds_metrics_that_exist():
    assert [
        start
        for same in SAME_MEASURE
        for start in same
        if not any(n.startswith(start) for n in METRICS)
    ] == []


def test_metrics_made_otherwise_than_the_outcome_come_first():
    names = [
        "mixed_l1",
        "swap_score",
        "content_effect",
        "class_from_content",
        "dci_disentanglement",
    ]
    for primary in ("mixed_l1", "average_mixed_l1", "mixed_ssim"):
        assert chosen_metrics(names, primary) == ["class_from_content", "dci_disentanglement"]
    assert chosen_metrics(names, "long_l1") == ["swap_score", "class_from_content"]
    assert chosen_metrics(["mixed_l1", "swap_score"], "mixed_l1") == ["swap_score"]
    assert chosen_metrics(
        ["mixed_class_l1", "content_effect", "class_effect"], "mixed_class_l1"
    ) == ["class_effect"]


def renamed(study, name):
    """The same study with another primary outcome."""
    trials = study.trials.rename(
        columns={"metric.kid": f"metric.{name}", "metric0.kid": f"metric0.{name}"}
    )
    plan = {**study.study, "outcome": {**study.study["outcome"], "metric": name}}
    return replace(
        study,
        study=plan,
        trials=trials,
        history=study.history.replace("metric/kid", f"metric/{name}"),
    )


@pytest.mark.parametrize(
    ("primary", "reading"),
    [
        ("mixed_l1", "measured on the same images: says nothing new"),
        ("kid", "quality and disentanglement go together"),
    ],
)
def test_a_metric_made_from_the_outcome_is_not_read(make_study, primary, reading):
    section = disentanglement(open_study(renamed(make_study(), primary)))
    assert [plain(row[-1].spans) for row in section.blocks[1].rows] == [reading]
