"""What a result says beside its code: a sample of blood under the code of a marrow, a scan under that of an echocardiogram.

Code and words contradict each other, and neither is known to be the wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_mappings import codelists
from fhir_mappings.members import all_words, each
from fhir_mappings.record import Resource

_MARROW = re.compile(r"marrow|골수", re.IGNORECASE)
_NOT_MARROW = re.compile(r"\b(blood|peripheral|serum|plasma|csf|cerebrospinal|liquor|spinal fluid|urine|testis|testicle)\b|혈액|말초혈|뇌척수|소변|고환", re.IGNORECASE)
_NOT_ECHO = re.compile(
    r"\b(muga|radionuclide|nuclear|scintigra\w*|spect|pet|mri|cmr|mr|magnetic|ct|tomogra\w*|angiogra\w*|ventriculogra\w*|cathet\w*)\b|핵의학|자기공명|심도자", re.IGNORECASE
)  # fmt: skip


def not_of_marrow(resource: Resource) -> bool:
    """Does it name a sample that is surely no marrow? A place such as the iliac crest says nothing against one."""
    return any(_is_no_marrow(place) for place in _places(resource))


def not_by_echo(resource: Resource) -> bool:
    """Does it name another method? A word such as "Simpson" or "M-mode" says nothing against an echocardiogram."""
    return any(_NOT_ECHO.search(words) for words in all_words(resource.get("method")))


def _places(resource: Resource) -> Iterator[Any]:
    yield resource.get("bodySite")
    specimen = resource.get("specimen")
    reference = specimen.get("reference") if isinstance(specimen, dict) else None
    yield {"text": specimen.get("display")} if isinstance(specimen, dict) else None
    for contained in each(resource.get("contained")):
        if reference == f"#{contained.get('id')}":
            yield contained.get("type")


def _is_no_marrow(place: Any) -> bool:
    words = " ".join(all_words(place))
    if codelists.states(place, "body_site_bone_marrow") or _MARROW.search(words):
        return False
    return codelists.states(place, "sample_of_blood", "body_site_testis") or _NOT_MARROW.search(words) is not None
