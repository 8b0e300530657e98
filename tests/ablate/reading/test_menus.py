"""The menus are read off the code that trains."""

from ablate.trainers.core.menus import science_menus


def test_metrics_that_no_network_changes_are_known() -> None:
    """They compare the originals with the truth, so a study of any network gives the same
    number."""
    fixed = {name for name, metric in science_menus().metrics.items() if metric.fixed}
    distances = ("l1", "psnr", "ssim")
    assert fixed == {f"copy_{what}_{how}" for what in ("content", "class") for how in distances}
