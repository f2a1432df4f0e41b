"""The checklist as it is served: by several processes, any of which may be asked next."""

from __future__ import annotations

import re

from free_port import free_port
from smart_ehr import CODE, ehr
from test_cli_servers import started, wait_until_it_answers, without_proxy


def test_any_worker_goes_on_where_another_began():
    port = free_port()
    host = f"http://127.0.0.1:{port}"
    with ehr("missing-echo", claims={"aud": "relapse-cds"}) as it, started("serve", "--dev", "--port", str(port), "--workers", "3") as process:
        wait_until_it_answers(f"{host}/healthz", process)
        for _ in range(6):
            with without_proxy() as browser:
                browser.headers["Connection"] = "close"  # a new connection each time, so that every worker has its turn
                sent = browser.get(f"{host}/app/launch", params={"iss": it.url, "launch": "l"}, allow_redirects=False, timeout=30)
                state = re.search(r"state=(\w+)", sent.headers["Location"])[1]
                page = browser.get(f"{host}/app/callback", params={"code": CODE, "state": state}, timeout=30)
                assert page.status_code == 200 and "/app/visits/" in page.url and "Emil Thistledown" in page.text
                given = {"form_token": re.search(r'name="form_token" value="(\w+)"', page.text)[1], "prior-blinatumomab": "no"}
                assert "has recorded these answers" in browser.post(page.url, data=given, timeout=30).text
    assert len(it.created) == 6
