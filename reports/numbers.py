"""Numbers as readers see them: one place, so that every output shows the same characters."""

import math
from dataclasses import dataclass

MINUS = "−"
NOTHING = "–"
"""What stands where there is no number."""


def fixed(value: float | None, digits: int) -> str:
    """`0.032`, with a real minus sign; `NOTHING` for a missing or non-finite value."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.replace("-", MINUS) if float(text) else f"{0:.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """`+0.032`; zero has no sign."""
    text = fixed(value, digits)
    return text if text[0] in (MINUS, NOTHING) or float(text) == 0 else f"+{text}"


def interval(low: float | None, high: float | None, digits: int) -> str:
    """`+0.002 to +0.004`; `NOTHING` when either end is missing."""
    ends = (signed(low, digits), signed(high, digits))
    return NOTHING if NOTHING in ends else " to ".join(ends)


def p_value(value: float | None) -> str:
    """Three digits, `< 0.001` below that."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_words(value: float) -> str:
    """`p = 0.012`, `p < 0.001`."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def percent(share: float | None) -> str:
    """`32 %` of a share in [0, 1]."""
    return NOTHING if share is None or not math.isfinite(share) else f"{100 * share:.0f} %"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 seed`, `5 seeds`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float | None) -> str:
    """`48 s`, `12 min`, `3.4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Scale:
    """How many digits the numbers of one metric are shown with: two significant ones of what matters."""

    digits: int

    @classmethod
    def of(cls, *sizes: float | None) -> "Scale":
        """The scale at which the smallest of these sizes (effects, spreads, margins) keeps two significant digits."""
        known = [abs(size) for size in sizes if size is not None and math.isfinite(size) and size]
        if not known:
            return cls(3)
        return cls(min(max(1 - math.floor(math.log10(min(known))), 0), 6))

    def fixed(self, value: float | None) -> str:
        """See `fixed`."""
        return fixed(value, self.digits)

    def signed(self, value: float | None) -> str:
        """See `signed`."""
        return signed(value, self.digits)

    def interval(self, low: float | None, high: float | None) -> str:
        """See `interval`."""
        return interval(low, high, self.digits)
