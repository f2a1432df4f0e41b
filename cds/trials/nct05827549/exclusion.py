"""Who may not take part: the exclusion criteria, one small function per bullet of the document, under its own sentence.

Met means that the exclusion applies. `p` is the Case, `policy` the trial's Policies.
"""

from __future__ import annotations

from cds.case import Case
from cds.criterion import exclusion, unclear_text
from cds.facts import Event, Listed
from cds.finding import Basis, Evidence, Finding, Gap, Why, choose, met, not_met, unknown
from cds.history import before_the_freeze, ever_found, on_record
from cds.pregnancy import clinicians_word, not_pregnant, pregnant
from cds.series import Series
from cds.trials.nct05827549.policies import Policies
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import amount

NAMED_SYNDROMES = (
    "Down syndrome", "Bloom syndrome", "ataxia-telangiectasia", "Fanconi anaemia", "Kostmann syndrome", "Shwachman syndrome",
)  # fmt: skip


@exclusion(
    "EXC-01",
    "Patients with Burkitt leukemia/lymphoma or mature B-cell leukemia",
    name="Burkitt or mature B leukaemia",
)
def burkitt_or_mature_b_leukaemia(p: Case, policy: Policies) -> Finding:
    return p.lineage.is_("burkitt_or_mature_b")


@exclusion(
    "EXC-02",
    "Patients with Philadelphia chromosome positive (Ph+) ALL",
    name="Philadelphia positive",
    reading="Any positive BCR::ABL1 or t(9;22), ever. A later negative does not cancel it; no test is not a negative test.",
)
def philadelphia_positive(p: Case, policy: Policies) -> Finding:
    return p.ever(p.facts.bcr_abl1, "positive", "bcr-abl1")


@exclusion(
    "EXC-03",
    "Patients with CD19-negative recurrent progenitor B-cell acute lymphoblastic leukemia (non-expression of CD19 in "
    "peripheral blood or bone marrow by flow cytometry) are not eligible for administration of Blinatumomab",
    name="CD19-negative relapse",
    reading="Stands among the exclusions, though its words only deny blinatumomab. CD19 of the relapse, as the laboratory "
    "reads it; partial expression is for the study team.",
)
def cd19_negative_relapse(p: Case, policy: Policies) -> Finding:
    negative = cd19_negative(p)
    if policy.cd19_negative == "blinatumomab_only" and negative.truth is MET:
        return not_met(*negative.evidence, note=f"{negative.words}: denies blinatumomab, not the trial")
    b_all, lymphoma = p.lineage.is_("b_all"), p.lineage.is_("lymphoblastic_lymphoma")
    asked = unclear_text("diagnosis", "lymphoblastic lymphoma: the text names leukaemia only; ask the study team")
    neither = not_met(*b_all.evidence)
    return choose(b_all, negative, choose(lymphoma, choose(asked, negative, neither), neither))


def cd19_negative(p: Case) -> Finding:
    cd19 = p.cd19_at_relapse
    asked = unclear_text("CD19", "partial CD19 expression: the text speaks of non-expression only; ask the study team")
    return cd19.each(lambda r: choose(r.value.is_("partial"), asked, r.value.is_("negative")))


@exclusion(
    "EXC-04",
    "In case of relapsed within 1 month after the end of induction with the same 4-drug therapy used in this study",
    name="relapse within 1 month of induction",
    reading="The same sentence stands twice. The same day of the next month counts as within. The text does not name the four "
    "drugs: whether they are the same is a clinician's answer.",
)
def relapse_within_a_month_of_induction(p: Case, policy: Policies) -> Finding:
    return p.relapse_within_a_month_of_induction & p.answered("same-four-drug-induction", "same four induction drugs", "yes")


@exclusion(
    "EXC-05",
    "Patients with mixed phenotype leukemia",
    reading="At diagnosis or at relapse: either suffices. Another switch of lineage between the two does not say which it is.",
)
def mixed_phenotype_leukaemia(p: Case, policy: Policies) -> Finding:
    return p.mixed_at_one_time | p.lineage.is_("mixed_phenotype")


@exclusion(
    "EXC-06",
    "patient who was relapsed within 1 month after the end of induction therapy with the same 4-drug regimen to be used in "
    "this study.",
    name="relapse within 1 month of induction (repeated)",
    reading="The sentence of EXC-04 again: one rule, one answer.",
)
def relapse_within_a_month_of_induction_again(p: Case, policy: Policies) -> Finding:
    return relapse_within_a_month_of_induction.finding(p, policy)


@exclusion(
    "EXC-07",
    "Patients with genetic syndrome: Down syndrome, Bloom syndrome, ataxia-telangiectasia, Fanconi anemia, Kostmann syndrome, "
    "Shwachman syndrome bone marrow failure syndrome",
    reading="The six named. The end of the sentence has lost a conjunction: another inherited marrow failure is for the "
    "study team. None found is taken as none, to be confirmed.",
)
def genetic_syndromes(p: Case, policy: Policies) -> Finding:
    named = on_record("genetic syndrome", p.facts.syndromes, *NAMED_SYNDROMES)
    others = [e for e in p.facts.syndromes.items if e.kind not in NAMED_SYNDROMES and e.sure is not NOT_MET]
    if named.truth is MET or not others:
        return named
    sure = [e.source for e in others if e.sure is MET]
    if policy.bone_marrow_failure == "any_inherited_bmf" and sure:
        return met(*sure)
    words = f"{', '.join(dict.fromkeys(str(e.source) for e in others))}: not one of the six named; ask the study team"
    asked = unknown(Gap("genetic syndrome", Why.SOURCE_AMBIGUOUS, words, tuple(e.source for e in others)))
    return asked if named.truth is NOT_MET else unknown(*asked.gaps, *named.gaps)


@exclusion(
    "EXC-08",
    "Patients with known HIV",
    name="HIV",
    reading="A confirmed infection, ever, or a detected RNA test. A reactive screen awaits its confirmation. A negative test "
    "counts for 180 days.",
)
def known_hiv(p: Case, policy: Policies) -> Finding:
    infection = on_record("HIV infection", p.facts.hiv_infection, "hiv_infection")
    tests = _without_superseded_drafts(p.facts.hiv.until(p.evaluated_on))
    detected = ever_found(tests, "detected")
    if infection.truth is MET or detected.truth is MET:
        return infection | detected
    if detected.reason in (Why.UNIT, Why.PENDING, Why.CONFLICT):
        return detected  # a test that cannot be read may be the one that is positive
    reactive = [r.source for r in tests.latest(p.evaluated_on).readings if r.value.is_("reactive").truth is MET]
    if reactive:
        return unknown(*map(_awaits, reactive))  # however old: it still needs its confirmation
    current = p.current(tests, policy.hiv_days)
    if current.lacks(Why.MISSING) and policy.hiv_silence == "not_met":
        return infection
    tested = current.is_("detected")
    return tested if infection.truth is NOT_MET or tested.truth is UNKNOWN else infection


def _without_superseded_drafts(tests: Series) -> Series:
    """Without preliminary results older than a final one: it came after them. Of the virus itself, they still need an answer."""
    final = [r for r in tests.readings if r.problem is None]
    drafts = [r for r in tests.readings if r.problem and r.problem.reason is Why.PENDING and "virus" not in r.labels]
    superseded = [r for r in drafts if any(r.when.surely_before(f.when) for f in final)]
    return tests.having(r for r in tests.readings if r not in superseded)


def _awaits(source: Evidence) -> Gap:
    return Gap("HIV test", Why.PENDING, f"{source}: a reactive screening test needs its confirmation", (source,))


@exclusion(
    "EXC-09",
    "Female patients who are not proved as infertile or pregnant (Evidence of infertility: History taking of possibilities of "
    "pregnancy or urine human chorionic gonadotrophin test negative, amenorrhea more than a year, Natural or artificial "
    "(Ex.hormone therapy) menopause status more than a year, surgical sterilization(Ex.Hysterectomy or ovariotomy etc)",
    reading="A girl is excluded if pregnant. Any one piece of evidence against it suffices, a serum test included, or a history "
    "taken as recently as a test must be; without any, unknown. Below 8 years absence is presumed, which is our reading and not the text's.",
)
def pregnancy_not_excluded(p: Case, policy: Policies) -> Finding:
    boy = p.sex.is_("male")
    return choose(boy, not_met(*p.sex.evidence), _girl(p, policy))


def _girl(p: Case, policy: Policies) -> Finding:
    expecting = pregnant(p.facts, p.evaluated_on)
    evidence = not_pregnant(p.facts, p.evaluated_on, policy.hcg_days)
    told = clinicians_word(p.facts, p.evaluated_on, policy.hcg_days)
    denied = () if told.gaps else tuple(r.source for r in told.readings)
    if expecting.truth is MET and denied:
        seen = expecting.evidence + denied
        return unknown(Gap("pregnancy test", Why.CONFLICT, " but ".join(map(str, seen)), seen))
    if expecting.truth is MET:
        return expecting
    if evidence.truth is MET:
        return ~evidence
    young = p.age_on(p.evaluated_on) < amount(f"{policy.prepubertal_presumption_below_age} a")
    presumed = not_met(Evidence("presumed before puberty, by age", basis=Basis.ASSUMED_ABSENT))
    silent = evidence.reason in (Why.MISSING, Why.STALE) and not p.facts.pregnancy.gap
    return choose(young, presumed, evidence) if silent and p.sex.is_("female").truth is MET else evidence


@exclusion(
    "EXC-10",
    "Currently receiving treatment in another investigational drug study or clinical trial",
    name="treatment in another trial",
    reading="Treatment, now, in another interventional study. Follow-up and observation are not treatment. None found is taken "
    "as none, to be confirmed.",
    modifiable=True,
)
def treatment_in_another_trial(p: Case, policy: Policies) -> Finding:
    now = [e for e in before_the_freeze(p.facts.other_studies, p.evaluated_on) if not (e.when and e.when.surely_before(p.evaluated_on))]
    return on_record("other trial", Listed(tuple(now), p.facts.other_studies.gap), "treatment")


@exclusion(
    "EXC-11",
    "Evidence of unstable conditions that would pose a risk to subject safety or interfere with the patients' compliance",
)
def unstable_conditions(p: Case, policy: Policies) -> Finding:
    return p.attested("unstable-condition", "Is there an unstable condition that would put the child at risk?")


@exclusion(
    "EXC-12",
    "Patients with clinically relevant central nervous system (CNS) pathology or active CNS involvement including: unstable "
    "epilepsy, uncontrolled seizure, paralysis, aphasia, history of severe brain injury, cerebellar disease, organic brain "
    "syndrome, psychosis, coordination/movement disorder",
    name="CNS pathology",
    reading="What is on record is shown; whether it is clinically relevant is the investigator's judgement. CNS leukaemia is "
    "not in the list of examples and never excludes by itself.",
)
def relevant_cns_pathology(p: Case, policy: Policies) -> Finding:
    shown = tuple(e.source for e in p.facts.neurological.items if e.sure is not NOT_MET)
    found = f"found: {', '.join(dict.fromkeys(map(str, shown)))}; please judge" if shown else "not looked up" if p.facts.neurological.gap else "none found, please confirm"
    return p.attested("relevant-cns-pathology", f"Is there clinically relevant CNS pathology? ({found})", shown)


@exclusion(
    "EXC-13",
    "Known hypersensitivity to drugs or components to be administered: Idarubicin, Etoposide, Ifosfamide, Cytarabine, "
    "Vincristine, Mercaptopurine, Blinatumomab",
    reading="Allergy to a listed drug. Intolerance, a related drug or an excipient is for the investigator. No allergy list is "
    "not an empty allergy list.",
)
def hypersensitivity_to_study_drugs(p: Case, policy: Policies) -> Finding:
    allergies = Listed(tuple(before_the_freeze(p.facts.allergies, p.evaluated_on)), p.facts.allergies.gap)
    listed = [e for e in allergies.items if e.kind == "listed"]
    if sure := [e.source for e in listed if e.sure is MET]:
        return met(*sure)
    doubtful = [_allergy_in_doubt(e) for e in allergies.items if e.kind in ALLERGY_DOUBTS]
    if doubtful:
        return unknown(*doubtful)
    if allergies.gap:
        return unknown(allergies.gap)
    if allergies.items:
        return not_met(*(e.source for e in allergies.items))
    return unknown(Gap("allergies", Why.MISSING, "no allergy information at all, not even “none known”"))


ALLERGY_DOUBTS = {
    "listed": (Why.JUDGEMENT, "please judge"),
    "related": (Why.JUDGEMENT, "please judge"),
    "unspecified": (Why.MISSING, "which drug is not stated"),
    "unreadable": (Why.UNIT, "the record cannot be read"),
}


def _allergy_in_doubt(event: Event) -> Gap:
    reason, words = ALLERGY_DOUBTS[event.kind]
    return Gap("allergies", reason, f"{event.source}: {words}", (event.source,))
