"""The document is covered: every quote is verbatim, every bullet is quoted or listed with a reason, the text is unchanged.

Compared after reading HTML entities and with white space made equal; the bullets and the one leading dash go.
"""

from __future__ import annotations

import hashlib
from html import unescape
from importlib.resources import files

import pytest

from cds.trials import TRIALS

# Of the text between the marks of protocol.md, which was compared with the listing page, letter by letter, when it was
# taken down. A new version of the text is a new version of the trial: change both, and read every criterion again.
SHA256 = {"NCT05827549": "392febc65fac3470ec11e9e951df7dfb1b34bf73591e1206651484c14d373608"}

HEADINGS = {"Eligibility", "Inclusion Criteria:", "Exclusion Criteria:", "<Standard Risk>", "<High Risk>", "<Very High Risk>"}
NOT_QUOTED = {
    "NCT05827549": {
        "The Risk Assessment is classified as follows based on the NGS-MRD results evaluated after EOI(End of Induction).":
            "introduces the ladder: the input eoi_ngs_mrd takes marrow NGS results at end of induction only",
    },
}  # fmt: skip


def text_of(protocol) -> str:
    page = files("cds.trials").joinpath(protocol.id.lower(), "protocol.md").read_text(encoding="utf-8")
    before, begins, rest = page.partition("<!-- text begins -->\n")
    text, ends, after = rest.partition("<!-- text ends -->")
    assert begins and ends and "text begins" not in rest and "text ends" not in after
    return text


def plain(text: str) -> str:
    return " ".join(unescape(text).replace("•", " ").split())


def paragraphs(protocol) -> list[str]:
    """Every paragraph and every bullet of the text, without its headings."""
    lines = (plain(line).removeprefix("-") for line in text_of(protocol).splitlines())
    return [line for line in lines if line and line not in HEADINGS]


def quotes(protocol) -> list[tuple[str, str]]:
    told = [(criterion.id, sentence) for criterion in protocol.criteria for sentence in criterion.text]
    return told + [(f"{rung.group} rung", sentence) for rung in protocol.risk for sentence in rung.text]


every_trial = pytest.mark.parametrize("protocol", TRIALS, ids=lambda protocol: protocol.id)


@every_trial
def test_the_text_is_the_one_that_was_taken_down(protocol):
    assert hashlib.sha256(text_of(protocol).encode()).hexdigest() == SHA256[protocol.id]


@pytest.mark.parametrize("sentence, protocol, where", [(s, p, w) for p in TRIALS for w, s in quotes(p)], ids=lambda x: x[:40] if isinstance(x, str) else "")
def test_every_quote_is_verbatim(sentence, protocol, where):
    assert plain(sentence) in plain(text_of(protocol)), where


@every_trial
def test_every_quote_is_a_whole_paragraph_or_bullet(protocol):
    """Half a sentence could turn its meaning round."""
    whole = set(paragraphs(protocol))
    assert [(where, sentence) for where, sentence in quotes(protocol) if plain(sentence) not in whole] == []


@every_trial
def test_every_paragraph_is_quoted_once_or_listed_with_a_reason(protocol):
    told = [plain(sentence) for _, sentence in quotes(protocol)]
    listed = NOT_QUOTED[protocol.id]
    assert [p for p in paragraphs(protocol) if told.count(p) + (p in listed) != 1] == []
    assert set(listed) <= set(paragraphs(protocol)) and all(listed.values())


@every_trial
def test_criteria_stand_in_the_order_of_the_document(protocol):
    text = plain(text_of(protocol))
    for kind in ("inclusion", "exclusion"):
        places = [text.index(plain(c.text[0])) for c in protocol.criteria if c.kind == kind]
        assert places == sorted(places)
    assert [c.id for c in protocol.criteria] == [f"INC-{n:02d}" for n in range(1, 13)] + [f"EXC-{n:02d}" for n in range(1, 14)]


@every_trial
def test_what_is_read_otherwise_than_printed_says_so(protocol):
    """The misprinted age limits, the clause without a verb, the table without operator: each has its reading beside it."""
    reading = {criterion.id: criterion.reading for criterion in protocol.criteria}
    assert all(reading[c] for c in ("INC-01", "INC-02", "INC-03", "INC-06", "INC-07", "INC-08", "EXC-02"))
