import numpy as np
import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError
from g2g_core.data.rendering import LOOKS, TEXTURES, content, look, render
from g2g_core.data.shapes import SHAPES, signed_distance


def make(size=32, batch=4, seed=0, **data):
    return DATASETS["synthetic"](
        TrialConfig(dataset="synthetic", data=data, image_size=size, batch_size=batch, seed=seed)
    )


def test_batch_shapes_and_range():
    data = make(contents=6)
    batch = data.batch(3)
    for images, labels in (
        (batch.content_images, batch.content_labels),
        (batch.class_images, batch.class_labels),
    ):
        assert images.shape == (4, 3, 32, 32)
        assert images.dtype == torch.float32
        assert -1 <= float(images.min()) < float(images.max()) <= 1
        assert labels.dtype == torch.int64
        assert 0 <= int(labels.min()) <= int(labels.max()) < data.n_classes == len(data.class_names)


def test_batch_is_a_pure_function_of_seed_and_step():
    rows = [make(contents=6).batch(step) for step in range(8)]
    fresh = make(contents=6)
    for step in (7, 2, 7, 0):
        assert torch.equal(fresh.batch(step).content_images, rows[step].content_images)
        assert torch.equal(fresh.batch(step).class_labels, rows[step].class_labels)
    assert not torch.equal(make(contents=6, seed=1).batch(0).content_images, rows[0].content_images)


def test_truth_is_the_rendered_mix():
    """The truth of a mixed image has its class and its partner's content, found again by rendering
    every content."""
    data = make()
    pairs = data.evaluation_pairs(6)
    assert pairs.split == "test"
    assert not set(pairs.class_names) & set(data.class_names)
    assert pairs.truth.shape == (12, 3, 32, 32)
    assert torch.all(pairs.first_labels != pairs.second_labels)
    numbers = range(data.options.contents, data.options.contents + 4096)
    known = {render([look(0)], [content(i)], 8).tobytes(): i for i in numbers}
    assert len(known) > 4000  # nearly every content looks different even at 8 pixels
    real = torch.cat([pairs.first, pairs.second])
    swapped = torch.cat([pairs.second, pairs.first])
    looks = [
        look(data.options.classes + int(label))
        for label in torch.cat([pairs.first_labels, pairs.second_labels])
    ]
    for i in range(12):
        # The truth has the colours of entry i: its set of corner colours; and it is no copy of
        # either image.
        background = torch.tensor(looks[i].background) * 2 - 1
        corners = pairs.truth[i, :, [0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners - background[:, None]).abs().amax(0).min() < 0.01
        assert not torch.equal(pairs.truth[i], real[i])
        assert not torch.equal(pairs.truth[i], swapped[i])


def test_shots_have_the_look_of_their_entry():
    data = make()
    pairs = data.evaluation_pairs(6, shots=4)
    assert torch.equal(pairs.first, data.evaluation_pairs(6).first)
    assert pairs.shots.shape == (12, 3, 3, 32, 32)
    for image, label, shots in zip(
        torch.cat([pairs.first, pairs.second]),
        torch.cat([pairs.first_labels, pairs.second_labels]),
        pairs.shots,
        strict=True,
    ):
        background = torch.tensor(look(data.options.classes + int(label)).background) * 2 - 1
        for shot in shots:
            assert (shot[:, [0, 0, -1, -1], [0, -1, 0, -1]] - background[:, None]).abs().amax(
                0
            ).min() < 0.01
            assert not torch.equal(shot, image)
    with pytest.raises(DataError, match="eval_shots is 5000"):
        data.evaluation_pairs(1, shots=5000)


def test_truth_of_a_pair_and_its_reverse_agree_with_factors():
    data = make()
    pairs = data.evaluation_pairs(5)
    for name in ("x", "y", "size"):
        assert pairs.factors[name].shape == (10,)
        assert pairs.factors[name].dtype == torch.float32
    assert pairs.factors["shape"].dtype == torch.int64
    assert pairs.factors["angle"].shape == (10, 2)
    # Where an image and the truth of its partner differ from their own backgrounds is the same
    # place: same content.
    truth, real = pairs.truth, torch.cat([pairs.first, pairs.second])
    for i in range(10):
        partner = (i + 5) % 10
        drawn_real = (real[i] - real[i][:, :1, :1]).abs().sum(0) > 0.02
        drawn_truth = (truth[partner] - truth[partner][:, :1, :1]).abs().sum(0) > 0.02
        if bool((real[i][:, 0, 0] == real[i][:, 0, -1]).all()):  # the corner is background
            agreement = (drawn_real == drawn_truth).float().mean()
            assert agreement > 0.98


def test_evaluation_contents_are_new_to_training():
    data = make(contents=5, classes=2, batch=2)
    trained = {
        image.numpy().tobytes() for step in range(50) for image in data.batch(step).content_images
    }
    pairs = data.evaluation_pairs(16, "train")
    assert pairs.split == "train"
    assert pairs.class_names == data.class_names
    assert not trained & {image.numpy().tobytes() for image in pairs.first}


def test_pairs_depend_on_seed_number_and_split_only():
    data = make()
    first = data.evaluation_pairs(4)
    data.batch(5)
    assert data.evaluation_pairs(4).digest == first.digest == make().evaluation_pairs(4).digest
    others = [
        make(seed=1).evaluation_pairs(4),
        data.evaluation_pairs(5),
        data.evaluation_pairs(4, "train"),
    ]
    assert len({first.digest, *(pairs.digest for pairs in others)}) == 4


def test_digests():
    assert make().digest == make(seed=3).digest
    assert (
        len({make().digest, make(contents=7).digest, make(size=48).digest, make(world=1).digest})
        == 4
    )
    assert make().order_digest(5) == make().order_digest(5) != make(seed=1).order_digest(5)


def test_more_classes_or_contents_change_no_old_ones():
    assert np.array_equal(look(3).body, look(3).body)
    few, many = make(classes=4, contents=5), make(classes=9, contents=5)
    assert torch.equal(few._take(np.arange(20))[0], many._take(np.arange(20))[0])


def test_class_is_never_shape():
    """Equal contents of two classes cover the same pixels."""
    contents = [content(i) for i in range(12)]
    masks = []
    for one in (look(0), look(5)):
        images = render([one] * 12, contents, 64).astype(int)
        background = (one.background * 255 + 0.5).astype(int)
        masks.append(np.abs(images - background[None, :, None, None]).sum(1) > 4)
    assert (masks[0] == masks[1]).mean() > 0.99


@pytest.mark.parametrize("size", [32, 64, 128])
def test_edges_are_anti_aliased(size):
    """The mean of an image is nearly the same at every size: coverage counts, not centres of
    pixels."""
    contents = [content(i) for i in range(12)]
    plain = next(look(i) for i in range(LOOKS) if look(i).texture == "plain")
    looks = [plain] * 12
    fine = render(looks, contents, 256).mean((2, 3))
    assert np.abs(render(looks, contents, size).mean((2, 3)) - fine).max() < 2.5


def test_looks_are_told_apart():
    images = render([look(i) for i in range(LOOKS)], [content(0)] * LOOKS, 32).astype(int)
    gaps = np.abs(images[:, None] - images[None]).max((-1, -2, -3)) + 255 * np.eye(LOOKS)
    assert gaps.min() > 15


def test_test_looks_are_new_pairs_of_known_colours():
    def colours(part):
        return {(tuple(look(i).background), tuple(look(i).body)) for i in part}

    train, test = colours(range(20)), colours(range(20, 25))
    assert not train & test
    assert {ground for ground, _ in test} <= {ground for ground, _ in train}
    assert {body for _, body in test} <= {body for _, body in train}
    assert {look(i).texture for i in range(20)} == set(TEXTURES)


def test_signed_distance_of_a_square():
    outline = SHAPES["square"][0]()
    half = np.sqrt(0.5)
    points = np.array([[0, 0], [half, 0], [2, 0], [0, half / 2], [2, 2]], dtype=np.float32)
    expected = [-half, 0, 2 - half, -half / 2, np.hypot(2 - half, 2 - half)]
    assert np.allclose(signed_distance(points, outline), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"classes": 1}, "at least 2 training classes"),
        ({"test_classes": 1}, "must be 0 or at least 2"),
        ({"classes": 99}, "104 classes; there are 100 looks"),
        ({"contents": 1}, "contents is 1"),
        ({"clases": 3}, "data.clases: no such option of synthetic; did you mean classes?"),
    ],
)
def test_bad_options(data, message):
    with pytest.raises(DataError, match=message):
        make(**data)


def test_without_test_classes_the_training_classes_are_evaluated():
    pairs = make(test_classes=0).evaluation_pairs(3)
    assert pairs.split == "train"
