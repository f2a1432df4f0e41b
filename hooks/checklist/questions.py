"""The questions of the form for one child: which are asked now, what each would supply, and what is answered already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds import Protocol
from cds.assessment import Assessment
from cds.facts import PatientFacts
from cds.finding import Evidence, Gap, Why
from cds.truth import UNKNOWN
from fhir_mappings.chart_review import answer_and_author
from fhir_mappings.questionnaire import BOOLEAN, GROUPS, QUESTIONS, Question
from hooks.checklist.form import COMPARATOR, SIGNS, is_asked
from hooks.markdown import visible
from hooks.protocol_needs import needs_of
from hooks.words import short_day

TIMING = ("off-treatment-date", "on-treatment-at-relapse")
SUPPLIES: Mapping[str, tuple[str, ...]] = {  # by what a gap is called: the questions whose answer can fill it
    "leukaemia diagnosis": ("lineage",), "lineage": ("lineage",),
    "relapse": ("relapse-ordinal", "relapse-date"), "relapse ordinal": ("relapse-ordinal",),
    "relapse date": ("relapse-date",), "age": ("relapse-date",), "age at relapse": ("relapse-date",),
    "relapse site": ("relapse-site",), "marrow blasts": ("relapse-marrow-blasts",),
    "CD19": ("cd19-on-relapse-blasts",), "BCR::ABL1": ("bcr-abl1",),
    "allogeneic transplant": ("prior-allogeneic-transplant", "treatment-history-complete"),
    "blinatumomab": ("prior-blinatumomab", "treatment-history-complete"),
    "end of frontline induction": ("frontline-induction-end-date",), "same four induction drugs": ("same-four-drug-induction",),
    "off-treatment date": TIMING, "end of first-line treatment": TIMING,
    "enrolment date": ("enrolment-date",), "reinduction start": ("reinduction-start-date",),
    "pregnancy test": ("non-pregnancy-evidence",),
    "end-of-induction marrow blasts": ("eoi-marrow-category", "eoi-date"),
    "end-of-induction NGS-MRD": ("eoi-ngs-mrd", "eoi-ngs-mrd-lod", "eoi-date"),
}  # fmt: skip
NOT_BY_AN_ANSWER = (Why.CONFLICT, Why.SOURCE_AMBIGUOUS, Why.OUT_OF_TABLE)
"""An answer never overrides records that contradict each other, nor does it make the text clearer."""
MEASURED = ("end-of-induction NGS-MRD", "end-of-induction marrow blasts")  # a range on record is for the laboratory to narrow
YES_NO = {"yes": "Yes", "no": "No"}
AT_THE_END = "reinduction"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as the form shows it."""

    question: Question
    now: tuple[str, ...]  # what is answered already, by whom and when; more than one where the answers differ
    typed: tuple[str, ...]
    sign: str  # typed with an amount
    fault: str

    @property
    def options(self) -> Mapping[str, str]:
        return YES_NO if self.question.type == BOOLEAN else self.question.options

    @property
    def signs(self) -> Mapping[str, str]:
        return SIGNS if self.question.comparator else {}

    @property
    def described_by(self) -> str:
        link_id, parts = self.question.link_id, {"help": self.question.help, "now": self.now, "fault": self.fault}
        form = [f"{link_id}-form"] if self.question.type in ("date", "quantity") else []
        return " ".join([*(f"{link_id}-{part}" for part, there in parts.items() if there), *form])


Groups = list[tuple[str, list[Asked]]]


def form_questions(a: Assessment, protocol: Protocol, facts: PatientFacts, typed: Mapping[str, tuple[str, ...]],
                   faults: Mapping[str, str]) -> tuple[Groups, Groups]:
    """Those that are asked now, and the others, each under the Questionnaire's own headings."""
    first = asked_now(a, protocol, facts)

    def groups(now: bool) -> Iterator[tuple[str, list[Asked]]]:
        for title, questions in _in_time():
            chosen = [q for q in questions if (q.link_id in first) == now and is_asked(q.link_id, facts)]
            if chosen:
                yield title, [Asked(q, answered_now(q, facts), typed.get(q.link_id, ()), "".join(typed.get(q.link_id + COMPARATOR, ())[:1]),
                                    faults.get(q.link_id, "")) for q in chosen]  # fmt: skip

    return list(groups(True)), list(groups(False))


def _in_time() -> Iterator[tuple[str, tuple[Question, ...]]]:
    """As the Questionnaire has them, but what can only be known after reinduction at the end."""
    yield from (group for name, group in GROUPS.items() if name != AT_THE_END)
    yield GROUPS[AT_THE_END]


def asked_now(a: Assessment, protocol: Protocol, facts: PatientFacts) -> frozenset[str]:
    """The questions whose answer could fill something missing; where nothing was judged, those that could bring a judgement."""
    if a.overall == "not_applicable":
        return first_questions(protocol) if facts.deceased.options != {"yes"} else frozenset()
    gaps = [gap for j in a.criteria if j.finding.truth is UNKNOWN for gap in j.finding.gaps]
    return frozenset(q.link_id for gap in (*gaps, *a.risk.gaps) for q in questions_for(gap, facts))


def first_questions(protocol: Protocol) -> frozenset[str]:
    """Those that the trial's first question hangs on: is this its disease, and its situation?"""
    return frozenset(needs_of(lambda case, _: protocol.applies(case), protocol.policies).answers)


def questions_for(gap: Gap, facts: PatientFacts) -> list[Question]:
    """Which of the form's questions can fill this gap; a gap of an answer, or of a judgement, is called by its linkId."""
    own = gap.fact.replace(" ", "-")
    if own in QUESTIONS and (gap.reason is Why.JUDGEMENT or own in facts.chart_review.disputed):
        return [QUESTIONS[own]]
    if gap.reason is Why.IMPRECISE and gap.fact in MEASURED:
        return []
    supplying = [QUESTIONS[link_id] for link_id in SUPPLIES.get(gap.fact, ()) if is_asked(link_id, facts)]
    if gap.reason in NOT_BY_AN_ANSWER:  # unless an answer had its part in it: a newer one takes its place
        return [question for question in supplying if question.link_id in facts.chart_review.answers]
    return supplying


def answered_now(question: Question, facts: PatientFacts) -> tuple[str, ...]:
    review, link_id = facts.chart_review, question.link_id
    if question.repeats:  # several answers, each of which may be of another response: who gave them is in the record
        return (", ".join(question.options[code] for code in question.options if code in review.sites),) if review.sites else ()
    if link_id in review.disputed:
        told = review.disputed[link_id].answers
    else:
        told = (review.answers[link_id],) if link_id in review.answers else ()
    return tuple(_told(question, source) for answer in told for source in answer.evidence[:1])


def _told(question: Question, source: Evidence) -> str:
    answer, author = answer_and_author(question.link_id, source)
    words = question.options.get(answer) or YES_NO.get(answer) or short_day(answer)
    when = short_day(source.date) or "date not recorded"
    return visible(f"{words}, by {author}, {when}" if author != "author not recorded" else f"{words}, {author}, {when}")
