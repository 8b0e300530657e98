from dataclasses import replace

import pytest
import torch

from g2g_core.passes.cross import swap
from g2g_core.passes.evaluation import Evaluation
from tests.g2g_core.metrics import known_world


def test_stacking_is_class_of_the_entry_and_content_of_its_partner() -> None:
    pairs = known_world.pairs(6)
    evaluation = Evaluation(known_world.networks(known_world.Right()), "raw", pairs)
    torch.testing.assert_close(evaluation.mixed, evaluation.truth)
    torch.testing.assert_close(evaluation.self_recon, evaluation.real)
    torch.testing.assert_close(evaluation.full_recon, evaluation.real)
    assert torch.equal(swap(evaluation.real), torch.cat([pairs.second, pairs.first]))


def test_mixed_images_have_the_mean_class_code_of_the_shots() -> None:
    pairs = known_world.pairs(4)
    shots = torch.stack(
        [
            torch.cat([pairs.first, pairs.second]) + 0.3,
            torch.cat([pairs.first, pairs.second]) - 0.6,
        ],
        1,
    )
    evaluation = Evaluation(
        known_world.networks(known_world.Right()), "raw", replace(pairs, shots=shots)
    )
    torch.testing.assert_close(
        evaluation.mixed, evaluation.truth - 0.1
    )  # the mean over 0, +0.3 and -0.6
    torch.testing.assert_close(evaluation.self_recon, evaluation.real)


def test_chunks_change_nothing() -> None:
    pairs, model = known_world.pairs(7), known_world.networks(known_world.Right())
    small, large = (
        Evaluation(model, "raw", pairs, chunk=3),
        Evaluation(model, "raw", pairs, chunk=1000),
    )
    assert torch.equal(small.full_recon, large.full_recon)


def test_each_code_is_computed_once_and_only_when_asked_for() -> None:
    calls: list[str] = []

    class Counting(known_world.Right):
        def content_code(self, images: torch.Tensor) -> torch.Tensor:
            calls.append("content")
            return super().content_code(images)

    evaluation = Evaluation(known_world.networks(Counting()), "raw", known_world.pairs(4))
    assert calls == []
    assert evaluation.self_recon.shape == evaluation.mixed.shape
    assert calls == ["content"]
    assert evaluation.full_recon is evaluation.full_recon
    assert calls == ["content", "content"]


def test_modes_random_state_and_running_statistics_are_left_alone() -> None:
    generator = known_world.Noisy().train()
    generator.frozen.eval()
    modes = {name: part.training for name, part in generator.named_modules()}
    weights = {name: value.clone() for name, value in generator.state_dict().items()}
    state = torch.get_rng_state()
    first = Evaluation(known_world.networks(generator), "raw", known_world.pairs(4)).full_recon
    assert torch.equal(state, torch.get_rng_state())
    assert modes == {name: part.training for name, part in generator.named_modules()}
    assert all(torch.equal(value, weights[name]) for name, value in generator.state_dict().items())
    assert torch.equal(
        first, Evaluation(known_world.networks(generator), "raw", known_world.pairs(4)).full_recon
    )
    assert not first.requires_grad


def test_modes_are_put_back_after_an_error() -> None:
    class Broken(known_world.Noisy):
        def class_code(self, images: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("broken")

    generator = Broken().train()
    with pytest.raises(RuntimeError, match="broken"):
        print(Evaluation(known_world.networks(generator), "raw", known_world.pairs(4)).class_code)
    assert generator.training
    assert generator.norm.training


def test_average_is_another_generator_and_must_exist() -> None:
    model = known_world.networks(known_world.Right(), known_world.Collapsed())
    assert float(Evaluation(model, "average", known_world.pairs(4)).mixed.abs().max()) == 0
    with pytest.raises(ValueError, match="ema_decay"):
        Evaluation(known_world.networks(known_world.Right()), "average", known_world.pairs(4))


def test_erased_regions_are_hidden_from_the_content_encoder_only() -> None:
    pairs = replace(known_world.pairs(4), erase=torch.ones(8, 1, 16, 16))
    evaluation = Evaluation(known_world.networks(known_world.Right()), "raw", pairs)
    assert float(evaluation.content.abs().max()) == 0
    assert float(evaluation.class_code.abs().max()) > 0


def test_unknown_truth_is_said() -> None:
    with pytest.raises(ValueError, match="not known"):
        print(
            Evaluation(
                known_world.networks(known_world.Right()), "raw", known_world.pairs(4, truth=False)
            ).truth
        )
