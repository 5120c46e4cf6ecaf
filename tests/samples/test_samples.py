"""Samples of every format that was released are read for ever, and say what they said."""

import hashlib
from pathlib import Path

import pytest

from pilotage.contracts import records, segments, snapshot
from pilotage.contracts.records import records_of
from pilotage.contracts.segments import Frame, Position, Torn
from pilotage.errors import PilotageError
from pilotage.records.frames import Damage
from pilotage.records.store import Query, Store
from samples import contents_1_rollouts as rollouts
from samples.contents_1 import (
    BLOCK,
    FIRST_ID,
    HEAD,
    OUTCOME,
    RING,
    SECOND_ID,
    SNAPSHOT,
    seal_of,
)

FORMAT_1 = Path(__file__).parent / "format-1"
ROLLOUTS = Path(__file__).parent / "format-1-rollouts"
DIGESTS = {
    "block.msgpack": "b6a3cfd1ba17d35ebf6cd8d4bac4d828814c39c8b99e2876e80fbaa22ea80581",
    "outcome.msgpack": "f4af93638588574862f4c322b03d0ee2d509c7470d6fc2f33426a889d325df91",
    "sealed.seg": "037533a632f492aa2979e453d574dc42ac97568ff6d5adbc2e1e07d126580ebb",
    "snapshot.msgpack": "811257dd643664e6b0b986b295a0917dc85b5af664286e266beb9230d65abe94",
    "torn.open": "bafeb919ad58cf87bdab8eceb07c3b59de1234937924c8464dee035b12453a08",
}
"""SHA-256 of the files of format 1: they are never made anew."""
ROLLOUTS_DIGESTS = {
    "block.msgpack": "14d0b936bb6f5f34ee84b4433466dbb3ec4e2f63854d7adc4ee5681993b00e99",
    "outcome.msgpack": "4cf904313d442a9fbe5159da878c5ef7d9db7d4c1333252147dcd0f73c50cec6",
    "probe.msgpack": "970ec94613e7313caaac8d91690975f2ca7cb89f89018e502380061605531d63",
    "sealed.seg": "28b80bce2c3dd532cd711a9cbf292d6892ef381dede1e08e32e854750da5241c",
    "snapshot.msgpack": "e7117a719cb246858268593d644a1efbe3731c1efca9995f19ee4ce20f635c5d",
}
"""The same of what rollouts added to format 1."""


@pytest.mark.parametrize(("folder", "digests"), [(FORMAT_1, DIGESTS), (ROLLOUTS, ROLLOUTS_DIGESTS)])
def test_the_samples_are_the_files_that_were_released(folder, digests):
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    assert found == digests


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


def test_a_snapshot_with_a_trial_is_read_by_those_who_know_trials():
    data = (ROLLOUTS / "snapshot.msgpack").read_bytes()
    assert snapshot.decode(data) == rollouts.TRIED
    with pytest.raises(PilotageError, match="trial"):
        snapshot.decode(data, features=snapshot.FEATURES - {"trial"})


def test_a_block_of_copies_a_probe_and_an_outcome_of_an_endpoint_are_read():
    assert records.decode_block((ROLLOUTS / "block.msgpack").read_bytes()) == rollouts.PAIRED
    assert records.decode_probe((ROLLOUTS / "probe.msgpack").read_bytes()) == rollouts.PROBE
    assert records.decode_outcome((ROLLOUTS / "outcome.msgpack").read_bytes()) == rollouts.NARROWED


def test_a_sealed_segment_with_a_probe_and_an_outcome_is_read():
    data = (ROLLOUTS / "sealed.seg").read_bytes()
    position, block, probe, outcome, seal = segments.read(data)
    assert segments.read_position(position.payload) == Position(RING, 4096)
    assert [each.kind for each in (block, probe, outcome)] == [
        segments.BLOCK,
        segments.PROBE,
        segments.OUTCOME,
    ]
    assert segments.read_seal(data) == rollouts.seal_of(data[: seal.offset])


def test_a_folder_with_probes_and_outcomes_gives_its_predictions_and_no_others(tmp_path):
    """The ids of probes and outcomes are those of predictions, and are passed over."""
    place = tmp_path / "0001a0c4506c0a-abcdef-1234.seg"
    place.write_bytes((ROLLOUTS / "sealed.seg").read_bytes())
    store = Store(tmp_path, ())
    first, second = records_of(rollouts.PAIRED)
    damage: list[Damage] = []
    assert list(store.records(Query(), damage)) == [first, second]
    assert damage == []
    assert store.last(5) == [first, second]
    assert store.find(FIRST_ID).records == [first]
    kinds = [found.kind for found in store.reader()]
    assert kinds == [segments.BLOCK, segments.PROBE, segments.OUTCOME]
