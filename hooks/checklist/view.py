"""The checklist as its page shows it: one child's whole judgement, in the order a clinician asks. No HTTP, no FHIR calls.

Everything that comes from a chart is one line of visible characters here, and is escaped by the templates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from cds import Protocol
from cds.assessment import Assessment
from cds.facts import PatientFacts
from cds.finding import Evidence
from fhir_mappings.questionnaire import QUESTIONS
from hooks.about import about_words
from hooks.card_detail import INTENDED, SAID_ABOVE
from hooks.checklist.banner import banner
from hooks.checklist.form import TOKEN
from hooks.checklist.judgement import evidence, judgement_items, missing_items, risk_view, row
from hooks.checklist.questions import answered_now, form_questions
from hooks.markdown import visible
from hooks.words import NOT_APPLICABLE, NOT_MET_TODAY, STATUS, counts, first_line, judged_as_of, unanswered_words

DECEASED_STATUS = "Not applicable – recorded as deceased"
DECEASED = "This child is recorded as deceased, so the criteria are not judged."
NO_LEUKAEMIA = "No leukaemia of the lymphoblastic family was found in this chart, so the criteria are not judged."
NO_RELAPSE = "No relapse of the leukaemia was found in this chart, so the criteria are not judged."


Outcome = Literal["recorded", "not recorded", "perhaps recorded"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of the answers just given. What was not surely recorded is shown whole, so nothing is lost."""

    outcome: Outcome
    words: str  # a plain sentence
    response: Mapping[str, Any]  # the QuestionnaireResponse


def view(assessment: Assessment, patient: Mapping[str, Any], facts: PatientFacts, protocol: Protocol, *, action: str,
         form_token: str = "", software_version: str, contact: str | None = None, author: str | None = None,
         typed: Mapping[str, tuple[str, ...]] | None = None, faults: Mapping[str, str] | None = None,
         notice: Notice | None = None) -> dict[str, Any]:
    """The context of `checklist/page.html`.

    `patient` is the raw resource, however broken. The form posts to `action`.
    `author` is the name that the answers will bear. `typed` and `faults` are those of `Answers`,
    after a refused form. The app must have the blueprint of `about_pages`: sheets and the link to the trial are its own.
    """
    a, faults = assessment, faults or {}
    child = banner(patient, facts)
    now, others = form_questions(a, protocol, facts, typed or {}, faults)
    meanings = about_words(protocol.id)["unknown"]
    return {
        "child": child,
        "applies": a.overall != "not_applicable",
        "status": NOT_MET_TODAY if a.modifiable else STATUS.get(a.overall, DECEASED_STATUS if child.deceased else NOT_APPLICABLE),
        "first_line": first_line(a),
        "counts": counts(a) if a.criteria else "",
        "unanswered": unanswered_words(a).replace("**", ""),
        "not_applicable": DECEASED if child.deceased else NO_RELAPSE if facts.diagnoses.items else NO_LEUKAEMIA,
        "looked_at": list(_looked_at(facts)) if not a.criteria else [],
        "rows": [row(j, a, meanings, facts) for j in a.criteria],
        "missing": missing_items(a, protocol, facts),
        "for_judgement": judgement_items(a),
        "risk": risk_view(a, protocol, facts),
        "flags": [(visible(f.words), [evidence(e) for e in f.evidence]) for f in a.flags if f.id not in SAID_ABOVE],
        "not_looked_up": [(visible(search), visible(words)) for search, words in a.not_looked_up],
        "issues": [evidence(issue) for issue in a.issues],
        "anchors": [evidence(anchor) for anchor in a.anchors],
        "review_gap": visible(facts.chart_review.gap.words) if facts.chart_review.gap else "",
        "asked_now": now,
        "asked_besides": others,
        "besides_open": any(q.fault or q.typed for _, questions in others for q in questions),
        "faults": [(link_id, QUESTIONS[link_id].text if link_id in QUESTIONS else "", words) for link_id, words in faults.items()],
        "action": action,
        "token_field": TOKEN,
        "form_token": form_token,
        "author": visible(author) if author else "",
        "notice": notice and {"outcome": notice.outcome, "words": notice.words, "answers": list(_answers(notice.response)),
                              "json": "" if notice.outcome == "recorded" else as_json(notice.response)},
        "judged_as_of": judged_as_of(a),
        "frozen": a.evaluated_as_of < a.as_of.isoformat(),
        "software_version": software_version,
        "intended": INTENDED,
        "contact": contact,
        "protocol": protocol.id,
        "title": protocol.title,
    }  # fmt: skip


def as_json(resource: Mapping[str, Any]) -> str:
    """For a person to copy; every digit as it was typed."""
    return msgspec.json.format(msgspec.json.Encoder(decimal_format="number").encode(resource), indent=2).decode()


def _answers(response: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group in response.get("item", ()):
        for item in group.get("item", ()):
            yield item["text"], ", ".join(_value(answer) for answer in item["answer"])


def _value(answer: Mapping[str, Any]) -> str:
    (value,) = answer.values()
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Mapping):
        return value.get("display") or " ".join(str(value[key]) for key in ("comparator", "value", "unit") if key in value)
    return str(value)


def _looked_at(facts: PatientFacts) -> Iterator[tuple[str, list[tuple[str, str, str]], str]]:
    """What a judgement would begin with, as far as there is any of it."""
    told = [Evidence(f"{q.text}: {words}") for q in QUESTIONS.values() for words in answered_now(q, facts)]
    for title, found, gap, nothing in (
        ("Diagnoses", [d.source for d in facts.diagnoses.items], facts.diagnoses.gap, "no leukaemia of this family among them"),
        ("Marrow blasts", [r.source for r in facts.marrow_blasts.readings], facts.marrow_blasts.gap, "no count found"),
        ("Chart review", told, facts.chart_review.gap, "no completed chart review found"),
    ):
        yield title, [evidence(e) for e in found], visible(gap.words) if gap else "" if found else nothing
