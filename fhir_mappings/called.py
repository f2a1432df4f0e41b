"""Conditions and procedures that are only called something, by no code of a system we read: what they may be.

A name never decides: it raises a question, and nothing else. It may be denied in the same breath ("no history of"), or be
somebody else's ("family history"); that is for a person. How a name is found in the words: `names.py`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from fhir_mappings.code_systems import READ, canonical
from fhir_mappings.members import all_words, codings, text
from fhir_mappings.names import any_of, plain


class Called(NamedTuple):
    fact: str
    kind: str
    names: tuple[str, ...]


NAMES = (
    Called("syndromes", "Down syndrome", ("down syndrome", "down's syndrome", "downs syndrome", "trisomy 21", "다운증후군", "다운 증후군")),
    Called("syndromes", "Bloom syndrome", ("bloom syndrome", "bloom's syndrome", "블룸증후군", "블룸 증후군")),
    Called("syndromes", "ataxia-telangiectasia", ("ataxia telangiectasia", "louis bar", "모세혈관확장")),
    Called("syndromes", "Fanconi anaemia", ("fanconi anemia", "fanconi anaemia", "fanconi's anemia", "fanconi's anaemia", "판코니빈혈", "판코니 빈혈")),
    Called("syndromes", "Kostmann syndrome", ("kostmann", "kostmann's", "코스트만")),
    Called("syndromes", "severe congenital neutropenia", ("severe congenital neutropenia", "중증선천성호중구감소증", "중증 선천성 호중구감소증")),
    Called("syndromes", "Shwachman syndrome", ("shwachman", "schwachman", "슈바크만")),
    Called("syndromes", "Diamond-Blackfan anaemia", ("diamond blackfan", "다이아몬드 블랙판")),
    Called("syndromes", "dyskeratosis congenita", ("dyskeratosis congenita", "선천성 이상각화증", "선천이상각화증")),
    Called("hiv_infection", "hiv_infection", ("hiv", "human immunodeficiency virus", "acquired immunodeficiency syndrome", "에이즈", "인간면역결핍", "사람면역결핍")),
    Called("pregnancy", "possible pregnancy", ("pregnant", "pregnancy", "임신")),
    Called("transplants", "donor_not_stated", (
        "stem cell transplant", "stem cell transplantation", "bone marrow transplant", "bone marrow transplantation", "marrow transplant", "hsct", "bmt",
        "allogeneic transplant", "allogeneic transplantation", "조혈모세포이식", "조혈모세포 이식", "골수이식", "골수 이식",
    )),
)  # fmt: skip
ALLOGENEIC = (("allogen", "transplant"), ("allogen", "hsct"), ("allogen", "bmt"), ("동종", "이식"))  # the words of one of these, together
AUTOLOGOUS = re.compile(r"\bautolog\w*|자가")
DOUBTED = re.compile(r"\b(no|not|never|without|denies|negative|family|sibling|brother|sister|donor|screening|evaluation|candidate|planned|consult\w*)\b|가족|예정|공여")
LEUKAEMIA = re.compile(r"\b(leuka?emia|lymphoblastic)\b|백혈병")
MARKS = re.compile(r"[-‐‑–_/,;]+")  # no more than a blank


def is_uncoded(concept: Any) -> bool:
    """No code of a system we read stands in it."""
    return not any(text(c.get("code")) and canonical(text(c.get("system")) or "") in READ for c in codings(concept))


def called(concept: Any) -> list[tuple[str, str]]:
    """`(fact, kind)` of everything that an uncoded CodeableConcept names."""
    said = _said(concept)
    found = [(fact, kind) for fact, kind, names in NAMES if any_of(names, MARKS).search(said)] if said else []
    transplant = ("transplants", "donor_not_stated")
    if is_allogeneic(said) and not DOUBTED.search(said):
        return [each for each in found if each != transplant] + [("transplants", "allogeneic")]
    return [each for each in found if each != transplant or not AUTOLOGOUS.search(said)]


def is_allogeneic(said: str) -> bool:
    return any(all(word in said.lower() for word in words) for words in ALLOGENEIC)


def names_leukaemia(concept: Any) -> str | None:
    """What an uncoded Condition calls itself, where that is a leukaemia."""
    return next((words for words in all_words(concept) if LEUKAEMIA.search(words.lower())), None) if is_uncoded(concept) else None


def _said(concept: Any) -> str:
    words = all_words(concept)
    return plain(" ; ".join(words), MARKS) if words and is_uncoded(concept) else ""
