"""The three answers and how they combine: strong Kleene logic, every row of it, for Truth and for Finding."""

from __future__ import annotations

import pytest

from cds.finding import Basis, Evidence, Finding, Gap, Why, choose, every_possibility, given, met, not_met, unknown
from cds.truth import MET, NOT_MET, UNKNOWN, Truth

T, F, U = MET, NOT_MET, UNKNOWN
AND = {(T, T): T, (T, U): U, (T, F): F, (U, T): U, (U, U): U, (U, F): F, (F, T): F, (F, U): F, (F, F): F}
OR = {(T, T): T, (T, U): T, (T, F): T, (U, T): T, (U, U): U, (U, F): U, (F, T): T, (F, U): U, (F, F): F}
NOT = {T: F, U: U, F: T}

FOUND, SEEN = Evidence("creatinine 0.5 mg/dL", "Observation/1", "2025-08-28"), Evidence("EF 40 %", "Observation/2")
GAP, OTHER = Gap("HIV", Why.MISSING, "no HIV test found"), Gap("EF", Why.STALE, "EF is 43 days old", (SEEN,))
FINDINGS = {T: met(FOUND, note="it is so"), F: not_met(SEEN, note="it is not"), U: unknown(GAP)}


@pytest.mark.parametrize("pair", AND, ids=lambda pair: " ".join(t.value for t in pair))
def test_and_or(pair):
    left, right = pair
    assert left & right is AND[pair] and left | right is OR[pair]
    assert (FINDINGS[left] & FINDINGS[right]).truth is AND[pair]
    assert (FINDINGS[left] | FINDINGS[right]).truth is OR[pair]


@pytest.mark.parametrize("truth", Truth)
def test_not(truth):
    assert ~truth is NOT[truth]
    assert (~FINDINGS[truth]).truth is NOT[truth]


@pytest.mark.parametrize("value", [*Truth, *FINDINGS.values()])
def test_nothing_has_a_silent_truth(value):
    for ask in (bool, lambda v: not v, lambda v: v and True, lambda v: 1 if v else 0):
        with pytest.raises(TypeError, match="three values"):
            ask(value)


def test_an_answer_keeps_what_decided_it():
    assert (FINDINGS[T] & FINDINGS[F]).evidence == (SEEN,)
    assert (FINDINGS[F] & FINDINGS[U]).evidence == (SEEN,) and (FINDINGS[F] & FINDINGS[U]).gaps == ()
    assert (FINDINGS[T] | FINDINGS[U]).evidence == (FOUND,) and (FINDINGS[T] | FINDINGS[U]).gaps == ()
    assert (FINDINGS[T] & FINDINGS[U]).gaps == (GAP,)
    assert (unknown(GAP) & unknown(OTHER)).gaps == (GAP, OTHER)
    assert (FINDINGS[T] & FINDINGS[T]).evidence == (FOUND,)


def test_the_most_telling_reason_is_the_one_shown():
    """In the order of the interface: conflict first, judgement last."""
    order = ["conflict", "unit", "wrong_instrument", "imprecise", "pending", "stale", "out_of_table", "source_ambiguous", "not_looked_up", "missing", "judgement"]
    assert [why.value for why in Why] == order
    for i, first in enumerate(Why):
        for second in list(Why)[i:]:
            assert unknown(Gap("a", second, "b"), Gap("a", first, "b")).reason is first
    assert FINDINGS[T].reason is None and FINDINGS[F].reason is None


def test_an_answer_is_as_direct_as_its_least_direct_part():
    order = list(Basis)
    for i, weaker in enumerate(order):
        for stronger in order[i:]:
            assert met(Evidence("a", basis=stronger), Evidence("b", basis=weaker)).basis is weaker
    assert unknown(OTHER).basis is None


def test_choose_answers_what_both_branches_agree_on():
    for condition in FINDINGS.values():
        assert choose(condition, met(FOUND), met(SEEN)).truth is T
        assert choose(condition, not_met(FOUND), not_met(SEEN)).truth is F
    assert choose(FINDINGS[T], met(FOUND), not_met(SEEN)).truth is T
    assert choose(FINDINGS[F], met(FOUND), not_met(SEEN)).truth is F
    assert choose(FINDINGS[U], met(FOUND), not_met(SEEN)) == FINDINGS[U]
    assert choose(FINDINGS[U], unknown(OTHER), unknown(OTHER)).truth is U


def test_given_asks_for_the_condition_first():
    assert given(FINDINGS[T], FINDINGS[F]).truth is F
    assert given(FINDINGS[F], FINDINGS[U]) == FINDINGS[F]
    assert given(FINDINGS[U], FINDINGS[F]) == FINDINGS[U]


def test_every_possibility():
    conflict = Gap("HIV", Why.CONFLICT, "two results disagree")
    assert every_possibility([met(FOUND), met(SEEN)], conflict).truth is T
    assert every_possibility([not_met(FOUND)], conflict).truth is F
    assert every_possibility([met(FOUND), not_met(SEEN)], conflict).gaps == (conflict,)
    assert every_possibility([met(FOUND), unknown(GAP)], conflict).gaps == (GAP,)
    assert every_possibility([unknown(GAP), unknown(OTHER)], conflict).gaps == (GAP, OTHER)


def test_words_of_an_answer():
    assert FINDINGS[T].words == "it is so" and met(FOUND).words == "creatinine 0.5 mg/dL on 2025-08-28"
    assert unknown(GAP, OTHER).words == "no HIV test found; EF is 43 days old"
    assert Finding(U, gaps=(GAP, GAP)).words == "no HIV test found"
