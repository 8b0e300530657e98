import numpy as np
import pytest

from g2g_core.data.order import Order
from g2g_core.data.pairs import DataError


def test_each_epoch_shows_each_image_at_most_once_and_drops_the_rest():
    order = Order(n_images=11, batch_size=3, seed=0)
    for stream in ("content", "class"):
        for epoch in range(3):
            shown = np.concatenate([order.indices(stream, 3 * epoch + i) for i in range(3)])
            assert len(shown) == len(set(shown)) == 9
            assert set(shown) <= set(range(11))


def test_streams_epochs_and_seeds_differ():
    order, other = Order(40, 40, seed=0), Order(40, 40, seed=1)
    rows = [order.indices("content", 0), order.indices("class", 0), order.indices("content", 1)]
    rows.append(other.indices("content", 0))
    assert len({tuple(row) for row in rows}) == 4


def test_any_step_can_be_asked_first():
    forward = Order(20, 3, seed=4)
    rows = [forward.indices("class", step) for step in range(30)]
    fresh = Order(20, 3, seed=4)
    for step in (29, 3, 17, 0, 29):
        assert np.array_equal(fresh.indices("class", step), rows[step])


def test_images_of_the_two_streams_may_coincide():
    order = Order(4, 4, seed=0)
    same = [
        np.any(order.indices("content", step) == order.indices("class", step)) for step in range(20)
    ]
    assert any(same)
    assert not all(same)


def test_digest_follows_order_and_steps():
    assert Order(20, 3, 0).digest(10) == Order(20, 3, 0).digest(10)
    assert (
        len({Order(20, 3, 0).digest(10), Order(20, 3, 0).digest(11), Order(20, 3, 1).digest(10)})
        == 3
    )


def test_too_few_images():
    with pytest.raises(DataError, match=r"too few images: 2 for training, but a batch takes 3"):
        Order(2, 3, 0)
