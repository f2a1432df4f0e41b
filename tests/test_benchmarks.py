"""The benchmark measures what it says: calls of exactly so many resources, judged as told; and it runs to its end.

No test here looks at a time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

import figures
import hook_bodies
from cds_hooks_schema import check_response
from hook_calls import SERVICE, TODAY, client
from hooks.demo.children import CHILDREN
from hooks.prefetch import templates

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, str(CHECKOUT / "benchmarks" / "hook.py"))
BUILT = [hook_bodies.full(n, TODAY) for n in (100, 500)] + [hook_bodies.without_leukaemia(500, TODAY), hook_bodies.typical(TODAY)]
built = pytest.mark.parametrize("call", BUILT, ids=lambda call: call.name)


def resources(call):
    prefetch = json.loads(call.body)["prefetch"]
    return [prefetch["patient"], *(entry["resource"] for key in prefetch for entry in prefetch[key].get("entry", ()))]


@built
def test_a_call_has_as_many_resources_as_it_says(call):
    named = Counter(f"{resource['resourceType']}/{resource['id']}" for resource in resources(call))
    assert call.resources == len(named) == named.total()
    assert call.name.endswith(("typical", f", {call.resources:,}"))


@built
def test_a_call_is_answered_by_the_book(call):
    answer = client().post(SERVICE, data=call.body, content_type="application/json")
    assert answer.status_code == 200, answer.text
    check_response(answer.json)
    assert len(answer.json["cards"]) == call.cards


@pytest.mark.parametrize("number", [100, 500])
def test_what_is_grown_changes_no_verdict_and_is_all_used(number):
    (card,) = client().post(SERVICE, data=hook_bodies.full(number, TODAY).body, content_type="application/json").json["cards"]
    told = card["extension"]["org.relapse-cds.assessment"]
    child = next(child for child in CHILDREN if child.id == hook_bodies.RELAPSED)
    assert told["overall"] == child.overall
    assert not told["issues"] and not told["not_looked_up"]


@built
def test_results_are_those_that_the_template_asks_for(call):
    asked = set(re.findall(r"[|,=]([\w.-]+)", templates()["laboratory"]))
    found = {code["code"] for r in resources(call) if r["id"].find("-past-") > 0 and r["resourceType"] == "Observation" for code in r["code"]["coding"]}
    assert found <= asked


def test_the_same_day_gives_the_same_bytes_and_another_day_others():
    assert hook_bodies.full(100, TODAY) == hook_bodies.full(100, TODAY)
    assert hook_bodies.full(100, TODAY) != hook_bodies.full(100, date(2025, 9, 2))


def test_fewer_resources_than_the_child_has_are_refused():
    with pytest.raises(ValueError, match="alone has"):
        hook_bodies.full(5, TODAY)


def test_a_short_run_ends_with_every_goal_told():
    done = subprocess.run([*PROGRAM, "--quick", "--rounds", "1", "--calls", "100"], capture_output=True, text=True, timeout=600, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    assert "every server has stopped" in done.stderr
    for word in ("relapsed, 500", "no leukaemia, typical", "hook, JWT", "p99 below", "memory flat"):
        assert word in done.stdout, done.stdout


def test_writing_replaces_the_last_figures_and_nothing_else(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{figures.BEGIN}\nthe last run\n{figures.END}\nafter\n")
    figures.put(page, "this run\n")
    assert page.read_text() == f"before\n{figures.BEGIN}\nthis run\n{figures.END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="marks"):
        figures.put(page, "this run\n")


def test_the_page_has_its_marks():
    page = figures.README.read_text(encoding="utf-8")
    assert page.count(figures.BEGIN) == page.count(figures.END) == 1
