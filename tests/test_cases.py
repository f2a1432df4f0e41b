"""Runs every row of every decision table in `cases/`: resources in, the criterion's answer out.

A row becomes FHIR resources, the mapping reads them, the criterion judges: the tables test the whole judgement. Columns
named like a fact are the input, columns named like a criterion, `reason`, `basis` and `flag` the expectation; any other
column is a comment. A headline that names two criteria (the document repeats a sentence) asks every row of both.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest

from cells import ASKED_ON, INPUTS, chart
from charts import record
from tables import read_tables
from cds.case import Case
from cds.trials import TRIALS
from fhir_mappings import Outcome, read_patient

FOLDER = Path(__file__).parent / "cases"
TRIAL = {protocol.id.lower(): protocol for protocol in TRIALS}
GIVEN = {*INPUTS, "birth date", "sex", "asked on", "policy", "not answered"}
FURTHER = {"reason", "basis", "flag"}
NOT_JUDGED = "not judged yet"


class AskedNothing(ValueError):
    """A table or a row without an expectation."""


class Question(NamedTuple):
    """One row: what is given, and what each expectation column says."""

    protocol: object
    where: str
    given: dict[str, str]
    expected: dict[str, str]

    @property
    def criterion(self):
        return next(c for c in self.protocol.criteria if c.name in self.expected)


def questions(protocol, markdown: str, name: str) -> list[Question]:
    names = {criterion.name for criterion in protocol.criteria}
    found = []
    for table in read_tables(markdown):
        columns = set(table[0].cells) if table else set()
        if len(columns & names) != 1:
            raise AskedNothing(f"{name}: this table asks nothing (one column is named like a criterion): {sorted(columns)}")
        if "reason" not in columns:
            raise AskedNothing(f"{name} line {table[0].line}: a table says the reason of every unknown")
        for row in table:
            expected = {c: told for c, told in row.cells.items() if c in names or c in FURTHER}
            question = Question(protocol, f"{name} line {row.line}", {c: told for c, told in row.cells.items() if c in GIVEN}, expected)
            answer = expected[question.criterion.name]
            if answer not in ("met", "not met", "unknown") or (answer == "unknown") != bool(expected["reason"]):
                raise AskedNothing(f"{question.where}: {answer!r} because {expected['reason']!r} is no expectation")
            found.append(question)
    if not found:
        raise AskedNothing(f"{name}: no table")
    return found


def headed(page: str) -> list[str]:
    """The ids that the first line of a page names: `# EXC-04, EXC-06 Relapse …`."""
    return re.findall(r"(?:INC|EXC)-\d\d", page.split("\n", 1)[0])


PAGES = [(protocol, file.stem, file.read_text(encoding="utf-8")) for trial, protocol in TRIAL.items() for file in sorted((FOLDER / trial).glob("*.md"))]


def all_questions() -> list[Question]:
    found = [(q, headed(page)) for protocol, name, page in PAGES for q in questions(protocol, page, name)]
    return [also for q, ids in found for also in (q, *(asked_of(q, c) for c in q.protocol.criteria if c.id in ids and c is not q.criterion))]


def asked_of(question: Question, criterion) -> Question:
    """The same row, of another criterion."""
    expected = {criterion.name if column == question.criterion.name else column: told for column, told in question.expected.items()}
    return question._replace(expected=expected)


def case_of(given: dict[str, str]) -> Case:
    asked_on = given.get("asked on") or ASKED_ON
    failed = {search: Outcome.FAILED for search in (given.get("not answered") or "").split()}
    return Case(read_patient(record(*chart(given, asked_on), **failed), date.fromisoformat(asked_on)))


def policies_of(protocol, told: str):
    changed = dict(setting.split(" ") for setting in told.split("; ")) if told else {}
    return replace(protocol.policies, **changed)


def answer(question: Question) -> dict[str, str]:
    case, policies = case_of(question.given), policies_of(question.protocol, question.given.get("policy", ""))
    finding = question.criterion.rule(case, policies)
    raised = [flag.id for flag in question.protocol.flags if "flag" in question.expected and flag.rule(case, policies).truth.value == "met"]
    found = {
        question.criterion.name: finding.truth.value.replace("_", " "),
        "reason": finding.reason.value if finding.reason else "",
        "basis": finding.basis.value if finding.basis else "",
        "flag": "; ".join(raised),
        "words": finding.words,
    }
    return {column: found[column] for column in (*question.expected, "words")}


QUESTIONS = all_questions()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q.criterion.id} {q.where} {'; '.join(filter(None, q.given.values()))}"[:110])
def test_row(question):
    found = answer(question)
    words = found.pop("words")
    assert found == question.expected, words


JUDGED = [(p, c) for p in TRIALS for c in p.criteria if not any(NOT_JUDGED in gap.words for gap in c.rule(case_of({}), p.policies).gaps)]


@pytest.mark.parametrize("protocol, criterion", JUDGED, ids=lambda x: getattr(x, "name", ""))
def test_every_judged_criterion_has_a_row_for_every_answer(protocol, criterion):
    rows = [q for q in QUESTIONS if q.protocol is protocol and q.criterion is criterion]
    assert {q.expected[criterion.name] for q in rows} == {"met", "not met", "unknown"}


@pytest.mark.parametrize("protocol, criterion", JUDGED, ids=lambda x: getattr(x, "name", ""))
def test_every_table_quotes_its_bullet(protocol, criterion):
    (page,) = (page for p, _, page in PAGES if p is protocol and criterion.id in headed(page))
    quoted = unescape(" ".join(line.lstrip("> ") for line in page.splitlines() if line.startswith(">")))
    for sentence in criterion.text:
        assert " ".join(sentence.split()) in " ".join(quoted.split()), sentence


def test_a_table_that_asks_nothing_fails():
    protocol = TRIALS[0]
    for page in ("| birth date | comment |\n|--|--|\n| 2015 | met |", "no table at all", "| creatinine | renal function |\n|--|--|\n| 1 mg/dL | met |",
                 "| creatinine | renal function | reason |\n|--|--|--|\n| 1 mg/dL | unknown | |",
                 "| creatinine | renal function | reason |\n|--|--|--|\n| 1 mg/dL | fine | |"):  # fmt: skip
        with pytest.raises(AskedNothing):
            questions(protocol, page, "a page")


def test_a_wrong_expectation_is_noticed():
    """The runner itself can fail: the same row, with the opposite answer."""
    page = "| birth date | sex | creatinine | renal function | reason |\n|--|--|--|--|--|\n| 2015-03-15 | male | 0.5 mg/dL | {} | |"
    (right,), (wrong,) = (questions(TRIALS[0], page.format(told), "a page") for told in ("met", "not met"))
    assert answer(right) == {**right.expected, "words": answer(right)["words"]}
    assert answer(wrong)["renal function"] != wrong.expected["renal function"]
