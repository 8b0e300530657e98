from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from g2g_base import plugins
from g2g_core.config import TrialConfig
from g2g_core.metrics import METRICS, Metric, MetricError, default_metrics, evaluate, menu
from g2g_core.metrics.menu import DEFAULT
from g2g_core.passes.evaluation import Evaluation
from tests.g2g_core.metrics import known_world


def measured(generator: torch.nn.Module) -> dict[str, float]:
    values, _ = evaluate(
        known_world.networks(generator), known_world.pairs(), None, TrialConfig(evaluate=("raw",))
    )
    return {name.removeprefix("metric/"): value for name, value in values.items()}


def test_names_of_first_and_second_weights() -> None:
    model = known_world.networks(known_world.Right(), known_world.Collapsed())
    config = TrialConfig(metrics=("mixed_l1",))
    values, _ = evaluate(model, known_world.pairs(), None, config)
    assert list(values) == ["metric/mixed_l1", "metric/average_mixed_l1"]
    turned, images = evaluate(
        model, known_world.pairs(), None, replace(config, evaluate=("average", "raw"))
    )
    assert turned == {
        "metric/mixed_l1": values["metric/average_mixed_l1"],
        "metric/raw_mixed_l1": values["metric/mixed_l1"],
    }
    assert float(images["mixed"].abs().max()) == 0, "images are those of the first weights"


def test_average_that_is_not_kept_is_left_out_but_not_replaced() -> None:
    model = known_world.networks(known_world.Right())
    values, _ = evaluate(model, known_world.pairs(), None, TrialConfig(metrics=("short_l1",)))
    assert list(values) == ["metric/short_l1"]
    with pytest.raises(MetricError, match="names no weights"):
        evaluate(model, known_world.pairs(), None, TrialConfig(evaluate=("average",)))


def test_figure_holds_at_most_eight_pairs_half_by_half() -> None:
    pairs = known_world.pairs(20)
    _, images = evaluate(known_world.networks(known_world.Right()), pairs, None, TrialConfig())
    assert set(images) == {"real", "mixed", "full_recon", "truth"}
    blind = evaluate(
        known_world.networks(known_world.Right()),
        known_world.pairs(truth=False),
        None,
        TrialConfig(),
    )
    assert set(blind[1]) == {"real", "mixed", "full_recon"}
    assert torch.equal(images["real"], torch.cat([pairs.first[:8], pairs.second[:8]]))
    _, few = evaluate(
        known_world.networks(known_world.Right()), known_world.pairs(3), None, TrialConfig()
    )
    assert few["mixed"].shape[0] == 6


def test_defaults_are_known_and_fit_the_data() -> None:
    assert set(METRICS) >= DEFAULT
    assert "mixed_l1" in default_metrics(known_world.pairs())
    blind = default_metrics(known_world.pairs(truth=False))
    assert "short_l1" in blind
    assert not {"mixed_l1", "swap_score"} & set(blind)


def test_metrics_that_cannot_be_had_are_refused_with_the_reason() -> None:
    with pytest.raises(MetricError, match="no such metric: long_l2"):
        evaluate(
            known_world.networks(known_world.Right()),
            known_world.pairs(),
            None,
            TrialConfig(metrics=("long_l2",)),
        )
    with pytest.raises(MetricError, match="mixed_l1: the true mixed images"):
        evaluate(
            known_world.networks(known_world.Right()),
            known_world.pairs(truth=False),
            None,
            TrialConfig(metrics=("mixed_l1",)),
        )


def test_metrics_of_installed_packages_are_on_the_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(evaluation: Evaluation) -> float:
        return float(len(evaluation.mixed)) / 2

    def installed(metric: Metric) -> None:
        entry = SimpleNamespace(name=metric.name, value="other:metric", load=lambda: metric)
        monkeypatch.setattr(
            plugins, "entry_points", lambda group: [entry] if group == "g2g_ablate.metrics" else []
        )
        menu.all_metrics.cache_clear()

    installed(Metric("half", half, None, "pairs", "number of pairs", "anything"))
    values, _ = evaluate(
        known_world.networks(known_world.Right()),
        known_world.pairs(7),
        None,
        TrialConfig(metrics=("half",)),
    )
    assert values == {"metric/half": 7.0}
    installed(METRICS["short_l1"])
    with pytest.raises(
        ValueError, match=r"g2g_ablate.metrics: other:metric: the name short_l1 is taken"
    ):
        menu.all_metrics()
    monkeypatch.undo()
    menu.all_metrics.cache_clear()


def test_right_generator_is_right_by_every_measure() -> None:
    values = measured(known_world.Right())
    assert values["mixed_l1"] < 1e-6
    assert values["swap_score"] == pytest.approx(1, abs=1e-5)
    assert values["long_l1"] < 1e-6
    assert values["mixed_diversity"] == pytest.approx(1, abs=0.05)
    assert values["content_effect"] > 0.3
    assert values["class_effect"] > 0.3


def test_copying_the_content_image_is_named() -> None:
    values = measured(known_world.CopiesContent())
    assert values["short_l1"] == 0, "reconstruction alone is fooled"
    assert values["swap_score"] <= 0
    assert values["mixed_l1"] == values["copy_content_l1"]
    assert values["class_effect"] == 0
    assert values["content_effect"] > 0.3


def test_ignoring_the_content_image_is_named() -> None:
    values = measured(known_world.IgnoresContent())
    assert values["content_effect"] == 0
    assert values["class_effect"] > 0.3
    assert values["swap_score"] < measured(known_world.Right())["swap_score"]


def test_collapse_is_named() -> None:
    values = measured(known_world.Collapsed())
    assert values["mixed_diversity"] == 0
    assert values["content_effect"] == values["class_effect"] == 0
