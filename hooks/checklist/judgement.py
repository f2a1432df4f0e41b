"""The parts of a judgement as the checklist shows them: a criterion with all its evidence, what is missing, the risk group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds import Protocol
from cds.assessment import Assessment, Judged, NextStep
from cds.facts import PatientFacts
from cds.finding import Basis, Evidence, Gap, Why
from cds.truth import UNKNOWN
from hooks.checklist.form import FOR_GIRLS, is_asked
from hooks.checklist.questions import questions_for
from hooks.markdown import visible
from hooks.words import for_judgement, missing_facts, short_day, verdict

LONGEST = 600  # characters of an answer in words
BASIS = {
    Basis.RECORDED: "recorded in the chart",
    Basis.DERIVED: "worked out from the chart",
    Basis.INFERRED: "inferred from another result",
    Basis.ASSUMED_ABSENT: "not on record and taken as absent: look in the chart",
    Basis.ATTESTED: "answered by a clinician",
}
BLOCKS, FAVOURABLE, OPEN, JUDGEMENT = ("blocks", "✕"), ("favourable", "✓"), ("open", "?"), ("judgement", "✎")
NOT_ALONE = "Alone it would not change the overall answer."
TWICE = {"EXC-06": "The text prints this sentence twice: see also EXC-04."}
TEAM_ONLY = "For the treating team only."


def evidence(e: Evidence) -> tuple[str, str, str]:
    """In words, when, and which resource; what several resources say together has none of its own."""
    return visible(e.words, LONGEST), short_day(e.date), visible(e.reference or "")


def row(judged: Judged, a: Assessment, meanings: Mapping[str, str], facts: PatientFacts) -> dict[str, Any]:
    """One criterion: the answer with its mark and its words, the document's sentence, and everything behind it."""
    c, f = judged.criterion, judged.finding
    unknown = f.truth is UNKNOWN
    kind, mark = BLOCKS if judged.blocks else JUDGEMENT if for_judgement(judged) else OPEN if unknown else FAVOURABLE
    girls = c.id == "EXC-09" and is_asked(FOR_GIRLS, facts)
    gaps = [_gap(gap, judged, meanings, facts) for gap in dict.fromkeys(f.gaps)] if unknown else []
    seen = {e for gap in gaps for e in gap["seen"]}
    lifted = [step.fact for step in a.next_steps if judged.blocks and c.id in step.criteria]
    return {
        "id": c.id,
        "name": c.name,
        "kind": kind,
        "mark": mark,
        "verdict": "needs your judgement" if kind == "judgement" else verdict(judged),
        "words": visible(f.words, LONGEST),
        "basis": BASIS[f.basis] if f.basis else "",
        "text": c.text,
        "reading": c.reading,
        "modifiable": judged.blocks and c.modifiable,
        "lifted": f"A new {' or '.join(lifted)} may change it." if lifted else "",
        "evidence": [e for e in dict.fromkeys(map(evidence, f.evidence)) if e not in seen],
        "gaps": gaps,
        "note": " ".join(filter(None, (TWICE.get(c.id), TEAM_ONLY if girls else None))),
        "unfolded": kind in ("blocks", "open") or bool(seen),
    }


def _gap(gap: Gap, judged: Judged, meanings: Mapping[str, str], facts: PatientFacts) -> dict[str, Any]:
    """Its words only where the row does not say the same already; a judgement's own name is a linkId."""
    fact = judged.criterion.name if gap.reason is Why.JUDGEMENT else gap.fact
    said_above = gap.words == judged.finding.words
    return {"fact": visible(fact), "reason": gap.reason.value.replace("_", " "), "words": "" if said_above else visible(gap.words, LONGEST),
            "meaning": meanings[gap.reason.value], "seen": list(dict.fromkeys(map(evidence, gap.seen))),
            "questions": questions_for(gap, facts)}  # fmt: skip


def missing_items(a: Assessment, protocol: Protocol, facts: PatientFacts) -> list[dict[str, Any]]:
    """By fact, the cheapest first: why it is missing, what it alone would settle, and who can be asked."""
    return [_missing(fact, ids, gap, a, protocol, facts) for fact, ids, gap in missing_facts(a)]


def _missing(fact: str, ids: list[str], gap: Gap, a: Assessment, protocol: Protocol, facts: PatientFacts) -> dict[str, Any]:
    steps = [step for step in a.next_steps for o in protocol.open_facts if o.fact == step.fact and fact in o.gaps]
    unclear = [j.criterion.text for j in a.criteria if j.criterion.id in ids and gap.reason is Why.SOURCE_AMBIGUOUS]
    return {"fact": visible(fact), "ids": ids, "words": visible(gap.words.removeprefix(f"{fact}: "), LONGEST),
            "would": " ".join(_would(step, gap) for step in steps) or NOT_ALONE, "questions": questions_for(gap, facts), "unclear": unclear}  # fmt: skip


def _would(step: NextStep, gap: Gap) -> str:
    """What this fact alone would do; where it is asked for under another name, by that name."""
    subject = ("A new one" if gap.reason is Why.STALE else "It") if gap.fact in step.fact else f"The {step.fact}"
    if step.criteria:
        return f"{subject} would settle {', '.join(step.criteria)}."
    return f"{subject} {'would narrow the risk group' if 'risk group' in step.words else 'may change the answer'}."


def judgement_items(a: Assessment) -> list[tuple[str, str, list[str]]]:
    """Which criterion, what is asked, and the linkIds to answer it by."""
    return [(j.criterion.id, visible(j.finding.words, LONGEST), [g.fact for g in j.finding.gaps if g.reason is Why.JUDGEMENT])
            for j in a.criteria if for_judgement(j)]  # fmt: skip


def risk_view(a: Assessment, protocol: Protocol, facts: PatientFacts) -> dict[str, Any]:
    """The rule's group with what it rests on, and what it lacks that is not among the missing facts anyway; never a treatment."""
    if a.risk.status == "suppressed":
        return {"words": "Not given while a criterion blocks.", "known": [], "missing": []}
    told = {fact for fact, *_ in missing_facts(a)}
    gaps = {gap.fact: gap for gap in reversed(a.risk.gaps) if gap.fact not in told}
    missing = [_missing(fact, [], gap, a, protocol, facts) for fact, gap in reversed(gaps.items())]
    assigned = f"The rule gives {a.risk.group} – investigator to confirm." if a.risk.status == "assigned" else ""
    return {"words": assigned or visible(a.risk.words), "missing": missing,
            "known": [(known, list(dict.fromkeys(map(evidence, seen)))) for known, seen in a.risk.known]}  # fmt: skip
