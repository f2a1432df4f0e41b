"""The checklist's form, answer by answer: what is taken as it was typed, and what is refused in which words.

The child was born in March 2015, and today is 3 September 2025.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from cds.day import partial
from cds.facts import PatientFacts
from cds.values import one
from fhir_mappings.questionnaire import QUESTIONS
from fhir_mappings.questionnaire_response import Percent
from hooks.checklist.form import WHOLE, read_form
from tables import read_tables

CHILD = PatientFacts("Patient/child", date(2025, 9, 3), birth_date=partial("2015-03"))

TAKEN = """
| field                       | typed        | answer      |
|-----------------------------|--------------|-------------|
| relapse-date                | 2025-08-31   | 2025-08-31  |
| relapse-date                | 2025-09-03   | 2025-09-03  |
| relapse-date                | 2025-08      | 2025-08     |
| relapse-date                | 2025         | 2025        |
| initial-diagnosis-date      | 2015         | 2015        |
| initial-diagnosis-date      | 2015-03-01   | 2015-03-01  |
| frontline-induction-end-date | 2024-02-29  | 2024-02-29  |
| lineage                     | b-all        | b-all       |
| consent-and-assent-signed   | refused      | refused     |
| eoi-marrow-category         | M1           | M1          |
| on-treatment-at-relapse     | yes          | True        |
| treatment-history-complete  | no           | False       |
| relapse-marrow-blasts       | 62           | 62          |
| relapse-marrow-blasts       | 62.0         | 62.0        |
| relapse-marrow-blasts       | 100          | 100         |
| eoi-ngs-mrd                 | 0.0040       | 0.0040      |
| eoi-ngs-mrd                 | < 0.01       | < 0.01      |
| eoi-ngs-mrd                 | >= 0.1       | >= 0.1      |
"""

REFUSED = """
| field                       | typed        | because                                                |
|-----------------------------|--------------|--------------------------------------------------------|
| relapse-date                | 31.8.2025    | give a day as 2025-08-31, a month as 2025-08 or a year as 2025 |
| relapse-date                | 2025-8-31    | give a day as                                          |
| relapse-date                | August 2025  | give a day as                                          |
| relapse-date                | 2025-08-31T10:00 | give a day as                                      |
| relapse-date                | ٢٠٢٥         | give a day as                                          |
| relapse-date                | ２０２５-08  | give a day as                                          |
| relapse-date                | 2025-02-30   | 2025-02-30 is not a possible date                      |
| relapse-date                | 2025-13      | 2025-13 is not a possible date                         |
| relapse-date                | 0025-08-31   | 0025-08-31 is not a possible date                      |
| relapse-date                | 2025-09-04   | 2025-09-04 is in the future                            |
| relapse-date                | 2025-10      | 2025-10 is in the future                               |
| relapse-date                | 2026         | 2026 is in the future                                  |
| eoi-date                    | 2025-09-04   | is in the future                                       |
| initial-diagnosis-date      | 2015-02-28   | 2015-02-28 is before the child was born (2015-03)      |
| initial-diagnosis-date      | 2014         | 2014 is before the child was born (2015-03)            |
| relapse-date                | 2025-08-31 or a day later | is longer than 20 characters              |
| lineage                     | leukaemia    | “leukaemia” is none of the answers offered             |
| lineage                     | B-ALL        | “B-ALL” is none of the answers offered                 |
| prior-blinatumomab          | refused      | “refused” is none of the answers offered               |
| on-treatment-at-relapse     | true         | “true” is none of the answers offered                  |
| relapse-marrow-blasts       | 101          | 101 is not between 0 and 100                           |
| relapse-marrow-blasts       | 100.1        | 100.1 is not between 0 and 100                         |
| relapse-marrow-blasts       | -5           | give a number such as 12 or 0.004                      |
| relapse-marrow-blasts       | 62 %         | give a number such as 12 or 0.004                      |
| relapse-marrow-blasts       | 62,5         | give a number such as 12 or 0.004                      |
| relapse-marrow-blasts       | 1e1          | give a number such as 12 or 0.004                      |
| relapse-marrow-blasts       | NaN          | give a number such as 12 or 0.004                      |
| relapse-marrow-blasts       | ６２         | give a number such as 12 or 0.004                      |
| eoi-ngs-mrd                 | 0.0000000000000000000001 | is longer than 20 characters               |
| eoi-ngs-mrd                 | < 0          | nothing is less than 0 %                               |
| eoi-ngs-mrd                 | > 100        | nothing is more than 100 %                             |
| eoi-ngs-mrd                 | ~ 5          | the sign before the number is none of those offered    |
"""

TOGETHER = """
| answered                                                              | at                     | because |
|-----------------------------------------------------------------------|------------------------|---------|
| off-treatment-date=2024-05, on-treatment-at-relapse=yes               | off-treatment-date     | treatment cannot have ended if the relapse came during treatment |
| off-treatment-date=2024-05, on-treatment-at-relapse=no                |                        |         |
| relapse-site=isolated-marrow, extramedullary-site=cns                 | extramedullary-site    | a relapse of the marrow only has no other site |
| relapse-site=combined, extramedullary-site=cns                        |                        |         |
| eoi-ngs-mrd-lod=0.001                                                 | eoi-ngs-mrd-lod        | the limit of detection says nothing without the MRD |
| eoi-ngs-mrd-lod=0.001, eoi-ngs-mrd=0                                  |                        |         |
| eoi-ngs-mrd=0                                                         | eoi-ngs-mrd            | shows nothing without the limit of detection |
| eoi-ngs-mrd.comparator=<                                              | eoi-ngs-mrd            | “less than” needs a number beside it |
| initial-diagnosis-date=2022-04-18, relapse-date=2022-04-17            | relapse-date           | 2022-04-17 is before the day of “Date of the first diagnosis of leukaemia”, 2022-04-18 |
| initial-diagnosis-date=2022-04-18, relapse-date=2022                  |                        |         |
| relapse-date=2025-08-01, reinduction-start-date=2025-07-31            | reinduction-start-date | 2025-07-31 is before the day of “Date of the relapse”, 2025-08-01 |
| reinduction-start-date=2025-08-02, eoi-date=2025-08                   |                        |         |
| lineage=b-all, lineage=t-all                                          | lineage                | is answered more than once |
| favourite-colour=blue, lineage=b-all                                  | form                   | the form has a field that is no question of this page: favourite-colour |
| relapse-marrow-blasts.comparator=<, relapse-marrow-blasts=5           | form                   | the form has a field that is no question of this page: relapse-marrow-blasts.comparator |
|                                                                       | form                   | no question was answered |
"""  # fmt: skip


def rows(table: str) -> list[dict[str, str]]:
    return [row.cells for found in read_tables(table) for row in found]


def posted(field: str, typed: str) -> MultiDict[str, str]:
    """As a browser sends it: the sign of an amount in a field of its own, every other field empty."""
    sign, _, number = typed.rpartition(" ") if typed[0] in "<>~" else ("", "", typed)
    given = MultiDict([("form_token", "abc"), *((link_id, "") for link_id in QUESTIONS if link_id != field), (field, number)])
    given["eoi-ngs-mrd.comparator"] = sign
    return given


def in_words(answer: object) -> str:
    return " ".join(filter(None, (answer.comparator, str(answer.value)))) if isinstance(answer, Percent) else str(answer)


@pytest.mark.parametrize("row", rows(TAKEN), ids=lambda row: f"{row['field']} {row['typed']}")
def test_taken(row):
    read = read_form(posted(row["field"], row["typed"]), CHILD)
    assert not read.faults and {row["field"]: row["answer"]} == {link_id: in_words(answer) for link_id, answer in read.answers.items()}


@pytest.mark.parametrize("row", rows(REFUSED), ids=lambda row: f"{row['field']} {row['typed']}")
def test_refused(row):
    read = read_form(posted(row["field"], row["typed"]), CHILD)
    assert list(read.faults) == [row["field"]] and row["because"] in read.faults[row["field"]] and not read.answers
    assert read.typed[row["field"]] == (row["typed"].rpartition(" ")[2] if row["typed"][0] in "<>~" else row["typed"],), "nothing typed is lost"


@pytest.mark.parametrize("row", rows(TOGETHER), ids=lambda row: row["answered"])
def test_together(row):
    fields = [pair.split("=", 1) for pair in row["answered"].split(", ") if pair]
    read = read_form(MultiDict(fields), CHILD)
    assert list(read.faults) == ([row["at"]] if row["at"] else [])
    assert row["because"] in read.faults.get(row["at"], "")


def test_several_sites_come_in_the_order_of_the_questionnaire():
    assert read_form({"extramedullary-site": ["testis", "cns", "testis"]}, CHILD).answers == {"extramedullary-site": ("cns", "testis")}


def test_digits_stay_as_they_were_typed():
    assert str(read_form({"eoi-ngs-mrd": [" 0.00400 "]}, CHILD).answers["eoi-ngs-mrd"].value) == str(Decimal("0.00400"))


def test_a_question_for_girls_is_not_answered_for_a_boy():
    typed = {"non-pregnancy-evidence": ["premenarchal"]}
    boy = CHILD.otherwise({"sex": one("male")})
    assert read_form(typed, boy).faults == {"non-pregnancy-evidence": "is asked of girls only, and the record says male"}
    assert not read_form(typed, CHILD).faults, "the record does not say which"


def test_without_a_birth_date_no_date_is_before_it():
    unborn = PatientFacts("Patient/child", date(2025, 9, 3))
    assert not read_form({"initial-diagnosis-date": ["1990"]}, unborn).faults


def test_one_fault_keeps_the_other_answers():
    read = read_form({"lineage": ["b-all"], "relapse-date": ["tomorrow"]}, CHILD)
    assert dict(read.answers) == {"lineage": "b-all"} and set(read.faults) == {"relapse-date"}
    assert read.typed == {"lineage": ("b-all",), "relapse-date": ("tomorrow",)}


NAMES = st.sampled_from([*QUESTIONS, "eoi-ngs-mrd.comparator", "no-such-question", ""])


@given(st.dictionaries(NAMES, st.lists(st.text("019-.,<%ab ٣\u2028\x00", max_size=30) | st.sampled_from(["yes", "b-all", "2025", "0.1", "<"]), max_size=3)))
def test_whatever_is_posted_is_an_answer_or_a_fault(fields):
    read = read_form(fields, CHILD)
    filled = {name.removesuffix(".comparator") for name, values in fields.items() if any(value.strip() for value in values)}
    assert {*read.answers, *read.faults} - {WHOLE} <= filled
    assert filled & set(QUESTIONS) <= {*read.answers, *read.faults}, "nothing is passed over in silence"
    assert filled or read.faults == {WHOLE: "no question was answered"}
