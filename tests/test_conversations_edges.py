"""Calls at the edge of what EHRs send: large ones, deep ones, keys of their own, pages without end, Epic's triggers, and one
token used at two workers at once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from fhir_mappings.sources import SEARCHES
from free_port import free_port
from hook_calls import EHR, SERVICE, TOKEN, Chart, assessment, client, favourable, owed_to_every_caller, playing, same, tell, unanswered
from prefetch_states import NOTHING, PARTIAL, UNKNOWN, put
from signed_calls import EC_JWK, ISSUER, PUBLIC_URL, token
from test_cli_servers import started, wait_until_it_answers, without_proxy

CHART = Chart("screening-complete")
SENT = CHART.prefetch()
ANSWER = tell(client(), CHART.call(SENT))
MEBIBYTE = 1024 * 1024


# --- the body ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mebibytes", "status"), [(6, 200), (15, 200), (17, 413)])
def test_a_large_body(mebibytes, status):
    assert tell(client(), CHART.call(SENT, extension={"padding": "x" * (mebibytes * MEBIBYTE)})).status_code == status


@pytest.mark.parametrize("deep", ['{"a": ' * 10_000 + "1" + "}" * 10_000, "[" * 10_000 + "]" * 10_000])
@pytest.mark.parametrize("where", ["extension", "prefetch", "context"])
def test_json_ten_thousand_deep_is_answered_or_refused(deep, where):
    whole = json.dumps(CHART.call(SENT))
    body = whole.replace(f'"{where}": {{', f'"{where}": {{"deep": {deep}, ', 1) if where != "extension" else f'{whole[:-1]}, "extension": {{"x": {deep}}}}}'
    answer = client().post(SERVICE, data=body, content_type="application/json")
    owed_to_every_caller(answer)
    assert answer.status_code in (200, 400)


# --- keys of their own, and mixtures --------------------------------------------------------------------------------


def test_a_key_of_the_ehrs_own_changes_nothing():
    """Epic's samples have `-user`: the one who calls, who is no patient."""
    user = {"resourceType": "Practitioner", "id": "1", "name": [{"family": "Invented"}]}
    assert same(tell(client(), CHART.call({**SENT, "-user": user})).json, ANSWER.json)


@pytest.mark.parametrize("action", ["60", "5", "18", "23", "26", None])
def test_whatever_made_epic_call_the_card_is_the_same(action):
    """60 opens the chart, 18 enters an order: both come as patient-view, and screening answers both."""
    extension = {"com.epic.cdshooks.request.bpa-trigger-action": action} if action else None
    assert same(tell(client(), CHART.call(SENT, extension=extension)).json, ANSWER.json)


STATES = NOTHING | UNKNOWN | PARTIAL
KEYS = ("laboratory", "administrations")


@pytest.mark.parametrize("first", sorted(STATES))
def test_any_two_rows_of_the_table_together(first):
    """Each key stands for itself: what one holds never changes what the other means."""
    complete = favourable(assessment(ANSWER))
    for second in sorted(STATES)[:: 3 if first in NOTHING else 5]:
        found = assessment(tell(client(), CHART.call(put(SENT, **dict(zip(KEYS, (STATES[first], STATES[second]), strict=True))))))
        assert unanswered(found) == {key for key, state in zip(KEYS, (first, second), strict=True) if state not in NOTHING}, second
        assert favourable(found) <= complete, second


# --- pages ------------------------------------------------------------------------------------------------------------


def page(search, number, last):
    """One page, with the next one's address."""
    entries = SENT[search]["entry"][number::last] if number < last else []
    links = [{"relation": "next", "url": f"{EHR}/Observation?page={number + 1}"}] if number + 1 < last else []
    return 200, {"Content-Type": "application/fhir+json"}, json.dumps({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})


def paged(last):
    """An EHR that sends the laboratory in pages, until `last`."""
    with playing(CHART, laboratory=lambda: page("laboratory", 0, last)) as ehr:
        for number in range(1, 100):
            ehr.faults[f"{EHR}/Observation?page={number}"] = lambda number=number: page("laboratory", number, last)
        answer = tell(client(), CHART.call(fhirServer=EHR, fhirAuthorization=TOKEN))
    return assessment(answer), len([name for name in ehr.asked if "page=" in name])


def test_a_chain_of_three_pages_is_one_result():
    found, followed = paged(3)
    assert followed == 2 and unanswered(found) == set()
    assert favourable(found) == favourable(assessment(ANSWER))


def test_a_chain_without_end_is_left_and_what_it_lacks_is_unknown():
    found, followed = paged(10_000)
    assert followed < 60 and unanswered(found) == {"laboratory"}
    assert favourable(found) <= favourable(assessment(ANSWER))


@pytest.mark.parametrize("search", [search.name for search in SEARCHES if search.resource_type != "Patient"])
def test_one_invalid_entry_among_fifty_costs_only_itself(search):
    entries = SENT[search].get("entry", [])
    others = [{"resource": {"resourceType": "Basic", "id": f"b{n}"}, "search": {"mode": "include"}} for n in range(49 - len(entries))]
    found = assessment(tell(client(), CHART.call({**SENT, search: {**SENT[search], "entry": [*entries, *others, {"resource": {"resourceType": []}}]}})))
    assert found["overall"] == assessment(ANSWER)["overall"] or unanswered(found) == {search}
    assert favourable(found) <= favourable(assessment(ANSWER))


# --- one token, two workers -------------------------------------------------------------------------------------------


def test_one_token_is_good_for_one_of_two_workers(tmp_path: Path):
    """Real processes that share nothing but a SQLite file. Eight at once with one token: one is answered."""
    port = free_port()
    host, settings = f"http://127.0.0.1:{port}", tmp_path / "relapse-cds.toml"
    key = "\n".join(f"{name} = {json.dumps(value)}" for name, value in EC_JWK.items())
    settings.write_text(
        f'public_url = "{PUBLIC_URL}"\ndatabase = "sqlite:///{tmp_path}/state.sqlite3"\n'
        f'[[clients]]\nname = "ehr"\nissuer = "{ISSUER}"\n[[clients.keys]]\n{key}\n',
        encoding="utf-8",
    )
    body = CHART.call(SENT)
    with started("serve", "--config", str(settings), "--port", str(port), "--workers", "2") as process, without_proxy() as session:
        wait_until_it_answers(f"{host}/cds-services", process)
        for once in (token(), token()):
            statuses = []

            def call(once=once, statuses=statuses):
                with without_proxy() as own:
                    statuses.append(own.post(host + SERVICE, json=body, headers={"Authorization": f"Bearer {once}"}, timeout=60).status_code)

            callers = [threading.Thread(target=call) for _ in range(8)]
            for caller in callers:
                caller.start()
            for caller in callers:
                caller.join()
            assert sorted(statuses) == [200] + [401] * 7
            assert session.post(host + SERVICE, json=body, headers={"Authorization": f"Bearer {once}"}, timeout=60).status_code == 401
