"""What a card says first: its summary, and the words that all its parts share; `card_detail.py` has the rest.

Wording follows protocol-reading 5.4: "rule gives", "found in the chart", "please confirm"; never "eligible".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds.assessment import Assessment, Judged, NextStep, Risk
from cds.finding import Evidence, Gap, Why
from cds.truth import MET, UNKNOWN
from fhir_mappings.record import IN_PART
from hooks.markdown import LONGEST_SUMMARY, plain, summary

FIRST_LINE = (
    "Decision support from chart data, text version {version}. It neither establishes eligibility nor assigns treatment; "
    "the investigator decides."
)
STATUS = {
    "not_eligible": "A blocking criterion was found – please confirm",
    "insufficient_data": "Cannot tell yet – facts are missing",
    "eligible_pending_clinician_review": "No blocking criterion found – needs clinician review",
}
NOT_APPLICABLE = "Not applicable – no leukaemia of this kind, or no relapse, on record"
NOT_MET_TODAY = "Not met today – may change with time or treatment"
MISSING = {  # what is missing, by why it is unknown
    Why.CONFLICT: "one answer on {}",
    Why.UNIT: "readable {}",
    Why.WRONG_INSTRUMENT: "{} by the named method",
    Why.IMPRECISE: "exact {}",
    Why.PENDING: "final {}",
    Why.STALE: "current {}",
    Why.OUT_OF_TABLE: "limit for this {}",
    Why.SOURCE_AMBIGUOUS: "the study team's reading on {}",
}
FREEZE = ("reinduction start", "enrolment")  # the anchors that end the judgement of who may take part
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST_NAMED = 4  # searches in the second line; all of them stand under "Not looked up"
CHEAPEST_FIRST = (  # what a clinician can settle soonest stands first
    "creatinine", "direct bilirubin", "total bilirubin", "shortening fraction", "ejection fraction", "sex", "birth date",
    "performance status", "pregnancy test", "HIV test", "allergies", "other trial", "allogeneic transplant", "blinatumomab",
    "end of frontline induction", "same four induction drugs", "relapse date", "relapse", "relapse ordinal", "relapse site",
    "marrow blasts", "lineage", "leukaemia diagnosis", "CD19", "BCR::ABL1", "genetic syndrome",
)  # fmt: skip


def first_line(a: Assessment) -> str:
    day = date.fromisoformat(a.text_version)
    return FIRST_LINE.format(version=f"{day.day} {day:%b %Y}")


def verdict(judged: Judged) -> str:
    """The answer in words; never a bare "met" for an exclusion."""
    if judged.finding.truth is UNKNOWN:
        return "not known"
    is_met = judged.finding.truth is MET
    if judged.criterion.kind == "inclusion":
        return "met" if is_met else "not met"
    return "exclusion applies" if is_met else "exclusion does not apply"


def for_judgement(judged: Judged) -> bool:
    return judged.finding.reason is Why.JUDGEMENT


def distinct_rules(criteria: Iterable[Judged]) -> int:
    """The rules, the bullet that the text prints twice counted once."""
    return len({j.criterion.id for j in criteria} - {"EXC-06"})


def counts(a: Assessment) -> str:
    """How much is known: never a score."""
    judgement = distinct_rules(j for j in a.criteria if for_judgement(j))
    missing = distinct_rules(j for j in a.criteria if j.finding.truth is UNKNOWN and not for_judgement(j))
    rules = distinct_rules(a.criteria)
    return (f"{rules - missing - judgement} of {rules} rules checked, {distinct_rules(j for j in a.criteria if j.blocks)} blocking, "
            f"{missing} missing, {judgement} need your judgement")  # fmt: skip


def short_day(written: str | None) -> str:
    """A date as far as it is written, in words.

    >>> short_day("2025-09-03"), short_day("2025-09"), short_day("2025"), short_day("2025-09-01 to 2025-09-03")
    ('3 Sep 2025', 'Sep 2025', '2025', '2025-09-01 to 2025-09-03')
    """
    parts = (written or "").split("-")
    if not all(part.isdecimal() for part in parts) or len(parts) > 3 or len(parts) > 1 and not 1 <= int(parts[1]) <= 12:
        return written or ""
    return " ".join([*(str(int(day)) for day in parts[2:]), *(MONTHS[int(month) - 1] for month in parts[1:2]), parts[0]])


def judged_as_of(a: Assessment) -> str:
    """The day of the judgement; where it lies before today, which of the two starts froze it there."""
    if a.evaluated_as_of >= a.as_of.isoformat():
        return f"Judged as of {a.evaluated_as_of}."
    starts = [name for name in FREEZE if any(_is_of(anchor, name) for anchor in a.anchors)]
    first = [name for name in starts if any(_is_of(anchor, name, a.evaluated_as_of) for anchor in a.anchors)] or starts
    at = " and ".join(first or FREEZE)
    return f"Judged as of {a.evaluated_as_of}, frozen at {at}; what was found later counts for the risk group only, a clinician's answers whenever they were given."


def _is_of(anchor: Evidence, name: str, day: str = "") -> bool:
    return str(anchor).startswith(f"{name} {day}")


def summary_line(a: Assessment) -> str:
    """The card's summary. How many searches were not answered stands at its end, whatever has to be cut before it."""
    lacking = len(_unanswered(a)[0])
    end = f"; {_counted(lacking)} not answered" if lacking else ""
    return summary(f"{a.protocol}: {_summary_words(a)}", LONGEST_SUMMARY - len(end)) + end


def unanswered_words(a: Assessment) -> str:
    """Which searches were not answered, or only in part; nothing if all were. For Markdown, and of our own words only."""
    none, some = _unanswered(a)
    told = (f"**{_counted(len(none))} not answered:** {_listed(none)}." if none else "",
            f"{_counted(len(some))} answered only in part: {_listed(some)}." if some else "")  # fmt: skip
    return " ".join(filter(None, told))


def _unanswered(a: Assessment) -> tuple[list[str], list[str]]:
    none = [search for search, why in a.not_looked_up if not why.startswith(IN_PART)]
    return none, [search for search, why in a.not_looked_up if why.startswith(IN_PART)]


def _counted(searches: int) -> str:
    return f"{searches} search" + ("" if searches == 1 else "es")


def _listed(names: list[str]) -> str:
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return "; ".join([*names[:MOST_NAMED], *more])


def _summary_words(a: Assessment) -> str:
    """What the clinician reads first, without the trial's number."""
    if a.blocking:
        return _blocked(a)
    if a.risk.status in ("assigned", "provisional") and a.evaluated_as_of < a.as_of.isoformat():
        return _risk_summary(a.risk, {flag.id for flag in a.flags})
    missing = missing_facts(a)
    if missing:
        return f"cannot tell yet – missing {', '.join(MISSING.get(gap.reason, '{}').format(fact) for fact, _, gap in missing)}"
    open_items = sum(map(for_judgement, a.criteria))
    return f"no blocking criterion found in the chart – {open_items} items need your judgement"


def _blocked(a: Assessment) -> str:
    """One blocker, rather one that will stay than one that may change; an exclusion is called one."""
    first = next((j for j in a.blocking if not j.criterion.modifiable), a.blocking[0])
    more = distinct_rules(a.blocking) - 1
    status = "not met" if first.criterion.kind == "inclusion" else f"exclusion {first.criterion.id} applies"
    words = f"{'not met today' if a.modifiable else status} – {plain(first.finding.words)}"
    return words + (f"; {more} more block{'s' if more == 1 else ''}" if more else "")


def _risk_summary(risk: Risk, flags: set[str]) -> str:
    if "eoi_marrow_mrd_conflict" in flags:
        return f"rule gives {risk.group or 'VHR'} (marrow 5 % or more) but NGS-MRD < 0.01 % – verify samples first"
    if risk.status == "assigned":
        return f"risk rule gives {risk.group} ({'; '.join(known for known, _ in risk.known)}) – investigator to confirm"
    return f"risk group {risk.words.replace(' pending ', ' – waiting for ').replace('EOI', 'end-of-induction')}"


def missing_facts(a: Assessment) -> list[tuple[str, list[str], Gap]]:
    """Each missing fact once, with the criteria it would settle, the cheapest first."""
    found: dict[str, tuple[list[str], Gap]] = {}
    for judged in a.criteria:
        for gap in judged.finding.gaps if judged.finding.truth is UNKNOWN else ():
            if gap.reason is not Why.JUDGEMENT:
                found.setdefault(gap.fact, ([], gap))[0].append(judged.criterion.id)
    order = {fact: i for i, fact in enumerate(CHEAPEST_FIRST)}
    return sorted(((fact, list(dict.fromkeys(ids)), gap) for fact, (ids, gap) in found.items()), key=lambda m: order.get(m[0], len(order)))


def order_summary(breaks: tuple[Judged, ...]) -> str:
    """What a clinician reads before signing."""
    names = " and ".join(f"{j.criterion.id} ({j.criterion.name})" for j in breaks)
    return f"this order, if carried out before enrolment, would break {names} – please check"


def request_words(step: NextStep) -> str:
    """On the button that drafts a request for a test."""
    return f"Draft a request: {step.fact} (for {', '.join(step.criteria)})"
