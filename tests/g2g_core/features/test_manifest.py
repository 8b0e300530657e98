import json

import numpy as np
import pytest
import torch

from g2g_core.features.manifest import convolution, read_manifest


def write(folder, numbers):
    entries = [
        {
            "name": "a",
            "shape": [2, 2],
            "dtype": "float32",
            "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
        },
        {"name": "b", "shape": [1], "dtype": "float32"},
    ]
    (folder / "net.bin").write_bytes(numbers)
    path = folder / "net-weights_manifest.json"
    path.write_text(json.dumps([{"paths": ["net.bin"], "weights": entries}]))
    return path


def test_integers_become_the_numbers_they_stand_for(tmp_path):
    numbers = bytes([0, 1, 2, 255]) + np.float32(2.5).tobytes()
    tensors = read_manifest(write(tmp_path, numbers))
    assert tensors["a"].tolist() == [[-1.0, -0.5], [0.0, 126.5]]
    assert tensors["b"].tolist() == [2.5]


@pytest.mark.parametrize(
    ("length", "message"), [(5, "ends before b"), (9, "1 bytes are left over")]
)
def test_a_file_of_the_wrong_length_is_refused(tmp_path, length, message):
    with pytest.raises(ValueError, match=message):
        read_manifest(write(tmp_path, bytes(length)))


def test_filters_change_to_the_order_of_pytorch():
    assert convolution(torch.zeros(5, 3, 2, 7)).shape == (7, 2, 5, 3)
    assert convolution(torch.zeros(5, 3, 2, 1)).shape == (2, 1, 5, 3)
