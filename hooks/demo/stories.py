"""The stories before reinduction: what each invented child's chart holds, and the one thing it is about."""

from __future__ import annotations

from datetime import date

from hooks.demo.chart_review import REVIEWER
from hooks.demo.everyday import everyday_life
from hooks.demo.fhir_builders import DETECTED, SNOMED, Chart, Resource, after, before, concept, measured
from hooks.demo.leukaemia import at_screening, diagnosis_and_relapse, reviewed_history, work_up
from hooks.demo.leukaemia_codes import B_ALL, BLASTS, KARNOFSKY, MARROW, MERCAPTOPURINE, T_ALL, TESTIS


def chart_of(id: str, given: str, family: str, gender: str, today: date, *, age: int) -> Chart:
    """A chart with everyday life in it; the birthday lies four to eight months back, far from every age limit."""
    chart = Chart(id, today)
    chart.child(given, family, gender, before(today, years=age, days=120 + chart.number % 120))
    everyday_life(chart, age)
    return chart


def closed(chart: Chart) -> list[Resource]:
    return [*chart.resources, REVIEWER]


def screening_complete(today: date) -> list[Resource]:
    chart, course = chart_of("screening-complete", "Ada", "Meadowlight", "female", today, age=14), at_screening(today)
    diagnosis_and_relapse(chart, course, status="recurrence")
    work_up(chart, course, creatinine=(0.6, "mg/dL"), pregnancy_test=True)
    reviewed_history(chart, course)
    return closed(chart)


def creatinine_in_umol(today: date) -> list[Resource]:
    chart, course = chart_of("creatinine-umol", "Ilyas", "Hazelwing", "male", today, age=8), at_screening(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, creatinine=(44, "umol/L"))
    reviewed_history(chart, course)
    return closed(chart)


def discordant_heart(today: date) -> list[Resource]:
    """Only total bilirubin, the shortening fraction just too low, the ejection fraction fine; no word on pregnancy."""
    chart = chart_of("discordant-heart", "Elin", "Mossgrove", "female", today, age=5)
    course = at_screening(today, off_treatment_days_before_relapse=500)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, creatinine=(0.4, "mg/dL"), direct_bilirubin=None, total_bilirubin=1.2, echo=(26, 55))
    reviewed_history(chart, course)
    return closed(chart)


def t_cell(today: date) -> list[Resource]:
    """Early combined relapse; T-ALL has its risk group already at screening."""
    chart = chart_of("t-cell", "Oskar", "Fernhollow", "male", today, age=13)
    course = at_screening(today, off_treatment_days_before_relapse=150)
    diagnosis_and_relapse(chart, course, lineage=T_ALL, sites=(MARROW, TESTIS), blasts=71)
    work_up(chart, course, creatinine=(0.7, "mg/dL"), cd19=None)
    reviewed_history(chart, course)
    return closed(chart)


def missing_echo(today: date) -> list[Resource]:
    chart, course = chart_of("missing-echo", "Emil", "Thistledown", "male", today, age=9), at_screening(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, echo=None)
    reviewed_history(chart, course)
    return closed(chart)


def stale_creatinine(today: date) -> list[Resource]:
    """The last creatinine is the follow-up clinic's, from before the relapse."""
    chart, course = chart_of("stale-creatinine", "Suri", "Larkspindle", "female", today, age=10), at_screening(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, creatinine_on=before(today, days=43))
    reviewed_history(chart, course, non_pregnancy_evidence="premenarchal")
    return closed(chart)


def two_lineages(today: date) -> list[Resource]:
    """First diagnosis B, relapse T, both confirmed: someone has to look, no one may guess."""
    chart, course = chart_of("two-lineages", "Jonas", "Willowmere", "male", today, age=16), at_screening(today)
    diagnosis_and_relapse(chart, course, lineage=B_ALL, relapsed_as=T_ALL)
    work_up(chart, course, creatinine=(0.8, "mg/dL"), performance=KARNOFSKY)
    reviewed_history(chart, course)
    return closed(chart)


def high_creatinine(today: date) -> list[Resource]:
    chart, course = chart_of("high-creatinine", "Bram", "Acornbury", "male", today, age=12), at_screening(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, creatinine=(1.3, "mg/dL"))
    reviewed_history(chart, course)
    return closed(chart)


def philadelphia_positive(today: date) -> list[Resource]:
    chart, course = chart_of("ph-positive", "Kaya", "Snowberry", "female", today, age=15), at_screening(today)
    diagnosis_and_relapse(chart, course)
    work_up(chart, course, creatinine=(0.6, "mg/dL"), bcr_abl1=DETECTED, pregnancy_test=True)
    reviewed_history(chart, course)
    return closed(chart)


def first_remission(today: date) -> list[Resource]:
    """Leukaemia, but never relapsed: on maintenance, and no business of this trial."""
    chart = chart_of("first-remission", "Pip", "Dandelion", "female", today, age=5)
    diagnosis = before(today, days=430)
    chart.condition(B_ALL, "remission", diagnosis)
    chart.observation(BLASTS, diagnosis, measured(91, "%"), bodySite=MARROW)
    chart.observation(BLASTS, after(diagnosis, 33), measured(1, "%"), bodySite=MARROW)
    chart.course_of(MERCAPTOPURINE, after(diagnosis, 230), None, "active")
    return closed(chart)


def asthma(today: date) -> list[Resource]:
    chart = chart_of("asthma", "Wilma", "Applemoor", "female", today, age=9)
    chart.condition(concept(SNOMED, "195967001", "Asthma (disorder)", text="Asthma"), "active", before(today, years=3))
    return closed(chart)
