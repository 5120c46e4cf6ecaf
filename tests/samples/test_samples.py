"""Samples of every format that was released are read for ever, and say what they said."""

import hashlib
from pathlib import Path

import pytest

from pilotage.contracts import records, segments, snapshot
from pilotage.contracts.records import records_of
from pilotage.contracts.segments import Frame, Position, Torn
from pilotage.records.frames import Damage
from pilotage.records.store import Query, Store
from samples.contents_1 import BLOCK, HEAD, OUTCOME, RING, SECOND_ID, SNAPSHOT, seal_of

FORMAT_1 = Path(__file__).parent / "format-1"
DIGESTS = {
    "block.msgpack": "b6a3cfd1ba17d35ebf6cd8d4bac4d828814c39c8b99e2876e80fbaa22ea80581",
    "outcome.msgpack": "f4af93638588574862f4c322b03d0ee2d509c7470d6fc2f33426a889d325df91",
    "sealed.seg": "037533a632f492aa2979e453d574dc42ac97568ff6d5adbc2e1e07d126580ebb",
    "snapshot.msgpack": "811257dd643664e6b0b986b295a0917dc85b5af664286e266beb9230d65abe94",
    "torn.open": "bafeb919ad58cf87bdab8eceb07c3b59de1234937924c8464dee035b12453a08",
}
"""SHA-256 of the files of format 1: they are never made anew."""


def test_the_samples_are_the_files_that_were_released():
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in FORMAT_1.iterdir()}
    assert found == DIGESTS


def test_a_snapshot_of_format_1_is_read():
    assert snapshot.decode((FORMAT_1 / "snapshot.msgpack").read_bytes()) == SNAPSHOT


def test_a_block_of_format_1_is_read():
    assert records.decode_block((FORMAT_1 / "block.msgpack").read_bytes()) == BLOCK


def test_an_outcome_of_format_1_is_read():
    assert records.decode_outcome((FORMAT_1 / "outcome.msgpack").read_bytes()) == OUTCOME


def test_a_sealed_segment_of_format_1_is_read():
    data = (FORMAT_1 / "sealed.seg").read_bytes()
    assert segments.read_head(data) == HEAD
    position, block, outcome, seal = segments.read(data)
    assert segments.read_position(position.payload) == Position(RING, 4096)
    assert records.decode_block(block.payload) == BLOCK
    assert records.decode_outcome(outcome.payload) == OUTCOME
    assert segments.read_seal(data) == seal_of(data[: seal.offset])


def test_a_torn_segment_of_format_1_is_read_up_to_the_tear():
    position, block, torn = segments.read((FORMAT_1 / "torn.open").read_bytes())
    assert isinstance(position, Frame)
    assert records.decode_block(block.payload) == BLOCK
    assert torn == Torn(block.end)


@pytest.mark.parametrize("name", ["sealed.seg", "torn.open"])
def test_a_folder_of_format_1_is_read(tmp_path, name):
    place = tmp_path / f"0001a0c4506c0a-abcdef-1234{Path(name).suffix}"
    place.write_bytes((FORMAT_1 / name).read_bytes())
    damage: list[Damage] = []
    store = Store(tmp_path)
    assert list(store.records(Query(), damage)) == list(records_of(BLOCK))
    assert damage == []
    assert store.find(SECOND_ID).records == [list(records_of(BLOCK))[1]]
