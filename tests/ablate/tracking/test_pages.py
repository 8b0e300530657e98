"""Addresses of a study's pages in MLflow."""

from ablate.tracking.pages import MOST_COMPARED, addresses


def test_thousands_of_runs_are_not_listed_in_an_address() -> None:
    plan = {"outcome": {"metric": "error", "better": "lower"}}
    few, many = (
        addresses("http://127.0.0.1:5000", "1", ["0" * 32] * runs, plan, "f")
        for runs in (MOST_COMPARED, 10_000)
    )
    assert "compare" in few
    assert set(few) - set(many) == {"compare"}
    assert max(map(len, few.values())) < 5000
