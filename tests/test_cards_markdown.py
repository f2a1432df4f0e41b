"""What a chart says can never become a link, a picture, HTML or layout of a card, whatever was typed into the chart.

The judge is GitHub's own parser, with every extension and with raw HTML let through: what comes out is parsed again, and
only the plain marks of our own sections may be there, without any attribute.
"""

from __future__ import annotations

import re
import unicodedata
from copy import deepcopy
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hook_calls import RELAPSED, Chart, client, tell
from hooks.markdown import LONGEST, escape, plain, summary
from test_malformed_charts import places, replaced

OURS = {"p", "h3", "ul", "li", "strong", "em", "blockquote", "br"}
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image tag": "<img src=x onerror=alert(1)>",
    "comment": "<!-- x --> <?php ?> <![CDATA[x]]> </p></div>",
    "entity": "&lt;b&gt; &#60;b&#62; &amp;lt; &copy",
    "link": "[x](javascript:alert(1)) [y](https://a.example 'z') [z][1] [1]: https://a.example",
    "image": "![i](https://a.example/x.png) ![i][1]",
    "angle link": "<https://a.example> <mailto:a@b.example> <a@b.example>",
    "bare link": "http://a.example https://a.example/x?y=z ftp://a.example HTTPS://A.EXAMPLE",
    "www": "www.a.example WWW.a.example (www.a.example) *www.a.example*",
    "e-mail": "a@b.example mailto:a@b.example xmpp:a@b.example/r a.b-c_d@e-f.example",
    "code": "`x` ``y`` ``` <b>` ~~~ ~~z~~ ~q~",
    "emphasis": "*a* **b** _c_ __d__ ***e***",
    "table": "| a | b |\n|---|---|\n| <b>1</b> | 2 |",
    "lines": "a\n\n# heading\n- item\n1. one\n> quote\n---\n===\n    code\r\n\r\n<b>\u2028\u2029\x0b\x0c\x85b",
    "headings": "# a ## b ### c #",
    "task": "- [ ] todo [x] done [^1] [^1]: note",
    "maths and mentions": "$x$ $$y$$ @octocat #1 :smile: <details><summary>",
    "bidi": "\u202egnitsop\u202c \u2066a\u2069 \u200f\u200e\ufeff\u200b\u00ad",
    "control": "a\x00b\x07c\x1b[31mred\x7f",
    "backslashes": "\\ \\\\ \\* \\<b> \\[x](y) \\&lt;",
    "lone surrogate": "a\ud83db \udc00",
    "long": "<b>[x](http://a.example) " * 500,
    "long word": "W" * 10_000,
    "ideographs": "急性リンパ性白血病 백혈병 𝕏 é e\u0301",
}  # fmt: skip
IN_ONE = ("marked <script>x</script> <b>b</b> ![i](https://a.example) [x](javascript:y) www.a.example http://a.example a@b.example "
          "`c` | ~~d~~ *e* \u202e &lt;b> \\<i>\n\n# h\n- z\n\n<img src=x>")  # short enough to be shown whole
TEXTS = {"text", "display", "unit", "valueString", "family", "given", "linkId", "title", "description"}
every_hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


class Marks(HTMLParser):
    """The tags and attributes of a piece of HTML, and the text between them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.others, self.text = set(), [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.others += attrs

    def handle_data(self, data):
        self.text += data

    def other(self, data):
        self.others.append(data)

    handle_comment = handle_decl = handle_pi = unknown_decl = other


def rendered(markdown):
    options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_GITHUB_PRE_LANG
    extensions = ["table", "autolink", "strikethrough", "tasklist"]  # without tagfilter, which would hide what got through
    return Marks(cmarkgfm.markdown_to_html_with_extensions(markdown, options=options, extensions=extensions))


def harmless(card):
    detail = rendered(card["detail"])
    assert detail.tags <= OURS and detail.others == [], (detail.tags - OURS, detail.others)
    assert max(map(len, card["detail"].splitlines())) < 2_000, "a line without end"
    shown = [card["summary"], card["detail"].replace("\n", "")]
    assert not [c for text in shown for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    line = rendered(card["summary"])
    assert not line.tags & {"a", "img", "script", "b", "table", "h1", "pre", "input"} and line.others == [], card["summary"]
    assert not re.search(r"<[a-z/!?]|javascript:|https?:|www\.|@", card["summary"], re.IGNORECASE)


def card_of(chart, prefetch):
    answer = tell(client(), chart.call(prefetch))
    assert answer.status_code == 200, answer.text[:300]
    for card in answer.json["cards"]:
        harmless(card)
    return answer.json["cards"]


def with_every_text(prefetch, text):
    """All that people type into charts, at once: texts, displays, units, names, and results that are words."""
    sent = deepcopy(prefetch)
    for path in list(places(sent)):
        if path[-1] in TEXTS:
            sent = replaced(sent, path, [text] if path[-1] == "given" else text)
    for entry in sent["laboratory"].get("entry", []):
        entry["resource"].pop("valueQuantity", None)
        entry["resource"]["valueString"] = text
    for entry in sent["examinations"].get("entry", []):
        entry["resource"].pop("valueQuantity", None)
        entry["resource"]["dataAbsentReason"] = {"text": text}
    return sent


def test_the_judge_sees_what_an_unescaped_chart_would_do():
    """Otherwise nothing below could fail."""
    seen = rendered("\n\n".join(HOSTILE.values()).replace("\ud83d", "").replace("\udc00", ""))
    assert {"a", "img", "script", "code", "del", "table", "h1"} <= seen.tags and seen.others


@pytest.mark.parametrize("child", RELAPSED)
def test_an_ordinary_card_has_our_own_marks(child):
    chart = Chart(child)
    (card,) = card_of(chart, chart.prefetch())
    assert {"p", "h3", "ul", "li", "strong"} <= rendered(card["detail"]).tags


@every_hostile
@pytest.mark.parametrize("child", ["standard-risk", "two-lineages", "ph-positive", "mrd-censored"])
def test_texts_of_a_chart_stay_text(child, text):
    chart = Chart(child)
    assert card_of(chart, with_every_text(chart.prefetch(), text))


@pytest.mark.parametrize("child", ["month-only", "high-creatinine"])
def test_every_single_word_of_a_chart_may_be_hostile(child):
    """Codes, dates, statuses, ids, authors, references: each string of every resource, one after the other."""
    chart = Chart(child)
    sent = chart.prefetch()
    shown = 0
    for path in list(places(sent)):
        if isinstance(value_at(sent, path), str) and path[-1] not in ("reference", "fullUrl") and path[-2:-1] != ("link",):
            answer = tell(client(), chart.call(replaced(sent, path, IN_ONE)))
            for card in answer.json.get("cards", ()):
                harmless(card)
                shown += "marked" in card["detail"]
    assert shown > 10, "some of it is shown"


def value_at(value, path):
    for key in path:
        value = value[key]
    return value


@every_hostile
def test_an_author_may_be_called_anything(text):
    chart = Chart("standard-risk")
    for author in ({"display": text}, {"reference": text}, {"display": text, "reference": f"Practitioner/{text}"}):
        sent = chart.prefetch()
        for entry in sent["answers"]["entry"]:
            entry["resource"]["author"] = author
        assert card_of(chart, sent)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_at_all_stays_text(text):
    chart = Chart("two-lineages")
    assert card_of(chart, with_every_text(SENT, text))


SENT = Chart("two-lineages").prefetch()
SYNTAX = st.text(st.sampled_from("<>[]()!*_`~|#&;:/\\@.-+= \n\tabwhtps1"), max_size=40)


@settings(max_examples=2_000, deadline=None, derandomize=True)
@given(SYNTAX | st.text(max_size=60))
@example("a@b.example")
@example("www.a.example")
@example("http\\://a.example")
def test_escaped_text_reads_as_it_was_written(text):
    seen = rendered(f"- **x**: {escape(text)} – y")
    assert seen.tags <= {"ul", "li", "strong"} and not seen.others
    assert " ".join(seen.text.split()) == " ".join(f"x: {plain(text)} – y".split())
    assert len(plain(text)) <= LONGEST


@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(SYNTAX | st.text(max_size=300))
@example("http:")
@example("x" * 139)
@example("x" * 140)
def test_a_summary_is_one_short_harmless_line(text):
    line = summary(f"NCT05827549: {text}")
    assert len(line) < 140 and line.splitlines() == [line]
    harmless({"summary": line, "detail": "x"})


@pytest.mark.parametrize(("text", "longest", "cut"), [
    ("a sentence that ends", 20, "a sentence that ends"), ("a sentence that goes on", 20, "a sentence that…"), ("a sentence that goes on", 17, "a sentence that…"),
    ("a sentence that goes on", 16, "a sentence that…"), ("a sentence that goes on", 15, "a sentence…"),
    ("creatinine 1250 umol/L", 15, "creatinine…"), ("one-long-word-only", 8, "one-lon…"), ("a " + "x" * 40, 20, "a " + "x" * 17 + "…"), ("a, b; c (d) e", 9, "a, b; c…"),
])  # fmt: skip
def test_what_is_too_long_is_cut_at_a_word_and_says_so(text, longest, cut):
    """Half a number would be another number. Only a word that fills more than half of the line is cut itself."""
    assert plain(text, longest) == cut and len(cut) <= longest


def test_a_summary_of_139_characters_is_whole_and_140_is_cut():
    assert summary("x" * 139) == "x" * 139
    assert summary("x" * 140) == "x" * 138 + "…"


@every_hostile
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_a_draft_order_may_be_called_anything(hook, text):
    """The order card names what was ordered: in words of ours, or harmlessly."""
    chart = Chart("screening-complete")
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1597258", "display": text}], "text": text}
    order = {"resourceType": "MedicationRequest", "id": "d1", "status": "draft", "intent": "order", "subject": {"reference": f"Patient/{chart.id}"},
             "medicationCodeableConcept": drug, "note": [{"text": text}]}  # fmt: skip
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    context = {"userId": "Practitioner/1", "patientId": chart.id, "selections": ["MedicationRequest/d1"], "draftOrders": drafts}
    call = chart.call(with_every_text(chart.prefetch(), text), hook=hook, context=context)
    for sent in (call, {**call, "prefetch": chart.prefetch()}):
        cards = tell(client(), sent, f"/cds-services/nct05827549-{hook}").json["cards"]
        assert cards or sent is call, "with a clean chart there is a card"
        for card in cards:
            harmless(card)


@every_hostile
def test_a_suggestion_says_nothing_that_the_chart_says(text):
    """Its label, its description and the request are ours: a word of the chart could not be escaped there."""
    chart = Chart("missing-echo")
    sent = chart.prefetch()
    clean = [(s["label"], s["actions"][0]["description"]) for s in card_of(chart, sent)[0]["suggestions"]]
    for entry in sent["conditions"]["entry"]:
        entry["resource"]["code"]["text"] = text
    (card,) = card_of(chart, sent)
    assert [(s["label"], s["actions"][0]["description"]) for s in card["suggestions"]] == clean
    for label, description in clean:
        harmless({"summary": label, "detail": description})
