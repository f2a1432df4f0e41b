"""The risk ladder (SR, HR, VHR), highest precedence first: very high over standard over high (A-21).

Each rung sees its inputs as if they were known; the protocol tries every value an unknown input can still have, so
"high" is never a stand-in for "unknown". Standard risk needs proof of all of: late, NGS-MRD below 0.01 %, marrow M1.
"""

from __future__ import annotations

from collections.abc import Mapping

from cds.case import Case, truth_as_choice
from cds.finding import Evidence, Finding
from cds.off_treatment import late_relapse
from cds.protocol import OUT_OF_SCOPE, RiskRule
from cds.samples import M2
from cds.values import Choice, amount, any_of

GROUPS = ("SR", "HR", "VHR")
MRD_LIMIT = amount("0.01 %")

RISK = (
    RiskRule(
        "VHR",
        ("End of Induction BM ≥ M2 AND B -ALL marrow or combined relapse",),
        lambda r: r["relapse_site"] == "marrow" and r["lineage"] == "B" and r["eoi_marrow"] == "M2 or more",
    ),
    RiskRule(
        "SR",
        ("Late (Relapse ≥ 1 year after off treatment) B-ALL marrow or Combined relapse AND", "End of induction MRD < 0.01%"),
        lambda r: r["relapse_site"] == "marrow"
        and r["lineage"] == "B"
        and r["off_treatment_date"] == "late"
        and r["eoi_ngs_mrd"] == "below 0.01 %",
    ),
    RiskRule(
        "HR",
        ("T-ALL marrow or combined relapse (any timing)",),
        lambda r: r["relapse_site"] == "marrow" and r["lineage"] == "T",
    ),
    RiskRule(
        "HR",
        ("All other B-ALL marrow or combined relapse cases",),
        lambda r: r["relapse_site"] == "marrow" and r["lineage"] == "B",
    ),
)


def risk_inputs(p: Case, findings: Mapping[str, Finding]) -> dict[str, Choice]:
    """The five inputs as everything the record leaves open. Marrow involvement is INC-03's answer, nothing less."""
    return {
        "lineage": lineage(p.lineage),
        "relapse_site": truth_as_choice(findings["INC-03"], "marrow", "no marrow"),
        "off_treatment_date": truth_as_choice(late_relapse(p.facts, p.relapse_date), "late", "not late"),
        "eoi_ngs_mrd": _measured(p.eoi_ngs_mrd < MRD_LIMIT, "below 0.01 %", "0.01 % or more"),
        "eoi_marrow": _measured(p.eoi_marrow >= M2, "M2 or more", "M1"),
    }


def _measured(finding: Finding, if_met: str, if_not: str) -> Choice:
    return truth_as_choice(finding, if_met, if_not, "; ".join(map(str, finding.evidence)))


def lineage(stated: Choice) -> Choice:
    """B or T; anything that is neither leaves both open (such a child is excluded by other criteria)."""
    letters = {"b_all": "B", "t_all": "T"}
    options = {letters[option] for option in stated.options if option in letters}
    if len(stated.options) == 1 and options:
        return Choice(frozenset(options), (Evidence("; ".join(map(str, stated.evidence))),))
    return any_of({"B", "T"}, *stated.gaps)


KNOWN = {  # an input as the card tells it: what it is, by its option
    "lineage": {"B": "B-ALL", "T": "T-ALL"},
    "relapse_site": {"marrow": "marrow involved", "no marrow": "marrow not involved"},
    "off_treatment_date": {"late": "late", "not late": "not late"},
    "eoi_ngs_mrd": {"below 0.01 %": "NGS-MRD below 0.01 %", "0.01 % or more": "NGS-MRD 0.01 % or more"},
    "eoi_marrow": {"M1": "EOI marrow M1", "M2 or more": "EOI marrow M2 or more"},
}
PENDING = {
    "lineage": "immunophenotype",
    "relapse_site": "confirmation of marrow involvement",
    "off_treatment_date": "off-treatment date",
    "eoi_ngs_mrd": "EOI NGS-MRD",
    "eoi_marrow": "EOI marrow morphology",
}


def risk_words(possible: frozenset[str], needed: tuple[str, ...]) -> str:
    groups = " or ".join(group for group in GROUPS if group in possible)
    if not groups:
        return "No risk group: relapse without marrow involvement is outside this protocol"
    pending = f" pending {', '.join(PENDING[name] for name in needed)}" if needed else ""
    outside = "; no group without marrow involvement" if OUT_OF_SCOPE in possible else ""
    return groups + pending + outside
