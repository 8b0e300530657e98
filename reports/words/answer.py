"""The answer in words: what is claimed, in the order in which a reader needs it."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from reports.claims.budget import ERROR
from reports.claims.claim import Claim
from reports.claims.design import Levels
from reports.claims.estimates import FEWEST_SEEDS
from reports.document import Rich, code, joined, plain, rich, strong
from reports.numbers import count, p_words
from reports.view import Arm, Event, StudyView, fall
from reports.words.facts import blocked, interim, lost_trials, missing, rule_changed, seeds_added
from reports.words.names import (
    amount,
    at_levels,
    bare,
    interval_words,
    listed,
    number_words,
    subject,
    subjects,
)
from reports.words.sentences import VERBS, doubled, equivalent, gap, many_way, sentence, where

MOST_TERMS = 3
"""Established interactions that are told one by one; the table of effects has the rest."""
MOST_CHANGES = 4
"""Factors of one verdict that have a sentence each; of more the rest share one."""


def lead(view: StudyView) -> Rich:
    """The first sentences: whether the study is done and its rule stood, then the first thing that was found."""
    status = [part for part in (interim(view), rule_changed(view), seeds_added(view)) if part]
    return rich(*_spaced([*status, *_groups(view)[0]]))


def others(view: StudyView) -> list[Rich]:
    """The other sentences of the answer, one for each group of claims."""
    rest = [rich(*_spaced(group)) for group in _groups(view)[1:]]
    return [part for part in (*rest, missing(view), shared_fall(view)) if part]


def _groups(view: StudyView) -> list[list[Rich]]:
    """The sentences of all claims in groups, the most important first; at least one group."""
    statuses = view.table.trials["status"]
    if not (statuses == "finished").any() and not (statuses == "diverged").any():
        return [[rich(f"None of the {count(len(statuses), 'trial')} finished.")]]
    if not view.analysis.cells.design.compared and len(view.arms) < 2:
        return [[_one_arm(view)]]
    return [*(_claimed(view) or [[_no_claim(view)]]), *([[told] for told in _further(view)])]


def _claimed(view: StudyView) -> list[list[Rich]]:
    """The sentences of the claims about one outcome, in groups."""
    groups = (
        _divergence(view),
        *([told] for told in _dependences(view, told=True)),
        _directions(view, "harms"),
        _directions(view, "helps"),
        _dependences(view, told=False),
        _directions(view, "harms on average"),
        _directions(view, "helps on average"),
        _one_sided(view),
        _equivalent(view),
        _idle(view),
        _undecided(view),
        _uncompared(view),
    )
    return [group for group in groups if group]


def _no_claim(view: StudyView) -> Rich:
    """Why nothing is claimed: the first planned look is still to come, or no factor changes alone."""
    if view.analysis.judgement.look == 0:
        return rich(f"There are no verdicts before the first planned look, after {view.looks[0]} seeds.")
    return rich("This design allows no verdict on a single factor. The table below compares the arms.")


def _claims(view: StudyView, *kinds: str, word: str = "") -> list[Claim]:
    """Claims of these kinds, the largest effect first."""
    found = [c for c in view.analysis.claims if c.kind in kinds and (not word or c.word == word)]
    return sorted(found, key=lambda claim: -abs(claim.estimate) if claim.estimate == claim.estimate else 0.0)


def _divergence(view: StudyView) -> list[Rich]:
    """Which levels make trials diverge, or how many were lost without anyone knowing why."""
    found = [sentence(view, claim) for claim in _claims(view, "diverges")]
    if found:
        named = {claim.subject for claim in _claims(view, "diverges")}
        silent = [name for name in named if not any(_has_mean(view, name))]
        if silent:
            found.append(rich("The mean of ", code(view.metric), " is not compared where trials diverged."))
    elif view.analysis.cells.rule.divergence and (lost := lost_trials(view)):
        found = [lost]
    return [*found, *(sentence(view, claim) for claim in _claims(view, "composite"))]


def _has_mean(view: StudyView, name: str) -> Iterable[bool]:
    """Whether something is claimed of the mean of a change."""
    kinds = ("direction", "equivalent", "one_sided")
    return (claim.subject == name and claim.kind in kinds for claim in view.analysis.claims)


def _directions(view: StudyView, word: str) -> list[Rich]:
    """Changes that harm, or help; the first few with a sentence each."""
    claims = [claim for claim in _claims(view, "direction", word=word) if not claim.gate]
    told = [sentence(view, claim) for claim in claims[:MOST_CHANGES]]
    rest = claims[MOST_CHANGES:]
    if rest:
        average = "On average the same" if word.endswith("average") else "The same"
        told.append(rich(f"{average} holds for ", _with_effects(view, rest), "."))
    return told


# -- interactions ----------------------------------------------------------------------------------


def _dependences(view: StudyView, told: bool) -> list[Rich]:
    """Established interactions: those whose effects at single levels are known, or the others."""
    terms = _claims(view, "depends")
    groups = [claim for claim in terms if claim.scope.type == "alias_group"]
    if len(groups) > 1 and not told:
        return [_many_groups(view, groups)]
    if groups and told:
        return []
    chosen = [claim for claim in terms if bool(_conditional(view, claim)) == told]
    chosen.sort(key=lambda claim: not _reverses(view, claim))
    out = [_dependence(view, claim) if told else sentence(view, claim) for claim in chosen[:MOST_TERMS]]
    if len(chosen) > MOST_TERMS:
        more = count(len(chosen) - MOST_TERMS, "more interaction")
        verb = "is" if len(chosen) == MOST_TERMS + 1 else "are"
        out.append(rich(f"{more} {verb} established; the table of effects lists them."))
    return out


def _reverses(view: StudyView, term: Claim) -> bool:
    """Whether a change of a pair harms at one level of the other and helps at the other."""
    conditional = _conditional(view, term)
    sided = [[c for c in conditional if c.subject == name] for name in term.subject.split(" × ")]
    return len(sided) == 2 and any(_rank(claims) == 0 for claims in sided)


def _many_groups(view: StudyView, groups: Sequence[Claim]) -> Rich:
    """That pairs of factors act together in a fraction that cannot tell which."""
    largest = groups[0]
    terms = [code(term) for term in largest.scope.terms]
    known = len(view.analysis.cells.design.interactions)
    which = (
        f"all {number_words(known)}"
        if len(groups) == known
        else f"{number_words(len(groups))} of {number_words(known)}"
    )
    size = f" ({amount(view, largest.estimate, largest)})"
    return rich(
        f"In this fraction factors act together: {which} groups of pairs are established, the largest being ",
        joined(terms, ", or ", ", or "),
        f"{size}. The design cannot tell which pair of a group acts, so nothing is said of the factors "
        "in these groups one by one.",
    )


def _conditional(view: StudyView, term: Claim) -> list[Claim]:
    """What is claimed at single levels of an established interaction, in the order of the levels."""
    changes = [view.analysis.cells.design.changes[name] for name in term.subject.split(" × ")]
    levels = {change.factor: (change.first, change.level) for change in changes}
    others = {change.name: set(levels) - {change.factor} for change in changes}
    found = [
        claim
        for claim in view.analysis.claims
        if claim.gate
        and claim.subject in others
        and set(_moved(claim)) == others[claim.subject]
        and all(level in levels[factor] for factor, level in _moved(claim).items())
    ]
    return sorted(found, key=lambda claim: [levels[f].index(at) for f, at in _moved(claim).items()])


def _moved(claim: Claim) -> Levels:
    """The levels of a conditional claim that its interaction moves: the others are those of the only setting left."""
    fixed = claim.scope.over[0] if len(claim.scope.over) == 1 else {}
    return {factor: level for factor, level in claim.scope.at.items() if factor not in fixed}


def _dependence(view: StudyView, term: Claim) -> Rich:
    """What the changes of a term do at each level of the others."""
    names = term.subject.split(" × ")
    sided = {name: [c for c in _conditional(view, term) if c.subject == name] for name in names}
    if len(names) > 2:
        return rich(*_spaced([many_way(view, term), *_combinations(view, sided)]))

    ranked = sorted(names, key=lambda name: (_rank(sided[name]), -_size(sided[name])))
    first, *rest = [name for name in ranked if sided[name]]
    other = next(name for name in names if name != first)
    start = rich("What ", subject(view, first), " does depends on ", bare(view, other), ": it")
    parts = [_at_each(view, start, sided[first])]
    if rest and _rank(sided[first]) == 0 and _pattern(view, sided[first]) == _pattern(view, sided[rest[0]]):
        parts.append(rich("The same holds for ", subject(view, rest[0]), " with ", bare(view, first), "."))
    elif rest:
        parts.append(_at_each(view, subject(view, rest[0]), sided[rest[0]]))
    parts += _averaged(view, term)
    parts.append(rich(f"The interaction is established ({p_words(term.p_adjusted)})."))
    return rich(*_spaced(parts))


def _combinations(view: StudyView, sided: Mapping[str, Sequence[Claim]]) -> list[Rich]:
    """Of three and more changes: how often each is worse and better at the levels of the others."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, claims in sided.items():
        many = tuple(sum(c.word == word for c in claims) for word in (*VERBS, "equivalent"))
        groups.setdefault(many, []).append(name)
    out = []
    for (worse, better, same), names in groups.items():
        bits = [(worse, "worse"), (better, "better")]
        said = [f"{word} at {number_words(many)}" for many, word in bits if many]
        others = [bare(view, name) for name in sided if name != names[0]]
        of = rich(f" of the {number_words(2 ** len(others))} combinations of ", listed(others))
        if said:
            made = rich(subject(view, names[0]), " makes ", code(view.metric), f" {' and '.join(said)}")
            out.append(rich(made, of, "."))
        elif same:
            changed = rich(subject(view, names[0]), " changes ", code(view.metric))
            out.append(rich(changed, f" by less than {view.margin_words} at {number_words(same)}", of, "."))
        else:
            out.append(rich("These seeds do not settle where ", subject(view, names[0]), " acts."))
        if names[1:]:
            out.append(rich("The same holds for ", subjects(view, names[1:]), "."))
    return out


def _rank(claims: Sequence[Claim]) -> int:
    """0: opposite directions, 1: one direction and nothing elsewhere, 2: less."""
    words = {claim.word for claim in claims}
    if {"harms", "helps"} <= words:
        return 0
    return 1 if "equivalent" in words and len(words) > 1 else 2


def _size(claims: Sequence[Claim]) -> float:
    return max((abs(claim.estimate) for claim in claims), default=0.0)


def _pattern(view: StudyView, claims: Sequence[Claim]) -> dict[bool, str]:
    """Whether the other change is at its first level -> what is claimed there."""
    return {all(level == view.first(f) for f, level in _moved(claim).items()): claim.word for claim in claims}


def _at_each(view: StudyView, start: Rich, claims: Sequence[Claim]) -> Rich:
    """`a makes kid worse without b (+0.030; ...) and better with b (...).`"""
    still = [_place(view, claim) for claim in claims if claim.kind == "equivalent"]
    moved: dict[str, list[Rich]] = {}
    for claim in claims:
        if claim.kind == "direction":
            moved.setdefault(VERBS[claim.word], []).append(_place(view, claim))
    only = "only " if len(moved) == 1 and still else ""
    bits: list[Rich] = []
    for word, places in moved.items():
        verb = rich(" makes ", code(view.metric), " ") if not bits else ()
        how = "both " if len(places) == 2 else only
        bits.append(rich(verb, f"{word} {how}", listed(places)))

    said = rich(start, listed(bits)) if bits else ()
    if still:
        kept = rich(" changes ", code(view.metric), f" by less than {view.margin_words} ", listed(still))
        said = rich(said, "; it", kept) if said else rich(start, kept)
    return rich(said, ".")


def _place(view: StudyView, claim: Claim) -> Rich:
    """`without b (+0.030; +25%; 95% interval ...)`."""
    numbers = interval_words(view, claim, p=False)
    inside = f" ({amount(view, claim.estimate, claim)}" + (numbers.replace(" (", "; ", 1) if numbers else ")")
    return rich(at_levels(view, claim.scope.at), inside)


def _averaged(view: StudyView, term: Claim) -> list[Rich]:
    """That effects at levels of some factors are means over the others, where there are others."""
    claims = _conditional(view, term)
    named = {factor for claim in claims for factor in claim.scope.at} | {claim.factor for claim in claims}
    if len(named) == len(view.factors):
        return []
    known = " that have results" if any(claim.scope.over for claim in claims) else ""
    return [rich(f"These effects are averaged over the settings of the other factors{known}.")]


# -- the rest --------------------------------------------------------------------------------------


def _one_sided(view: StudyView) -> list[Rich]:
    """No harm or no benefit, unless the effects at single levels say as much."""
    plain = {"no benefit": {"harms"}, "no harm": {"helps"}}
    out = []
    for claim in _claims(view, "one_sided"):
        single = {one.word for one in view.analysis.claims if one.gate and one.subject == claim.subject}
        if single != plain[claim.word]:
            out.append(sentence(view, claim))
    return out


def _equivalent(view: StudyView) -> list[Rich]:
    """Changes without an effect that matters; those of which the same is claimed share a sentence."""
    words = view.analysis.judgement.verdicts
    idle = {claim.subject for claim in _claims(view, "idle")}
    found = [c for c in view.analysis.claims if c.kind == "equivalent" and not c.gate]
    claims = [c for c in found if words.get(c.subject) == c.word and c.subject not in idle]
    if _nothing_acts(view, claims):
        start = rich("No factor changes ", code(view.metric), f" by {view.margin_words} or more {view.summary}")
        return [rich(start, f", in any setting (effects {_range(view, claims)}).")]

    groups: dict[tuple[str, ...], list[Claim]] = {}
    for claim in sorted(claims, key=_closeness):
        pairs = str(len(claim.scope.terms) > 1)
        key = (claim.word, claim.scope.type, pairs, plain(where(view, claim)), plain(gap(view, claim)))
        groups.setdefault(key, []).append(claim)
    return [
        sentence(view, same[0]) if len(same) == 1 else equivalent(view, same, f" (effects {_range(view, same)})")
        for same in groups.values()
    ]


KINDS = ("everywhere", "at", "clean", "on_average", "alias_group")


def _closeness(claim: Claim) -> tuple[bool, int]:
    """What is known in every setting comes before what is known on average."""
    return claim.word.endswith("average"), KINDS.index(claim.scope.type)


def _nothing_acts(view: StudyView, claims: Sequence[Claim]) -> bool:
    """Whether every factor of the study has no effect that matters, in every setting of the design."""
    verdicts = view.analysis.judgement.verdicts
    everywhere = all(claim.scope.type == "everywhere" and not claim.scope.over for claim in claims)
    return len(claims) == len(verdicts) > 1 and set(verdicts.values()) == {"equivalent"} and everywhere


def _range(view: StudyView, claims: Sequence[Claim]) -> str:
    least, most = (amount(view, end(c.estimate for c in claims)) for end in (min, max))
    return f"{least} to {most}" if least != most else f"{least} each"


def _idle(view: StudyView) -> list[Rich]:
    """Changes that changed nothing at all."""
    claims = _claims(view, "idle")
    exact = [claim.subject for claim in claims if claim.subject in view.analysis.idle]
    if len(exact) < 2:
        return [sentence(view, claim) for claim in claims]
    if set(exact) == set(view.analysis.judgement.verdicts):
        return [rich("No factor has any effect: for each seed, all trials end with identical ", code(view.metric), ".")]
    rest = [sentence(view, claim) for claim in claims if claim.subject not in exact]
    return [
        rich(subjects(view, exact), " did nothing: with and without them all trials end with identical values."),
        *rest,
    ]


def _undecided(view: StudyView) -> list[Rich]:
    """What these seeds do not decide: changes without a verdict, and whether the only two act together."""
    words = view.analysis.judgement.verdicts
    done = {c.subject for c in _claims(view, "idle")} | blocked(view) | set(_without_pairs(view))
    claims = [c for c in _claims(view, "undecided") if words[c.subject] != "diverges" and c.subject not in done]
    known = [claim for claim in claims if claim.low == claim.low]
    few = [claim for claim in claims if claim.estimate == claim.estimate and claim.n_seeds < FEWEST_SEEDS]
    told: list[Claim] = []
    out = _open_interaction(view)
    for several, all_at_once in ((known, _several_open), (few, _too_few_seeds)):
        if len(several) > MOST_CHANGES or len(several) == len(words) > 1 or (several is few and len(few) > 1):
            out.append(all_at_once(view, several))
            told += several
    return [*out, *(sentence(view, claim) for claim in claims if claim not in told)]


def _several_open(view: StudyView, claims: Sequence[Claim]) -> Rich:
    """Several changes that the seeds do not decide, with their effects."""
    fewest, most = min(c.n_seeds for c in claims), max(c.n_seeds for c in claims)
    seeds = count(most, "seed") if fewest == most else f"{fewest} to {most} seeds"
    whole = len(claims) == len(view.analysis.judgement.verdicts)
    what = "whether any factor changes" if whole else "whether these change"
    return rich(f"These {seeds} do not decide {what} ", code(view.metric), ": ", _with_effects(view, claims), ".")


def _too_few_seeds(view: StudyView, claims: Sequence[Claim]) -> Rich:
    """Several changes of which too few seeds have a result."""
    most = max(claim.n_seeds for claim in claims)
    seeds = f"{number_words(most).capitalize()} seed{'s' if most > 1 else ''}"
    return rich(f"{seeds}: no verdict on ", _with_effects(view, claims), ". A verdict needs three seeds.")


def _with_effects(view: StudyView, claims: Sequence[Claim]) -> Rich:
    """`a (+0.012), b (−0.003), and c (0.000)`."""
    return listed([rich(subject(view, c.subject), f" ({amount(view, c.estimate, c)})") for c in claims])


def _open_interaction(view: StudyView) -> list[Rich]:
    """Beside an effect in a study of two changes: that it is open whether they act together."""
    terms = view.analysis.cells.design.interactions
    moved = [claim for claim in _claims(view, "direction") if not claim.gate]
    if len(terms) != 1 or not terms[0].blocks or not moved:
        return []
    numbers = view.analysis.judgement.numbers[terms[0].name]
    if not numbers.p_adjusted >= ERROR:
        return []
    ends = [doubled(view, number) for number in (numbers.low, numbers.high)]
    if view.margin is not None and max(map(abs, ends)) < view.margin / 2:
        return []  # whatever it is, it is far too small to matter
    change, low, high = (amount(view, number) for number in (doubled(view, numbers.estimate), *ends))
    acting = moved[0].subject
    other = next(c.name for c in terms[0].changes if c.name != acting)
    start = rich("Whether ", bare(view, other), " changes the effect of ", subject(view, acting))
    return [rich(start, f" is not decided (change {change}, {view.interval} {low} to {high}).")]


def _uncompared(view: StudyView) -> list[Rich]:
    """Changes that no two arms, or no seed, allow a comparison of."""
    out = []
    if without := _without_pairs(view):
        fraction = view.analysis.cells.design.fraction
        why = "an arm of the fraction has no result" if fraction else "no seed has a result in both arms"
        out.append(rich(subjects(view, without), f" can't be compared: {why}."))
    if view.analysis.uncompared and len(view.arms) > 1:
        which = "it alone" if len(view.analysis.uncompared) == 1 else "one of these alone"
        out.append(
            rich("No verdict on ", subjects(view, view.analysis.uncompared), f": no two arms differ in {which}.")
        )
    return out


def _without_pairs(view: StudyView) -> list[str]:
    """Changes of which no seed has both sides."""
    verdicts = view.analysis.verdicts
    return [str(name) for name in verdicts.loc[verdicts["n_pairs"] == 0, "factor"]] if len(verdicts) else []


def _further(view: StudyView) -> list[Rich]:
    """What is claimed of each further outcome, and where it moves against the primary one."""
    out = []
    for other in view.further:
        told = [one for group in _claimed(other) for one in group]
        against = _against(view, other)
        out.append(rich("Further outcome ", code(other.metric), ": ", *_spaced([*against, *told])))
    return out


def _against(view: StudyView, other: StudyView) -> list[Rich]:
    """Changes that make one outcome better and the other worse, by claims about both."""
    first, second = ({c.subject: c for c in one.analysis.claims if _plain_direction(c)} for one in (view, other))
    out = []
    for name in first.keys() & second.keys():
        words = [VERBS[claims[name].word.split(" ")[0]] for claims in (first, second)]
        if words[0] != words[1]:
            told = (f" {words[0]} and ", code(other.metric), f" {words[1]}.")
            out.append((name, rich(subject(view, name), " makes ", code(view.metric), *told)))
    return [sentence for _, sentence in sorted(out)]


def _plain_direction(claim: Claim) -> bool:
    """Whether a claim is that a change harms or helps, and not only at single levels."""
    return claim.kind == "direction" and not claim.gate and claim.scope.type != "alias_group"


def _one_arm(view: StudyView) -> Rich:
    arms = view.analysis.arms
    known = arms[arms["mean"].notna()]
    if len(known) != 1:
        return rich("The one arm of this study has no result.")
    mean = view.scale.fixed(float(known["mean"].iloc[0]))
    return rich("One arm: ", code(view.metric), f" is {mean} {view.summary}. There is nothing to compare it with.")


def _spaced(parts: Sequence[Rich]) -> list[str | Rich]:
    out: list[str | Rich] = []
    for part in parts:
        out += [" ", part] if out else [part]
    return out


# -- when trials degraded --------------------------------------------------------------------------


def onset_words(view: StudyView, arms: tuple[Arm, ...]) -> str:
    """`5 of 5 trials degraded, median step 250`; empty where no trial of these arms has ended."""
    events, trials = _events(view, arms)
    counted, *step = onset_parts(view, arms)
    word = fall({event.kind for event in events} or {"degraded"})
    return ", ".join((f"{counted} {word}", *step)) if trials else ""


def onset_parts(view: StudyView, arms: tuple[Arm, ...]) -> tuple[str, ...]:
    """`5 of 5 trials` and, where one fell, `median step 250`; an empty text where no trial has ended."""
    events, trials = _events(view, arms)
    counted = f"{len(events)} of {count(trials, 'trial')}" if trials else ""
    return (counted, f"median step {median(event.step for event in events):.0f}") if events else (counted,)


def _events(view: StudyView, arms: tuple[Arm, ...]) -> tuple[list[Event], int]:
    """The events of these arms' trials, and how many trials have ended."""
    trials = [trial for arm in arms for trial in watched(view, arm)]
    return [view.events[trial] for trial in trials if trial in view.events], len(trials)


def shared_fall(view: StudyView) -> Rich:
    """That most trials of the reference degraded too; and which arms did not."""
    if view.reference is None or not _fell(view, view.reference) or len(view.arms) < 2:
        return ()
    spared = [arm for arm in view.arms if watched(view, arm) and not _fell(view, arm)]
    events, _ = _events(view, (view.reference,))
    counted = ", ".join(onset_parts(view, (view.reference,)))
    start = f"The reference {fall({event.kind for event in events})} too ({counted})"
    if not spared:
        return rich(
            f"{start}, and so did every other arm. This study does not tell why: something that all arms share "
            "may be a cause, or several causes may replace each other."
        )
    marks = [code(f"{name}={level}") for name, level in spared[0].levels.items() if _marks(view, name, level, spared)]
    if not marks:
        return rich(f"{start}; {len(spared)} of {count(len(view.arms), 'arm')} did not.")
    verb = "arm" if len(spared) == 1 else f"{number_words(len(spared))} arms"
    return rich(f"{start}; the {verb} with ", joined(marks), " did not.")


def _fell(view: StudyView, arm: Arm) -> bool:
    """Whether more than half of an arm's trials degraded or diverged."""
    events, trials = _events(view, (arm,))
    return len(events) * 2 > trials


def watched(view: StudyView, arm: Arm) -> list[str]:
    """The arm's trials that have ended, well or not."""
    trials = view.table.trials
    open_ = set(trials.loc[trials["status"].isin(("planned", "running")), "trial_id"])
    return [trial for trial in arm.trials if trial not in open_]


def _marks(view: StudyView, name: str, level: str, arms: list[Arm]) -> bool:
    """Whether just these arms are at this level of the factor."""
    return [arm for arm in view.arms if arm.levels.get(name) == level] == arms


def status_words(view: StudyView) -> Rich:
    """`8 arms × 5 seeds = 40 trials: 38 finished, 1 diverged, 1 failed`."""
    trials = view.table.trials
    counts = trials["status"].value_counts()
    order = ("finished", "diverged", "failed", "interrupted", "running", "planned")
    words = [f"{int(counts[status])} {status}" for status in order if counts.get(status, 0)]
    arms, seeds = len(view.arms), len(view.seeds)
    start = f"{count(arms, 'arm')} × {count(seeds, 'seed')}"
    total = f" = {count(len(trials), 'trial')}" if arms * seeds == len(trials) else f", {count(len(trials), 'trial')}"
    return rich(strong(start), f"{total}: {', '.join(words)}.")
