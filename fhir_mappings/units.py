"""The conversions we trust, per analyte, and the values no body produces.

Conversion is exact decimal arithmetic, so that a printed threshold stays a threshold in every unit. The UCUM code wins
over the unit's text; a unit that is not listed is no unit, and a magnitude is never a reason to guess one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Analyte:
    """`per`: how many of a unit make one of ours. `low` (excluded) and `high` bound what is plausible, in our unit."""

    name: str
    unit: str
    per: Mapping[str, Decimal]
    low: Decimal
    high: Decimal


MOLAR = frozenset({"umol/L", "mmol/L"})


def _concentration(name: str, umol_per_mg_dl: str, low: str, high: str) -> Analyte:
    molar = Decimal(umol_per_mg_dl)
    per = {"mg/dL": Decimal(1), "mg/L": Decimal(10), "umol/L": molar, "mmol/L": molar / 1000}
    return Analyte(name, "mg/dL", per, Decimal(low), Decimal(high))


CREATININE = _concentration("creatinine", "88.4", low="0.02", high="30")
BILIRUBIN = _concentration("bilirubin", "17.1", low="-0.001", high="80")
PERCENT = Analyte("percentage", "%", {"%": Decimal(1)}, Decimal("-0.001"), Decimal(100))
ECHO_PERCENT = Analyte("percentage", "%", {"%": Decimal(1)}, Decimal(1), Decimal(100))  # 0.62 is a unit error
MRD = Analyte(
    "MRD",
    "%",
    {"%": Decimal(1), "1": Decimal("0.01"), "10*-4": Decimal(100), "10*-5": Decimal(1000)}
    | dict.fromkeys(("10*-6", "[ppm]", "/10*6", "{cells}/10*6"), Decimal(10000)),
    Decimal("-0.001"),
    Decimal(100),
)

_SPELLINGS = {
    "µmol/l": "umol/L", "μmol/l": "umol/L", "umol/l": "umol/L", "mcmol/l": "umol/L", "micromol/l": "umol/L",
    "mmol/l": "mmol/L", "mg/dl": "mg/dL", "mg/l": "mg/L", "percent": "%", "10^-4": "10*-4", "10^-5": "10*-5",
    "10^-6": "10*-6", "ppm": "[ppm]", "cells/million": "{cells}/10*6", "/million": "/10*6", "cells per million": "{cells}/10*6",
}  # fmt: skip


def unit_of(quantity: Mapping[str, Any], analyte: Analyte) -> str | None:
    """The listed unit of a raw FHIR Quantity; None when it has none that we know for this analyte, or two."""
    code, text = (_listed(quantity.get(key), analyte) for key in ("code", "unit"))
    if names_two(quantity, analyte):
        return None
    if quantity.get("system") == UCUM and isinstance(quantity.get("code"), str):
        return code
    return code or text


def names_two(quantity: Mapping[str, Any], analyte: Analyte) -> bool:
    """Two units for one number, `umol/L` in the code and `mg/dL` in the text: neither can be relied on."""
    code, text = (_listed(quantity.get(key), analyte) for key in ("code", "unit"))
    return bool(code and text and analyte.per[code] != analyte.per[text])


def convert(value: Decimal, unit: str, analyte: Analyte) -> Decimal:
    """In the analyte's own unit; dividing keeps 53.04 umol/L of creatinine equal to 0.6 mg/dL."""
    return value / analyte.per[unit]


def plausible(value: Decimal, analyte: Analyte) -> bool:
    return analyte.low < value <= analyte.high


def _listed(text: Any, analyte: Analyte) -> str | None:
    if not isinstance(text, str):
        return None
    unit = _SPELLINGS.get(text.strip().lower(), text.strip())
    return unit if unit in analyte.per else None
