"""The metrics of disentanglement that the report looks for are those that a study can record."""

from g2g_core.metrics import METRICS
from g2g_core.metrics.menu import DEFAULT
from reports.sections.disentanglement import PREFERRED, chosen_metrics


def test_each_name_is_a_metric():
    assert [wanted for wanted in PREFERRED if not any(name.startswith(wanted) for name in METRICS)] == []


def test_a_study_of_real_images_that_names_no_metrics_has_two():
    names = [name for name, metric in METRICS.items() if name in DEFAULT and not metric.needs]
    assert chosen_metrics(names, "long_l1") == ["content_distance_edges", "class_effect"]


def test_the_most_telling_come_first_and_the_outcome_is_not_among_them():
    names = ["content_effect", "translation_accuracy", "swap_score"]
    assert chosen_metrics(names, "swap_score") == ["translation_accuracy", "content_effect"]
