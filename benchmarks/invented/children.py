"""One child with leukaemia, told from its choices: the resources and the truth, the same for the same seed and number."""

from __future__ import annotations

from datetime import date
from random import Random

from hooks.demo.fhir_builders import Resource

from invented import besides, illness, markers, organs, person, received, treatment
from invented.illness import ELSEWHERE, UNDATED
from invented.padding import older_results
from invented.plan import plan
from invented.story import Story
from invented.truth import NOT_APPLICABLE, Truth, conclude


def child(seed: int, index: int, as_of: date, observations: int = 100) -> tuple[list[Resource], Truth]:
    """The chart of one child and what must be concluded from it; `observations` unrelated results lie around it."""
    rng = Random(f"{seed}/{index}")
    chosen, troubles = plan(rng, index)
    story = Story(id=f"c{seed}-{index:06d}", today=as_of, rng=rng, plan=chosen)
    person.settle(story)
    timing = treatment.settle(story)
    person.tell(story)
    illness.tell(story)
    treatment.tell(story, timing)
    for tell in (markers.cd19, markers.philadelphia, organs.renal, organs.liver, organs.heart, organs.performance, received.history,
                 received.trials, received.consent, received.judged, besides.hiv, besides.syndromes, besides.pregnancy,
                 besides.allergies, treatment.in_the_trial, markers.end_of_induction):  # fmt: skip
        tell(story)
    if story.answers:
        story.reviewed()
    _not_told_by_this_story(story)
    told = (f"timing: {timing}", f"stage: {chosen['stage']}", *troubles)
    truth = Truth(NOT_APPLICABLE, story=told) if chosen["course"] in ELSEWHERE else conclude(story.truths, story.risk_facts(), told)
    return story.resources + older_results(Random(f"{seed}/{index}/older"), story, observations), truth


def _not_told_by_this_story(story: Story) -> None:
    """Answers that hang on a date which this child's record does not give; none of them can block."""
    if story.plan["age"] == "birth date missing":
        story.silent_on("INC-06", "INC-09", "EXC-09")
    if story.plan["course"] in UNDATED:
        story.silent_on("EXC-03")
    if story.plan["course"] == "refractory":
        story.silent_on("INC-01", "EXC-04", "EXC-06", "INC-10", "INC-11", "EXC-11", "EXC-12")
        if story.truths["INC-12"][0] == "met":
            story.silent_on("INC-12")
