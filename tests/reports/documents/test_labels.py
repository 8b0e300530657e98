import pytest

from g2g_core.losses.menu import all_losses
from g2g_core.metrics.menu import all_metrics
from reports.documents.labels import LOSSES, Labels, metric_label


@pytest.mark.parametrize("name", sorted(all_metrics()))
def test_every_metric_has_a_plain_name(name):
    assert metric_label(name)


def test_every_loss_has_a_plain_name():
    assert set(LOSSES) == set(all_losses())


def test_weights_are_named():
    assert metric_label("average_mixed_l1") == "the error of mixed images (averaged weights)"
    assert metric_label("accuracy") == ""


def test_names_of_the_study_come_first():
    plan = {
        "metrics": {"mixed_l1": {"label": "the distance"}},
        "factors": {
            "resume": {
                "levels": {"whole": {}, "generator": {}},
                "reference": "whole",
                "label": "what is restored",
                "labels": {"generator": "restoring the generator"},
            },
            "long_fm": {"levels": {"without": {}, "with": {}}, "reference": "without"},
        },
    }
    labels = Labels(plan)
    assert labels.metric("mixed_l1") == "the distance"
    assert labels.factor("resume") == "what is restored"
    assert labels.changed("resume") == "restoring the generator"
    assert labels.level("resume", "whole") == ""
    assert labels.factor("long_fm") == LOSSES["long_fm"]
