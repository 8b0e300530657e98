"""Names of arms: one rule for the terminal, MLflow, tables, and reports.

An arm has a code, such as `G+S`, and a name in words, such as `restore=generator + swapped_labels`.
Both follow from the plan alone, so that they never change with the results.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, product
from string import ascii_lowercase, ascii_uppercase

from reports.documents.plan import (
    FactorDocument,
    PlanDocument,
    design_kind,
    first_level,
    turned_off,
)

SWITCHES = {
    ("without", "with"),
    ("off", "on"),
    ("no", "yes"),
    ("false", "true"),
    ("0", "1"),
    ("0.0", "1.0"),
}
"""Pairs of level labels that only say whether something is off or on."""

ONE_CHANGE = ("leave_one_out", "add_one_in", "one_at_a_time")
"""Designs whose arms differ from the reference in one factor."""

NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}

Levels = Mapping[str, str]


@dataclass(frozen=True)
class ArmNames:
    """The names of a study's arms.

    Where each arm differs from the reference in one factor, its code is that change: `+ long_fm`,
    `− long_fm`, `rate=0.1`. Elsewhere every factor has a letter, and a code joins the letters of
    the factors that are away from their first level, in the order of the study file: `G+S`. The
    letter of a factor with more than two levels is followed by the number of the level: `R2`. The
    reference is `ref`, or `all` where the other arms turn something off.

    Attributes:
        plan: The plan; the names need its factors, cells, design, and reference.
    """

    plan: PlanDocument

    # -- the code -------------------------------------------------------------------------------

    def code(self, levels: Levels) -> str:
        """Return the code of the arm with these levels.

        Levels that give the same config, and so the same trials, have one code.
        """
        levels = self._arm_of.get(_key(self._full(levels)), self._full(levels))
        if levels == self.reference:
            return "all" if self._off else "ref"
        changed = [name for name, level in levels.items() if level != self._start[name]]
        if not changed:
            return "none"
        if self.spelled:
            return " ".join(self._change(factor, levels[factor]) for factor in changed)
        return "+".join(self._letter(factor, levels[factor]) for factor in changed)

    def full(self, levels: Levels) -> str:
        """Return the code and the words of an arm: `G+S (restore=generator + swapped_labels)`."""
        code, words = self.code(levels), self.words(levels)
        return f"{code} ({words})" if self.says_more(levels) else code

    def says_more(self, levels: Levels) -> bool:
        """Return whether the words say something that the code doesn't say itself."""
        if self.words(levels) == "reference":
            return False
        return not self.spelled or self.code(levels) in ("ref", "all", "none")

    def trial(self, levels: Levels, seed: int) -> str:
        """Return the name of a trial: the code of its arm, and its seed, `G+S · seed 3`."""
        return f"{self.code(levels)} · seed {seed}"

    @cached_property
    def spelled(self) -> bool:
        """Whether codes are changes in words, which make a key unnecessary."""
        return self._off or len(self._factors) < 2 or design_kind(self.plan) in ONE_CHANGE

    @cached_property
    def letters(self) -> dict[str, str]:
        """The letter of each factor: its own `code`, else a free one from its changed level."""
        letters = {
            name: str(entry["code"]) for name, entry in self._factors.items() if "code" in entry
        }
        taken = {letter.upper() for letter in letters.values()}
        for name in self._factors:
            if name not in letters:
                letters[name] = next(one for one in self._candidates(name) if one not in taken)
                taken.add(letters[name])
        return {name: letters[name] for name in self._factors}

    @cached_property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a letter and its meaning, then the reference; empty if codes are words."""
        if self.spelled:
            return ()
        pairs = [
            (self._letter(name, level), name if self.is_switch(name) else f"{name}={level}")
            for name in self._factors
            for level in self._levels(name)[1:]
        ]
        none = self.reference == self._full({})
        return (*pairs, ("ref", "none of them" if none else self.words(self.reference)))

    @property
    def key_words(self) -> str:
        """The key as a line: `G restore=generator, S swapped_labels, ref none of them`."""
        return ", ".join(f"{code} {meaning}" for code, meaning in self.key)

    # -- the name in words ----------------------------------------------------------------------

    def words(self, levels: Levels) -> str:
        """Return the levels in words, as what is away from its first level.

        Examples: `long_recon + long_fm`, `restore=generator`, `none of the three`, or `without
        long_fm` where the other arms turn something off.
        """
        levels = self._full(levels)
        if self._off:
            return self._words_off(levels)

        changed = [factor for factor in self._factors if levels[factor] != self._first(factor)]
        if changed:
            return " + ".join(
                factor if self.is_switch(factor) else f"{factor}={levels[factor]}"
                for factor in changed
            )
        if len(self._factors) > 1 and all(map(self.is_switch, self._factors)):
            return f"none of the {NUMBERS.get(len(self._factors), len(self._factors))}"
        if len(self._factors) == 1:
            (factor,) = self._factors
            first = f"{factor}={self._first(factor)}"
            return f"without {factor}" if self.is_switch(factor) else first
        return "reference"

    def _words_off(self, levels: Levels) -> str:
        """Return levels that are compared with everything on: `without long_fm`."""
        off = [factor for factor in self._factors if levels[factor] == self._first(factor)]
        if not off:
            return "everything on" if len(self._factors) > 1 else " + ".join(self._factors)
        named = (f if self.is_switch(f) else f"{f}={self._first(f)}" for f in off)
        if not all(map(self.is_switch, off)):
            return " + ".join(named)
        return "without " + " and ".join(named)

    def is_switch(self, factor: str) -> bool:
        """Return whether the levels of a factor only say that something is off or on."""
        labels = tuple(str(label).lower() for label in self._factors[factor]["levels"])
        return labels in SWITCHES

    # -- levels ---------------------------------------------------------------------------------

    @cached_property
    def reference(self) -> Levels:
        """The levels of the arm that the others are compared with.

        Plans without any are those of the tables that tests and other programs make.
        """
        if "reference" in self.plan:
            return self._full(self.plan["reference"])
        cells = self.plan.get("cells", ())
        known = [c["levels"] for c in cells if c["cell_id"] == self.plan.get("reference_cell")]
        last = {factor: self._levels(factor)[-1] for factor in self._factors}
        return self._full(known[0] if known else last if self._off else {})

    @cached_property
    def _arm_of(self) -> dict[frozenset[tuple[str, str]], Levels]:
        """The levels that name an arm, for each combination of levels that is the same arm."""
        arms: dict[str, list[Levels]] = {}
        for cell in self.plan.get("cells", ()):
            arms.setdefault(str(cell["cell_id"]), []).append(self._full(cell["levels"]))
        return {
            _key(levels): self.reference if self.reference in same else same[0]
            for same in arms.values()
            for levels in same
        }

    @property
    def _start(self) -> Levels:
        """The levels that a code doesn't name: the first ones, or those of everything on."""
        return self.reference if self._off else self._full({})

    @property
    def _factors(self) -> Mapping[str, FactorDocument]:
        return self.plan.get("factors", {})

    @property
    def _off(self) -> bool:
        """Whether arms are named by the factors that they turn off."""
        return turned_off(self.plan)

    def _first(self, factor: str) -> str:
        return first_level(self.plan, factor)

    def _levels(self, factor: str) -> tuple[str, ...]:
        """Return the levels of a factor, the first level first."""
        first = self._first(factor)
        return (first, *(x for x in map(str, self._factors[factor]["levels"]) if x != first))

    def _full(self, levels: Levels) -> Levels:
        """Return levels with those of factors that are left out, which are at the first one."""
        return {name: str(levels.get(name, self._first(name))) for name in self._factors}

    def _change(self, factor: str, level: str) -> str:
        """Return the change of a factor in words: `+ long_fm`, `− long_fm`, or `rate=0.1`."""
        if self.is_switch(factor):
            return f"{'−' if self._off else '+'} {factor}"
        return f"{factor}={level}"

    def _letter(self, factor: str, level: str) -> str:
        """Return what stands for a level in a code: `G`, or `R2` with more than two levels."""
        levels = self._levels(factor)
        number = "" if len(levels) == 2 else str(levels.index(level) + 1)
        return self.letters[factor] + number

    def _candidates(self, factor: str) -> Iterator[str]:
        """Yield the letters that a factor could have, the best one first.

        These are the digit at the end of a numbered thing, the first letters of the words of the
        changed level and of the factor, the other letters of these words, and then any letters.
        """
        levels = self._levels(factor)
        named = len(levels) == 2 and not self.is_switch(factor) and not _is_number(levels[1])
        text = levels[1] if named else factor

        numbered = re.search(r"(?<!\d)\d$", text)
        if numbered and len(levels) == 2:
            yield numbered[0]
        words = [*_words(text), *_words(factor)]
        yield from (word[0] for word in words)
        yield from "".join(words)
        pairs = ("".join(pair) for pair in product(ascii_uppercase, ascii_lowercase))
        yield from chain(ascii_uppercase, pairs)


def _key(levels: Levels) -> frozenset[tuple[str, str]]:
    return frozenset(levels.items())


def _words(text: str) -> list[str]:
    """Return the words of a name in capitals without accents, an article at the start left out."""
    text = re.sub(r"^(an?|the|as)\s+(?=\w)", "", text.lower())
    letters = unicodedata.normalize("NFKD", text).upper()
    return re.findall(r"[A-Z]+", letters)


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
