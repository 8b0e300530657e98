from pathlib import Path

import pytest

from g2g_core.metrics import METRICS
from g2g_core.metrics.menu import DEFAULT
from g2g_core.metrics.table import markdown

DOCS = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"


def test_the_page_holds_the_table_as_it_is() -> None:
    assert markdown() in DOCS.read_text(encoding="utf-8"), (
        "paste the output of `python -m g2g_core.metrics.table`"
    )


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is(metric) -> None:
    assert METRICS[metric.name] is metric
    assert metric.better in ("lower", "higher", None)
    assert metric.unit
    assert metric.description
    assert metric.cannot
    assert not set("|\n") & set(
        "".join((metric.unit, metric.description, metric.cannot, metric.source))
    )


def test_defaults_need_nothing_but_the_pairs() -> None:
    assert {need for name in DEFAULT for need in METRICS[name].needs} == {"truth"}
