"""The devices that computed a study: whether trials of several devices are compared."""

from reports.page.blocks import Rich, code, joined, rich
from reports.page.numbers import count
from reports.view.study import StudyView


def devices_words(view: StudyView) -> Rich:
    """Return how many trials ran on each device; empty if no trial says."""
    if "device" not in view.table.trials:
        return ()
    counts = view.table.trials["device"].dropna().value_counts(sort=False)
    if counts.empty:
        return ()
    return joined(
        [
            rich(f"{count(int(number), 'trial')} on ", code(str(name)))
            for name, number in counts.items()
        ]
    )


def pooled_words(view: StudyView) -> Rich:
    """Return what trials of several devices mean for the effects; empty with a single device.

    Rounding differs between devices, and training magnifies it, as another seed would. That adds
    noise if the devices are mixed evenly. Otherwise it is a cause besides the factors.
    """
    trials = view.table.trials
    if "device" not in trials:
        return ()
    known = trials.dropna(subset="device")
    resumed = int(known["device"].astype(str).str.contains(", then ").sum())
    if known["device"].nunique() < 2 and not resumed:
        return ()

    by_arm = known.groupby("cell_id")["device"].agg(frozenset)
    uneven = by_arm.nunique() > 1
    sentences = [
        rich(" Trials ran on several devices: ", devices_words(view), "."),
        rich(f" {count(resumed, 'trial')} resumed on another device.") if resumed else (),
        rich(" Devices round differently, and training magnifies that, like another seed."),
        rich(
            " Arms ran on different devices, so an effect may be one of the device."
            if uneven
            else " Every arm ran on each of them, so that adds noise and no bias."
        ),
    ]
    return tuple(part for sentence in sentences for part in sentence)


def computing_words(view: StudyView) -> Rich:
    """Return the precision of the base config, with what matters on a GPU if one was used."""
    base = view.study.get("base") or {}
    if view.foreign or "precision" not in base:
        return devices_words(view)

    parts = [str(base["precision"])]
    gpu = "device" in view.table.trials and bool(
        (view.table.trials["device"].dropna() != "cpu").any()
    )
    if gpu:
        parts.append("TF32" if base.get("tf32", True) else "no TF32")
        parts.append("sums in a fixed order" if base.get("deterministic") else "sums in any order")
    if base.get("channels_last"):
        parts.append("channels last")
    where = devices_words(view)
    return rich(", ".join(parts), *(("; ", where) if where else ()))
