"""What the text leaves open and a site may settle: look-back windows and readings, with the documented defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cds.samples import Windows


@dataclass(frozen=True, slots=True)
class Policies(Windows):
    """Days are counted back from the day eligibility is frozen; a result exactly that old is current."""

    creatinine_days: int = 14
    bilirubin_days: int = 14
    echo_days: int = 30
    performance_status_days: int = 14
    hcg_days: int = 7
    hiv_days: int = 180
    prepubertal_presumption_below_age: int = 8
    age_upper: Literal["contested_22", "lt22", "le22"] = "contested_22"
    marrow_below_5pct: Literal["review", "not_met"] = "review"
    cd19_negative: Literal["exclude", "blinatumomab_only"] = "exclude"
    bone_marrow_failure: Literal["named_only_else_review", "any_inherited_bmf"] = "named_only_else_review"
    hiv_silence: Literal["unknown", "not_met"] = "unknown"
    cns_leukaemia: Literal["review", "allowed"] = "review"  # review: flagged beside both sentences
