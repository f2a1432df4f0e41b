"""What a rule is said to need is what it reads: the derived data of every criterion, and that no child makes it read more.

The table is written by hand from protocol-reading.md, section 1. Nothing in the program declares these needs.
"""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from cds.case import Case
from cds.day import Day, on, partial
from cds.facts import ChartReview, Diagnosis, Dose, Event, Listed, PatientFacts, Taken
from cds.finding import Basis, Evidence, Gap, Why
from cds.series import Reading, Series
from cds.trials import NCT05827549 as TRIAL
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import amount, any_amount, one
from fhir_mappings import Answer, Outcome, Record, codelists, read_patient
from fhir_mappings.chart_review import READERS
from fhir_mappings.fact_sources import ALSO_SAID_BY, FACTS, codelists_of, searches_of
from fhir_mappings.events import EVENT_SEARCHES
from fhir_mappings.sources import OBSERVED, SEARCHES
from hooks.protocol_needs import DATES, AnswersOnDemand, Needs, needs_of, needs_of_date, needs_of_risk
from hooks.protocol_probes import NOBODY, PROBES

# id: facts; linkIds of the chart review; dates
EXPECTED = {
    "INC-01": ("birth_date", "", "relapse date"),
    "INC-02": ("diagnoses", "lineage", ""),
    "INC-03": ("diagnoses marrow_blasts", "relapse-ordinal relapse-site extramedullary-site relapse-marrow-blasts relapse-date",
               "relapse date,day of evaluation"),
    "INC-04": ("transplants", "prior-allogeneic-transplant treatment-history-complete", "day of evaluation"),
    "INC-05": ("blinatumomab", "prior-blinatumomab treatment-history-complete", "day of evaluation"),
    "INC-06": ("creatinine birth_date sex", "", "day of evaluation"),
    "INC-07": ("bilirubin_direct bilirubin_total bilirubin_conjugated", "", "day of evaluation"),
    "INC-08": ("ejection_fraction shortening_fraction", "", "day of evaluation"),
    "INC-09": ("performance birth_date", "", "day of evaluation"),
    "INC-10": ("", "life-expectancy-at-least-1-year", "relapse date"),
    "INC-11": ("", "expected-compliance", "relapse date"),
    "INC-12": ("consent", "consent-and-assent-signed", ""),
    "EXC-01": ("diagnoses", "lineage", ""),
    "EXC-02": ("bcr_abl1", "bcr-abl1", ""),
    "EXC-03": ("diagnoses cd19", "lineage cd19-on-relapse-blasts", "relapse date,day of evaluation"),
    "EXC-04": ("first_line_end doses", "frontline-induction-end-date same-four-drug-induction off-treatment-date", "relapse date"),
    "EXC-05": ("diagnoses", "lineage", ""),
    "EXC-06": ("first_line_end doses", "frontline-induction-end-date same-four-drug-induction off-treatment-date", "relapse date"),
    "EXC-07": ("syndromes", "", ""),
    "EXC-08": ("hiv hiv_infection", "", "day of evaluation"),
    "EXC-09": ("sex birth_date hcg pregnancy sterilised", "non-pregnancy-evidence", "day of evaluation"),
    "EXC-10": ("other_studies", "", ""),
    "EXC-11": ("", "unstable-condition", "relapse date"),
    "EXC-12": ("neurological", "relevant-cns-pathology", "relapse date"),
    "EXC-13": ("allergies", "", ""),
}  # fmt: skip
EXPECTED_SETTINGS = {
    "INC-01": "age_upper",
    "INC-03": "relapse_sample_days_before marrow_below_5pct",
    "INC-06": "creatinine_days",
    "INC-07": "bilirubin_days",
    "INC-08": "echo_days",
    "INC-09": "performance_status_days",
    "EXC-03": "relapse_sample_days_before cd19_negative",
    "EXC-07": "bone_marrow_failure",
    "EXC-08": "hiv_days hiv_silence",
    "EXC-09": "hcg_days prepubertal_presumption_below_age",
}
RULES = {rule.id: rule.rule for rule in (*TRIAL.criteria, *TRIAL.flags)}
RULES |= {"applies": lambda case, _: TRIAL.applies(case)}
RULES |= {"risk": lambda case, policies: TRIAL.risk_inputs(case, AnswersOnDemand(TRIAL, case, policies))}
RULES |= {name: lambda case, _, attribute=attribute: case.computed(attribute) for name, attribute in DATES.items()}
CRITERIA = pytest.mark.parametrize("id", [c.id for c in TRIAL.criteria])


def needs(rule_id: str, *children: PatientFacts) -> Needs:
    return needs_of(RULES[rule_id], TRIAL.policies, children or PROBES)


@CRITERIA
def test_each_criterion_reads_what_the_text_speaks_of(id):
    facts, answers, dates = EXPECTED[id]
    found = needs(id)
    assert set(facts.split()) <= set(found.facts)
    assert set(answers.split()) <= set(found.answers)
    assert set(filter(None, dates.split(","))) <= set(found.dates)


@CRITERIA
def test_each_criterion_reads_the_settings_that_bear_on_it(id):
    assert set(EXPECTED_SETTINGS.get(id, "").split()) == set(needs(id).settings)


def test_the_dates_have_needs_of_their_own():
    relapse, reinduction, evaluation = (needs_of_date(name, TRIAL.policies) for name in DATES)
    assert {"diagnoses", "marrow_blasts", "doses", "taken", "first_line_start", "first_line_end"} <= set(relapse.facts)
    assert {"relapse-date", "initial-diagnosis-date"} <= set(relapse.answers)
    assert {"doses"} <= set(reinduction.facts) and {"reinduction-start-date"} <= set(reinduction.answers)
    assert {"enrolment"} <= set(evaluation.facts) and {"enrolment-date"} <= set(evaluation.answers)
    assert "relapse date" in reinduction.dates and "relapse date" in evaluation.dates


def test_the_risk_group_needs_its_five_inputs():
    found = needs_of_risk(TRIAL)
    assert {"diagnoses", "marrow_blasts", "mrd", "doses", "first_line_end"} <= set(found.facts)
    assert {"lineage", "off-treatment-date", "on-treatment-at-relapse", "eoi-marrow-category", "eoi-ngs-mrd", "eoi-ngs-mrd-lod"} <= set(found.answers)
    assert "eoi_days" in found.settings


def test_the_order_is_that_of_the_vocabulary():
    assert list(needs("EXC-09").facts) == [fact for fact in FACTS if fact in needs("EXC-09").facts]


def test_why_a_blank_record_alone_would_not_do():
    """These rules stop before they have read everything when nothing is known: the other two children lead them on."""
    hidden = {id: set(needs(id).facts) - set(needs(id, NOBODY).facts) for id in RULES}
    assert hidden["INC-06"] >= {"birth_date", "sex"} and hidden["INC-09"] >= {"birth_date"} and hidden["EXC-04"] >= {"doses"}


# --- no child makes a rule read more -----------------------------------------------------------------------------

SOURCE = Evidence("on record", "Observation/1", "2025-08-28", Basis.RECORDED)
ATTESTED = Evidence("answer (chart review, Dr Q)", "QuestionnaireResponse/1", "2025-09-01", Basis.ATTESTED)
DAYS = [*[on("2025-08-28")] * 4, on("2025-08-25"), on("2025-10-01"), on("2019-02-01"), on("2021-06-30"), partial("2024-08"), partial("2025")]
NOT_FOUND = Gap("something", Why.NOT_LOOKED_UP, "not looked up")
PROBLEM = Gap("something", Why.UNIT, "no unit")
AMOUNTS = {"marrow_blasts": "3 %;5 %;62 %", "mrd": "<0.01 %;0.1 %;3 %", "creatinine": "0.5 mg/dL;1.45 mg/dL;9 mg/dL",
           "ejection_fraction": "62 %;40 %", "shortening_fraction": "34 %;20 %", "performance": "80 %;50 %", "bilirubin_direct": "0.2 mg/dL;4 mg/dL",
           "bilirubin_conjugated": "0.2 mg/dL;4 mg/dL", "bilirubin_total": "1 mg/dL;5 mg/dL"}  # fmt: skip
CHOICES = {"bcr_abl1": "positive negative", "cd19": "positive partial negative", "hiv": "negative reactive detected", "hcg": "positive negative"}
LABELS = {"performance": ["lansky", "karnofsky", "ecog"],
          "mrd": ["ngs", "flow", "marrow", "eoi", "not_detected"], "marrow_blasts": ["eoi", "inadequate"]}  # fmt: skip
KINDS = {
    "transplants": "allogeneic donor_not_stated autologous graft_versus_host",
    "blinatumomab": "given ordered",
    "other_cd19_therapy": "given",
    "syndromes": "Down_syndrome dyskeratosis_congenita",
    "hiv_infection": "hiv_infection",
    "pregnancy": "pregnancy",
    "sterilised": "hysterectomy",
    "neurological": "epilepsy",
    "allergies": "listed likely related unspecified other none_known",
    "other_studies": "treatment follow_up",
    "consent": "refused document",
}


def some_child(dice: random.Random) -> PatientFacts:
    """Any record at all: each fact not looked up, not found, or found, once or several times, plain or doubtful."""

    def several(make: Any) -> tuple[Any, ...]:
        return tuple(make() for _ in range(dice.choice([0, 1, 1, 2, 3])))

    def reading(fact: str) -> Reading:
        value = amount(dice.choice(AMOUNTS[fact].split(";")), SOURCE) if fact in AMOUNTS else one(dice.choice(CHOICES[fact].split()), SOURCE)
        labels = frozenset(label for label in LABELS.get(fact, ()) if dice.random() < 0.6)
        problem = PROBLEM if dice.random() < 0.15 else None
        return Reading(any_amount(PROBLEM) if problem else value, dice.choice(DAYS), SOURCE, labels, problem)

    def diagnosis() -> Diagnosis:
        lineage = dice.choice(["b_all", "b_all", "t_all", "mixed_phenotype", "burkitt_or_mature_b", "lymphoblastic_lymphoma", ""])
        return Diagnosis(
            SOURCE, frozenset({lineage} if lineage else ()), frozenset({"lymphoblastic_lymphoma"} if dice.random() < 0.1 else ()),
            dice.choice([MET, MET, UNKNOWN]), dice.choice([MET, MET, MET, UNKNOWN, NOT_MET]),
            dice.choice([*DAYS, None]), dice.choice([*DAYS, None]),
            dice.random() < 0.5, dice.random() < 0.1, dice.random() < 0.2, dice.choice(["first", "later", None, None]),
            frozenset(site for site in ("marrow", "cns", "testis") if dice.random() < 0.4))  # fmt: skip

    def event(fact: str) -> Event:
        kind = dice.choice(KINDS[fact].split()).replace("_", " " if fact == "syndromes" else "_")
        return Event(kind, SOURCE, dice.choice([*DAYS, None]), dice.choice([MET, MET, UNKNOWN, NOT_MET]))

    def answers() -> dict[str, Any]:
        given = {link_id: dice.choice(READABLE[link_id]) for link_id in READERS if dice.random() < dice.choice([0.1, 0.6])}
        return {link_id: replace(answer, evidence=(ATTESTED,)) for link_id, answer in given.items()}

    def gap() -> Gap | None:
        return dice.choice([None, None, NOT_FOUND])

    found: dict[str, Any] = {fact: Series(fact, several(lambda fact=fact: reading(fact)), gap()) for fact in (*AMOUNTS, *CHOICES)}
    found |= {fact: Listed(several(lambda fact=fact: event(fact)), gap()) for fact in KINDS}
    found["diagnoses"] = Listed(several(diagnosis), gap())
    drugs = ["vincristine", "mercaptopurine", "etoposide"]
    found["doses"] = Listed(several(lambda: Dose(dice.choice(drugs), dice.choice(DAYS), SOURCE)), gap(), dice.random() < 0.3)
    found["taken"] = Listed(several(lambda: Taken(dice.choice(drugs), dice.choice([*DAYS, Day()]), dice.choice([*DAYS, Day()]), SOURCE, dice.choice([MET, UNKNOWN]))), gap())
    found["first_line_start"] = Listed(several(lambda: dice.choice(DAYS)), gap())
    found["first_line_end"] = Listed(several(lambda: dice.choice(DAYS)), gap())
    found["enrolment"] = Listed(several(lambda: dice.choice([*DAYS, Day()])), gap(), dice.random() < 0.3)
    found["birth_date"] = dice.choice([on("2011-01-01"), on("2003-09-01"), partial("2015"), on("2001-02-28"), on("2024-12-24")])
    found["sex"] = one(dice.choice(["male", "female"]), SOURCE)
    found["deceased"] = one("no", SOURCE)
    found["chart_review"] = ChartReview(answers(), frozenset(dice.choice([(), ("cns",)])), dice.random() < 0.3, dice.choice([None, NOT_FOUND]))
    silent = {fact for fact in found if dice.random() < 0.2}
    return PatientFacts("Patient/any", date(2025, dice.choice([9, 11]), 1), **{fact: value for fact, value in found.items() if fact not in silent})


def _readable() -> dict[str, list[Any]]:
    """Every kind of answer to every item, as its own reader reads it."""
    codes = ("yes no refused first second-or-later refractory suspected b-all t-all isolated-marrow combined extramedullary-only "
             "positive partial negative premenarchal M1 M2 M3").split()  # fmt: skip
    tried = [{"valueCoding": {"code": code}} for code in codes] + [{"valueBoolean": told} for told in (True, False)]
    tried += [{"valueDate": day} for day in ("2025-08-25", "2019-03-05", "2021-06-30", "2025", "2025-09-03")]
    tried += [{"valueQuantity": {"value": n, "unit": "%", "code": "%"}} for n in (0, 3, 62)]
    return {link_id: [answer for each in tried if (answer := read(each, ATTESTED)) is not None] for link_id, read in READERS.items()}


READABLE = _readable()


def test_no_record_makes_a_rule_read_what_is_not_listed():
    dice = random.Random(5827549)
    children = tuple(some_child(dice) for _ in range(400))
    for id, rule in RULES.items():
        listed, read = needs(id), needs_of(rule, TRIAL.policies, children)
        for kind in (field.name for field in fields(Needs)):
            unlisted = set(getattr(read, kind)) - set(getattr(listed, kind))
            assert not unlisted, f"{id} can read the {kind} {sorted(unlisted)}: put what makes it do so into protocol_probes.py"


def test_the_invented_records_reach_every_answer():
    """Else the law above would say little: every criterion is met, not met and unknown for some of these children."""
    dice = random.Random(5827549)
    missing = {c.id: {MET, NOT_MET, UNKNOWN} for c in TRIAL.criteria}
    for _ in range(3000):
        case = Case(some_child(dice), TRIAL.policies)
        for criterion in TRIAL.criteria:
            if missing[criterion.id]:
                missing[criterion.id].discard(criterion.rule(case, TRIAL.policies).truth)
    assert not {id: truths for id, truths in missing.items() if truths}


# --- where a fact comes from -------------------------------------------------------------------------------------


def test_every_fact_comes_from_a_search():
    searches = searches_of()
    assert set(searches) == set(FACTS) and all(searches.values())
    assert set(FACTS) == {f.name for f in fields(PatientFacts)} - {"patient", "as_of", "issues", "not_looked_up"}


def test_the_searches_found_are_those_the_tables_name():
    searches = searches_of()
    for observed in OBSERVED:
        assert observed.search in searches[observed.fact]
    for fact, named in EVENT_SEARCHES.items():
        assert set(named) == set(searches[fact]) - set(ALSO_SAID_BY.get(fact, ()))
    assert searches["birth_date"] == ("patient",) and searches["chart_review"] == ("answers",)


def test_every_search_serves_a_fact():
    assert {s.name for s in SEARCHES} == {name for names in searches_of().values() for name in names}


def test_every_codelist_named_exists():
    for fact in FACTS:
        assert set(codelists_of(fact)) <= codelists.in_use().concepts


@pytest.mark.parametrize(("fact", "search", "resource"), [
    ("bcr_abl1", "conditions", {"resourceType": "Condition", "code": {"coding": [{"system": "http://snomed.info/sct", "code": "425688002"}]}}),
    ("blinatumomab", "procedures", {"resourceType": "Procedure", "status": "completed",
                                    "code": {"coding": [{"system": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "code": "J9039"}]}}),
])  # fmt: skip
def test_what_is_also_said_elsewhere_is_read_there(fact, search, resource):
    said = resource | {"id": "1", "subject": {"reference": "Patient/child"}}
    facts = read_patient(Record("child", {search: Answer(Outcome.ANSWERED, (said,))}), date(2025, 9, 1))
    found = getattr(facts, fact)
    assert getattr(found, "readings", ()) or getattr(found, "items", ())
    assert search in searches_of()[fact]
