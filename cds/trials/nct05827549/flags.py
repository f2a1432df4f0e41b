"""Messages shown beside the results when the text, or the record, deserves a second look; they change no answer."""

from __future__ import annotations

from cds.case import Case
from cds.criterion import flag
from cds.finding import Basis, Finding, Why, met, not_met
from cds.off_treatment import late_relapse
from cds.pregnancy import pregnant
from cds.trials.nct05827549 import eligibility, exclusion
from cds.trials.nct05827549.policies import Policies
from cds.trials.nct05827549.risk import MRD_LIMIT
from cds.samples import M2
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import amount


@flag("22 years old at relapse: whether the trial takes 22-year-olds is for the study team.")
def age_22_contested(p: Case, policy: Policies) -> Finding:
    return (p.age_at_relapse >= amount("22 a")) & (p.age_at_relapse < amount("23 a"))


@flag("Marrow relapse recorded, but blasts below 5 %: the text's sentence on such marrows is incomplete.")
def marrow_below_5pct_source_sentence_incomplete(p: Case, policy: Policies) -> Finding:
    return p.relapse.is_("first") & _unless(eligibility.extramedullary_only(p), p.marrow_at_relapse < M2)


@flag("Marrow blasts of 5 to 25 % (M2) at relapse: a second test is customary before calling it a relapse.")
def relapse_marrow_m2_confirm(p: Case, policy: Policies) -> Finding:
    return eligibility.first_relapse_with_marrow.finding(p, policy) & (p.marrow_at_relapse <= amount("25 %"))


@flag("Marrow blasts of 5 % or more after a remission, and no relapse recorded: please confirm or refute the relapse.")
def relapse_suspected_not_documented(p: Case, policy: Policies) -> Finding:
    return p.relapse.is_("suspected")


@flag("Direct bilirubin not measured: decided from the total, which it cannot exceed.")
def direct_bilirubin_inferred_from_total(p: Case, policy: Policies) -> Finding:
    liver = eligibility.liver_function.finding(p, policy)
    return liver if liver.basis is Basis.INFERRED else not_met()


@flag("One of shortening fraction and ejection fraction passes and the other fails: please look at the echocardiogram.")
def echo_sf_ef_discordant(p: Case, policy: Policies) -> Finding:
    shortening, ejection = p.latest_echo(policy.echo_days)
    passes = shortening >= amount("27 %"), ejection >= amount("50 %")
    return (passes[0] & ~passes[1]) | (~passes[0] & passes[1])


@flag("CNS leukaemia at relapse: one sentence of the text accepts any extramedullary site, another names active CNS involvement.")
def cns_leukaemia_inc03_vs_exc12(p: Case, policy: Policies) -> Finding:
    sites = p.extramedullary_sites
    return met(*sites.evidence) if "cns" in sites.options and policy.cns_leukaemia == "review" else not_met()


@flag("The off-treatment date is not exact enough to tell whether the relapse came one year or more after it.")
def off_treatment_date_imprecise(p: Case, policy: Policies) -> Finding:
    late = late_relapse(p.facts, p.relapse_date)
    return met(*late.evidence) if late.reason is Why.IMPRECISE else not_met()


@flag("An end-of-induction MRD by flow cytometry or PCR exists, but no usable NGS result: the text decides on NGS-MRD.")
def mrd_non_ngs_only(p: Case, policy: Policies) -> Finding:
    return met(*(r.source for r in p.eoi_other_mrd)) if p.eoi_other_mrd and p.eoi_ngs_mrd.gaps else not_met()


@flag("NGS-MRD not detected, but the sample's limit of detection is above 0.01 %: it cannot show less than 0.01 %.")
def mrd_insufficient_sensitivity(p: Case, policy: Policies) -> Finding:
    weak = tuple(r.source for r in p.eoi_ngs_mrd.readings if "not_detected" in r.labels and (r.value < MRD_LIMIT).truth is UNKNOWN)
    return met(*weak) if weak else not_met()


@flag("NGS found no clone to follow: no NGS-MRD will come from this method.")
def mrd_not_trackable(p: Case, policy: Policies) -> Finding:
    seen = tuple(e for gap in p.eoi_ngs_mrd.gaps for e in gap.seen)
    return met(*seen) if any("no clone to follow" in gap.words for gap in p.eoi_ngs_mrd.gaps) else not_met()


@flag("End-of-induction marrow of 5 % or more with NGS-MRD below 0.01 %: verify both samples first.")
def eoi_marrow_mrd_conflict(p: Case, policy: Policies) -> Finding:
    return _unless(p.lineage.is_("t_all") | _outside(p, policy), (p.eoi_marrow >= M2) & (p.eoi_ngs_mrd < MRD_LIMIT))


@flag("T-ALL with an end-of-induction marrow of 5 % or more: the text keeps it HR; not in remission.")
def t_all_marrow_not_in_remission(p: Case, policy: Policies) -> Finding:
    return _unless(_outside(p, policy), p.lineage.is_("t_all") & (p.eoi_marrow >= M2))


def _outside(p: Case, policy: Policies) -> Finding:
    """No first relapse with marrow: the child has no risk group, and its marrow later on says nothing about one."""
    return ~eligibility.first_relapse_with_marrow.finding(p, policy)


@flag("Positive pregnancy evidence: confirm it, and show it to the treating team only.")
def confirm_positive_hcg(p: Case, policy: Policies) -> Finding:
    return p.sex.is_("female") & pregnant(p.facts, p.evaluated_on)


@flag("No pregnancy test on record: absence is presumed by age, which is our reading and not the text's.")
def pregnancy_presumed_absent_prepubertal_age(p: Case, policy: Policies) -> Finding:
    answer = exclusion.pregnancy_not_excluded.finding(p, policy)
    return met(*answer.evidence) if answer.basis is Basis.ASSUMED_ABSENT else not_met()


@flag("CD19-negative B-ALL relapse: blinatumomab has no target.")
def blinatumomab_not_suitable_cd19_negative(p: Case, policy: Policies) -> Finding:
    return p.lineage.is_("b_all") & exclusion.cd19_negative(p)


@flag("An inherited marrow failure that the text does not name: whether it excludes is for the study team.")
def bone_marrow_failure_wording(p: Case, policy: Policies) -> Finding:
    other = [e.source for e in p.facts.syndromes.items if e.sure is MET and e.kind not in exclusion.NAMED_SYNDROMES]
    return met(*other) if other else not_met()


@flag("Hypersensitivity to a drug that is probably given but that the text does not list.")
def allergy_to_unlisted_likely_drug(p: Case, policy: Policies) -> Finding:
    likely = [e.source for e in p.facts.allergies.items if e.kind == "likely"]
    listed = any(e.kind == "listed" for e in p.facts.allergies.items)
    return met(*likely) if likely and not listed else not_met()


@flag("A neurological condition of the kind the text names is on record: please judge whether it is relevant.")
def cns_finding_for_review(p: Case, policy: Policies) -> Finding:
    found = tuple(e.source for e in p.facts.neurological.items if e.sure is not NOT_MET)
    return met(*found) if found else not_met()


@flag("Takes part in another study without current treatment in it: not an exclusion.")
def other_trial_follow_up_only(p: Case, policy: Policies) -> Finding:
    kinds = {e.kind for e in p.facts.other_studies.items}
    return met(*(e.source for e in p.facts.other_studies.items)) if kinds == {"follow_up"} else not_met()


def _unless(condition: Finding, finding: Finding) -> Finding:
    return not_met() if condition.truth is MET else finding


FLAGS = (
    age_22_contested,
    marrow_below_5pct_source_sentence_incomplete,
    relapse_marrow_m2_confirm,
    relapse_suspected_not_documented,
    direct_bilirubin_inferred_from_total,
    echo_sf_ef_discordant,
    cns_leukaemia_inc03_vs_exc12,
    off_treatment_date_imprecise,
    mrd_non_ngs_only,
    mrd_insufficient_sensitivity,
    mrd_not_trackable,
    eoi_marrow_mrd_conflict,
    t_all_marrow_not_in_remission,
    confirm_positive_hcg,
    pregnancy_presumed_absent_prepubertal_age,
    blinatumomab_not_suitable_cd19_negative,
    bone_marrow_failure_wording,
    allergy_to_unlisted_likely_drug,
    cns_finding_for_review,
    other_trial_follow_up_only,
)
