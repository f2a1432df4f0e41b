"""Which addresses we talk to: the FHIR servers on a caller's allow-list, and nothing else.

`fhirServer` arrives in a request and `next` in an answer; either could point our requests, and the token, elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Iterable, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Parsers differ on these: Python finds ehr.example in "https://evil\@ehr.example"; urllib3, which connects, finds evil.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")


class Origin(NamedTuple):
    """Scheme, host and port, the port always spelled out: MEDITECH's `next` says ":443" where its base does not."""

    scheme: str
    host: str
    port: int


def allowed(fhir_server: str, allow_list: Iterable[str], *, loopback_ok: bool) -> str | None:
    """The base URL to use for this `fhirServer`, normalised; None when it may not be called.

    Plain http is allowed where the list says http: what a site runs inside its own walls is the site's to decide.
    An address given as IP literal must be listed in that very spelling, as must every host name.

    >>> allowed("https://EHR.example:443/fhir/", ["https://ehr.example/fhir"], loopback_ok=False)
    'https://ehr.example/fhir'
    >>> allowed("https://ehr.example/other", ["https://ehr.example/fhir"], loopback_ok=False)
    """
    base = normalised_base(fhir_server)
    if base is None:
        return None
    listed = base in {normalised_base(entry) for entry in allow_list}
    return base if listed or (loopback_ok and is_loopback(base)) else None


def normalised_base(url: str) -> str | None:
    """Scheme and host in lower case, no default port, no slash at the end; None for what cannot be a FHIR base URL."""
    place = origin(url)
    if place is None or "?" in url or "#" in url:
        return None
    host = f"[{place.host}]" if ":" in place.host else place.host
    port = "" if place.port == _DEFAULT_PORTS[place.scheme] else f":{place.port}"
    return f"{place.scheme}://{host}{port}{urlsplit(url).path.removesuffix('/')}"


def origin(url: str) -> Origin | None:
    """Where a request to this URL would go; None for anything but a plain, unambiguous http(s) URL."""
    parts = _split(url)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    try:
        port = parts.port
    except ValueError:  # not a number, or beyond 65535
        return None
    return Origin(parts.scheme, parts.hostname, _DEFAULT_PORTS[parts.scheme] if port is None else port)


def same_origin(one: str, other: str) -> bool:
    place = origin(one)
    return place is not None and place == origin(other)


def is_below(url: str, base: str) -> bool:
    """Is this the base itself, or one of its paths? Whoever decodes a path, or drops what follows a ";", must not come out of
    the base either, so no segment may be one that leads up, however it is written."""
    if not same_origin(url, base):
        return False
    path, root = urlsplit(url).path, urlsplit(base).path.rstrip("/")
    segments = (segment.partition(";")[0] for segment in re.split(r"[/\\]", unquote(path)))
    return (path == root or path.startswith(f"{root}/") or not root) and not {".", ".."}.intersection(segments)


def _split(url: str) -> SplitResult | None:
    if not isinstance(url, str) or _AMBIGUOUS.search(url):
        return None
    try:
        return urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address, characters that normalise to "/" or "@"
        return None


def is_loopback(base: str) -> bool:
    """Of a URL that `origin` understands."""
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
