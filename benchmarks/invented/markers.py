"""What the laboratory says of the blasts: CD19 (EXC-03), BCR::ABL1 (EXC-02), and the end of induction (risk)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hooks.demo import leukaemia_codes as known
from hooks.demo.fhir_builders import DETECTED, NEGATIVE, NOT_DETECTED, POSITIVE, measured

from invented import codes
from invented.story import Story, bare

CD19_FINE = ("positive", "positive", "answered", "positive twice")
CD19_TROUBLE = ("negative", "partial", "missing", "at diagnosis only", "pending", "two answers", "words")
CD19_UNKNOWN = {"partial": "source_ambiguous", "missing": "missing", "at diagnosis only": "missing", "pending": "pending",
                "two answers": "conflict", "words": "unit"}  # fmt: skip
PH_FINE = ("negative", "negative twice", "answered")
PH_TROUBLE = ("positive", "once positive", "by diagnosis", "missing", "failed", "pending")


def cd19(story: Story) -> None:
    which, day, result = story.plan["cd19"], story.days.relapse, story.result
    value: dict[str, Any] = {"negative": NEGATIVE, "partial": codes.PARTIAL, "words": {"valueString": "dim on a subset"}}.get(which, POSITIVE)
    if which == "answered":
        story.answers["cd19-on-relapse-blasts"] = "positive"
    elif which == "at diagnosis only":
        result(known.CD19, story.days.diagnosis, POSITIVE, bodySite=known.MARROW)
    elif which != "missing":
        result(known.CD19, day, value, bodySite=known.MARROW, status="preliminary" if which == "pending" else "final")
    if which in ("positive twice", "two answers"):
        result(known.CD19, day + timedelta(days=1), NEGATIVE if which == "two answers" else POSITIVE)
    _cd19_truth(story, which)


def _cd19_truth(story: Story, which: str) -> None:
    other = story.plan["lineage"] in ("T", "mixed", "Burkitt")
    if other or which in CD19_FINE:
        story.say("not_met", None, "EXC-03")
    elif story.lineage == "B":
        story.say(*(("met", None) if which == "negative" else ("unknown", CD19_UNKNOWN[which])), "EXC-03")
    elif story.plan["lineage"] == "not stated" and which in ("negative", "partial", "missing", "at diagnosis only"):
        story.say("unknown", "missing", "EXC-03")
    # Otherwise two reasons meet, and the text does not say which comes first.


def philadelphia(story: Story) -> None:
    which, day, result = story.plan["philadelphia"], story.days.relapse, story.result
    value = {"positive": DETECTED, "failed": codes.FAILED}.get(which, NOT_DETECTED)
    if which == "answered":
        story.answers["bcr-abl1"] = "negative"
    elif which != "missing":
        result(known.BCR_ABL1, day, value, status="registered" if which == "pending" else "final")
    if which == "negative twice":
        result(known.BCR_ABL1, story.days.diagnosis, NEGATIVE)
    if which == "once positive":
        result(known.BCR_ABL1, story.days.diagnosis, DETECTED)
    if which == "by diagnosis":
        story.condition(codes.PH_POSITIVE_ALL, "active", story.days.diagnosis)
    if which in PH_FINE:
        story.say("not_met", None, "EXC-02")
    elif which in ("positive", "once positive", "by diagnosis"):
        story.say("met", None, "EXC-02")
    else:
        story.say("unknown", "pending" if which == "pending" else "missing", "EXC-02")


# --- the end of induction: what is reported, and whether it is below (above) the limit; None where it tells nothing ---

SENSITIVE, COARSE = 0.0001, 0.1  # limits of detection, %
MRD = {
    "0.004 %": (measured(0.004, "%"), True), "99 in a million": (measured(99, "{cells}/10*6"), True),
    "below 0.01 %": (measured(0.01, "%", comparator="<"), True), "written out": ({"valueString": "2x10^-5"}, True),
    "not detected": (NOT_DETECTED, True), "zero": (measured(0, "%"), True),
    "0.01 %": (measured(0.01, "%"), False), "100 in a million": (measured(100, "{cells}/10*6"), False), "3 %": (measured(3, "%"), False),
    "below 0.1 %": (measured(0.1, "%", comparator="<"), None), "not sensitive": (NOT_DETECTED, None), "not trackable": (codes.NOT_TRACKABLE, None),
    "failed": (codes.FAILED, None), "pending": ({}, None), "no unit": (bare(0.004), None),
    "flow only": (measured(0.001, "%"), None), "blood only": (measured(0.001, "%"), None), "missing": (None, None),
}  # fmt: skip
MARROW = {
    "1 %": (measured(1, "%"), False), "4.9 %": (measured(4.9, "%"), False), "below 5 %": (measured(5, "%", comparator="<"), False),
    "M1": (codes.CATEGORY["M1"], False), "5 %": (measured(5.0, "%"), True), "40 %": (measured(40, "%"), True),
    "M2": (codes.CATEGORY["M2"], True), "M3": (codes.CATEGORY["M3"], True), "inadequate": (codes.INADEQUATE, None),
    "pending": (measured(2, "%"), None), "missing": (None, None),
}  # fmt: skip
MOSTLY_M1 = (*MARROW, "1 %", "4.9 %", "below 5 %", "M1")  # as after most reinductions; else hardly a child is left for SR


def end_of_induction(story: Story) -> None:
    day = story.days.eoi
    if day is None:
        return
    labels = (known.END_OF_INDUCTION,) if story.rng.random() < 0.6 else ()
    which, marrow = story.plan["mrd"], story.plan["marrow"]
    value, low = MRD[which]
    if value is not None:
        assay = {"flow only": "flow-marrow", "blood only": "ngs-blood"}.get(which, "ngs-marrow")
        limit = [{"code": known.DETECTION_LIMIT, **measured(COARSE if which == "not sensitive" else SENSITIVE, "%")}]
        status = "registered" if which == "pending" else "final"
        story.result(codes.MRD_OF[assay], day, value, status=status, labels=labels, component=limit)
    if low is not None:
        story.risk["mrd_low"] = (low,)
    value, m2 = MARROW[marrow]
    if value is not None:
        code = codes.MARROW_CATEGORY if marrow in codes.CATEGORY else known.BLASTS
        story.result(code, day, value, labels=labels, status="preliminary" if marrow == "pending" else "final")
    if m2 is not None:
        story.risk["m2"] = (m2,)
