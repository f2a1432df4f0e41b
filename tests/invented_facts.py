"""Invented facts for the laws: whole children whose facts agree with each other, and facts that need not agree at all.

`stories()` invents one child and tells the facts about it: a partial date contains the true one, two sources say the
same, a girl is pregnant or she is not. `any_facts()` throws facts together. Days come from a small calendar, so that they meet, coincide and straddle.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import count

from hypothesis import strategies as st

from cds.day import Day
from cds.facts import ChartReview, Diagnosis, Dose, Event, Listed, PatientFacts, Taken
from cds.finding import Basis, Evidence, Gap, Why
from cds.series import Reading, Series
from cds.truth import MET, NOT_MET, UNKNOWN
from cds.values import Amount, any_amount, one

AS_OF = date(2025, 9, 20)
LINEAGES = ("b_all", "t_all", "mixed_phenotype", "burkitt_or_mature_b")
PERCENT = ("0", "1", "4.9", "5", "12", "25", "26", "27", "49.9", "50", "62")
AMOUNTS = {
    "creatinine": ("mg/dL", ("0.2", "0.6", "0.8", "1", "1.2", "1.4", "1.45", "1.5", "1.7", "1.71", "3")),
    **dict.fromkeys(("bilirubin_direct", "bilirubin_conjugated", "bilirubin_total"), ("mg/dL", ("0.2", "2.9", "3.0", "3.1", "9"))),
    **dict.fromkeys(("ejection_fraction", "shortening_fraction", "marrow_blasts"), ("%", PERCENT)),
    "mrd": ("%", ("0.001", "0.009", "0.01", "0.2")),
}
CHOICES = {"bcr_abl1": ("positive", "negative"), "cd19": ("positive", "partial", "negative"), "hiv": ("negative", "reactive", "detected"),
           "hcg": ("positive", "negative")}  # fmt: skip
SCORES = {"lansky": ("0", "50", "60", "100"), "karnofsky": ("50", "60", "90"), "ecog": ()}
KINDS = {  # of events, by fact
    "transplants": ("allogeneic", "donor_not_stated", "graft_versus_host"),
    "blinatumomab": ("given", "ordered"),
    "other_cd19_therapy": ("given", "ordered"),
    "syndromes": ("Down syndrome", "Kostmann syndrome", "Diamond-Blackfan anaemia", "severe congenital neutropenia"),
    "hiv_infection": ("hiv_infection",),
    "pregnancy": ("pregnancy", "possible pregnancy"),
    "sterilised": ("hysterectomy",),
    "neurological": ("epilepsy", "psychosis"),
    "allergies": ("listed", "likely", "related", "unspecified", "other", "none_known"),
    "other_studies": ("treatment", "follow_up"),
    "consent": ("refused", "document"),
}
ALWAYS_UNSURE = {"donor_not_stated", "possible pregnancy"}
ALWAYS_SURE = {"given", "ordered", "refused", "document", "none_known", "related", "unspecified", "other", "follow_up"}
OPTIONS = {  # of the chart review's choices, by linkId
    "lineage": LINEAGES,
    "relapse-ordinal": ("first", "second-or-later", "refractory", "suspected"),
    "bcr-abl1": ("positive", "negative"),
    "relapse-site": ("isolated_marrow", "combined", "extramedullary_only"),
    "on-treatment-at-relapse": ("yes", "no"),
    "cd19-on-relapse-blasts": CHOICES["cd19"],
    "non-pregnancy-evidence": ("premenarchal", "no-possibility-by-history", "surgically-sterilised"),
    **dict.fromkeys(("same-four-drug-induction", "prior-allogeneic-transplant", "prior-blinatumomab", "treatment-history-complete"), ("yes", "no")),
    **dict.fromkeys(("life-expectancy-at-least-1-year", "expected-compliance", "unstable-condition", "relevant-cns-pathology"), ("yes", "no")),
    "consent-and-assent-signed": ("yes", "no", "refused"),
}
JUDGEMENTS = ("life-expectancy-at-least-1-year", "expected-compliance", "unstable-condition", "relevant-cns-pathology")
NAMES = {"bilirubin_direct": "direct bilirubin", "bilirubin_conjugated": "conjugated bilirubin", "bilirubin_total": "total bilirubin",
         "bcr_abl1": "BCR::ABL1", "mrd": "MRD", "cd19": "CD19", "hiv": "HIV test", "hcg": "pregnancy test"}  # fmt: skip
_references = count(1)


def evidence(words: str, day: Day | None = None, basis: Basis = Basis.RECORDED) -> Evidence:
    return Evidence(words, f"Invented/{next(_references)}", str(day) if day else None, basis)


def _exact(day: date) -> Day:
    return Day(day, day)


@st.composite
def told_day(draw, day: date, exactly: bool = False) -> Day:
    """The day as a record may state it: itself, its month, or its year."""
    how = "day" if exactly else draw(st.sampled_from(("day", "day", "day", "month", "year")))
    if how == "year":
        return Day(date(day.year, 1, 1), date(day.year, 12, 31))
    if how == "month":
        first = day.replace(day=1)
        return Day(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    return _exact(day)


def sourced(day: Day, source: Evidence) -> Day:
    return Day(day.first, day.last, None, (source,), day.gaps)


@st.composite
def told_amount(draw, number: str, unit: str, source: Evidence) -> Amount:
    """The amount as a laboratory may report it: exactly, censored, or as a range around it."""
    value = Decimal(number)
    low, high = draw(st.sampled_from(((value, value),) * 3 + ((Decimal(0), value * 2 + 1), (value / 2, None), (value / 2, value * 2))))
    return Amount(low, high, unit, evidence=(source,))


@st.composite
def readings(draw, fact: str, days, labels=frozenset(), most: int = 2, options: tuple[str, ...] = ()) -> tuple[Reading, ...]:
    """Results of one test on different days, those with options one of these; some of them unusable."""
    told = []
    for day in draw(st.lists(days, max_size=most, unique=True)):
        source = evidence(fact, _exact(day))
        if draw(st.integers(0, 5)) == 0:
            problem = Gap(NAMES.get(fact, fact), draw(st.sampled_from((Why.UNIT, Why.PENDING, Why.MISSING))), f"{fact}: unusable", (source,))
            told.append(Reading(any_amount(problem), _exact(day), source, labels, problem))
            continue
        if fact in CHOICES:
            value = one(draw(st.sampled_from(options or CHOICES[fact])), source)
        else:
            unit, numbers = AMOUNTS[fact]
            value = draw(told_amount(draw(st.sampled_from(options or numbers)), unit, source))
        told.append(Reading(value, _exact(day), source, labels))
    return tuple(told)


@st.composite
def scores(draw, days, most: int = 2) -> tuple[Reading, ...]:
    """Performance status by any scale."""
    told = []
    for day in draw(st.lists(days, max_size=most, unique=True)):
        scale = draw(st.sampled_from(sorted(SCORES)))
        source = evidence(scale, _exact(day))
        problem = Gap("performance status", draw(st.sampled_from((Why.UNIT, Why.PENDING))), f"{scale}: unusable", (source,))
        unusable = SCORES[scale] and draw(st.integers(0, 5)) == 0
        number = draw(st.sampled_from(SCORES[scale])) if SCORES[scale] and not unusable else None
        value = Amount(Decimal(number), Decimal(number), "%", evidence=(source,)) if number else any_amount(*((problem,) if unusable else ()))
        told.append(Reading(value, _exact(day), source, frozenset({scale}), problem if unusable else None))
    return tuple(told)


@st.composite
def events(draw, fact: str, days, kinds: tuple[str, ...] = (), most: int = 2, sure=(MET, MET, UNKNOWN, NOT_MET)) -> tuple[Event, ...]:
    """Events of one fact, on a day, in a month or at any time; some of them not sure."""
    told = []
    for kind in draw(st.lists(st.sampled_from(kinds or KINDS[fact]), max_size=most)):
        when = draw(st.none() | days.flatmap(told_day))
        certain = MET if kind in ALWAYS_SURE else UNKNOWN if kind in ALWAYS_UNSURE else draw(st.sampled_from(sure))
        told.append(Event(kind, evidence(kind, when), when, certain))
    return tuple(told)


def attested(link_id: str, option: str, day: date | None = None):
    return one(option, evidence(f"{link_id} {option}", day and _exact(day), basis=Basis.ATTESTED))


def series(fact: str, *told: Reading) -> Series:
    return Series(NAMES.get(fact, fact.replace("_", " ")), tuple(told))


@st.composite
def stories(draw, anchors: bool = True) -> PatientFacts:
    """One child. Without `anchors` nothing is known of the trial: no enrolment, no reinduction."""
    relapsed = AS_OF - timedelta(days=draw(st.integers(3, 50)))
    diagnosed = relapsed - timedelta(days=draw(st.sampled_from((120, 400, 1500))))
    years_old = draw(st.sampled_from((0, 1, 2, 9, 10, 13, 16, 21, 22, 23)))
    born = relapsed.replace(year=relapsed.year - years_old) - timedelta(days=draw(st.sampled_from((0, 1, 40, 200, 364))))
    born = min(born, diagnosed - timedelta(days=1))
    off = relapsed - timedelta(days=draw(st.sampled_from((30, 365, 366, 900)))) if diagnosed < relapsed - timedelta(days=1000) else None
    lineage = draw(st.sampled_from(LINEAGES))
    first = draw(st.booleans())
    enrolled = relapsed + timedelta(days=draw(st.integers(0, 10))) if anchors and draw(st.booleans()) else None
    started = enrolled and enrolled + timedelta(days=1)
    recent = st.integers(0, 45).map(lambda days: AS_OF - timedelta(days=days))
    around_relapse = st.sampled_from([relapsed + timedelta(days=d) for d in (0, 1)])
    known_lineage = st.sampled_from((frozenset({lineage}), frozenset({lineage}), frozenset()))

    born_day = draw(told_day(born))
    facts = {
        "birth_date": sourced(born_day, evidence("born", born_day)),
        "sex": one(draw(st.sampled_from(("male", "female"))), evidence("sex")),
        "deceased": one("no", evidence("not recorded as deceased")),
        "taken": Listed(tuple(Taken("mercaptopurine", _exact(diagnosed), _exact(off), evidence("mercaptopurine taken")) for _ in range(1) if off and draw(st.booleans()))),
        "first_line_start": Listed(tuple(sourced(_exact(diagnosed), evidence("first-line treatment began")) for _ in range(1) if off)),
        "first_line_end": Listed(tuple(sourced(_exact(off), evidence("first-line treatment ended")) for _ in range(1) if off)),
        "enrolment": Listed(tuple(sourced(_exact(enrolled), evidence("enrolled")) for _ in range(1) if enrolled)),
        "doses": Listed(tuple(Dose("idarubicin", _exact(started), evidence("idarubicin given")) for _ in range(1) if started and started <= AS_OF)),
    }
    problem_list = []
    for onset, relapse in ((diagnosed, False), (relapsed, True)):
        source = evidence("leukaemia", _exact(onset))
        ordinal = ("first" if first else "later") if relapse else None
        problem_list.append(Diagnosis(source, draw(known_lineage), onset=sourced(draw(told_day(onset, exactly=relapse)), source), relapse=relapse,
                                      ordinal=ordinal, sites=frozenset({"marrow"}) if relapse else frozenset()))  # fmt: skip
    facts["diagnoses"] = Listed(tuple(problem_list))
    direct = ("3.0", "3.1", "9") if draw(st.booleans()) else ("0.2", "2.9")
    bilirubin = {"bilirubin_direct": direct, "bilirubin_conjugated": direct, "bilirubin_total": ("9",) if "9" in direct else ()}
    for fact in ("creatinine", *bilirubin, "ejection_fraction", "shortening_fraction", "bcr_abl1"):
        facts[fact] = series(fact, *draw(readings(fact, recent, options=bilirubin.get(fact, ()))))
    eoi = frozenset({"eoi"})
    later = st.sampled_from([AS_OF - timedelta(days=1), AS_OF])
    facts["marrow_blasts"] = series("marrow_blasts", *draw(readings("marrow_blasts", around_relapse)), *draw(readings("marrow_blasts", later, eoi)))
    facts["mrd"] = series("mrd", *draw(readings("mrd", later, eoi | {"ngs", "marrow"})), *draw(readings("mrd", later, eoi | {"flow", "marrow"})))

    before = st.sampled_from([diagnosed + timedelta(days=d) for d in (30, 90)])
    answers, more = {}, draw(_besides(relapsed, before, recent, around_relapse, old_enough=years_old >= 10))
    for link_id, option in (("lineage", lineage), ("relapse-ordinal", "first" if first else "second-or-later"), ("relapse-site", "isolated_marrow")):
        if draw(st.booleans()):
            answers[link_id] = one(option, evidence(f"{link_id} {option}", basis=Basis.ATTESTED))
    induction_ended = diagnosed + timedelta(days=33) if off or draw(st.booleans()) else relapsed - timedelta(days=draw(st.sampled_from((20, 45))))
    for link_id, day in (("relapse-date", relapsed), ("off-treatment-date", off), ("initial-diagnosis-date", diagnosed),
                         ("frontline-induction-end-date", induction_ended)):
        if day and draw(st.booleans()):
            answers[link_id] = sourced(_exact(day), evidence(link_id, basis=Basis.ATTESTED))
    facts["chart_review"] = ChartReview(answers | more.pop("answers"))
    if more.pop("girl"):
        facts["sex"] = one("female", evidence("sex"))
    return PatientFacts("Patient/invented", AS_OF, **facts, **more)


@st.composite
def _besides(draw, relapsed: date, before, recent, around_relapse, old_enough: bool) -> dict:
    """The rest of a story: what the child received, has, takes part in; and the answers that say the same."""
    facts, said = {}, {}
    for fact, link_id in (("transplants", "prior-allogeneic-transplant"), ("blinatumomab", "prior-blinatumomab")):
        received = draw(st.booleans())
        unsure = ("donor_not_stated",) if fact == "transplants" else ("ordered",)
        told = draw(events(fact, before, kinds=KINDS[fact] if received else unsure, sure=(MET,)))
        facts[fact] = Listed(told)
        said[link_id] = attested(link_id, "yes" if received else "no")
    infected, pregnant, refused = draw(st.booleans()), old_enough and draw(st.booleans()), draw(st.booleans())
    for fact in ("other_cd19_therapy", "syndromes", "neurological", "allergies", "other_studies"):
        facts[fact] = Listed(draw(events(fact, before)))
    facts["hiv_infection"] = Listed(draw(events("hiv_infection", before, sure=(MET, UNKNOWN) if infected else (UNKNOWN, NOT_MET))))
    facts["hiv"] = series("hiv", *draw(readings("hiv", recent, options=("reactive", "detected") if infected else ("negative",))))
    facts["hcg"] = series("hcg", *draw(readings("hcg", recent, options=("positive" if pregnant else "negative",))))
    facts["pregnancy"] = Listed(draw(events("pregnancy", recent, sure=(MET, UNKNOWN) if pregnant else (NOT_MET,))))
    facts["sterilised"] = Listed(() if pregnant else draw(events("sterilised", before)))
    facts["performance"] = Series("performance status", draw(scores(recent)))
    cd19 = draw(st.sampled_from(CHOICES["cd19"]))
    facts["cd19"] = series("cd19", *draw(readings("cd19", around_relapse, options=(cd19,))))
    facts["consent"] = Listed(draw(events("consent", recent, kinds=("refused",) if refused else ("document",))))
    if all(r.problem is None for r in facts["cd19"].readings):  # an answer beside a result nobody can use is another story
        said["cd19-on-relapse-blasts"] = attested("cd19-on-relapse-blasts", cd19)
    said["treatment-history-complete"] = attested("treatment-history-complete", "no" if draw(st.booleans()) else "yes")
    said["same-four-drug-induction"] = attested("same-four-drug-induction", draw(st.sampled_from(("yes", "no"))))
    if not pregnant:
        said["non-pregnancy-evidence"] = attested("non-pregnancy-evidence", draw(st.sampled_from(OPTIONS["non-pregnancy-evidence"])))
    for link_id in (*JUDGEMENTS, "consent-and-assent-signed"):
        option = draw(st.sampled_from(("no", "refused") if refused and link_id == "consent-and-assent-signed" else ("yes", "no")))
        said[link_id] = attested(link_id, option, relapsed + timedelta(days=draw(st.sampled_from((-400, 0, 1, 3)))))
    kept = draw(st.sets(st.sampled_from(sorted(said))))
    return facts | {"answers": {link_id: said[link_id] for link_id in said if link_id in kept}, "girl": pregnant}


CALENDAR = [date(2015, 3, 15), date(2019, 2, 1), date(2023, 9, 1), date(2024, 8, 31), date(2025, 6, 30), *(AS_OF - timedelta(days=d) for d in (0, 1, 14, 15, 31, 60, 61))]
any_day = st.sampled_from(CALENDAR)
DATES = ("relapse-date", "off-treatment-date", "enrolment-date", "reinduction-start-date", "frontline-induction-end-date")


@st.composite
def any_diagnosis(draw) -> Diagnosis:
    day = draw(any_day)
    source = evidence("leukaemia", _exact(day))
    return Diagnosis(
        source,
        draw(st.sampled_from((*map(lambda lineage: frozenset({lineage}), LINEAGES), frozenset()))),
        family=draw(st.sampled_from((MET, MET, UNKNOWN))),
        confirmed=draw(st.sampled_from((MET, MET, MET, UNKNOWN, NOT_MET))),
        onset=draw(st.none() | told_day(day).map(lambda told: sourced(told, source))),
        recorded=draw(st.none() | st.just(sourced(_exact(day), source))),
        relapse=draw(st.booleans()),
        refractory=draw(st.integers(0, 8)) == 0,
        remission=draw(st.integers(0, 3)) == 0,
        ordinal=draw(st.sampled_from((None, None, "first", "later"))),
        sites=draw(st.frozensets(st.sampled_from(("marrow", "cns", "testis")), max_size=2)),
    )


@st.composite
def any_facts(draw) -> PatientFacts:
    source = evidence("born")
    facts = {
        "birth_date": sourced(draw(told_day(draw(any_day))), source),
        "sex": one(draw(st.sampled_from(("male", "female"))), evidence("sex")),
        "deceased": one(draw(st.sampled_from(("no", "no", "no", "yes"))), evidence("vital status")),
        "diagnoses": Listed(tuple(draw(st.lists(any_diagnosis(), max_size=3)))),
        "doses": Listed(tuple(Dose(draw(st.sampled_from(("idarubicin", "mercaptopurine"))), _exact(day), evidence("dose")) for day in draw(st.lists(any_day, max_size=2)))),
        "taken": Listed(tuple(Taken("mercaptopurine", *draw(st.lists(told_day(draw(any_day)), min_size=2, max_size=2)), evidence("taken"), draw(st.sampled_from((MET, UNKNOWN))))
                              for _ in range(draw(st.integers(0, 1))))),
        "first_line_start": Listed(tuple(sourced(_exact(day), evidence("began")) for day in draw(st.lists(any_day, max_size=1)))),
        "first_line_end": Listed(tuple(sourced(_exact(day), evidence("off")) for day in draw(st.lists(any_day, max_size=1)))),
        "enrolment": Listed(tuple(sourced(_exact(day), evidence("enrolled")) for day in draw(st.lists(any_day, max_size=1)))),
    }
    for fact in (*AMOUNTS, *CHOICES):
        labels = draw(st.sampled_from((frozenset(), frozenset({"eoi"})))) | (frozenset({"ngs", "marrow"}) if fact == "mrd" else frozenset())
        facts[fact] = series(fact, *draw(readings(fact, any_day, labels, most=2)))
    facts["performance"] = Series("performance status", draw(scores(any_day, most=3)))
    for fact in KINDS:
        facts[fact] = Listed(draw(events(fact, any_day)))
    answers = {}
    for link_id in draw(st.lists(st.sampled_from(sorted(OPTIONS)), max_size=6, unique=True)):
        answers[link_id] = attested(link_id, draw(st.sampled_from(OPTIONS[link_id])), draw(any_day))
    for link_id in draw(st.lists(st.sampled_from(DATES), max_size=2, unique=True)):
        answers[link_id] = sourced(_exact(draw(any_day)), evidence(link_id, basis=Basis.ATTESTED))
    facts["chart_review"] = ChartReview(answers)
    return PatientFacts("Patient/invented", AS_OF, **facts)
