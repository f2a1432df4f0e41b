"""The words of a server that may be passed on: those in which servers explain a refusal, and no others.

A message such as "no access to Kim Minjun, MRN 00412345" names a patient whom the doctor may not have been allowed to
read, so the words that name somebody cannot be known; the words that name nobody can. No given or family name is in the
list (hence no "may", "will", "long" or "young"), and no number.
"""

from __future__ import annotations

import re

from fhir_mappings.sources import SEARCHES

_LISTED = """
a able about accept accepted access additional all allow allowed also an and another any applies apply are argument arguments as at
available bad be because been before below both but by cannot capability caller category check client clients clinical code coded codes
combination complete condition conditions conformance contact contains content context could data date dates default denied deprecated
details disabled does done drugs empty enabled encounter error errors exactly exceeded exception exceeds exist exists expected expired
external failed failure fetch fhir filter filters for forbidden format found from full get give given greater has have header here history
http id identifier identifiers if ignored in include included includes incomplete incorrect information insufficient instead interaction
internal invalid is issue issues it its known lacks laboratory least length less limit limited list lists login logged loinc maximum
medication medications message missing modifier modifiers more most multiple must name names narrow no none not nothing number of on one
only operation operations or order orders other outside page pages paging parameter parameters part partial patient patients per
permission permissions permitted please privilege privileges problem problems procedure process processed processing product profile
provide provided queries query range rate read reason record records reference references rejected repeat request requested requests
require required requires resource resources response rest restricted result results retry returned returns right rights rule
scope scopes search searched searches searching security see server service set sign signed single site size some status store string
sub-resource sub-type subject summary supplied support supported supports suppressed syntax system systems temporarily than that the
their them there these they this those throttled throttling time timeout to token tokens too try type types unable unauthorized
unavailable unexpected unknown unsupported unrecognized up update url use used user users using validation value values vendor version
view was weak when which with withheld without would wrong you your authenticated authorised authorized authentication authorization
conflict duplicate deleted fatal informational invariant lock-error multiple-matches not-found not-supported business-rule code-invalid
too-costly too-long transient warning no-store structure login
"""
_TYPES = "OperationOutcome Bundle Medication DiagnosticReport DocumentReference Encounter CareTeam Coverage Immunization Specimen ServiceRequest"
_PARAMETERS = (name for search in SEARCHES for params in (search.params(""), *search.fallbacks("")) for name, _ in params)
SAFE = frozenset(word.lower() for word in (*_LISTED.split(), *_TYPES.split(), *(s.resource_type for s in SEARCHES), *_PARAMETERS))

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_ADDRESS = re.compile(r"\S*://\S*")
_PIECE = re.compile(r"\w+(?:[-_']\w+)*")
_GAP = re.compile(r"…(?:[^\w…]*(?:(?:of|in|at|and|or|for|to|from)\b[^\w…]*)?…)+[)\]]*")  # with what joins words that are not told


def safe(text: str) -> str:
    """The same message with everything left out that could name somebody; nothing where nothing else was said.

    >>> safe("Client not authorized for Kim Minjun, MRN 00412345, born 2015-03-04")
    'Client not authorized for …'
    """
    without = _ADDRESS.sub("…", _COLOUR.sub("", text))
    told = _GAP.sub("…", _PIECE.sub(lambda piece: piece[0] if piece[0].lower() in SAFE else "…", without))
    return told if _PIECE.search(told) else ""
