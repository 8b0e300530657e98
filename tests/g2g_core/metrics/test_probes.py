import numpy as np
import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.metrics import evaluate
from g2g_core.metrics.probes import distinct, purity
from g2g_core.metrics.ridge import FOLDS, STRENGTH, above_chance, held_out, probe, stratified
from g2g_core.seeding import generator
from tests.g2g_core.metrics import known_world


@pytest.mark.parametrize("d", [3, 200])
def test_probe_equals_sklearn_ridge(d: int) -> None:
    from sklearn.linear_model import Ridge

    rng = generator(0, "test/ridge")
    codes, targets = (
        torch.randn(40, d, generator=rng).double(),
        torch.randn(40, 2, generator=rng).double(),
    )
    folds = torch.arange(40) % FOLDS
    ours = held_out(codes, targets, folds)
    for fold in range(FOLDS):
        train, test = codes[folds != fold].numpy(), codes[folds == fold].numpy()
        mean, spread = train.mean(0), train.std(0)
        theirs = Ridge(alpha=STRENGTH * d).fit(
            (train - mean) / spread, targets[folds != fold].numpy()
        )
        np.testing.assert_allclose(
            ours[folds == fold].numpy(), theirs.predict((test - mean) / spread), atol=1e-9
        )


def test_scores_at_both_ends() -> None:
    rng = generator(0, "test/scores")
    labels = torch.arange(200) % 5
    factors = {
        "label": labels,
        "number": labels.float(),
        "pair": torch.randn(200, 2, generator=rng),
    }
    told = torch.nn.functional.one_hot(labels) + 0.01 * torch.randn(200, 5, generator=rng)
    good = probe(told, factors, "label")
    assert good["label"] == 1
    assert good["number"] > 0.98
    assert abs(good["pair"]) < 0.1
    noise = probe(torch.randn(200, 30, generator=rng), factors, "label")
    assert all(abs(score) < 0.3 for score in noise.values())
    assert abs(probe(torch.ones(200, 3), factors, "label")["number"]) < 0.02
    never = probe(
        told, {"label": labels, "one": torch.ones(200), "two": torch.ones(200).long()}, "label"
    )
    assert np.isnan(never["one"])
    assert np.isnan(never["two"])


def test_chance_is_the_commonest_category() -> None:
    labels = torch.tensor([0] * 30 + [1] * 10)
    truth = torch.nn.functional.one_hot(labels).double()
    assert above_chance(torch.tensor([[1.0, 0.0]]).expand(40, 2), truth) == 0
    assert above_chance(truth, truth) == 1


def test_folds_spread_every_label() -> None:
    labels = torch.tensor([0] * 10 + [1] * 10 + [2] * 3)
    folds = stratified(labels)
    for label in (0, 1):
        assert folds[labels == label].bincount(minlength=FOLDS).tolist() == [2] * FOLDS
    assert len(folds[labels == 2].unique()) == 3
    assert len(stratified(torch.zeros(40))[::FOLDS].unique()) > 1, "no rhythm"


def test_twins_count_once() -> None:
    images = torch.rand(3, 3, 4, 4, generator=generator(0, "test/twins"))
    assert distinct(torch.cat([images, images[1:2]])).tolist() == [0, 1, 2]


def test_purity_of_tables() -> None:
    assert purity(torch.eye(2).double()) == 1
    assert purity(torch.ones(2, 2).double()) == 0
    assert np.isnan(purity(torch.zeros(2, 2).double()))
    # A row of shares 3/4, 1/4 has 0.8113 bits; it weighs 4 of 6, the pure row 2 of 6.
    assert purity(torch.tensor([[3.0, 1.0], [0.0, 2.0]]).double()) == pytest.approx(
        (4 * 0.188722 + 2) / 6, abs=1e-5
    )


NAMES = (
    "class_from_content",
    "class_from_class",
    "content_from_class",
    "content_from_content",
    "dci_disentanglement",
    "dci_completeness",
    "dci_informativeness",
    "swap_score",
)


def measured(model: torch.nn.Module) -> dict[str, float]:
    config = TrialConfig(evaluate=("raw",), metrics=NAMES)
    values, _ = evaluate(known_world.networks(model), known_world.pairs(100), None, config)
    return {name.removeprefix("metric/"): value for name, value in values.items()}


def test_class_leak_in_the_content_code_is_named() -> None:
    right, leaky = measured(known_world.Right()), measured(known_world.Leaky())
    assert leaky["swap_score"] == pytest.approx(1, abs=1e-5), (
        "the images are right, only the code tells"
    )
    assert leaky["class_from_content"] > 0.9
    assert abs(right["class_from_content"]) < 0.2
    assert right["class_from_class"] > 0.9
    assert abs(right["content_from_class"]) < 0.2
    assert right["content_from_content"] > 0.9
    assert leaky["dci_disentanglement"] < right["dci_disentanglement"] - 0.1
    assert leaky["dci_completeness"] < right["dci_completeness"] - 0.1
