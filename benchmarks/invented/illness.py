"""The leukaemia: its kind, its course, the relapse and the marrow that showed it (INC-02, INC-03, EXC-01, EXC-05)."""

from __future__ import annotations

from datetime import timedelta

from hooks.demo import leukaemia_codes as known
from hooks.demo.fhir_builders import Resource, measured

from invented import codes
from invented.story import Story, bare

FINE = ("relapse", "relapse", "combined", "recurrence", "by code", "M2 marrow", "written down twice")
TROUBLE = ("second relapse", "two relapses", "refractory", "outside only", "outside only, yet blasts", "M1 marrow", "no marrow",
           "below 20 %", "no unit", "pending", "which relapse", "suspected", "provisional")  # fmt: skip
ELSEWHERE = ("first remission", "myeloid", "died", "entered in error")  # no business of this trial
ONE_RECORD = frozenset({"suspected", "refractory", "provisional", "first remission", "entered in error"})  # no confirmed record of a relapse
UNDATED = frozenset({"refractory", "two relapses"})  # no relapse, or not one
LINEAGE_FINE = ("B", "B", "B", "T", "B answered", "B at relapse")
LINEAGE_TROUBLE = ("not stated", "mixed", "Burkitt", "lymphoma", "switch", "answered otherwise")

FIRST = {"not stated": codes.ALL_UNSPECIFIED, "mixed": codes.MIXED_PHENOTYPE, "Burkitt": codes.BURKITT, "T": known.T_ALL,
         "lymphoma": codes.ALL_UNSPECIFIED, "B answered": codes.ALL_UNSPECIFIED, "B at relapse": codes.ALL_UNSPECIFIED}  # fmt: skip
LATER = {"switch": known.T_ALL, "B at relapse": known.B_ALL}
ANSWERED = {"lymphoma": "lymphoblastic-lymphoma", "B answered": "b-all", "answered otherwise": "t-all"}


def lineage(story: Story) -> tuple[Resource, Resource]:
    """What it was called first, and at relapse."""
    which = story.plan["lineage"]
    first = FIRST.get(which, known.B_ALL)
    if which in ANSWERED:
        story.answers["lineage"] = ANSWERED[which]
    story.say("met", None, "INC-02")
    story.say("not_met", None, "EXC-01", "EXC-05")
    story.lineage = {"T": "T", "switch": "both", "answered otherwise": "both"}.get(which, "" if which in LINEAGE_TROUBLE else "B")
    if which == "not stated":
        story.say("unknown", "missing", "INC-02", "EXC-01", "EXC-05")
    elif which in ("mixed", "Burkitt"):
        story.say("not_met", None, "INC-02")
        story.say("met", None, "EXC-05" if which == "mixed" else "EXC-01")
    elif which == "lymphoma":
        story.say("unknown", "source_ambiguous", "INC-02")
        story.silent_on("EXC-01", "EXC-05")
    elif story.lineage == "both":  # B or T, or a mixture of both
        story.say("unknown", "conflict", "INC-02", "EXC-05")
    story.risk["lineage"] = story.lineage if story.lineage in ("B", "T") else "BT"
    return first, LATER.get(which, first)


def tell(story: Story) -> None:
    days, course, rng = story.days, story.plan["course"], story.rng
    first, later = lineage(story)
    if course == "myeloid":
        first = later = codes.AML
    story.condition(first, "remission", days.diagnosis)
    story.result(known.BLASTS, days.diagnosis, measured(rng.randint(60, 97), "%"), bodySite=known.MARROW)
    if story.plan["induction"] not in ("same drugs", "drugs not said"):
        story.result(known.BLASTS, days.diagnosis + timedelta(days=33), measured(rng.randint(0, 3), "%"), bodySite=known.MARROW)
    if course != "first remission":
        _relapse(story, later)
        _marrow(story)
    _truth(story)
    if course == "died":
        story.resources[0]["deceasedDateTime"] = str(story.today)


def _relapse(story: Story, code: Resource) -> None:
    day, course, rng = story.days.relapse, story.plan["course"], story.rng
    outside = course in ("outside only", "outside only, yet blasts")
    sites = () if outside or course == "by code" else (known.MARROW, known.TESTIS) if course == "combined" else (known.MARROW,)
    if outside or (course == "combined" and rng.random() < 0.5):
        story.condition(codes.CNS_LEUKAEMIA, "active", day)
    if outside:
        story.answers["relapse-site"] = "extramedullary-only"
    if course in ("suspected", "refractory"):
        if course == "refractory":
            story.condition(codes.REFRACTORY_ALL, "active", day)
        return
    if course == "by code":
        code = {"coding": [known.IN_RELAPSE, *code["coding"]], "text": f"{code['text']}, in relapse"}
    status = "active" if course == "by code" else "recurrence" if course == "recurrence" else "relapse"
    verified = {"provisional": "provisional", "entered in error": "entered-in-error"}.get(course, "confirmed")
    if course == "two relapses":
        story.condition(code, status, day - timedelta(days=rng.randint(61, 70)), sites=sites)
    story.condition(code, status, day, sites=sites, verified=verified)
    if course in ("which relapse", "second relapse"):
        story.resources[-1]["category"].append(codes.RELAPSE_LATER)
    if course == "written down twice":  # by another clinic, up to 60 days later: the same relapse
        story.condition(code, status, day + timedelta(days=rng.randint(1, 5)), sites=sites)
    if course == "entered in error":
        del story.resources[-1]["clinicalStatus"]
    if course == "which relapse" or (course in FINE and rng.random() < 0.7):
        story.answers["relapse-ordinal"] = "first"


def _marrow(story: Story) -> None:
    day, course, rng = story.days.relapse, story.plan["course"], story.rng
    share = rng.choice((25.1, 31, 48, 62, 77.5, 90))
    shown = {
        "M2 marrow": measured(rng.choice((5, 5.0, 12, 25)), "%"), "outside only": measured(1, "%"), "M1 marrow": measured(rng.choice((0, 3, 4.9)), "%"),
        "below 20 %": measured(20, "%", comparator="<"), "no unit": bare(share), "entered in error": measured(1, "%"),
    }.get(course, measured(share, "%"))  # fmt: skip
    if course != "no marrow":
        status = "preliminary" if course == "pending" else "final"
        story.result(known.BLASTS, day, shown, status=status, bodySite=known.MARROW)


UNKNOWN = {"outside only, yet blasts": "conflict", "M1 marrow": "source_ambiguous", "no marrow": "missing", "below 20 %": "imprecise",
           "no unit": "unit", "pending": "pending", "which relapse": "conflict", "suspected": "missing", "provisional": "missing"}  # fmt: skip


def _truth(story: Story) -> None:
    course = story.plan["course"]
    if course in ("second relapse", "two relapses", "refractory", "outside only"):
        story.say("not_met", None, "INC-03")
    elif course in UNKNOWN:
        story.say("unknown", UNKNOWN[course], "INC-03")
    else:
        story.say("met", None, "INC-03")
        story.risk["marrow"] = (True,)
