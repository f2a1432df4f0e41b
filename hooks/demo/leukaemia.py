"""The illness itself: first diagnosis, relapse, the work-up for the trial and the end of reinduction.

Every function writes the complete, unremarkable version; a story changes only what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hooks.demo import leukaemia_codes as codes
from hooks.demo.chart_review import answer, enrolled
from hooks.demo.fhir_builders import (
    HL7,
    NEGATIVE,
    NOT_DETECTED,
    POSITIVE,
    Chart,
    Resource,
    after,
    before,
    concept,
    measured,
)


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
    lineage: Resource = codes.B_ALL,
    relapsed_as: Resource | None = None,
    status: str = "relapse",
    sites: tuple[Resource, ...] = (codes.MARROW,),
    blasts: float = 62,
) -> None:
    """Two Conditions, as a problem list keeps them, and the marrow that showed the relapse."""
    chart.condition(lineage, "remission", course.diagnosis)
    code = relapsed_as or lineage
    relapse_code = {"coding": [*code["coding"], codes.IN_RELAPSE], "text": f"{code['text']}, relapse"}
    chart.condition(relapse_code, status, course.relapse, sites=sites)
    chart.observation(codes.BLASTS, course.diagnosis, measured(88, "%"), bodySite=codes.MARROW)
    chart.observation(codes.BLASTS, course.relapse, measured(blasts, "%"), bodySite=codes.MARROW)
    end = course.off_treatment
    if end:
        chart.add("Procedure", status="completed", subject=chart.ref(),
                  code=codes.FIRST_LINE,
                  performedPeriod={"start": str(after(course.diagnosis, 3)), "end": str(end)})  # fmt: skip
    if not isinstance(end, str):
        chart.course_of(codes.MERCAPTOPURINE, after(course.diagnosis, 230), end or course.relapse,
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
    performance: Resource = codes.LANSKY,
    bcr_abl1: Resource = NOT_DETECTED,
    cd19: Resource | None = POSITIVE,
    pregnancy_test: bool = False,
) -> None:
    """Everything the trial wants measured at screening, all of it unremarkable unless a story says otherwise."""
    day = course.screening
    value, unit = creatinine
    chart.observation(codes.CREATININE[unit], creatinine_on or day, measured(value, unit))
    if direct_bilirubin is not None:
        chart.observation(codes.DIRECT_BILIRUBIN, day, measured(direct_bilirubin, "mg/dL"))
    chart.observation(codes.TOTAL_BILIRUBIN, day, measured(total_bilirubin, "mg/dL"))
    if echo:
        for code, percent in zip((codes.SHORTENING, codes.EJECTION), echo):
            chart.observation(code, before(day, days=1), measured(percent, "%"), category="imaging", clock="10:15:00")
    chart.observation(performance, after(day, 1), {"valueInteger": 80}, category="survey", clock="09:00:00")
    chart.observation(codes.BCR_ABL1, course.relapse, bcr_abl1)
    if cd19:
        chart.observation(codes.CD19, course.relapse, cd19, bodySite=codes.MARROW)
    chart.observation(codes.HIV, before(day, days=1), NEGATIVE)
    if pregnancy_test:
        chart.observation(codes.HCG, after(day, 1), NEGATIVE)
    chart.add(
        "AllergyIntolerance", patient=chart.ref(), recordedDate=str(day),
        clinicalStatus=concept(HL7 + "allergyintolerance-clinical", "active", "Active"),
        verificationStatus=concept(HL7 + "allergyintolerance-verification", "confirmed", "Confirmed"),
        code=codes.NO_ALLERGY,
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
    for drug, day in ((codes.VINCRISTINE, 0), (codes.IDARUBICIN, 0), (codes.VINCRISTINE, 7)):
        chart.dose(drug, after(start, day))
    chart.observation(codes.BLASTS, end, measured(marrow, "%"), labels=(codes.END_OF_INDUCTION,), bodySite=codes.MARROW)
    chart.observation(codes.NGS_MRD, end, mrd, labels=(codes.END_OF_INDUCTION,), bodySite=codes.MARROW,
                      component=[{"code": codes.DETECTION_LIMIT, **measured(0.0001, "%")}])  # fmt: skip
