"""The one way out to a FHIR server and its token endpoint: a `requests` session that cannot hang, wander or swell.

Nothing is redirected, nothing of the machine's own proxies and passwords is used, every byte is read within the
deadline, and no more bytes than the caller has room for.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from hooks.deadline import Deadline
from hooks.deadline_adapter import DeadlineAdapter
from hooks.fhir_patience import Busy
from hooks.no_answer import NoAnswer, Unwell

_CHUNK = 64 * 1024

# urllib3 logs the path and query of every request at DEBUG, and of a reply with broken headers at WARNING: patient ids.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


def guarded_session(deadline: Deadline, ca_bundle: str | None = None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy or a netrc of the machine must not see the token, nor replace it
    session.verify = ca_bundle or True  # trust_env would have read this from the environment
    # Even with allow_redirects=False requests looks where a redirect leads, and reads its whole body to do so.
    session.get_redirect_target = lambda response: None  # type: ignore[method-assign]
    session.mount("https://", DeadlineAdapter(deadline))
    session.mount("http://", DeadlineAdapter(deadline))
    return session


@contextmanager
def sent(session: requests.Session, request: requests.Request, deadline: Deadline) -> Iterator[requests.Response]:
    """The response, its body still unread. Every way to fail, also while it is read, is a NoAnswer."""
    remaining = deadline.remaining()
    if not remaining:
        raise Unwell("no answer in time")
    if isinstance(session.verify, str) and not os.path.isfile(session.verify):  # requests would raise what nobody expects of it
        raise NoAnswer("the file of the certificates that we trust is gone")
    try:
        prepared = session.prepare_request(request)
        with session.send(prepared, stream=True, allow_redirects=False, timeout=remaining) as response:
            yield response
    except (RequestException, HTTPError) as error:
        raise _in_words(error, deadline) from None  # the cause would print the URL, or the header with the token


def body_of(response: requests.Response, max_bytes: int, deadline: Deadline) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):  # unpacked, so that the limit also holds for a zipped bomb
        content += chunk
        if len(content) > max_bytes:
            raise NoAnswer("the answer was too large")
        if deadline.passed:
            raise Unwell("no answer in time")
    return bytes(content)


def _in_words(error: Exception, deadline: Deadline) -> NoAnswer:
    if isinstance(error, requests.Timeout) or deadline.remaining() < 0.02:  # sockets may give up a hair early
        return Unwell("no answer in time")
    if isinstance(error, requests.exceptions.SSLError):
        return Unwell("no secure connection to the FHIR server")
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return Busy("the connection to the FHIR server failed")
    return NoAnswer("the exchange with the FHIR server failed")
