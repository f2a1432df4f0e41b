"""The fast reading of JSON and the standard library's agree on every text: the same values, or both refuse."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.exact_json import FAULTS, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=6) | st.sampled_from([":", "a:b", "\\u003a", "\u003a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.sampled_from(["a", ":", "\\"]), inner, max_size=4),
    max_leaves=12,
)




def text_of(value, ascii_only):
    """JSON text, decimals digit by digit."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=ascii_only)}: {text_of(v, ascii_only)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " ,".join(text_of(v, ascii_only) for v in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def by_the_standard_library(text):
    def refuse(constant):
        raise ValueError(constant)

    return json.loads(text, parse_float=Decimal, parse_constant=refuse, object_pairs_hook=once)


def once(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def told(read, text):
    """As words, which tell 1.0 from 1 and 1.00."""
    try:
        return repr(read(text))
    except FAULTS:
        return "refused"


def assert_agreed(text):
    assert told(loads, text) == told(by_the_standard_library, text)


@settings(max_examples=300)
@given(VALUES, st.booleans())
def test_sound_text(value, ascii_only):
    text = text_of(value, ascii_only).encode("utf-8", "surrogatepass")
    assert_agreed(text)


@settings(max_examples=400)
@given(VALUES, st.data())
def test_damaged_text(value, data):
    text = bytearray(text_of({"a": value, "b": [value]}, True).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        cut = data.draw(st.integers(0, 4))
        text[at : at + cut] = data.draw(st.sampled_from([b"", b'"', b"\\", b":", b"{", b"}", b",", b"0", b"-", b"e", b".", b"\xff", b"\x00", b'"a":1,', b"NaN", b"\\u003A", b"\\ud800"]))
        text = text or bytearray(b"x")
    assert_agreed(bytes(text))


@pytest.mark.parametrize("text", [
    b"", b" ", b"nul", b"NaN", b"-Infinity", b'{"a":NaN}', b"01", b"1.", b".5", b"+1", b"1e400", b"1e999999999999999999999", b"-0", b"-0.0", b"0.60",
    b"9" * 40, b"9" * 5_000, b"1." + b"9" * 5_000, b'"\\ud800"', b'{"a":"\\ud800","b":0.60}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), b'"\xff"', b'{"a":"\x01"}', b'"\\q"',
    b"{}x", b"[1,]", b'{"a":1,}', b"{'a':1}", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'[{"a":{"b":1,"b":1}}]',
    b'{"a":1,"a":"\\u003a"}', b'{"a":1,"a":"\\u003A"}', b'{"a":":","b":"::"}', b'{ "a" : 1 , "b":2}', '{"a":"\u2028"}'.encode(),
], ids=lambda text: repr(text[:24]))  # fmt: skip
def test_every_oddity(text):
    assert_agreed(text)


@pytest.mark.parametrize("text", [b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"x":[{"a":":","a":":"}]}', b'{"a":1,"a":"\\u003a"}', b'{"a":"\\u003A:","b":1,"b":1}'])
def test_a_member_that_occurs_twice_is_refused(text):
    """Whatever else holds a colon, or hides one."""
    assert json.loads(text) and told(loads, text) == "refused"
