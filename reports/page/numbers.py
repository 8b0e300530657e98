"""Numbers as readers see them, in one place so that every output shows the same characters."""

import math
from dataclasses import dataclass

MINUS = "−"
NOTHING = "–"
"""Text in place of a missing number."""


def fixed(value: float | None, digits: int) -> str:
    """Return a number such as `0.032`, with a real minus sign.

    Args:
        value: the number; None or a non-finite value gives `NOTHING`.
        digits: digits after the decimal point; a small number that isn't 0 gets as many as it
            needs.
    """
    if value is None or not math.isfinite(value):
        return NOTHING

    text = f"{value:.{digits}f}"
    if float(text):
        return text.replace("-", MINUS)
    return tiny(value) if value else f"{0:.{digits}f}"


LEAST = -6
"""Power of ten of the smallest numbers that are written without an exponent."""


def tiny(value: float) -> str:
    """Return a small number such as `0.00003` or `3e−9`, so that it doesn't look like 0."""
    mantissa, exponent = f"{value:.0e}".split("e")
    power = int(exponent)
    text = f"{value:.{-power}f}" if LEAST <= power < 0 else f"{mantissa}e{power}"
    return text.replace("-", MINUS)


def signed(value: float | None, digits: int) -> str:
    """Return a number with its sign, such as `+0.032`; zero has no sign."""
    text = fixed(value, digits)
    return text if text[0] in (MINUS, NOTHING) or value == 0 else f"+{text}"


def interval(low: float | None, high: float | None, digits: int) -> str:
    """Return an interval such as `+0.002 to +0.004`; `NOTHING` if an end is missing."""
    ends = (signed(low, digits), signed(high, digits))
    return NOTHING if NOTHING in ends else " to ".join(ends)


def p_value(value: float | None) -> str:
    """Return p with three digits, or `< 0.001`.

    A fourth digit appears where three would hide that p is below 0.05.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0.0495 <= value < 0.05:
        return f"{min(value, 0.0499):.4f}"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_words(value: float) -> str:
    """Return p with its name, such as `p = 0.012` or `p < 0.001`."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def percent(share: float | None) -> str:
    """Return a share in [0, 1] in percent, such as `32%`."""
    return NOTHING if share is None or not math.isfinite(share) else f"{100 * share:.0f}%"


def ratio(value: float | None) -> str:
    """Return a ratio less 1 in percent, such as `+36%`; one more digit below 10%."""
    if value is None or not math.isfinite(value):
        return NOTHING
    digits = 0 if abs(value) >= 0.0995 else 1
    text = fixed(100 * value, digits)
    return f"{text}%" if value <= 0 else f"+{text}%"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 seed` or `5 seeds`.

    Args:
        number: the number.
        noun: the noun in the singular.
        plural: the plural; empty adds an s to the noun.
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float | None) -> str:
    """Return a duration in the unit that suits it: `48 s`, `12 min`, or `3.4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Scale:
    """The number of digits for one metric: two significant digits of what matters.

    Attributes:
        digits: digits after the decimal point.
        ratio: whether effects are ratios less 1, which are shown in percent.
    """

    digits: int
    ratio: bool = False

    @classmethod
    def of(cls, *sizes: float | None) -> "Scale":
        """Return the scale that gives the smallest of these sizes two significant digits.

        Args:
            *sizes: effects, spreads, or margins; missing, non-finite, and zero sizes don't count.
        """
        known = [abs(size) for size in sizes if size is not None and math.isfinite(size) and size]
        if not known:
            return cls(3)
        return cls(min(max(1 - math.floor(math.log10(min(known))), 0), 6))

    def fixed(self, value: float | None) -> str:
        """Return a number, see `fixed`; a ratio in percent without a plus sign."""
        return ratio(value).removeprefix("+") if self.ratio else fixed(value, self.digits)

    def signed(self, value: float | None) -> str:
        """Return a number with its sign, see `signed` and `ratio`."""
        return ratio(value) if self.ratio else signed(value, self.digits)

    def interval(self, low: float | None, high: float | None) -> str:
        """Return an interval, see `interval`; an open end gives `at least` or `at most`."""
        if low is not None and high is not None and math.inf in (abs(low), abs(high)):
            return _open(self, low, high)
        ends = (self.signed(low), self.signed(high))
        return NOTHING if NOTHING in ends else " to ".join(ends)


def _open(scale: Scale, low: float, high: float) -> str:
    """Return an interval with an open end: `at least +0.021`, `at most −0.003`, or `anything`."""
    if math.isfinite(low):
        return f"at least {scale.signed(low)}"
    return f"at most {scale.signed(high)}" if math.isfinite(high) else "anything"
