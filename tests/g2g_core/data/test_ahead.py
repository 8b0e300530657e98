import gc
import multiprocessing
import threading

import pytest
import torch

from g2g_core.config import TrialConfig
from g2g_core.data import DATASETS, DataError


def make(folder, **data):
    data = {"root": str(folder), "cache": "off", **data}
    return DATASETS["image_folder"](
        TrialConfig(dataset="image_folder", data=data, image_size=32, batch_size=4)
    )


def same(a, b):
    names = ("content_images", "content_labels", "class_images", "class_labels")
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_no_number(make_folder, workers):
    folder = make_folder()
    alone, ahead = make(folder), make(folder, workers=workers)
    for step in (0, 1, 2, 3, 9, 10, 4):  # in order, then resumed elsewhere, then back
        assert same(alone.batch(step), ahead.batch(step))
    cached = make(folder, cache="memory")
    assert same(cached.batch(4), alone.batch(4))


def test_workers_leave_with_the_data(make_folder):
    data = make(make_folder(), workers=2)
    data.batch(0)
    assert len(multiprocessing.active_children()) == 2
    threads = threading.active_count()
    del data
    gc.collect()
    assert not multiprocessing.active_children()
    assert threading.active_count() <= threads


def test_an_error_in_a_worker_is_the_same_line(make_folder):
    folder = make_folder()
    data, alone = make(folder, workers=2), make(folder)
    for file in folder.rglob("*.png"):
        file.write_bytes(b"broken")
    with pytest.raises(DataError) as expected:
        alone.batch(0)
    with pytest.raises(DataError) as caught:
        data.batch(0)
    assert str(caught.value) == str(expected.value)
