"""What a QuestionnaireResponse says, line by line: every question that was answered, however deep in groups, and who answered."""

from __future__ import annotations

from collections.abc import Iterator

from hooks.demo.chart_review import QUESTIONS, REVIEWER, REVIEWER_NAME
from hooks.demo.fhir_builders import Resource
from hooks.demo.fhir_words import result


def answered(holder: Resource) -> Iterator[tuple[str, str]]:
    """Question and answers, those of one question together. The questions within an answer follow it."""
    for item in holder.get("item", ()):
        answers = item.get("answer", ())
        if answers:
            link = item.get("linkId", "")
            yield QUESTIONS.get(link) or item.get("text") or link, ", ".join(map(result, answers))
        for deeper in (item, *answers):
            yield from answered(deeper)


def author(response: Resource) -> str:
    named = response.get("author", {})
    if named.get("display"):
        return named["display"]
    known = named.get("reference", "").split("/")[-2:] == ["Practitioner", REVIEWER["id"]]
    return REVIEWER_NAME if known else "author not named"
