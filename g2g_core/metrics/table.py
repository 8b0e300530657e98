"""The table of all metrics for the documentation: `python -m g2g_core.metrics.table`."""

from g2g_core.metrics.menu import DEFAULT, METRICS
from g2g_core.metrics.metric import Metric

HEADER = (
    "name",
    "better",
    "unit and range",
    "what it is",
    "what it cannot tell",
    "source",
    "needs",
)
YARDSTICK = "-"


def markdown() -> str:
    """Return a Markdown table with one row per metric, in the order of `METRICS`.

    Default metrics are bold.
    """
    rows = [HEADER, ("---",) * len(HEADER), *(_row(metric) for metric in METRICS.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(metric: Metric) -> tuple[str, ...]:
    name = f"**`{metric.name}`**" if metric.name in DEFAULT else f"`{metric.name}`"
    needs = ", ".join(f"`{need}`" for need in sorted(metric.needs))
    return (
        name,
        metric.better or YARDSTICK,
        metric.unit,
        metric.description,
        metric.cannot,
        metric.source or "own",
        needs or YARDSTICK,
    )


if __name__ == "__main__":
    print(markdown())
