import sqlite3
import stat
from contextlib import closing

import pytest

from pilotage.control.ledger.lines import Entry
from pilotage.control.rollouts.blocks import Cut
from pilotage.control.rollouts.history import History, after_news
from pilotage.control.rollouts.store import FILE, Saved, Store
from pilotage.control.rollouts.table import State
from pilotage.errors import PilotageError
from simulators.rollouts import IDENTITY, identity

CUTS = [Cut(10.0, {7: 100}, 3), Cut(10.25, {7: 180, 1 << 63: 5}, 4), Cut(9.5, {}, 0)]


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path / "home")) as store:
        yield store


def begun(store, of=IDENTITY):
    return store.begin(of, records="/records", begin={1 << 63: 9}, since_ns=5, now_s=1.5)


def entry(key):
    return Entry(key, "stage", 2.0, "jobs", "r-1", {"to": "canary 5 %"})


def test_a_rollout_that_was_never_begun_is_not_there(store):
    assert store.latest(IDENTITY.key) is None
    with pytest.raises(PilotageError, match="no rollout"):
        store.get("nothing-1")


def test_what_was_begun_is_found_again_by_its_key(store):
    kept = begun(store)
    assert store.latest(IDENTITY.key) == kept
    assert (kept.id, kept.attempt) == (f"{IDENTITY.key}-1", 1)
    assert kept.identity == IDENTITY
    assert (kept.begin, kept.since_ns, kept.begun_at) == ({1 << 63: 9}, 5, 1.5)
    assert (kept.state, kept.looks, kept.evidence) == (State(), 0, None)


def test_beginning_again_is_another_attempt(store):
    begun(store)
    assert begun(store).id == f"{IDENTITY.key}-2"
    assert store.latest(IDENTITY.key).attempt == 2
    assert begun(store, identity(confidence=0.99)).attempt == 1


def test_a_look_is_kept_with_its_block_its_state_and_its_debts(store):
    kept = begun(store)
    for look, cut in enumerate(CUTS):
        state = State(stage=1, stage_s=float(look))
        store.looked(kept.id, look, cut, state, entries=[entry(f"r/{look}")])
    again = store.get(kept.id)
    assert (again.looks, again.state.stage_s) == (3, 2.0)
    assert store.cuts(kept.id) == CUTS
    assert store.cuts(kept.id, since_look=2) == CUTS[2:]
    assert [each.key for each in store.owed()] == ["r/0", "r/1", "r/2"]


def test_a_block_that_another_process_looked_at_is_refused_and_changes_nothing(store):
    kept = begun(store)
    store.looked(kept.id, 0, CUTS[0], State())
    with pytest.raises(PilotageError, match="another process"):
        store.looked(kept.id, 0, CUTS[1], State(stage=1), entries=[entry("r/late")])
    assert store.cuts(kept.id) == CUTS[:1]
    assert store.get(kept.id).state == State()
    assert store.owed() == []


def test_evidence_is_kept_with_the_number_of_looks_after_which_it_was_saved(store):
    kept = begun(store)
    history = after_news(History(), 3.0, "it began")
    store.looked(kept.id, 0, CUTS[0], State(), saved=Saved(b"\x00\xff", history, 77))
    store.looked(kept.id, 1, CUTS[1], State())
    again = store.get(kept.id)
    assert (again.evidence, again.evidence_looks, again.looks) == (b"\x00\xff", 1, 2)
    assert (again.history, again.resumes_ns) == (history, 77)


def test_what_the_ledger_is_owed_is_owed_once_and_until_it_is_paid(store):
    store.owe([entry("r/1"), entry("r/2")])
    store.owe([entry("r/1")])
    assert store.owed() == [entry("r/1"), entry("r/2")]
    store.paid(["r/1"])
    assert store.owed() == [entry("r/2")]


def test_a_step_between_two_looks_changes_the_state_alone(store):
    kept = begun(store)
    store.stepped(kept.id, State(phase="paused", because="asked for"), entries=[entry("r/3")])
    again = store.get(kept.id)
    assert (again.state.phase, again.looks) == ("paused", 0)
    assert [each.key for each in store.owed()] == ["r/3"]


def test_another_process_sees_what_was_kept(tmp_path, store):
    kept = begun(store)
    with closing(Store(tmp_path / "home")) as other:
        assert other.get(kept.id) == kept


def test_the_home_is_the_users_own(tmp_path):
    Store(tmp_path / "home").close()
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_file_of_a_later_release_is_left_alone(tmp_path):
    Store(tmp_path / "home").close()
    with closing(sqlite3.connect(tmp_path / "home" / FILE)) as base:
        base.execute("pragma user_version=99")
    with pytest.raises(PilotageError, match="later release") as refused:
        Store(tmp_path / "home")
    assert "99" in str(refused.value)


def test_a_home_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PilotageError, match="cannot be kept") as refused:
        Store(tmp_path / "file" / "home")
    assert "--data" in refused.value.fix
