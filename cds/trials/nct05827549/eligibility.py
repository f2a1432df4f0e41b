"""Who may take part: the inclusion criteria, one small function per bullet of the document, under its own sentence.

`p` is the Case, `policy` the trial's Policies.
"""

from __future__ import annotations

from dataclasses import replace

from cds.case import Case
from cds.criterion import inclusion, unclear_text
from cds.day import Day
from cds.disease import OUTSIDE_THE_MARROW
from cds.echo import by_echocardiogram
from cds.finding import Basis, Finding, Gap, Why, choose, given, met, not_met, unknown
from cds.limits import LimitByAgeAndSex
from cds.samples import M2
from cds.series import Reading, Series
from cds.trials.nct05827549.policies import Policies
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import amount


@inclusion(
    "INC-01",
    "Patients <= 1 year and >22 years of age at the time of relapse will be eligible",
    reading="The inequalities are printed the wrong way round; the page header says 1-22 years. From the first birthday "
    "to the day before the 22nd; whether 22-year-olds may take part is for the study team.",
)
def age_at_relapse(p: Case, policy: Policies) -> Finding:
    age = p.age_at_relapse
    if policy.age_upper == "le22":
        return ((age >= amount("1 a")) & (age < amount("23 a"))).noting(age.words)
    within = ((age >= amount("1 a")) & (age < amount("22 a"))).noting(age.words)
    if policy.age_upper == "lt22":
        return within
    asked = unclear_text("age at relapse", "22 years old at relapse: header says 1-22 years, the criterion >22; ask the study team")
    return choose((age >= amount("22 a")) & (age < amount("23 a")), asked, within)


@inclusion(
    "INC-02",
    "Participants must have a histologic diagnosis of acute lymphoblastic leukemia:",
    "B-ALL: Precursor B-cell acute lymphoblastic leukemia",
    "T-ALL: Precursor T-cell acute lymphoblastic leukemia",
    reading="A confirmed, coded diagnosis that names the lineage suffices. Lymphoblastic lymphoma is for the study team.",
)
def diagnosis(p: Case, policy: Policies) -> Finding:
    asked = unclear_text("diagnosis", "lymphoblastic lymphoma: the text names leukaemia only; ask the study team")
    return choose(p.lineage.is_("lymphoblastic_lymphoma"), asked, p.lineage.is_("b_all", "t_all"))


@inclusion(
    "INC-03",
    "1st recurred acute lymphoblastic leukemia patients, recurred parts including marrow.",
    "Enrolling patients with combined extra medullary relapse including bone marrow is acceptable. (No limits for extra "
    "medullary site) Additionally, subjects whose blast cells in bone marrow are less than 5% (ALL whether type M2 or M3 "
    "must be definite)",
    reading="First relapse after a remission, marrow involved with at least 5 % blasts by morphology (M2 or M3). The "
    "sentence on less than 5 % has no verb: such a marrow is for the study team, unless only sites outside the marrow are recorded.",
)
def first_relapse_with_marrow(p: Case, policy: Policies) -> Finding:
    suspected = unknown(Gap("relapse", Why.MISSING, "relapse suspected, not documented", p.relapse.evidence))
    first = choose(p.relapse.is_("suspected"), suspected, p.relapse.is_("first"))
    return given(first, marrow_involved(p, policy))


def extramedullary_only(p: Case) -> Finding:
    """Said to be so; or every record of the relapse names its sites, the marrow is none of them, and no marrow shows otherwise."""
    sites = p.relapse_sites
    if sites.options != OUTSIDE_THE_MARROW or sites.gaps or (p.marrow_at_relapse >= M2).truth is MET:
        return sites.is_("extramedullary_only")
    where = " and ".join(SITES[site] for site in sorted(p.extramedullary_sites.options))
    return met(*sites.evidence, note=f"relapse recorded at {where}, not in the marrow")


SITES = {"cns": "CNS", "testis": "testis", "other": "another site"}


def marrow_involved(p: Case, policy: Policies) -> Finding:
    """Marrow in this relapse: by its blasts; an extramedullary-only relapse is contradicted by a marrow of 5 % or more."""
    outside_only = extramedullary_only(p)
    enough = (p.marrow_at_relapse >= M2).about("marrow blasts")
    if outside_only.truth is MET:
        if enough.truth is MET:
            words = f"recorded as extramedullary only, but {enough.words}"
            return unknown(Gap("relapse site", Why.CONFLICT, words, outside_only.evidence + enough.evidence))
        return ~outside_only if enough.truth is NOT_MET or enough.reason is Why.MISSING else enough
    if outside_only.truth is UNKNOWN and outside_only.reason is Why.CONFLICT:
        return outside_only
    if enough.truth is NOT_MET and policy.marrow_below_5pct == "review":
        words = "marrow blasts below 5 %: the sentence can be read as accepting or as refusing it; ask the study team"
        return unknown(Gap("marrow blasts", Why.SOURCE_AMBIGUOUS, words, enough.evidence))
    return enough


@inclusion(
    "INC-04",
    "Patients who have never received allogeneic stem cell transplant",
    name="no prior allogeneic transplant",
    reading="Any completed allogeneic transplant before the evaluation. Nothing on record shows nothing, unless the "
    "treatment history is said to be complete.",
)
def no_prior_allogeneic_transplant(p: Case, policy: Policies) -> Finding:
    return ~p.ever_received("allogeneic transplant", p.facts.transplants, "allogeneic", "prior-allogeneic-transplant")


@inclusion(
    "INC-05",
    "Patients who have never received blinatumomab before",
    reading="Any dose given before the evaluation; the study's own blinatumomab comes after it. An order without a dose "
    "is for a person.",
)
def no_prior_blinatumomab(p: Case, policy: Policies) -> Finding:
    return ~p.ever_received("blinatumomab", p.facts.blinatumomab, "given", "prior-blinatumomab")


CREATININE = LimitByAgeAndSex(
    "mg/dL",
    # age (years)  male   female
    (1, 2, "0.6", "0.6"),
    (2, 6, "0.8", "0.8"),
    (6, 10, "1", "1"),
    (10, 13, "1.2", "1.2"),
    (13, 16, "1.5", "1.4"),
    (16, None, "1.7", "1.4"),
)


@inclusion(
    "INC-06",
    "Adequate Renal Function",
    "A serum creatinine based on age/gender as follows:",
    "1 to < 2 years - Male (0.6) Female (0.6) 2 to < 6 years - Male (0.8) Female (0.8) 6 to < 10 years - Male (1) "
    "Female (1) 10 to < 13 years - Male (1.2) Female (1.2) 13 to < 16 years - Male (1.5) Female (1.4)",
    "≥ 16 years - Male (1.7) Female (1.4)",
    reading="The table gives neither operator nor unit: read as the highest value accepted, in mg/dL, for the age on the "
    "day of the sample.",
    modifiable=True,
)
def renal_function(p: Case, policy: Policies) -> Finding:
    current = p.current(p.facts.creatinine, policy.creatinine_days)
    return current.each(lambda sample: sample.value <= CREATININE.at(p.age_on(sample.when), p.sex))


@inclusion(
    "INC-07",
    "Adequate Liver Function defined as a direct bilirubin <3.0 mg/dL",
    reading="Strictly below. Without a current direct bilirubin, a current total below 3.0 shows it, since direct cannot "
    "exceed total; a conjugated bilirubin of 3.0 or more shows the opposite.",
    modifiable=True,
)
def liver_function(p: Case, policy: Policies) -> Finding:
    limit = amount("3.0 mg/dL")
    direct = p.current(p.facts.bilirubin_direct, policy.bilirubin_days)
    total = p.current(p.facts.bilirubin_total, policy.bilirubin_days) < limit
    conjugated = p.current(p.facts.bilirubin_conjugated, policy.bilirubin_days) >= limit
    if not direct.lacks(Why.MISSING, Why.STALE):
        return direct < limit
    if total.truth is MET and conjugated.truth is MET:
        words = f"{total.words}, but {conjugated.words}"
        return unknown(Gap("direct bilirubin", Why.CONFLICT, words, total.evidence + conjugated.evidence))
    if conjugated.truth is MET:
        return (~conjugated).as_basis(Basis.INFERRED)
    return total.as_basis(Basis.INFERRED) if total.truth is MET else direct < limit


@inclusion(
    "INC-08",
    "Adequate Cardiac Function defined as: Shortening fraction of ≥ 27% by echocardiogram, or Ejection fraction of ≥ 50% "
    "by echocardiogram",
    reading="Either suffices, both from the most recent echocardiogram; a value by another method does not count: beside a good "
    "echocardiogram it changes nothing, and without one it leaves the question open.",
    modifiable=True,
)
def cardiac_function(p: Case, policy: Policies) -> Finding:
    shortening, ejection = p.latest_echo(policy.echo_days)
    enough = (shortening >= amount("27 %")) | (ejection >= amount("50 %"))
    otherwise = p.heart_seen_otherwise(policy.echo_days)
    if enough.truth is not MET and otherwise:
        seen = {gap.fact for gap in otherwise}
        return unknown(*otherwise, *(gap for gap in enough.gaps if not (gap.reason is Why.MISSING and gap.fact in seen)))
    doubts = [r for series, limit in ((p.facts.shortening_fraction, "27 %"), (p.facts.ejection_fraction, "50 %"))
              for r in p.undated(by_echocardiogram(series), policy.echo_days) if r.problem or (r.value >= amount(limit)).truth is NOT_MET]  # fmt: skip
    if enough.truth is MET and doubts:
        return unknown(*(Gap("ejection fraction", Why.IMPRECISE, f"{r.source}: is it of the most recent echocardiogram?", (r.source,)) for r in doubts))
    return enough


@inclusion(
    "INC-09",
    "Lansky (age < 16 years) or Karnofsky (age ≥ 16 years) performance status ≥ 60% at screening",
    reading="The scale that the text names for the age on the day of the assessment. Another scale is not converted, and where "
    "it is the most recent no older score decides.",
    modifiable=True,
)
def performance_status(p: Case, policy: Policies) -> Finding:
    scores = p.facts.performance
    grown_up = {r: p.age_on(r.when) >= amount("16 a") for r in scores.readings}
    asked = {r: ~grown_up[r] if "lansky" in r.labels else grown_up[r] for r in scores.readings if r.labels & {"lansky", "karnofsky"}}
    right = scores.having(r for r in scores.readings if r in asked and asked[r].truth is not NOT_MET)
    current = p.current(right, policy.performance_status_days)
    others = (r for r in scores.readings if r not in right.readings and not (r.problem and r.problem.reason is Why.MISSING))
    wrong = Series(scores.name, tuple(replace(r, problem=None) for r in others))  # the other scale, whatever can be read of it
    newer = _possibly_newer(wrong.until(p.evaluated_on), right.until(p.evaluated_on))
    if newer:
        return unknown(*(wrong_scale(r) for r in newer))
    if current.lacks(Why.MISSING, Why.STALE):
        other = p.current(wrong, policy.performance_status_days)
        if other.readings:
            return unknown(*(wrong_scale(r) for r in other.readings))

    def scored(reading: Reading) -> Finding:
        score = reading.value >= amount("60 %")
        return given(asked[reading], score).noting(f"{score.words} ({p.age_on(reading.when)} old)")

    return current.each(scored)


def _possibly_newer(scores: Series, others: Series) -> tuple[Reading, ...]:
    """Those that may have been given after every one of the others, as far as the dates tell; of the same day is not newer."""
    return tuple(r for r in scores.readings if others.readings and all(_may_follow(r.when, other.when) for other in others.readings))


def _may_follow(day: Day, other: Day) -> bool:
    if day.instant and other.instant:
        return other.instant < day.instant
    return day.last is None or other.first is None or other.first < day.last


def wrong_scale(reading: Reading) -> Gap:
    words = f"{reading.source}: not the scale that the text names for this age"
    return Gap("performance status", Why.WRONG_INSTRUMENT, words, (reading.source,))


@inclusion("INC-10", "Patients with a life expectancy of 1 or more year")
def life_expectancy(p: Case, policy: Policies) -> Finding:
    return p.attested("life-expectancy-at-least-1-year", "Is a life expectancy of one year or more expected?")


@inclusion(
    "INC-11",
    "Patients who are expected to comply with all required study procedures and follow the study protocol in the opinion of "
    "the investigator",
)
def expected_compliance(p: Case, policy: Policies) -> Finding:
    return p.attested("expected-compliance", "Is the child, with the family, expected to comply with the study procedures?")


@inclusion(
    "INC-12",
    "Signed written informed consent and assent forms must be obtained prior to any study procedures",
    reading="A documented refusal of this trial fails it. A consent on file is shown; whether it is complete, includes the "
    "assent and precedes study procedures is for the investigator.",
)
def consent_and_assent(p: Case, policy: Policies) -> Finding:
    refused = [e.source for e in p.facts.consent.items if e.kind == "refused"]
    answer = p.facts.chart_review.answers.get("consent-and-assent-signed")
    if refused and answer is not None and answer.options == {"yes"}:
        seen = (*refused, *answer.evidence)
        return unknown(Gap("consent-and-assent-signed", Why.CONFLICT, " but ".join(map(str, seen)), seen))
    if answer is not None and answer.options == {"refused"}:
        refused += answer.evidence
    if refused:
        return not_met(*refused)
    documents = tuple(e.source for e in p.facts.consent.items if e.kind == "document")
    question = "Are consent and assent signed, before any study procedure?"
    if answer is not None and answer.options != {"yes"}:
        return unknown(Gap("consent-and-assent-signed", Why.JUDGEMENT, f"{question} Not yet, says the chart review", documents + answer.evidence))
    return p.attested("consent-and-assent-signed", question, documents)
