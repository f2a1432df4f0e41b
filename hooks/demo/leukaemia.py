"""The illness itself: first diagnosis, relapse, the work-up for the trial and the end of reinduction.

Every function writes the complete, unremarkable version; a story changes only what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hooks.demo.chart_review import answer, enrolled
from hooks.demo.fhir_builders import (
    HL7, ICD10CM, LOINC, NCIT, NEGATIVE, NOT_DETECTED, OURS, POSITIVE, RXNORM, SNOMED,
    Chart, Resource, after, before, concept, measured,
)  # fmt: skip


def _loinc(code: str, display: str, text: str = "") -> Resource:
    return concept(LOINC, code, display, text=text)


def _snomed(code: str, display: str, text: str = "") -> Resource:
    return concept(SNOMED, code, display, text=text)


B_ALL = _snomed("277571004", "B-cell acute lymphoblastic leukemia (disorder)", "B-cell acute lymphoblastic leukaemia")
T_ALL = _snomed("277575008", "T-cell acute lymphoblastic leukemia (disorder)", "T-cell acute lymphoblastic leukaemia")
IN_RELAPSE = {"system": ICD10CM, "code": "C91.02", "display": "Acute lymphoblastic leukemia, in relapse"}
FIRST_LINE = _snomed("708255002", "First line treatment")
NO_ALLERGY = _snomed("716186003", "No known allergy (situation)", "No known allergy")
MARROW = _snomed("14016003", "Bone marrow structure", "bone marrow")
TESTIS = _snomed("40689003", "Testis structure (body structure)", "testis")
VINCRISTINE = concept(RXNORM, "11202", "vincristine")
IDARUBICIN = concept(RXNORM, "5650", "idarubicin")
MERCAPTOPURINE = concept(RXNORM, "103", "mercaptopurine")

BLASTS = _loinc("11150-0", "Blasts/100 cells in Bone marrow", "Marrow blasts")
CD19 = concept(OURS, "cd19-on-blasts", "CD19 on blasts", text="CD19 on leukaemic blasts (flow cytometry)")
BCR_ABL1 = _loinc("21821-4", "t(9;22)(q34.1;q11)(ABL1,BCR) fusion transcript", "BCR::ABL1 fusion transcript")
HIV = _loinc(
    "56888-1", "HIV 1+2 Ab+HIV1 p24 Ag [Presence] in Serum or Plasma by Immunoassay", "HIV antibody and antigen"
)
HCG = _loinc("2106-3", "Choriogonadotropin (pregnancy test) [Presence] in Urine", "Pregnancy test, urine")
CREATININE = {
    "mg/dL": _loinc("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "Creatinine"),
    "umol/L": _loinc("14682-9", "Creatinine [Moles/volume] in Serum or Plasma", "Creatinine"),
}
DIRECT_BILIRUBIN = _loinc("1968-7", "Bilirubin.direct [Mass/volume] in Serum or Plasma", "Bilirubin, direct")
TOTAL_BILIRUBIN = _loinc("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma", "Bilirubin, total")
SHORTENING = _loinc("18051-3", "Left Ventricular Fractional Shortening", "Shortening fraction")
EJECTION = _loinc("18043-0", "Left ventricular Ejection fraction by US", "Ejection fraction")
LANSKY = concept(NCIT, "C38144", "Lansky performance status")
KARNOFSKY = _loinc("89243-0", "Karnofsky Performance Status score")
NGS_MRD = concept(
    OURS, "mrd-ngs-marrow", "Residual disease in marrow by next-generation sequencing", text="NGS-MRD, marrow"
)
DETECTION_LIMIT = concept(OURS, "mrd-limit-of-detection", "Limit of detection")
END_OF_INDUCTION = concept(OURS, "end-of-induction", "End-of-induction assessment")


@dataclass(frozen=True)
class Course:
    """The dates one illness turns on. `off_treatment` may be known to the month only, or be absent."""

    diagnosis: date
    off_treatment: date | str | None
    relapse: date
    screening: date
    reinduction: date | None = None

    @property
    def end_of_induction(self) -> date | None:
        return self.reinduction and after(self.reinduction, 29)


def at_screening(today: date, *, off_treatment_days_before_relapse: int = 1240) -> Course:
    relapse = before(today, days=6)
    off = before(relapse, days=off_treatment_days_before_relapse)
    return Course(before(off, years=2, days=140), off, relapse, screening=before(today, days=3))


def after_reinduction(today: date, *, relapse_days_ago: int = 48) -> Course:
    relapse = before(today, days=relapse_days_ago)
    off = before(relapse, days=1240)
    return Course(before(off, years=2, days=140), off, relapse, after(relapse, 5), reinduction=after(relapse, 9))


def diagnosis_and_relapse(
    chart: Chart,
    course: Course,
    *,
    lineage: Resource = B_ALL,
    relapsed_as: Resource | None = None,
    status: str = "relapse",
    sites: tuple[Resource, ...] = (MARROW,),
    blasts: float = 62,
) -> None:
    """Two Conditions, as a problem list keeps them, and the marrow that showed the relapse."""
    chart.condition(lineage, "remission", course.diagnosis)
    code = relapsed_as or lineage
    relapse_code = {"coding": [*code["coding"], IN_RELAPSE], "text": f"{code['text']}, relapse"}
    chart.condition(relapse_code, status, course.relapse, sites=sites)
    chart.observation(BLASTS, course.diagnosis, measured(88, "%"), bodySite=MARROW)
    chart.observation(BLASTS, course.relapse, measured(blasts, "%"), bodySite=MARROW)
    end = course.off_treatment
    if end:
        chart.add("Procedure", status="completed", subject=chart.ref(),
                  code=FIRST_LINE,
                  performedPeriod={"start": str(after(course.diagnosis, 3)), "end": str(end)})  # fmt: skip
    if not isinstance(end, str):
        chart.course_of(MERCAPTOPURINE, after(course.diagnosis, 230), end or course.relapse,
                        "completed" if end else "stopped")  # fmt: skip


def work_up(
    chart: Chart,
    course: Course,
    *,
    creatinine: tuple[float, str] = (0.5, "mg/dL"),
    creatinine_on: date | None = None,
    direct_bilirubin: float | None = 0.2,
    total_bilirubin: float = 0.6,
    echo: tuple[float, float] | None = (34, 62),
    performance: Resource = LANSKY,
    bcr_abl1: Resource = NOT_DETECTED,
    cd19: Resource | None = POSITIVE,
    pregnancy_test: bool = False,
) -> None:
    """Everything the trial wants measured at screening, all of it unremarkable unless a story says otherwise."""
    day = course.screening
    value, unit = creatinine
    chart.observation(CREATININE[unit], creatinine_on or day, measured(value, unit))
    if direct_bilirubin is not None:
        chart.observation(DIRECT_BILIRUBIN, day, measured(direct_bilirubin, "mg/dL"))
    chart.observation(TOTAL_BILIRUBIN, day, measured(total_bilirubin, "mg/dL"))
    if echo:
        for code, percent in zip((SHORTENING, EJECTION), echo):
            chart.observation(code, before(day, days=1), measured(percent, "%"), category="imaging", clock="10:15:00")
    chart.observation(performance, after(day, 1), {"valueInteger": 80}, category="survey", clock="09:00:00")
    chart.observation(BCR_ABL1, course.relapse, bcr_abl1)
    if cd19:
        chart.observation(CD19, course.relapse, cd19, bodySite=MARROW)
    chart.observation(HIV, before(day, days=1), NEGATIVE)
    if pregnancy_test:
        chart.observation(HCG, after(day, 1), NEGATIVE)
    chart.add(
        "AllergyIntolerance", patient=chart.ref(), recordedDate=str(day),
        clinicalStatus=concept(HL7 + "allergyintolerance-clinical", "active", "Active"),
        verificationStatus=concept(HL7 + "allergyintolerance-verification", "confirmed", "Confirmed"),
        code=NO_ALLERGY,
    )  # fmt: skip


def reviewed_history(chart: Chart, course: Course, **more: date | bool | str) -> None:
    """The treating physician's answers about the past; `more` adds or replaces some (`_` for `-`)."""
    answer(chart, after(course.screening, 1), {
        "frontline-induction-end-date": after(course.diagnosis, 33),
        "relapse-ordinal": "first",
        "prior-allogeneic-transplant": "no",
        "prior-blinatumomab": "no",
        "treatment-history-complete": True,
        **{link.replace("_", "-"): value for link, value in more.items()},
    })  # fmt: skip


def reinduction(chart: Chart, course: Course, *, marrow: float, mrd: Resource, registered: bool = True) -> None:
    """Enrolment, the first doses, and the end-of-induction marrow with its NGS-MRD."""
    start, end = course.reinduction, course.end_of_induction
    assert start and end, "a course at screening has no reinduction yet"
    if registered:
        enrolled(chart, before(start, days=1))
    else:
        answer(chart, end, {"enrolment-date": before(start, days=1), "reinduction-start-date": start, "eoi-date": end})
    for drug, day in ((VINCRISTINE, 0), (IDARUBICIN, 0), (VINCRISTINE, 7)):
        chart.dose(drug, after(start, day))
    chart.observation(BLASTS, end, measured(marrow, "%"), labels=(END_OF_INDUCTION,), bodySite=MARROW)
    chart.observation(NGS_MRD, end, mrd, labels=(END_OF_INDUCTION,), bodySite=MARROW,
                      component=[{"code": DETECTION_LIMIT, **measured(0.0001, "%")}])  # fmt: skip
