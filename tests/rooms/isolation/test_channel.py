"""Frames: whole, byte by byte, several at once, and too long."""

import pytest

from pilotage.errors import PilotageError
from pilotage.isolation.channel import Frames, frame


def test_a_payload_comes_back_when_its_bytes_come_one_by_one():
    frames = Frames(100)
    received = [payload for byte in frame(b"hello") for payload in frames.receive(bytes([byte]))]
    assert received == [b"hello"]


def test_payloads_that_come_together_are_told_apart_and_a_cut_one_waits():
    frames = Frames(100)
    assert frames.receive(frame(b"") + frame(b"two") + frame(b"three")[:-1]) == [b"", b"two"]
    assert frames.waiting_bytes == 8
    assert frames.receive(b"e") == [b"three"]


def test_a_payload_of_the_longest_length_is_taken_and_one_byte_more_is_refused_from_its_length():
    assert Frames(4).receive(frame(b"four")) == [b"four"]
    with pytest.raises(PilotageError, match="announced a message of 5 bytes"):
        Frames(4).receive((5).to_bytes(4, "big"))
