"""What every chart is full of and no trial asks about: weights, temperatures, blood counts, an ear infection."""

from __future__ import annotations

from hooks.demo.fhir_builders import HL7, LOINC, SNOMED, Chart, after, before, concept, measured

COUNTS = (
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "Haemoglobin", "g/dL", (9.8, 10.4, 11.6, 12.1)),
    ("6690-2", "Leukocytes [#/volume] in Blood by Automated count", "White cells", "10*3/uL", (3.1, 4.4, 5.2, 6.0)),
    ("777-3", "Platelets [#/volume] in Blood by Automated count", "Platelets", "10*3/uL", (96, 134, 188, 240)),
    ("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma", "ALT", "U/L",
     (18, 24, 31, 42)),
)  # fmt: skip

VITALS = (
    ("29463-7", "Body weight", "kg"),
    ("8302-2", "Body height", "cm"),
    ("8310-5", "Body temperature", "Cel"),
    ("8867-4", "Heart rate", "/min"),
)


def everyday_life(chart: Chart, age: int) -> None:
    """About a dozen and a half unrelated resources, the same ones for the same child and age."""
    which = chart.number % 4
    for days_ago in (1, 64):
        day = before(chart.today, days=days_ago)
        older = days_ago > 30
        sizes = (8 + 3 * age + which - older * 0.5, 80 + 6 * age + which - older, 36.5 + which / 10, 112 - 3 * age)
        for (code, name, unit), size in zip(VITALS, sizes):
            chart.observation(concept(LOINC, code, name), day, measured(round(size, 1), unit),
                              category="vital-signs", clock="07:50:00")  # fmt: skip
    for code, display, text, unit, values in COUNTS:
        chart.observation(concept(LOINC, code, display, text=text), before(chart.today, days=1),
                          measured(values[which], unit))  # fmt: skip

    ear = before(chart.today, days=210 + 11 * which)
    chart.condition(concept(SNOMED, "65363002", "Otitis media (disorder)", text="Ear infection (otitis media)"),
                    "resolved", ear, ended=after(ear, 9))  # fmt: skip
    chart.add(
        "Immunization", status="completed", patient=chart.ref(),
        vaccineCode=concept("http://hl7.org/fhir/sid/cvx", "141", "Influenza, seasonal, injectable", text="Influenza"),
        occurrenceDateTime=str(before(chart.today, days=150 + which)),
    )  # fmt: skip
    chart.add(
        "Encounter", status="finished", subject=chart.ref(),
        **{"class": {"system": HL7 + "v3-ActCode", "code": "AMB", "display": "ambulatory"}},
        period={"start": f"{before(chart.today, days=1)}T07:30:00+09:00",
                "end": f"{before(chart.today, days=1)}T12:10:00+09:00"},
    )  # fmt: skip
