"""Claims about an effect where trials diverged, so that no mean may be given."""

import numpy as np

from reports.claims import divergence
from reports.claims.budget import ERROR
from reports.claims.claim import Claim, Scope
from reports.claims.design import Block
from reports.claims.look import Look, Seen, mean_contrast
from reports.claims.making import Maker, how_tested
from reports.claims.rule import WORDS


def dual(look: Look, seen: Seen) -> Claim | None:
    """Return a harm that survivors and worst values agree on, if only one setting can show it.

    The claim is made only of the side that lost more trials: its survivors look better than they
    are.

    Args:
        look: The trials so far.
        seen: The blocks of a change, one of which moves.

    Returns:
        The claim, or None if it can't be made.
    """
    (block,) = seen.moving
    row = mean_contrast((block,), seen.term.signs, len(look.design.cells))

    survivors, worst = look.estimates([row]), look.estimates([row], look.trials.worst())
    p = max(float(look.spending.adjusted(one.apart(), look.level)[0]) for one in (survivors, worst))
    signs = {float(np.sign(one.mean[0])) for one in (survivors, worst)}

    tally = divergence.counts(look.trials, look.design, seen.term)
    loses = int(np.sign(tally.diverged * tally.ended_first - tally.diverged_first * tally.ended))
    if not p < ERROR or signs != {float(loses)}:
        return None

    maker = Maker(look, seen, row, survivors, 0)
    return maker.claim(
        "direction", WORDS[loses], p, "direction", _only_setting(block), ("diverged",)
    )


def composite(look: Look, seen: Seen) -> Claim | None:
    """Return the claim about a level with every diverged trial counted as worst.

    It is made only where no mean is given, so that nothing is claimed twice.

    Args:
        look: The trials so far.
        seen: The blocks of a change.

    Returns:
        The claim, or None if it can't be made.
    """
    term = seen.term
    ended = look.known | look.lost
    blocks = [block for block in term.blocks if bool(ended[list(block.cells)].all())]
    if not seen.clean or seen.usable or not blocks:
        return None

    row = mean_contrast(blocks, term.signs, len(look.design.cells))
    worst = look.estimates([row], look.trials.worst())
    p = worst.apart()
    adjusted = float(look.spending.adjusted(p, look.level)[0])
    if not adjusted < ERROR:
        return None

    change = term.changes[0]
    return Claim(
        id=f"composite:{change.name}",
        kind="composite",
        subject=change.name,
        scope=_only_setting(blocks[0]) if len(term.blocks) == 1 else Scope("on_average"),
        factor=change.factor,
        level=change.level,
        against=change.first,
        word=WORDS[1 if worst.mean[0] > 0 else -1],
        p=float(p[0]),
        p_adjusted=adjusted,
        test=how_tested(worst, 0),
        df=float(worst.df[0]),
        n_seeds=int(worst.n[0]),
        n_pairs=int(worst.n[0]) * len(blocks),
        family="direction",
        counts=divergence.counts(look.trials, look.design, term),
        caveats=("diverged",),
    )


def _only_setting(block: Block) -> Scope:
    """Return the only setting of a design as a scope.

    With a single factor, the setting has no levels to name and is the whole design.
    """
    return Scope("at", block.at) if block.at else Scope("everywhere")
