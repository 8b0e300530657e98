"""The devices of a trial are those that its numbers come from."""

import pytest

from reports.documents.trial import devices


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, ()),
        ({"determinism": {"device": "cuda", "gpu": "H"}}, ("H",)),
        ({"determinism": {"device": "cpu"}, "attempts": [{"resumed_at": None}]}, ("cpu",)),
        ({"attempts": [{"device": "cpu", "resumed_at": None}, {"device": "cpu", "resumed_at": 3}]},
         ("cpu",)),
        ({"attempts": [{"device": "cpu", "resumed_at": None}, {"device": "H", "resumed_at": 3}]},
         ("cpu", "H")),
        ({"attempts": [{"device": "cpu", "resumed_at": None}, {"device": "H", "resumed_at": None}]},
         ("H",)),
        ({"attempts": [{"device": "H", "resumed_at": None}, {"attempt": 2}]}, ("H",)),
    ],
)  # fmt: skip
def test_devices(document, expected):
    assert devices(document) == expected
