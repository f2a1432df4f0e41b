"""Frontline treatment and what came after: timing, the end of induction, enrolment, reinduction (EXC-04, EXC-06)."""

from __future__ import annotations

from datetime import timedelta

from hooks.demo import leukaemia_codes as known
from hooks.demo.fhir_builders import before

from invented.story import REGISTERED, Story

FINE = ("long ago", "other drugs", "only off treatment known")
TROUBLE = ("same drugs", "drugs not said", "in a month", "not said")
TIMING = ("late", "late", "a year to the day", "a day short", "early", "on treatment", "not said", "in a month")
LATE = {"late": (True,), "a year to the day": (True,), "a day short": (False,), "early": (False,), "on treatment": (False,)}


def settle(story: Story) -> str:
    """The timing this child can have: who was ill for a year has not been off treatment for one."""
    timing, days = story.plan["timing"], story.days
    if story.plan["induction"] in TROUBLE or (days.relapse - days.diagnosis).days < 3 * 365 + 60 and timing not in ("on treatment", "not said"):
        timing = "on treatment"
    if story.plan["induction"] in ("same drugs", "drugs not said"):
        days.diagnosis = days.relapse - timedelta(days=20 + 33)
    return timing


def tell(story: Story, timing: str) -> None:
    days, rng = story.days, story.rng
    relapse = days.relapse
    off = {
        "late": before(relapse, years=1, days=rng.randint(3, 300)),
        "a year to the day": before(relapse, years=1),
        "a day short": before(relapse, years=1) + timedelta(days=1),
        "early": relapse - timedelta(days=rng.randint(60, 300)),
        "in a month": f"{before(relapse, years=1):%Y-%m}",
    }.get(timing)
    if off and rng.random() < 0.5:
        story.answers["off-treatment-date"] = off
    elif off:
        story.add("Procedure", status="completed", subject=story.ref(), code=known.FIRST_LINE,
                  performedPeriod={"start": str(days.diagnosis + timedelta(days=3)), "end": str(off)})  # fmt: skip
    if timing == "on treatment":
        story.answers["on-treatment-at-relapse"] = True
    if timing in LATE:
        story.risk["late"] = LATE[timing]
    _induction(story, known_off=timing in ("late", "a year to the day", "a day short", "early"))


def _induction(story: Story, known_off: bool) -> None:
    days, induction = story.days, story.plan["induction"]
    story.say("not_met", None, "EXC-04", "EXC-06")
    if induction == "only off treatment known" and known_off:
        return
    end = days.diagnosis + timedelta(days=33)
    if induction == "in a month":  # the month before the relapse: 'within one month' on some of its days
        last = days.relapse.replace(day=1) - timedelta(days=1)
        end = f"{last:%Y-%m}"
    if induction != "not said":
        story.answers["frontline-induction-end-date"] = end
    if induction in ("same drugs", "in a month"):
        story.answers["same-four-drug-induction"] = "yes"
    elif induction == "other drugs":
        story.answers["same-four-drug-induction"] = "no"
    if induction == "same drugs":
        story.say("met", None, "EXC-04", "EXC-06")
    elif induction in ("drugs not said", "not said"):
        story.say("unknown", "missing", "EXC-04", "EXC-06")
    elif induction == "in a month":
        story.say("unknown", "imprecise", "EXC-04", "EXC-06")


def in_the_trial(story: Story) -> None:
    """Enrolment and the first doses of reinduction; some hospitals keep them in the chart review only."""
    days, rng = story.days, story.rng
    if days.reinduction is None:
        return
    if rng.random() < 0.7:
        study = {"identifier": REGISTERED, "display": f"{REGISTERED['value']}: relapsed ALL"}
        story.taking_part("on-study-intervention", days.frozen, study)
    else:
        story.answers["enrolment-date"] = days.frozen
    if rng.random() < 0.8:
        for drug, day in ((known.VINCRISTINE, 0), (known.IDARUBICIN, 0), (known.VINCRISTINE, 7)):
            if days.reinduction + timedelta(days=day) <= story.today:
                story.dose(drug, days.reinduction + timedelta(days=day))
    else:
        story.answers["reinduction-start-date"] = days.reinduction
