"""What data a rule needs, found out by running it: every fact, chart-review answer, date and setting it reads is noted.

There is no second declaration that could drift. A rule that has found its answer stops reading, so it is run on several
invented children (`protocol_probes.py`), who between them lead it past its early ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from cds import Protocol
from cds.case import Case
from cds.facts import ChartReview, PatientFacts
from fhir_mappings.chart_review import READERS
from fhir_mappings.fact_sources import FACTS
from hooks.protocol_probes import PROBES

DATES = {"relapse date": "relapse_date", "reinduction start": "reinduction_start", "day of evaluation": "evaluated_on"}
"""The dates that nearly every rule hangs on; told by name, each with its own needs, instead of under every rule."""


@dataclass(frozen=True)
class Needs:
    facts: tuple[str, ...] = ()  # fields of PatientFacts
    answers: tuple[str, ...] = ()  # linkIds of the chart review
    dates: tuple[str, ...] = ()  # of DATES
    settings: tuple[str, ...] = ()  # fields of the trial's Policies


Rule = Callable[[Case, Any], Any]


def needs_of(rule: Rule, policies: Any, children: tuple[PatientFacts, ...] = PROBES) -> Needs:
    """Everything `rule` reads of these children."""
    notes = Notes()
    for facts in children:
        settings = Noting(policies, notes.of("settings"))
        rule(NotingCase(facts, settings, notes), settings)
    return notes.needs(policies)


def needs_of_date(name: str, policies: Any) -> Needs:
    return needs_of(lambda case, _: case.computed(DATES[name]), policies)


def needs_of_risk(protocol: Protocol) -> Needs:
    """The inputs of the risk ladder; one of them is a criterion's answer, whose rule is run when it is asked for."""
    return needs_of(lambda case, policies: protocol.risk_inputs(case, AnswersOnDemand(protocol, case, policies)), protocol.policies)


class AnswersOnDemand(Mapping):
    def __init__(self, protocol: Protocol, case: Case, policies: Any):
        self.rules = {c.id: lambda rule=c.rule: rule(case, policies) for c in protocol.criteria}

    def __getitem__(self, id: str) -> Any:
        return self.rules[id]()

    def __iter__(self) -> Iterator[str]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)


# --- noting what is read -----------------------------------------------------------------------------------------


@dataclass
class Notes:
    seen: set[tuple[str, str]] = field(default_factory=set)
    paused: bool = False

    def of(self, kind: str) -> Callable[[str], None]:
        return lambda name: None if self.paused else self.seen.add((kind, name))

    @contextmanager
    def pause(self) -> Iterator[None]:
        before, self.paused = self.paused, True
        try:
            yield
        finally:
            self.paused = before

    def needs(self, policies: Any) -> Needs:
        """In the order of the vocabularies, whatever was read first."""
        named = {"facts": FACTS, "answers": (*READERS, "extramedullary-site"), "dates": DATES, "settings": [f.name for f in fields(policies)]}
        return Needs(**{kind: tuple(name for name in names if (kind, name) in self.seen) for kind, names in named.items()})


class Noting:
    """Stands in for a thing and notes which of its attributes are read."""

    def __init__(self, of: Any, note: Callable[[str], None]):
        self._of, self._note = of, note

    def __getattr__(self, name: str) -> Any:
        self._note(name)
        return getattr(self._of, name)


class NotingAnswers(Mapping):
    def __init__(self, review: ChartReview, note: Callable[[str], None]):
        self.answers, self.note = review.answers, note

    def __getitem__(self, link_id: str) -> Any:
        self.note(link_id)
        if link_id == "eoi-ngs-mrd":
            self.note("eoi-ngs-mrd-lod")  # the mapping reads it into this answer: what "not detected" can show
        return self.answers[link_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)


class NotingReview(Noting):
    def __getattr__(self, name: str) -> Any:
        if name == "answers":
            return NotingAnswers(self._of, self._note)
        if name == "sites":
            self._note("extramedullary-site")
        return getattr(self._of, name)


class NotingFacts(Noting):
    def __init__(self, of: PatientFacts, notes: Notes):
        super().__init__(of, notes.of("facts"))
        self.chart_review = NotingReview(of.chart_review, notes.of("answers"))


class NotingCase(Case):
    def __init__(self, facts: PatientFacts, policies: Any, notes: Notes):
        super().__init__(facts, policies)
        self.facts = NotingFacts(self.facts, notes)  # type: ignore[assignment]
        self.notes = notes

    def computed(self, attribute: str) -> Any:
        return getattr(super(), attribute)

    def _named(self, name: str) -> Any:
        self.notes.of("dates")(name)
        with self.notes.pause():
            return self.computed(DATES[name])

    relapse_date = property(lambda self: self._named("relapse date"))  # type: ignore[assignment]
    reinduction_start = property(lambda self: self._named("reinduction start"))  # type: ignore[assignment]
    evaluated_on = property(lambda self: self._named("day of evaluation"))  # type: ignore[assignment]
