"""The interface of a kind of source, and the menu of all kinds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ablate.judging.question import Question
from ablate.study.found import Found
from ablate.study.nouns import StudyError
from g2g_base.declared import declared
from g2g_base.plugins import Group, with_plugins


@dataclass(frozen=True)
class Source:
    """A kind of source.

    Attributes:
        words: what it is, for messages and the menu.
        fits: returns whether an address or path is one of this kind.
        read: returns the runs of the source that a question names.
    """

    words: str
    fits: Callable[[str], bool]
    read: Callable[[Question], Found]


GROUP = Group("g2g_ablate.sources", "a Source", lambda _name, entry: isinstance(entry, Source))


def all_sources() -> dict[str, Source]:
    """Return the kinds of sources by name, with those of installed packages.

    Raises:
        PluginError: an installed package adds a kind that can't be used.
    """
    folder = Path(__file__).parent / "sources"
    built_in = {
        name: source
        for name, source in declared("ablate.judging.sources", folder, "SOURCES")
        if isinstance(source, Source)
    }
    return with_plugins(built_in, GROUP)


def read_source(question: Question) -> Found:
    """Return the runs of a question's source.

    Raises:
        StudyError: the source doesn't exist, is of no known kind, or holds no run.
        Infrastructure: a server doesn't answer.
    """
    place = question.source
    kinds = all_sources()
    if "://" not in place and not Path(place).exists():
        raise StudyError(f"{place}: no such file or folder")
    for source in kinds.values():
        if source.fits(place):
            found = source.read(question)
            if not found.runs:
                raise StudyError(f"{place}: holds no runs")
            return found
    known = "; ".join(source.words for source in kinds.values())
    raise StudyError(f"{place}: is none of the sources that can be judged: {known}")
