"""NCT05827549: first relapse of childhood ALL, treatment by NGS-MRD risk group. The table of contents of the trial."""

from __future__ import annotations

from cds.case import Case
from cds.course import confirmed
from cds.finding import Evidence, Finding, Gap, Why, met, not_met, unknown
from cds.protocol import Protocol
from cds.trials.nct05827549 import eligibility, exclusion
from cds.trials.nct05827549.flags import FLAGS
from cds.trials.nct05827549.open_facts import OPEN_FACTS
from cds.trials.nct05827549.policies import Policies
from cds.trials.nct05827549.risk import GROUPS, KNOWN, RISK, risk_inputs, risk_words
from cds.truth import UNKNOWN


def relapsed_all(p: Case) -> Finding:
    """Is this a living child with leukaemia of the lymphoblastic family and any evidence of a relapse?"""
    return family(p) & ~p.relapse.is_("none") & ~p.facts.deceased.is_("yes")


def family(p: Case) -> Finding:
    """A diagnosis of the ALL family; a code that only hints, or an unconfirmed diagnosis, leaves it unknown."""
    found = confirmed(p.facts)
    if found:
        return met(*(d.source for d in found))
    doubtful = [d for d in p.facts.diagnoses.items if UNKNOWN in (d.confirmed, d.family)]
    if doubtful:
        seen = tuple(d.source for d in doubtful)
        return unknown(Gap("leukaemia diagnosis", Why.MISSING, "acute lymphoblastic leukaemia not confirmed", seen))
    if answered := p.facts.chart_review.answers.get("lineage"):
        return met(*answered.evidence)  # no record of it, and a clinician says which it is
    if p.facts.diagnoses.gap:
        return unknown(p.facts.diagnoses.gap)
    return not_met(Evidence("no diagnosis of acute lymphoblastic leukaemia on record"))


PROTOCOL = Protocol(
    id="NCT05827549",
    title="Evaluation of Treatment Efficacy According to Risk Group in Relapsed Childhood Acute Lymphoblastic Leukemia",
    text_version="2025-06-19",
    criteria=(
        eligibility.age_at_relapse,
        eligibility.diagnosis,
        eligibility.first_relapse_with_marrow,
        eligibility.no_prior_allogeneic_transplant,
        eligibility.no_prior_blinatumomab,
        eligibility.renal_function,
        eligibility.liver_function,
        eligibility.cardiac_function,
        eligibility.performance_status,
        eligibility.life_expectancy,
        eligibility.expected_compliance,
        eligibility.consent_and_assent,
        exclusion.burkitt_or_mature_b_leukaemia,
        exclusion.philadelphia_positive,
        exclusion.cd19_negative_relapse,
        exclusion.relapse_within_a_month_of_induction,
        exclusion.mixed_phenotype_leukaemia,
        exclusion.relapse_within_a_month_of_induction_again,
        exclusion.genetic_syndromes,
        exclusion.known_hiv,
        exclusion.pregnancy_not_excluded,
        exclusion.treatment_in_another_trial,
        exclusion.unstable_conditions,
        exclusion.relevant_cns_pathology,
        exclusion.hypersensitivity_to_study_drugs,
    ),
    applies=relapsed_all,
    risk=RISK,
    risk_inputs=risk_inputs,
    risk_known=KNOWN,
    risk_words=risk_words,
    groups=GROUPS,
    flags=FLAGS,
    open_facts=OPEN_FACTS,
    policies=Policies(),
)
