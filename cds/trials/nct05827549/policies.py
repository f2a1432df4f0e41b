"""What the text leaves open and a site may settle: look-back windows and readings, with the documented defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Policies:
    """Days are counted back from the day eligibility is frozen; a result exactly that old is current."""

    creatinine_days: int = 14
    bilirubin_days: int = 14
    echo_days: int = 30
    age_upper: Literal["contested_22", "lt22", "le22"] = "contested_22"
    marrow_below_5pct: Literal["review", "not_met"] = "review"
