import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS
from g2g_core.data.pairs import EvaluationPairs
from g2g_core.metrics import Evaluator, classifier
from g2g_core.metrics.classifier import judge, train_classifier


@pytest.fixture(scope="module")
def pool() -> EvaluationPairs:
    return DATASETS["synthetic"](TrialConfig(image_size=16)).evaluation_pairs(40)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(classifier, "STEPS", 10)
    monkeypatch.setenv("G2G_CACHE", str(tmp_path))
    return tmp_path


def test_training_is_deterministic_and_leaves_torch_alone(
    pool: EvaluationPairs, short: Path
) -> None:
    torch.manual_seed(1)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, judgement = train_classifier(pool)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    torch.manual_seed(2)
    with torch.no_grad():
        second, _ = train_classifier(pool)
    assert all(
        torch.equal(a, b)
        for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )
    assert judgement.n_train + judgement.n_held_out <= 80
    assert not any(parameter.requires_grad for parameter in first.parameters())


def test_where_nothing_can_be_held_out_the_accuracy_is_unknown(short: Path) -> None:
    config = TrialConfig(image_size=16, metrics=("classifier_accuracy",))
    data = DATASETS["synthetic"](config)
    few = data.evaluation_pairs(3)
    _, judgement = judge("d" * 40, len(few.class_names), 16, lambda: few)
    assert (judgement.accuracy, judgement.n_held_out) == (None, 0)
    assert judge("d" * 40, len(few.class_names), 16, lambda: few)[1] == judgement
    evaluator = Evaluator(few, data, config)
    evaluator.references.pool = lambda: few  # type: ignore[method-assign]
    assert (
        json.loads(json.dumps(evaluator.facts, allow_nan=False))["classifier"]["accuracy"] is None
    )
    (metric,) = evaluator.metrics
    assert math.isnan(metric.function(SimpleNamespace(references=evaluator.references)))  # type: ignore[arg-type]


def test_it_is_trained_once_and_kept(pool: EvaluationPairs, short: Path) -> None:
    trained, judgement = judge("a" * 40, len(pool.class_names), 16, lambda: pool)

    def never() -> EvaluationPairs:
        raise AssertionError("trained twice")

    kept, same = judge("a" * 40, len(pool.class_names), 16, never)
    assert same == judgement
    assert torch.equal(trained(pool.first), kept(pool.first))


def test_a_damaged_file_is_trained_again(pool: EvaluationPairs, short: Path) -> None:
    trained, _ = judge("b" * 40, len(pool.class_names), 16, lambda: pool)
    (file,) = short.rglob("*.pt")
    file.write_bytes(file.read_bytes()[:500])
    again, _ = judge("b" * 40, len(pool.class_names), 16, lambda: pool)
    assert torch.equal(trained(pool.first), again(pool.first))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_cache_folder_that_cannot_be_written_is_no_error(
    pool: EvaluationPairs, short: Path
) -> None:
    short.chmod(0o500)
    model, _ = judge("c" * 40, len(pool.class_names), 16, lambda: pool)
    assert model(pool.first).shape == (40, len(pool.class_names))


def test_a_cache_folder_that_is_a_file_is_no_error(
    pool: EvaluationPairs, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short / "file").write_text("")
    monkeypatch.setenv("G2G_CACHE", str(short / "file"))
    model, _ = judge("c" * 40, len(pool.class_names), 16, lambda: pool)
    assert model(pool.first).shape == (40, len(pool.class_names))
