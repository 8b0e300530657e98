from pathlib import Path

import pytest
import torch

from g2g_core.checkpoints.checkpoint import CheckpointError, read
from g2g_core.checkpoints.checkpoint_file import Saved
from g2g_core.checkpoints.layouts import with_adain_buffers, write_funit
from g2g_core.models import MODELS
from g2g_core.models.funit import FunitGenerator, mean_class_code
from g2g_core.models.options import FunitOptions
from g2g_core.training.loop import train
from g2g_core.translation import g2g, generator_of, memory_of, options_by_shape
from tests.g2g_core.tiny_funit import NETWORK, batch, config


@pytest.fixture
def trained(tmp_path):
    list(train(config(), checkpoints=tmp_path))
    return read(tmp_path / "step_00000004.pt")


def test_the_generator_of_a_run(trained):
    images = batch().content_images
    for which, part in ((None, "average"), ("generator", "generator"), ("average", "average")):
        generator = generator_of(trained, which)
        assert all(
            torch.equal(value, trained.parts[part][name])
            for name, value in generator.state_dict().items()
        )
        assert not generator.training
        assert not any(parameter.requires_grad for parameter in generator.parameters())
        assert (
            generator.decode(generator.content_code(images), generator.class_code(images)).shape
            == images.shape
        )


def test_the_generator_of_an_exported_file_is_the_same(trained, tmp_path):
    exported = read(write_funit(trained, tmp_path / "funit", "animals_gen.pt")[0])
    one, other = batch().content_images, batch(seed=1).content_images
    expected, found = (g2g(generator_of(saved), one, other) for saved in (trained, exported))
    assert all(torch.equal(found[row], expected[row]) for row in ("real", "mixed", "full_recon"))


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"filters": 8, "residual_blocks": 1, "mlp_filters": 12, "class_dim": 5, "mlp_blocks": 4},
        {"filters": 4, "content_downs": 1, "class_downs": 2, "mlp_blocks": 2},
    ],
)
def test_sizes_are_read_off_the_shapes(sizes):
    options = FunitOptions(**sizes)
    with torch.device("meta"):
        state = with_adain_buffers(FunitGenerator(options).state_dict())
    state = {name: value for name, value in state.items() if "running" not in name}
    assert options_by_shape(Saved(Path("x.pt"), "FUNIT", {}), state) == options


def test_what_is_no_generator_is_refused(trained):
    with pytest.raises(CheckpointError, match="it holds no average"):
        generator_of(Saved(trained.path, "FUNIT", {"generator": {}}), "average")
    with pytest.raises(CheckpointError, match="not the generator of a FUNIT"):
        generator_of(Saved(trained.path, "FUNIT", {"generator": {"fc.weight": torch.ones(1)}}))


def test_a_figure_of_two_single_images():
    generator = MODELS["funit2funit"](config(), 4).generator
    one, other = batch().content_images
    rows = g2g(generator, one, other)
    assert {name: tuple(images.shape) for name, images in rows.items()} == dict.fromkeys(
        ("real", "mixed", "full_recon"), (2, 3, 16, 16)
    )
    content, class_code = generator.content_code(other[None]), generator.class_code(one[None])
    torch.testing.assert_close(rows["mixed"][:1], generator.decode(content, class_code))


def test_class_code_of_several_shots_is_their_mean():
    generator = FunitGenerator(FunitOptions(**NETWORK))
    shots = torch.cat([batch().content_images, batch().class_images])
    codes = generator.class_code(shots)
    torch.testing.assert_close(mean_class_code(generator, shots), codes.mean(0, keepdim=True))
    both = mean_class_code(generator, shots.view(2, 2, 3, 16, 16))
    torch.testing.assert_close(both, torch.stack([codes[:2].mean(0), codes[2:].mean(0)]))
    assert both.shape == (2, NETWORK["class_dim"], 1, 1)


def test_a_figure_with_several_shots():
    generator = MODELS["funit2funit"](config(), 4).generator
    one, other = batch().content_images
    third = batch().class_images[0]
    rows = g2g(generator, one, other, torch.stack([other, third]))
    code = mean_class_code(generator, torch.stack([other, third]))
    torch.testing.assert_close(
        rows["mixed"][1:], generator.decode(generator.content_code(one[None]), code)
    )
    alone = g2g(generator, one, other)
    torch.testing.assert_close(rows["mixed"][:1], alone["mixed"][:1])
    torch.testing.assert_close(
        g2g(generator, one, other, other[None])["full_recon"], alone["full_recon"]
    )


@pytest.mark.parametrize("images", [2, 5])
def test_memory_grows_with_the_area_and_the_number_of_images(images):
    generator = FunitGenerator(FunitOptions(**NETWORK))
    at_16, at_1024 = (memory_of(generator, side, images) for side in (16, 1024))
    assert 1e4 < at_16 < 1e7
    assert at_1024 == pytest.approx(64**2 * at_16, rel=0.3)
    assert memory_of(generator, 16, 10) > at_16


def test_a_checkpoint_of_an_earlier_version_may_name_options_that_are_gone():
    """The bundled one still says `compile`."""
    saved = read(Path(__file__).resolve().parents[2] / "studies" / "checkpoints" / "synthetic32.pt")
    assert "compile" in saved.facts["config"]
    generator_of(saved)
