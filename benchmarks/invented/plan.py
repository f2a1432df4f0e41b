"""What happens to which child: independent choices, most of them unremarkable, and the few that may not meet.

Every second child is given one kind of trouble in turn, so that each occurs early whatever the seed; all others are drawn.
"""

from __future__ import annotations

from random import Random

from invented import besides, illness, markers, organs, person, received, treatment

ASPECTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # what is unremarkable, and what is not
    "course": (illness.FINE, (*illness.TROUBLE, *illness.ELSEWHERE)),
    "lineage": (illness.LINEAGE_FINE, illness.LINEAGE_TROUBLE),
    "age": (person.FINE, person.TROUBLE),
    "induction": (treatment.FINE, treatment.TROUBLE),
    "cd19": (markers.CD19_FINE, markers.CD19_TROUBLE),
    "philadelphia": (markers.PH_FINE, markers.PH_TROUBLE),
    "renal": (organs.RENAL_FINE, organs.RENAL_TROUBLE),
    "liver": (organs.LIVER_FINE, organs.LIVER_TROUBLE),
    "heart": (organs.HEART_FINE, organs.HEART_TROUBLE),
    "performance": (organs.PERFORMANCE_FINE, organs.PERFORMANCE_TROUBLE),
    "transplant": (received.TRANSPLANT_FINE, received.TRANSPLANT_TROUBLE),
    "blinatumomab": (received.BLINATUMOMAB_FINE, received.BLINATUMOMAB_TROUBLE),
    "trials": (received.TRIALS_FINE, received.TRIALS_TROUBLE),
    "consent": (received.CONSENT_FINE, received.CONSENT_TROUBLE),
    "judged": (received.JUDGED_FINE, received.JUDGED_TROUBLE),
    "hiv": (besides.HIV_FINE, besides.HIV_TROUBLE),
    "syndrome": (besides.SYNDROME_FINE, besides.SYNDROME_TROUBLE),
    "pregnancy": (besides.PREGNANCY_FINE, besides.PREGNANCY_TROUBLE),
    "allergies": (besides.ALLERGY_FINE, besides.ALLERGY_TROUBLE),
}
TROUBLES = tuple((aspect, trouble) for aspect, (_, troubles) in ASPECTS.items() for trouble in troubles)
STAGES = ("screening", "screening", "reinduction", "end of induction", "end of induction", "end of induction")
HOW_MANY_MORE = (0, 0, 0, 0, 1, 1, 2, 4)
BY_AGE = ("renal", "performance", "pregnancy")  # cannot be told apart from a trouble with the age

DATED = ("cd19", "judged", "age")  # hang on the date of the one relapse


def plan(rng: Random, index: int) -> tuple[dict[str, str], tuple[str, ...]]:
    """The choices by aspect, and the troubles among them in words."""
    chosen = {aspect: rng.choice(fine) for aspect, (fine, _) in ASPECTS.items()}
    chosen |= {"stage": rng.choice(STAGES), "timing": rng.choice(treatment.TIMING)}
    chosen |= {"mrd": rng.choice(tuple(markers.MRD)), "marrow": rng.choice(markers.MOSTLY_M1)}
    for aspect, trouble in rng.sample(TROUBLES, rng.choice(HOW_MANY_MORE)):
        chosen[aspect] = trouble
    if index % 2 == 0:
        aspect, trouble = TROUBLES[index // 2 % len(TROUBLES)]
        chosen[aspect] = trouble
        _give_way(rng, chosen, aspect)
    else:
        _give_way(rng, chosen, "")
    troubles = tuple(f"{a}: {chosen[a]}" for a, (fine, _) in ASPECTS.items() if chosen[a] not in fine)
    return chosen, troubles


def _give_way(rng: Random, chosen: dict[str, str], keep: str) -> None:
    """Troubles that cannot be told in one story: the one that was not asked for becomes unremarkable."""

    def unremarkable(*aspects: str) -> None:
        chosen.update({aspect: rng.choice(ASPECTS[aspect][0]) for aspect in aspects})

    troubled = {aspect for aspect, (fine, _) in ASPECTS.items() if chosen[aspect] not in fine}
    if troubled & {*BY_AGE} and keep != "age":
        chosen["age"] = "usual"
    if chosen["age"] != "usual":
        unremarkable(*BY_AGE)
    if chosen["age"] == "infant":
        chosen["renal"] = "usual"
    if "induction" in troubled and keep != "course":
        unremarkable("course")
        chosen["age"] = "usual" if keep != "age" else chosen["age"]
    if keep == "lineage" or (keep in DATED and chosen["course"] in illness.UNDATED):
        unremarkable("course")
    if chosen["course"] in illness.UNDATED:
        unremarkable("cd19", "judged")
        chosen |= {"age": "usual", "timing": "on treatment"}
    if chosen["course"] in illness.ONE_RECORD and chosen["lineage"] in illness.LATER:
        chosen["lineage"] = "B"
    if chosen["course"] == "myeloid":
        unremarkable("philadelphia")  # told as a diagnosis, that would be a lymphoblastic leukaemia beside it
    if chosen["course"] not in illness.FINE:
        unremarkable("induction")
    if chosen["course"] in ("suspected", "refractory", "two relapses", "provisional", "first remission", "entered in error"):
        chosen["stage"] = "screening"
