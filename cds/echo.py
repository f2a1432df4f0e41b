"""The most recent echocardiogram: a shortening or ejection fraction of an earlier study, or by another method, does not count."""

from __future__ import annotations

from cds.finding import Gap, Why
from cds.series import Candidates, Reading, Series


def by_echocardiogram(fractions: Series) -> Series:
    """Without what another method found, whenever it did: that is no more recent echocardiogram."""
    return fractions.having(r for r in fractions.readings if "another_method" not in r.labels)


def of_the_same_study(own: Candidates, other: Series) -> Candidates:
    """`own`, as far as no result of the `other` fraction shows a more recent study."""
    if other.gap and not other.readings:
        return Candidates(own.name, gaps=own.gaps or (other.gap,))
    superseded = [r for r in own.readings if any(_on_a_later_day(o, r) for o in other.readings)]
    if not superseded:
        return own
    gaps = (Gap(own.name, Why.STALE, f"{r.source} is not from the most recent echocardiogram", (r.source,)) for r in superseded)
    return Candidates(own.name, gaps=tuple(gaps))


def _on_a_later_day(one: Reading, other: Reading) -> bool:
    """Readable or not: the study it comes from is the more recent one."""
    return bool(other.when.last and one.when.first and other.when.last < one.when.first)
