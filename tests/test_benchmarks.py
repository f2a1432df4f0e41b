"""The benchmarks measure what they say: calls of exactly so many resources, judged as told; and they run to their end.

No test here looks at a time.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import figures
import hook_bodies
import process_tree
import screen_cohorts
import screen_figures
import screen_runs
import servers
from cds_hooks_schema import check_response
from hook_calls import SERVICE, TODAY, client
from hooks.demo.children import CHILDREN
from hooks.prefetch import templates
from load import WrongAnswer

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, str(CHECKOUT / "benchmarks" / "hook.py"))
SCREEN = CHECKOUT / "benchmarks" / "screen.py"
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


def test_a_port_that_another_server_holds_is_not_taken_for_ones_own(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(servers, "free_port", lambda: other.getsockname()[1])
        monkeypatch.setattr(servers.Server, "_asked", lambda server, path: "alive")
        with pytest.raises(RuntimeError, match="did not come up") as refused, servers.running(tmp_path, (1,), (servers.UNSIGNED,)):
            pass
    assert "in use" in refused.value.__notes__[0]


def test_a_short_run_ends_with_every_goal_told():
    done = subprocess.run([*PROGRAM, "--quick", "--rounds", "1", "--calls", "100"], capture_output=True, text=True, timeout=600, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    assert "every server has stopped" in done.stderr
    for word in ("relapsed, 500", "no leukaemia, typical", "hook, JWT", "p99 below", "memory flat"):
        assert word in done.stdout, done.stdout


@pytest.mark.parametrize("begin, end", [(figures.BEGIN, figures.END), screen_figures.MARKS])
def test_writing_replaces_the_last_figures_and_nothing_else(begin, end, tmp_path):
    page, others = tmp_path / "README.md", [m for m in (figures.BEGIN, figures.END, *screen_figures.MARKS) if m not in (begin, end)]
    around = "{0}\nother figures\n{1}\n".format(*others)
    page.write_text(f"{around}{begin}\nthe last run\n{end}\n{around}")
    figures.put(page, "this run\n", (begin, end))
    assert page.read_text() == f"{around}{begin}\nthis run\n{end}\n{around}"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="marks"):
        figures.put(page, "this run\n")


def test_the_page_has_its_marks():
    page = figures.README.read_text(encoding="utf-8")
    for mark in (figures.BEGIN, figures.END, *screen_figures.MARKS):
        assert page.count(mark) == 1


def test_a_short_screening_ends_with_every_goal_told():
    sizes = ("--population", "300", "--in-scope", "5", "--children", "12", "--cql-children", "0", "--scale", "1")
    done = subprocess.run([sys.executable, str(SCREEN), "--quick", *sizes], capture_output=True, text=True, timeout=300, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    assert "everything that was written for it is removed" in done.stderr
    for word in ("305 children, 5 with leukaemia", "grep -c", "orjson.loads", "twice the size", "cql-execution", "not measured", "judging"):
        assert word in done.stdout, done.stdout


def test_a_stage_lasts_until_the_next_is_announced():
    said = ((1.0, "Looking for leukaemia …"), (1.5, "Looking for leukaemia: 50 %"), (3.0, "Judging …"), (6.0, "Judging: 100 %"), (6.5, "a table"))
    stages = screen_runs.stages_of(process_tree.Ended(7.0, said, b"", 0))
    assert stages == {"start": 1.0, "looking": 2.0, "judging": 3.0, "writing": 1.0}


def test_memory_is_that_of_all_processes_together(tmp_path):
    held = "held = bytearray(40 << 20); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {held!r}]); {held}; child.wait()"
    assert process_tree.run([sys.executable, "-c", parent], os.environ, tmp_path).peak > 80


def test_a_verdict_that_is_not_the_right_one_stops_the_run(tmp_path):
    source = screen_cohorts.in_scope(tmp_path, 2)
    child = next(iter(source.overall))
    wrong = replace(source, overall={**source.overall, child: "eligible_for_sure"})
    with pytest.raises(WrongAnswer, match=re.escape(child)):
        screen_runs.screened(wrong, 1, tmp_path)
