"""The facts that can still be asked for, the cheapest first, each with the values it could turn out to have.

The order is that of a working day: look it up, order a test, ask a colleague, judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cds.case import Case
from cds.day import Day, on
from cds.facts import ChartReview, Event, Listed, PatientFacts
from cds.finding import Basis, Evidence
from cds.next_steps import OpenFact, Supposing
from cds.series import Reading, Series
from cds.values import amount, one

Facts = Mapping[str, Any]
"""Fields of PatientFacts."""
SUPPOSED = Evidence("supposed", basis=Basis.ATTESTED)


def result(field: str, value: str, *labels: str) -> Supposing:
    """One current result and nothing else: an amount such as `0.1 mg/dL`, or an option such as `negative`."""
    found = amount(value, SUPPOSED) if value[0].isdigit() else one(value, SUPPOSED)

    def supposing(facts: PatientFacts, case: Case) -> Facts:
        when = _now(case) if "eoi" not in labels else on(facts.as_of, SUPPOSED)
        return {field: Series(getattr(facts, field).name, (Reading(found, when, SUPPOSED, frozenset(labels)),))}

    return supposing


def both(*supposings: Supposing) -> Supposing:
    """Of different facts."""
    return lambda facts, case: {field: fact for each in supposings for field, fact in each(facts, case).items()}


def answer(link_id: str, option: str) -> Supposing:
    """A clinician's answer, given today."""

    def supposing(facts: PatientFacts, case: Case) -> Facts:
        told = replace(SUPPOSED, date=(facts.as_of + timedelta(days=1)).isoformat())
        return _answering(facts, {**facts.chart_review.answers, link_id: one(option, told)})

    return supposing


def events(field: str, kind: str = "") -> Supposing:
    """This one event and no other; none at all without a kind."""
    found = Listed((Event(kind, SUPPOSED),) if kind else ())
    return lambda facts, case: {field: found}


def lineage(option: str) -> Supposing:
    """Every leukaemia record states this lineage, as after one immunophenotype."""

    def supposing(facts: PatientFacts, case: Case) -> Facts:
        told = tuple(replace(d, lineages=frozenset({option}), hinted=frozenset()) for d in facts.diagnoses.items)
        review = ChartReview({k: v for k, v in facts.chart_review.answers.items() if k != "lineage"}, facts.chart_review.sites)
        return {"diagnoses": Listed(told), "chart_review": review}

    return supposing


def off_treatment(years_before_relapse: int) -> Supposing:
    def supposing(facts: PatientFacts, case: Case) -> Facts:
        if not case.relapse_date.exact:
            return {}
        end = replace(case.relapse_date.plus_years(-years_before_relapse).plus_days(-1), evidence=(SUPPOSED,))
        answers = {k: v for k, v in facts.chart_review.answers.items() if k not in ("off-treatment-date", "on-treatment-at-relapse")}
        return {"first_line_end": Listed((end,)), "doses": Listed(), "taken": Listed(), **_answering(facts, answers)}

    return supposing


def relapsed(years_old: int) -> Supposing:
    """A birth date that makes the child this old at relapse."""

    def supposing(facts: PatientFacts, case: Case) -> Facts:
        relapse = case.relapse_date if case.relapse_date.exact else on(facts.as_of)
        return {"birth_date": replace(relapse.plus_years(-years_old), evidence=(SUPPOSED,), gaps=())}

    return supposing


def sex(option: str) -> Supposing:
    return lambda facts, case: {"sex": one(option, SUPPOSED)}


def relapse_date(days_ago: int) -> Supposing:
    def supposing(facts: PatientFacts, case: Case) -> Facts:
        when = on(facts.as_of - timedelta(days=days_ago), SUPPOSED)
        return _answering(facts, {**facts.chart_review.answers, "relapse-date": when})

    return supposing


def _answering(facts: PatientFacts, answers: Mapping[str, Any]) -> Facts:
    return {"chart_review": replace(facts.chart_review, answers=answers, gap=None)}


def _now(case: Case) -> Day:
    return on(case.evaluated_on.last or case.facts.as_of, SUPPOSED)


def _judgement(name: str, link_id: str) -> OpenFact:
    return OpenFact(name, (link_id,), (answer(link_id, "yes"), answer(link_id, "no")))


OPEN_FACTS = (
    OpenFact("creatinine", ("creatinine",), (result("creatinine", "0.1 mg/dL"), result("creatinine", "20 mg/dL")), "INC-06"),
    OpenFact("direct bilirubin", ("direct bilirubin", "total bilirubin"),
             (result("bilirubin_direct", "0.1 mg/dL"), result("bilirubin_direct", "20 mg/dL")), "INC-07"),
    OpenFact("sex", ("sex",), (sex("male"), sex("female"))),
    OpenFact("birth date", ("birth date", "age", "age at relapse"), (relapsed(5), relapsed(30))),
    OpenFact("relapse date", ("relapse date",), (relapse_date(14), relapse_date(400))),
    OpenFact("performance status", ("performance status",), tuple(
        result("performance", score, "lansky", "karnofsky") for score in ("90 %", "30 %")), "INC-09"),
    OpenFact("pregnancy test", ("pregnancy test",), (result("hcg", "negative"), result("hcg", "positive"))),
    OpenFact("HIV test", ("HIV test", "HIV infection"), (
        both(events("hiv_infection"), result("hiv", "negative")), both(events("hiv_infection"), result("hiv", "detected")))),
    OpenFact("allergies", ("allergies",), (events("allergies", "none_known"), events("allergies", "listed"))),
    OpenFact("echocardiogram", ("shortening fraction", "ejection fraction"), tuple(
        both(result("shortening_fraction", sf, "echo"), result("ejection_fraction", ef, "echo"))
        for sf, ef in (("40 %", "60 %"), ("10 %", "20 %"))), "INC-08"),
    OpenFact("treatment in another trial", ("other trial", "other studies"),
             (events("other_studies"), events("other_studies", "treatment")), "EXC-10"),
    OpenFact("prior allogeneic transplant", ("allogeneic transplant",), tuple(
        both(events("transplants"), answer("prior-allogeneic-transplant", a)) for a in ("yes", "no"))),
    OpenFact("prior blinatumomab", ("blinatumomab",), tuple(
        both(events("blinatumomab"), answer("prior-blinatumomab", a)) for a in ("yes", "no"))),
    OpenFact("first or later relapse", ("relapse", "relapse ordinal"), tuple(answer("relapse-ordinal", a) for a in ("first", "second-or-later"))),
    OpenFact("off-treatment date", ("off-treatment date", "end of first-line treatment"), (off_treatment(0), off_treatment(3))),
    OpenFact("end of frontline induction", ("end of frontline induction",), (off_treatment(3),)),
    OpenFact("same four induction drugs", ("same four induction drugs",), tuple(answer("same-four-drug-induction", a) for a in ("yes", "no"))),
    OpenFact("immunophenotype", ("lineage", "leukaemia diagnosis"), tuple(map(lineage, ("b_all", "t_all", "mixed_phenotype", "burkitt_or_mature_b")))),
    OpenFact("CD19 on relapse blasts", ("CD19",), (result("cd19", "positive"), result("cd19", "negative"))),
    OpenFact("BCR::ABL1", ("BCR::ABL1",), (result("bcr_abl1", "negative"), result("bcr_abl1", "positive"))),
    OpenFact("marrow blasts at relapse", ("marrow blasts",), (result("marrow_blasts", "60 %"), result("marrow_blasts", "1 %"))),
    OpenFact("genetic syndrome", ("genetic syndrome",), (events("syndromes"), events("syndromes", "Down syndrome"))),
    OpenFact("end-of-induction marrow", ("end-of-induction marrow blasts",), tuple(
        result("marrow_blasts", blasts, "eoi") for blasts in ("1 %", "60 %"))),
    OpenFact("end-of-induction NGS-MRD", ("end-of-induction NGS-MRD",), tuple(
        result("mrd", mrd, "ngs", "marrow", "eoi") for mrd in ("0.001 %", "1 %"))),
    _judgement("life expectancy", "life-expectancy-at-least-1-year"),
    _judgement("expected compliance", "expected-compliance"),
    OpenFact("consent and assent", ("consent-and-assent-signed",), tuple(answer("consent-and-assent-signed", a) for a in ("yes", "refused"))),
    _judgement("unstable conditions", "unstable-condition"),
    _judgement("CNS pathology", "relevant-cns-pathology"),
)  # fmt: skip
