"""What else a record holds: HIV, syndromes, pregnancy, allergies (EXC-07, EXC-08, EXC-09, EXC-13)."""

from __future__ import annotations

from datetime import timedelta

from hooks.demo import leukaemia_codes as known
from hooks.demo.fhir_builders import DETECTED, NEGATIVE, POSITIVE, measured

from invented import codes
from invented.person import age_on
from invented.story import Story

HIV_FINE = ("negative", "negative", "old enough")
HIV_TROUBLE = ("infection", "RNA", "missing", "stale", "reactive")
SYNDROME_FINE = ("none", "none", "none", "neutropenia by chemotherapy")
SYNDROME_TROUBLE = (*codes.SYNDROMES, "Down suspected")
PREGNANCY_FINE = ("excluded",)
PREGNANCY_TROUBLE = ("positive", "positive but denied", "pregnant", "untested", "stale", "pending", "quantity", "sex unknown")
ALLERGY_FINE = ("none known", "none known", "penicillin", "asparaginase", "resolved")
ALLERGY_TROUBLE = ("etoposide", "vincristine", "intolerance", "daunorubicin", "nothing", "which drug")


def hiv(story: Story) -> None:
    which, day = story.plan["hiv"], story.lately()
    if which == "infection":
        story.condition(codes.HIV_INFECTION, "active", story.days.diagnosis)
    elif which == "RNA":
        story.result(codes.HIV_RNA, day, DETECTED)
    elif which != "missing":
        ago = {"stale": 181 + story.rng.randint(0, 300), "old enough": 180}.get(which)
        tested = story.days.frozen - timedelta(days=ago) if ago else day
        story.result(known.HIV, tested, POSITIVE if which == "reactive" else NEGATIVE)
    reason = {"missing": "missing", "stale": "stale", "reactive": "pending"}.get(which)
    story.say(*(("unknown", reason) if reason else ("not_met" if which in HIV_FINE else "met", None)), "EXC-08")


def syndromes(story: Story) -> None:
    which = story.plan["syndrome"]
    since = story.days.born + timedelta(days=10)
    if which in codes.SYNDROMES:
        story.condition(codes.SYNDROMES[which], "active", since)
    elif which == "Down suspected":
        story.condition(codes.SYNDROMES["Down"], "active", since, verified="provisional")
    elif which == "neutropenia by chemotherapy":
        story.condition(codes.CHEMOTHERAPY_NEUTROPENIA, "active", story.days.diagnosis + timedelta(days=20))
    truth = {"Down suspected": ("unknown", "missing"), "Diamond-Blackfan": ("unknown", "source_ambiguous"), "dyskeratosis": ("unknown", "source_ambiguous")}
    story.say(*truth.get(which, ("not_met" if which in SYNDROME_FINE else "met", None)), "EXC-07")


def pregnancy(story: Story) -> None:
    which, day, rng = story.plan["pregnancy"], story.lately(), story.rng
    if which in ("positive", "positive but denied"):
        story.result(rng.choice((known.HCG, codes.HCG_SERUM)), day, POSITIVE)
    elif which == "pregnant":
        story.condition(codes.PREGNANT, "active", story.days.frozen - timedelta(days=40))
    elif which in ("stale", "pending"):
        tested = story.days.frozen - timedelta(days=rng.randint(8, 60)) if which == "stale" else day
        story.result(known.HCG, tested, NEGATIVE, status="preliminary" if which == "pending" else "final")
    elif which == "quantity":
        story.result(codes.HCG_QUANTITY, day, measured(1.2, "[IU]/L"))
    elif story.sex == "female" and which == "excluded":
        _excluded(story)
    if which == "positive but denied":
        story.answers["non-pregnancy-evidence"] = "no-possibility-by-history"
    reasons = {"positive but denied": "conflict", "untested": "missing", "stale": "stale", "pending": "pending", "quantity": "wrong_instrument",
               "sex unknown": "missing"}  # fmt: skip
    if which in reasons:
        story.say("unknown", reasons[which], "EXC-09")
    else:
        story.say("met" if which in ("positive", "pregnant") else "not_met", None, "EXC-09")


def _excluded(story: Story) -> None:
    if age_on(story, story.days.frozen) < 8 and story.rng.random() < 0.5 and story.plan["age"] != "birth date missing":
        return  # presumed at this age, for want of anything else
    if story.rng.random() < 0.6:
        story.result(story.rng.choice((known.HCG, codes.HCG_SERUM)), story.lately(), NEGATIVE)
    else:
        story.answers["non-pregnancy-evidence"] = story.rng.choice(("premenarchal", "no-possibility-by-history"))


def allergies(story: Story) -> None:
    which = story.plan["allergies"]
    told = {"none known": known.NO_ALLERGY, "penicillin": codes.PENICILLIN, "asparaginase": {"text": "pegaspargase"}, "etoposide": codes.ETOPOSIDE,
            "vincristine": known.VINCRISTINE, "intolerance": codes.CYTARABINE, "daunorubicin": {"text": "daunorubicin"}, "which drug": codes.A_DRUG,
            "resolved": codes.PENICILLIN}.get(which)  # fmt: skip
    if told:
        story.allergy(told, **({"type": "intolerance"} if which == "intolerance" else {}))
    if which == "resolved":
        story.resources[-1]["clinicalStatus"]["coding"][0].update(code="resolved", display="Resolved")
    if which in ALLERGY_FINE:
        story.say("not_met", None, "EXC-13")
    elif which in ("etoposide", "vincristine"):
        story.say("met", None, "EXC-13")
    else:
        story.say("unknown", "judgement" if which in ("intolerance", "daunorubicin") else "missing", "EXC-13")
