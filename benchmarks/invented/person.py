"""Who the child is and when things happened: age at relapse, sex, and the days of the illness (INC-01)."""

from __future__ import annotations

from datetime import date, timedelta

from hooks.demo.fhir_builders import before

from invented.story import Days, Story, years_later

FINE = ("usual", "usual", "usual", "first birthday", "day before the 22nd birthday")
TROUBLE = ("infant", "22", "over 22", "born in a month", "birth date missing")
GIVEN = {"male": ("Ilyas", "Oskar", "Bram", "Finn", "Tammo"), "female": ("Ada", "Suri", "Elin", "Mina", "Kaya"), "unknown": ("Robin", "Kim")}
FAMILY = ("Meadowlight", "Hazelwing", "Mossgrove", "Fernhollow", "Larkspindle", "Acornbury", "Cloudberry", "Pebblebrook")


def settle(story: Story) -> None:
    """The days and the sex, before anything is told: every other aspect hangs on them."""
    relapse, frozen, reinduction, eoi = _course(story)
    story.sex = _sex(story)
    born, shortest = _birth(story, relapse)
    months_ill = min(story.rng.randint(38, 80), ((relapse - born).days - shortest) // 31)
    diagnosis = relapse - timedelta(days=max(75, months_ill * 30 + story.rng.randint(0, 29)))
    story.days = Days(born, diagnosis, relapse, frozen, reinduction, eoi)


def _course(story: Story) -> tuple[date, date, date | None, date | None]:
    stage, today, rng = story.plan["stage"], story.today, story.rng
    if stage == "screening":
        return _not_at_a_months_end(today - timedelta(days=rng.randint(6, 12))), today, None, None
    given = rng.randint(3, 18) if stage == "reinduction" else rng.randint(36, 70)
    reinduction = today - timedelta(days=given)
    enrolled = reinduction - timedelta(days=1)
    eoi = reinduction + timedelta(days=rng.randint(26, 34)) if stage == "end of induction" else None
    return _not_at_a_months_end(enrolled - timedelta(days=rng.randint(5, 10))), enrolled, reinduction, eoi


def _not_at_a_months_end(day: date) -> date:
    """So that stories about months known without their day are the same in every month."""
    while not 3 <= day.day <= 27:
        day -= timedelta(days=1)
    return day


def _sex(story: Story) -> str:
    if story.plan["pregnancy"] == "sex unknown":
        return "unknown"
    if story.plan["pregnancy"] in ("positive", "positive but denied", "pregnant", "untested", "stale", "pending", "quantity"):
        return "female"
    return story.rng.choice(("male", "male", "male", "female", "female"))


def _birth(story: Story, relapse: date) -> tuple[date, int]:
    """The birthday, and how old the child is at least when the leukaemia is found, in days."""
    rng, age = story.rng, story.plan["age"]
    if age == "infant":
        return relapse - timedelta(days=rng.randint(240, 310)), 100
    if age == "first birthday":
        return before(relapse, years=1), 100
    if age == "day before the 22nd birthday":
        return before(relapse + timedelta(days=1), years=22), 800
    if age == "22":
        return before(relapse, years=22) - timedelta(days=rng.randint(0, 300)), 800
    if age == "over 22":
        return before(relapse, years=23) - timedelta(days=rng.randint(0, 900)), 800
    if age == "born in a month":
        return before(relapse, years=22), 800
    youngest = 10 if story.plan["pregnancy"] in ("untested", "stale", "sex unknown") else 2
    years = max(youngest, rng.choice((rng.randint(2, 20), rng.randint(5, 17))))
    # No birthday between relapse and the end of the story, so that the age is the same on every day of it.
    return before(relapse, years=years) - timedelta(days=rng.randint(40, 270)), 150 if years < 4 else 400


def tell(story: Story) -> None:
    days, age, rng = story.days, story.plan["age"], story.rng
    story.child(rng.choice(GIVEN[story.sex]), rng.choice(FAMILY), story.sex, days.born)
    story.say("met", None, "INC-01")
    if age in ("infant", "over 22"):
        story.say("not_met", None, "INC-01")
    elif age == "22":
        story.say("unknown", "source_ambiguous", "INC-01")
    elif age == "born in a month":  # 21 or 22 years old at relapse
        story.resources[0]["birthDate"] = f"{days.born:%Y-%m}"
        story.say("unknown", "imprecise", "INC-01")
    elif age == "birth date missing":
        del story.resources[0]["birthDate"]
        story.say("unknown", "missing", "INC-01")


def age_on(story: Story, day: date) -> int:
    born = story.days.born
    return day.year - born.year - (day < years_later(born, day.year - born.year))
