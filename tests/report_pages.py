"""The report of a screening, opened in a browser or read as text."""

from __future__ import annotations

import json
import re
from typing import Any

from browser import asked_for


def opened(browser: Any, written: Any, width: int = 1400, scheme: str = "light") -> Any:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    asked_for(browser)
    browser.get(written.path.as_uri())
    return browser


def shown(browser: Any) -> list[str]:
    return browser.execute_script("return list.shown.map((i) => COHORT.ids[i])")


def ids_of(children: Any) -> set[str]:
    return {child["patient"].split("/")[1] for child in children}


def data(text: str, id: str) -> Any:
    return json.loads(re.search(rf'<script type="application/json" id="{id}">(.*?)</script>', text, re.S)[1])
