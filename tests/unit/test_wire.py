"""The messages between stages: what is read is what was written, in pieces of bounded size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.event import Event, LogSource, Origin
from streams.stages.wire import CHUNK, Carried, Message, decode, encode

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
values = scalars | st.lists(scalars, max_size=5)
origins = st.builds(Origin, st.text(), st.text(), st.integers(0, 2**62), st.integers(0, 2**62))
sources = st.lists(st.builds(LogSource, st.none() | st.text(), st.none() | st.text()), max_size=3).map(tuple)
events = st.builds(
    Event,
    st.text(),
    st.integers(-(2**63), 2**63 - 1),
    st.dictionaries(st.text(), values, max_size=8),
    origins,
    sources,
    st.lists(st.text(), max_size=2).map(tuple),
)
carried = st.builds(Carried, events, st.none() | st.integers(0, 2**63 - 1), st.lists(st.text(), max_size=3))
messages = st.builds(
    Message,
    st.text(),
    st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1), max_size=3),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(),
    st.lists(carried, max_size=6),
)


@given(messages)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    (piece,) = encode(message)
    assert decode(piece) == message


def test_a_large_message_comes_in_pieces_of_which_the_last_tells_the_time() -> None:
    origin = Origin("proxy", "f", 0, 0)
    some = [
        Carried(Event(str(number), number, {"text": "x" * 10_000}, origin), None) for number in range(200)
    ]
    pieces = [decode(piece) for piece in encode(Message("u", {"proxy": 5}, 4, "book", some))]
    assert len(pieces) > 1
    assert [one.event.id for piece in pieces for one in piece.events] == [str(n) for n in range(200)]
    assert [piece.final_before for piece in pieces] == [*[None] * (len(pieces) - 1), 4]
    assert all(len(data) < CHUNK + 20_000 for data in encode(Message("u", events=some)))


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"7", b"\xff", b'{"upstream":"u","book":null,"events":[[1]]}', b'{"upstream":"u"}'],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)
