"""Which leukaemia it is, and where this relapse is: what confirmed records and the chart review leave open."""

from __future__ import annotations

from cds import course
from cds.day import Day
from cds.facts import LINEAGES, PatientFacts
from cds.finding import Finding, Gap, Why, met, not_met
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import Choice, any_of

OUTSIDE_THE_MARROW = frozenset({"extramedullary_only", "combined"})
OF_B_CELLS = frozenset({"b_all", "burkitt_or_mature_b"})


def lineage(facts: PatientFacts) -> Choice:
    """Which leukaemia of the lymphoblastic family: what confirmed records and the chart review leave open."""
    recorded = [d for d in course.confirmed(facts) if d.lineages]
    refuted = [d for d in facts.diagnoses.items if d.confirmed is NOT_MET and len(d.lineages) == 1]
    answered = facts.chart_review.answers.get("lineage")
    stated = {lineage for d in recorded for lineage in d.lineages} | set(answered.options if answered else ())
    denied = {lineage for d in refuted for lineage in d.lineages}
    evidence = tuple(d.source for d in recorded) + (answered.evidence if answered else ())
    if stated & denied or len(stated) > 1:
        told = evidence + tuple(d.source for d in refuted)
        gap = Gap("lineage", Why.CONFLICT, "more than one lineage on record: " + ", ".join(map(str, told)), told)
        both = {"mixed_phenotype"} if "t_all" in stated and stated & OF_B_CELLS else set()
        return any_of(stated | both | (LINEAGES if stated & denied else set()), gap)
    unreadable = [d for d in facts.diagnoses.items if d.unreadable and d.lineages - stated]
    if stated and unreadable:
        also = {lineage for d in unreadable for lineage in d.lineages}
        seen = tuple(d.source for d in unreadable)
        return any_of(stated | also, Gap("lineage", Why.UNIT, f"{seen[0]}: a record that cannot be read; is it so?", seen))
    if stated:
        return Choice(frozenset(stated), evidence)
    lymphoma = tuple(d.source for d in facts.diagnoses.items if "lymphoblastic_lymphoma" in d.hinted)
    if lymphoma:
        words = "lymphoblastic lymphoma: the text names leukaemia only; ask the study team"
        return any_of(LINEAGES - denied, Gap("lineage", Why.SOURCE_AMBIGUOUS, words, lymphoma))
    doubtful = tuple(d.source for d in facts.diagnoses.items if d.confirmed is UNKNOWN and d.lineages)
    words = "lineage not confirmed" if doubtful else "lineage not recorded (immunophenotype)"
    gap = facts.diagnoses.gap or Gap("lineage", Why.MISSING, words, doubtful)
    return Choice(LINEAGES - denied, tuple(d.source for d in refuted), (gap,))


def mixed_at_one_time(facts: PatientFacts) -> Finding:
    """Mixed phenotype at diagnosis or at relapse: all that is on record of that time says so, whatever it was at the other."""
    denied = any(d.confirmed is NOT_MET and "mixed_phenotype" in d.lineages for d in facts.diagnoses.items)
    answered = facts.chart_review.answers.get("lineage")
    if denied or answered and answered.options != {"mixed_phenotype"}:
        return not_met()
    for of_relapse in (False, True):
        then = [d for d in course.confirmed(facts) if d.lineages and d.relapse is of_relapse]
        if then and all(d.lineages == {"mixed_phenotype"} for d in then):
            return met(*(d.source for d in then), *(answered.evidence if answered else ()))
    return not_met()


def relapse_sites(facts: PatientFacts, outside: Choice) -> Choice:
    """isolated_marrow | combined | extramedullary_only, as recorded for this relapse (not from the marrow count).

    Where the sites that are recorded all lie outside the marrow, it is combined only if the marrow shows it."""
    everything = {"isolated_marrow", "combined", "extramedullary_only"}
    records = course.relapse_records(facts)
    evidence = tuple(dict.fromkeys((*(d.source for d in records if d.sites), *outside.evidence)))
    recorded = None
    if any("marrow" in d.sites for d in records):
        recorded = Choice(frozenset({"combined"} if outside.options else {"isolated_marrow", "combined"}), evidence)
    elif outside.options and any(d.sites for d in records):
        silent = tuple(d.source for d in records if not d.sites)
        unsaid = Gap("relapse site", Why.MISSING, f"{silent[0]}: at which site is not recorded", silent) if silent else None
        gap = facts.diagnoses.gap or facts.chart_review.gap or unsaid
        recorded = Choice(OUTSIDE_THE_MARROW, evidence, (gap,) if gap else ())
    answered = facts.chart_review.answers.get("relapse-site")
    if answered and recorded and recorded.options.isdisjoint(answered.options):
        words = "relapse site differs between the record and the chart review"
        return recorded.either(answered, Gap("relapse site", Why.CONFLICT, words, recorded.evidence + answered.evidence))
    gap = facts.diagnoses.gap or Gap("relapse site", Why.MISSING, "relapse site not recorded")
    return answered or recorded or any_of(everything, gap)


def extramedullary_sites(facts: PatientFacts, first: Day, last: Day) -> Choice:
    """The sites outside the marrow on record for this relapse; an empty set when none is."""
    inside = [d for d in facts.diagnoses.items if d.confirmed is MET and d.sites - {"marrow"} and not d.remission
              and (d.relapse or (d.onset and first.surely_by(d.onset) and d.onset.surely_by(last)))]
    sites = {site for d in inside for site in d.sites - {"marrow"}} | facts.chart_review.sites
    return Choice(frozenset(sites), tuple(d.source for d in inside))
