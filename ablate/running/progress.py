"""The progress of a run on stderr: a live table on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.disk.folder import TrialFolder
from ablate.planning.plan_file import plan_document
from ablate.results.status import TrialStatus, trial_status
from ablate.running.items import Item, studies
from ablate.trial import trial_file
from reports.documents.names import ArmNames

if TYPE_CHECKING:
    from rich.console import Group

OVER = (*trial_file.ENDED, "failed")
"""Statuses of trials that this command doesn't run again."""

SHOWN = 16
"""Limit for the running trials that the table lists."""


class Progress:
    """A context manager that shows the progress of trials while they run.

    A thread reads the trials' folders, so the display works for trials of any process or node.

    Args:
        folder: the study folder.
        items: the trials that this command runs.
        metric: the metric of the outcome.
        reused: number of trials that finished before this command.
        quiet: whether to show nothing.
        said: messages about the run, which others add to; each is printed as it comes.
    """

    def __init__(
        self,
        folder: Path,
        items: Sequence[Item],
        metric: str,
        reused: int,
        quiet: bool,
        said: Sequence[str] = (),
    ) -> None:
        self.folder, self.metric, self.reused, self.quiet = (
            folder,
            f"metric/{metric}",
            reused,
            quiet,
        )

        self.said, self._printed = said, len(said)

        self.waiting = list(items)
        self.names = {
            study: ArmNames(plan_document(study))
            for study in (folder, *studies(item.folder for item in items))
        }
        self.ended: Counter[str] = Counter()

        # Steps, for an estimate of the time left; a resumed trial doesn't start at step 0
        self.steps_left = sum(map(_size, items))
        self.steps_ended = 0
        self.made = 0
        self.first_steps: dict[Path, int] = {}
        self.began: float | None = None

        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Progress":
        if self.waiting and self.names[self.folder].key:
            self.say(f"arms: {self.names[self.folder].key_words}")
        if not self.quiet:
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if not self.quiet:
            self._thread.join()

    def say(self, text: str) -> None:
        """Print a message on stderr, unless quiet."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def _news(self) -> list[str]:
        """Return the messages that have come since the last call."""
        news = list(self.said[self._printed :])
        self._printed += len(news)
        return news

    def _follow(self) -> None:
        """Show the progress until the run is over; the body of the thread."""
        if sys.stderr.isatty():
            self._live()
        else:
            self._plain()

    def _plain(self) -> None:
        """Print one line per trial that ended, and one per minute on those that run."""
        last = time.monotonic()
        over = False
        while not over:
            over = self._stop.wait(0.5)
            for line in self._news():
                self.say(line)
            before = self.waiting
            running = self._look()
            still = {item.folder for item in self.waiting}

            for item in (item for item in before if item.folder not in still):
                row = self._row(item)
                name = self.metric.removeprefix("metric/")
                value = "" if row.metric is None else f", {name} {row.metric:.4g}"
                error = f": {row.error}" if row.error else ""
                self.say(
                    f"{row.status} {row.label} in {row.seconds:.1f} s{value}{error} "
                    f"({self._counts(running)})"
                )

            if time.monotonic() - last > 60 and running:
                last = time.monotonic()
                self.say(
                    "; ".join(f"{row.label} step {row.progress}" for row in running[:4])
                    + f" ({self._counts(running)})"
                )

    def _live(self) -> None:
        """Show a table that updates itself."""
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
            over = False
            while not over:
                over = self._stop.wait(0.5)
                for line in self._news():
                    live.console.print(Text(line))
                live.update(self._picture(self._look()))

    def _picture(self, running: list[TrialStatus]) -> "Group":
        """Return the bar, the counts, and the table for the trials that run."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False)
        for name in ("running", "step", "loss", self.metric.removeprefix("metric/")):
            table.add_column(
                name,
                justify="left" if name == "running" else "right",
                overflow="fold",
            )
        for row in running[:SHOWN]:
            loss, metric = (
                f"{value:.4g}" if value is not None else "" for value in (row.loss, row.metric)
            )
            table.add_row(Text(row.label), row.progress, loss, metric)

        total = max(self.steps_left, 1)
        done = total - self._steps_to_go(running)
        return Group(
            ProgressBar(total=total, completed=done, width=60), Text(self._counts(running)), table
        )

    def _look(self) -> list[TrialStatus]:
        """Return the running trials; count and drop those that ended since the last call."""
        running, waiting = [], []
        for item in self.waiting:
            status = trial_file.status_of(trial_file.read(item.folder))

            # Interrupted trials can start again, so they count as ended only when the run is over
            if status in ("planned", "running", "interrupted") and not (
                self._stop.is_set() and status != "planned"
            ):
                waiting.append(item)
                if status == "running":
                    running.append((item, self._row(item)))
                    self.first_steps.setdefault(item.folder, _done(running[-1][1]))
            else:
                self.ended[status] += 1
                self.steps_ended += _size(item) - self.first_steps.get(item.folder, 0)

        if self.began is None and running:
            self.began = time.monotonic()
        self.waiting = waiting
        self.made = self.steps_ended + sum(
            _done(row) - self.first_steps[item.folder] for item, row in running
        )
        return [row for _, row in running]

    def _row(self, item: Item) -> TrialStatus:
        """Return the current state of a trial, with the name of its study if that is another."""
        study, trial = TrialFolder(item.folder).study.path, item.trial
        names, metric = self.names[study], self.metric
        row = trial_status(item.folder, names, trial.levels, trial.seed, metric)
        if study == self.folder:
            return row
        return replace(row, label=f"{study.name}: {row.label}", metric=None)

    def _steps_to_go(self, running: list[TrialStatus]) -> int:
        """Return the number of steps until all trials have ended."""
        return sum(map(_size, self.waiting)) - sum(map(_done, running))

    def _counts(self, running: list[TrialStatus]) -> str:
        """Return the number of trials in each state, and the time left if it can be estimated."""
        stopped = sum(count for status, count in self.ended.items() if status not in OVER)
        done = sum(self.ended.values()) - stopped + self.reused
        left = len(self.waiting) - len(running) + stopped
        parts = [f"{done} done", f"{len(running)} running", f"{left} left"]
        parts += [
            f"{count} {status}" for status, count in self.ended.items() if status != "finished"
        ]

        # The time per step of this command so far, whatever steps earlier commands made
        if self.began is not None and self.made > 0 and self.waiting:
            seconds = (time.monotonic() - self.began) / self.made * self._steps_to_go(running)
            parts.append(f"about {_duration(seconds)} left")

        return ", ".join(parts)


def _size(item: Item) -> int:
    """Return the number of steps of a trial; 1 if the number isn't known beforehand."""
    return item.trial.config.steps or 1


def _done(row: TrialStatus) -> int:
    """Return how much of its `_size` a running trial has done."""
    return row.step if row.steps else 0


def _duration(seconds: float) -> str:
    """Return a time in words: `40 s`, `3 min`, or `2 h 05 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
