"""What a server or a chart says, made fit to be shown: one harmless line, without the patient's name, ids or the token.

A diagnosis is pasted into tickets and e-mails. So it may hold what a code is called, and nothing that says who was ill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_mappings.members import each
from fhir_mappings.record import Resource
from hooks.doctor.safe_words import safe
from hooks.markdown import plain

LONGEST = 200
_SHORTEST = 3  # a shorter name is a word of its own too often: it would tear holes into everything that is said
_QUOTED = re.compile(r"'[^']*'|“[^”]*”|\"[^\"]*\"|‘[^’]*’")  # what our own sentences repeat of the chart
_DATE = re.compile(r"\b\d{4}-\d\d(?:-\d\d(?:T[\d:.+Z-]*)?)?")
_NUMBER = re.compile(r"(?<![\w.^*/-])\d+(?:[.,]\d+)?(?![\w^*/-])(?!\.\d)")


class Discretion:
    def __init__(self, *secrets: str | None) -> None:
        self._secrets = {secret for secret in secrets if secret}
        self._knows_patient = False

    def learn(self, patient: Resource) -> None:
        """From now on, what names this patient is not repeated, whoever says it."""
        self._knows_patient |= patient.get("resourceType") == "Patient"
        self._secrets |= {word for told in _naming(patient) for word in (told, *told.split()) if len(word) >= _SHORTEST}

    def words(self, text: str, longest: int = LONGEST) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = re.sub(rf"(?i)(?<!\w){re.escape(secret)}(?!\w)", "…", text)
        return plain(text, longest)

    def said(self, text: str) -> str:
        """A server's own words, as far as they can name nobody: whom else it may name is not known."""
        return self.words(safe(text))

    def of_chart(self, text: str, longest: int = LONGEST) -> str:
        """What a code or a unit of the chart is called; of a patient who could not be read, as little as of a server's words."""
        return self.words(text if self._knows_patient else safe(text), longest)

    def kind(self, text: str, longest: int = LONGEST) -> str:
        """The same sentence for every result it is true of: without its values and dates, which are the patient's."""
        text = text if self._knows_patient else _QUOTED.sub("“…”", text)
        return self.words(_NUMBER.sub("…", _DATE.sub("…", text)), longest)


def _naming(patient: Resource) -> Iterator[str]:
    for name in each(patient.get("name")):
        given = name.get("given")
        yield from (t for t in (name.get("text"), name.get("family"), *(given if isinstance(given, list) else ())) if isinstance(t, str))
    for told in (*each(patient.get("identifier")), *each(patient.get("telecom"))):
        value: Any = told.get("value")
        if isinstance(value, str):
            yield value
    if isinstance(patient.get("birthDate"), str):
        yield patient["birthDate"]
