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
    if float(text):
        return text.replace("-", MINUS)
    return tiny(value) if value else f"{0:.{digits}f}"


LEAST = -6
"""Power of ten of the smallest number that is written without an exponent."""


def tiny(value: float) -> str:
    """`0.00003`, `3e−9`: a number that is not 0 is never shown as 0."""
    mantissa, exponent = f"{value:.0e}".split("e")
    power = int(exponent)
    text = f"{value:.{-power}f}" if LEAST <= power < 0 else f"{mantissa}e{power}"
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int) -> str:
    """`+0.032`; zero has no sign."""
    text = fixed(value, digits)
    return text if text[0] in (MINUS, NOTHING) or value == 0 else f"+{text}"


def interval(low: float | None, high: float | None, digits: int) -> str:
    """`+0.002 to +0.004`; `NOTHING` when either end is missing."""
    ends = (signed(low, digits), signed(high, digits))
    return NOTHING if NOTHING in ends else " to ".join(ends)


def p_value(value: float | None) -> str:
    """Three digits, `< 0.001` below that; four where three would hide that it is below 0.05."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0.0495 <= value < 0.05:
        return f"{min(value, 0.0499):.4f}"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_words(value: float) -> str:
    """`p = 0.012`, `p < 0.001`."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def percent(share: float | None) -> str:
    """`32%` of a share in [0, 1]."""
    return NOTHING if share is None or not math.isfinite(share) else f"{100 * share:.0f}%"


def ratio(value: float | None) -> str:
    """`+36%` of a ratio less 1; a digit more below 10%."""
    if value is None or not math.isfinite(value):
        return NOTHING
    digits = 0 if abs(value) >= 0.0995 else 1
    text = fixed(100 * value, digits)
    return f"{text}%" if value <= 0 else f"+{text}%"


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
    """How many digits the numbers of one metric are shown with: two significant ones of what
    matters.

    Attributes:
        digits: after the decimal point.
        ratio: whether effects are ratios less 1, shown in percent.
    """

    digits: int
    ratio: bool = False

    @classmethod
    def of(cls, *sizes: float | None) -> "Scale":
        """The scale at which the smallest of these sizes (effects, spreads, margins) keeps two
        significant digits."""
        known = [abs(size) for size in sizes if size is not None and math.isfinite(size) and size]
        if not known:
            return cls(3)
        return cls(min(max(1 - math.floor(math.log10(min(known))), 0), 6))

    def fixed(self, value: float | None) -> str:
        """See `fixed`; of a ratio its percent without a sign."""
        return ratio(value).removeprefix("+") if self.ratio else fixed(value, self.digits)

    def signed(self, value: float | None) -> str:
        """See `signed` and `ratio`."""
        return ratio(value) if self.ratio else signed(value, self.digits)

    def interval(self, low: float | None, high: float | None) -> str:
        """See `interval`; an end that is open is told as `at least` or `at most`."""
        if low is not None and high is not None and math.inf in (abs(low), abs(high)):
            return _open(self, low, high)
        ends = (self.signed(low), self.signed(high))
        return NOTHING if NOTHING in ends else " to ".join(ends)


def _open(scale: Scale, low: float, high: float) -> str:
    """`at least +0.021`, `at most −0.003`, `anything`."""
    if math.isfinite(low):
        return f"at least {scale.signed(low)}"
    return f"at most {scale.signed(high)}" if math.isfinite(high) else "anything"
