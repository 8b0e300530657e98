"""What the benchmarks of short and of many trials measure."""

import pytest

from benchmarks.toy_study import toy_plan
from benchmarks.watched import watched


@pytest.mark.slow
def test_the_driver_and_the_head_of_ray_are_seen() -> None:
    plan = toy_plan(seeds=1, steps=2, data={"images": False}, checkpoint_every=0)
    usage = watched(plan, workers=2)
    assert usage.driver_s > 0.5
    assert usage.driver_mb > 50
    assert usage.head_s > 0.1
    assert usage.span_s > 0
