"""Kidney, liver, heart and performance status at the work-up (INC-06 to INC-09), at their limits and beyond them."""

from __future__ import annotations

from datetime import timedelta

from hooks.demo import leukaemia_codes as known
from hooks.demo.fhir_builders import measured

from invented import codes
from invented.person import age_on
from invented.story import Story, bare, between

RENAL_FINE = ("usual", "usual", "at the limit", "in µmol/L", "the newer one")
RENAL_TROUBLE = ("high", "missing", "stale", "no unit", "pending", "two answers", "censored")
LIVER_FINE = ("usual", "just below", "in µmol/L", "total only", "censored low")
LIVER_TROUBLE = ("high", "total high", "missing", "stale", "no unit", "pending", "two answers", "censored high")
HEART_FINE = ("both", "shortening only", "ejection only", "at the limits", "discordant", "above 55 %")
HEART_TROUBLE = ("low", "half low", "missing", "stale", "by MRI", "by MUGA", "range", "no unit", "pending", "method not said", "two answers")
PERFORMANCE_FINE = ("usual", "usual", "at the limit")
PERFORMANCE_TROUBLE = ("low", "other scale", "ECOG", "missing", "stale", "no score", "pending")
REASON = {"missing": "missing", "stale": "stale", "no unit": "unit", "pending": "pending", "two answers": "conflict", "censored": "imprecise",
          "total high": "missing", "censored high": "imprecise", "half low": "missing", "by MRI": "wrong_instrument", "by MUGA": "wrong_instrument",
          "range": "imprecise", "method not said": "missing", "other scale": "wrong_instrument", "ECOG": "wrong_instrument", "no score": "unit"}  # fmt: skip

MALE = ((2, 60), (6, 80), (10, 100), (13, 120), (16, 150), (200, 170))  # below this age: hundredths of mg/dL accepted
FEMALE = (*MALE[:4], (200, 140))


def told(story: Story, which: str, fine: tuple[str, ...], criterion: str) -> None:
    if which in fine:
        story.say("met", None, criterion)
    elif which in ("high", "low"):
        story.say("not_met", None, criterion)
    else:
        story.say("unknown", REASON[which], criterion)


def accepted(story: Story) -> int:
    """The highest creatinine that passes, in hundredths of mg/dL; for every sex where it is not known."""
    age = age_on(story, story.days.frozen)
    rows = {"male": (MALE,), "female": (FEMALE,)}.get(story.sex, (MALE, FEMALE))
    return min(next(limit for below, limit in table if age < below) for table in rows)


def renal(story: Story) -> None:
    which, day, rng, limit = story.plan["renal"], story.lately(), story.rng, accepted(story)
    beyond = max(limit, 170 if story.sex == "unknown" else 0)  # too high for either sex
    usual, high = measured(rng.randint(20, limit - 10) / 100, "mg/dL"), measured((beyond + rng.choice((1, 15, 90))) / 100, "mg/dL")
    code = known.CREATININE["mg/dL"]
    if which == "in µmol/L":
        story.result(known.CREATININE["umol/L"], day, measured(rng.randint(18, limit * 884 // 1000), "umol/L"))
    elif which != "missing":
        value = {"at the limit": measured(limit / 100, "mg/dL"), "high": high, "no unit": bare(0.5),
                 "censored": measured(beyond * 2 / 100, "mg/dL", comparator="<")}.get(which, usual)  # fmt: skip
        sampled = story.days.frozen - timedelta(days=rng.randint(15, 60)) if which == "stale" else day
        story.result(code, sampled, value, status="preliminary" if which == "pending" else "final")
        story.older.add("creatinine")
    if which == "two answers":
        story.result(code, day, high)
    if which == "the newer one":
        story.result(code, day - timedelta(days=rng.randint(1, 6)), high)
    told(story, which, RENAL_FINE, "INC-06")
    if story.plan["age"] == "infant":
        story.say("unknown", "out_of_table", "INC-06")


def liver(story: Story) -> None:
    which, day, rng = story.plan["liver"], story.lately(), story.rng
    direct, total = known.DIRECT_BILIRUBIN, known.TOTAL_BILIRUBIN
    high = measured(rng.choice((3, 3.0, 3.01, 8.4)), "mg/dL")
    if which in ("total only", "total high"):
        story.result(total, day, measured(1.2, "mg/dL") if which == "total only" else measured(4.1, "mg/dL"))
        story.older.add("total bilirubin")
    elif which == "in µmol/L":
        story.result(codes.DIRECT_BILIRUBIN_MOLAR, day, measured(rng.choice((4, 20, 51)), "umol/L"))
    elif which != "missing":
        value = {"just below": measured(2.99, "mg/dL"), "censored low": measured(0.2, "mg/dL", comparator="<"), "high": high, "no unit": bare(0.3),
                 "censored high": measured(2.5, "mg/dL", comparator=">")}.get(which, measured(rng.randint(1, 12) / 10, "mg/dL"))  # fmt: skip
        sampled = story.days.frozen - timedelta(days=rng.randint(15, 60)) if which == "stale" else day
        story.result(direct, sampled, value, status="preliminary" if which == "pending" else "final")
        story.older.add("direct bilirubin")
    if which == "two answers":
        story.result(direct, day, high)
    told(story, which, LIVER_FINE, "INC-07")


def heart(story: Story) -> None:
    which, day, rng = story.plan["heart"], story.lately(), story.rng
    shortening, ejection = {
        "both": (rng.randint(28, 42), rng.randint(52, 70)), "shortening only": (31, None), "ejection only": (None, 58), "at the limits": (27, 50),
        "discordant": rng.choice(((26.9, 55), (33, 49.9))), "low": (26.9, 49.9), "half low": rng.choice(((24, None), (None, 41))),
        "stale": (34, 62), "no unit": (0.34, None), "pending": (34, None), "range": (20, None), "above 55 %": (20, None), "two answers": (34, 40),
    }.get(which, (None, None))  # fmt: skip
    if which == "stale":
        day = story.days.frozen - timedelta(days=rng.randint(31, 90))
    status = "preliminary" if which == "pending" else "final"
    for code, percent in ((known.SHORTENING, shortening), (known.EJECTION, ejection)):
        if percent is not None:
            story.result(code, day, measured(percent, "%"), category="imaging", clock="10:15:00", status=status)
    other = {"by MRI": codes.EJECTION_MRI, "by MUGA": codes.EJECTION_MUGA, "method not said": codes.EJECTION_ANY}.get(which)
    if other:
        story.result(other, day, measured(62, "%"), category="imaging")
    if which in ("range", "above 55 %"):
        value = between(45, 50, "%") if which == "range" else measured(55, "%", comparator=">")
        story.result(known.EJECTION, day, value, category="imaging", clock="10:15:00")
    if which == "two answers":
        story.result(known.SHORTENING, day, measured(20, "%"), category="imaging", clock="10:15:00")
    told(story, which, HEART_FINE, "INC-08")


def performance(story: Story) -> None:
    which, day, rng = story.plan["performance"], story.lately(), story.rng
    if which == "stale":
        day = story.days.frozen - timedelta(days=rng.randint(15, 60))
    scales = [known.LANSKY, known.KARNOFSKY]
    if age_on(story, day) >= 16:
        scales.reverse()
    scale = codes.ECOG if which == "ECOG" else scales[which == "other scale"]
    score = {"at the limit": 60, "low": rng.choice((10, 30, 50)), "no score": 3, "ECOG": 1}.get(which, rng.choice((70, 80, 90, 100)))
    if which != "missing":
        status = "preliminary" if which == "pending" else "final"
        story.result(scale, day, {"valueInteger": score}, category="survey", clock="09:00:00", status=status)
    told(story, which, PERFORMANCE_FINE, "INC-09")
