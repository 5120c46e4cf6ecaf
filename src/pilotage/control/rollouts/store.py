"""Rollouts in SQLite: what was begun, where it is, its blocks, and what the ledger is owed.

Each function is one transaction, and what it wrote outlives the death of every process
(`synchronous=FULL`, WAL). A block, the state after it and the ledger's entries are written
together, so a decider that is killed has either looked at a block or has not. Entries wait in
`owed` until they stand in the ledger's file; the ledger takes each key once, so that paying twice
does nothing twice.

Indexes: rollouts by id (primary key) and by (key, attempt); blocks by (rollout, look); owed by the
order in which they were written.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from pilotage.control.ledger.lines import Entry
from pilotage.control.rollouts.blocks import Cut, offsets_decoded, offsets_encoded
from pilotage.control.rollouts.history import History
from pilotage.control.rollouts.identity import Identity, Party, rollout_id, spec_of, spec_text
from pilotage.control.rollouts.table import State
from pilotage.errors import PilotageError

FILE: Final = "rollouts.sqlite"
SCHEMA_VERSION: Final = 1
BUSY_S: Final = 10.0
"""How long a transaction waits for another process's."""

_SCHEMA: Final = """
create table rollouts (
    id text primary key,
    key text not null,
    attempt integer not null,
    endpoint text not null,
    baseline text not null,
    candidate text not null,
    spec text not null,
    records text not null,
    begun_at real not null,
    begin text not null,
    since_ns integer not null,
    state text not null,
    looks integer not null default 0,
    evidence blob,
    evidence_looks integer not null default 0,
    resumes_ns integer not null default 0,
    history blob,
    unique (key, attempt)
);
create table blocks (
    rollout text not null,
    look integer not null,
    cut blob not null,
    primary key (rollout, look)
) without rowid;
create table owed (
    number integer primary key autoincrement,
    key text not null unique,
    entry blob not null
);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rollout as it is kept.

    Attributes:
        records: the folder of the records it looks at.
        begin, since_ns: where the reading of records begins; see `records.frames.Reader`.
        looks: blocks looked at so far; their cuts are `Store.cuts`.
        evidence, history: as saved after `evidence_looks` blocks; None before.
        resumes_ns: like `since_ns`, for a reader that goes on behind those blocks.
    """

    id: str
    attempt: int
    identity: Identity
    records: str
    begun_at: float
    begin: dict[int, int]
    since_ns: int
    state: State
    looks: int
    evidence: bytes | None
    evidence_looks: int
    resumes_ns: int
    history: History


@dataclass(frozen=True, slots=True)
class Saved:
    """Evidence and history, to be kept with the block after which they were saved, and from where
    on a reader finds what comes behind it."""

    evidence: bytes
    history: History
    resumes_ns: int


class Store:
    """The rollouts of one home folder.

    Raises:
        PilotageError: the file cannot be opened, or was made by a later release.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=full")
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            raise PilotageError(
                f"the rollouts cannot be kept: {error}",
                where=str(path),
                expected="a folder that can be written to",
                fix="Choose another with --data.",
            ) from error

    def close(self) -> None:
        """Lets go of the file."""
        self._base.close()

    def _prepare(self, path: Path) -> None:
        with self._transaction():
            (version,) = self._base.execute("pragma user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise PilotageError(
                    f"the rollouts were kept by a later release (format {version})",
                    where=str(path),
                    expected=f"format {SCHEMA_VERSION}",
                    fix="Upgrade Pilotage, or choose another folder with --data.",
                )
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._base.execute(statement)
                self._base.execute(f"pragma user_version={SCHEMA_VERSION}")

    # --- beginning -------------------------------------------------------------------------

    def latest(self, key: str) -> Kept | None:
        """The last attempt of this rollout; None where none was begun."""
        row = self._base.execute(
            "select id from rollouts where key = ? order by attempt desc limit 1", (key,)
        ).fetchone()
        return self.get(row[0]) if row else None

    def begin(
        self,
        identity: Identity,
        *,
        records: str,
        begin: dict[int, int],
        since_ns: int,
        now_s: float,
    ) -> Kept:
        """A new attempt of this rollout."""
        key = identity.key
        with self._transaction():
            (last,) = self._base.execute(
                "select coalesce(max(attempt), 0) from rollouts where key = ?", (key,)
            ).fetchone()
            attempt = last + 1
            self._base.execute(
                "insert into rollouts (id, key, attempt, endpoint, baseline, candidate, spec,"
                " records, begun_at, begin, since_ns, state)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    rollout_id(key, attempt),
                    key,
                    attempt,
                    identity.endpoint,
                    _json(identity.baseline),
                    _json(identity.candidate),
                    spec_text(identity.spec),
                    records,
                    now_s,
                    _json(offsets_encoded(begin)),
                    since_ns,
                    _json(State()),
                ),
            )
        return self.get(rollout_id(key, attempt))

    def get(self, rollout: str) -> Kept:
        """The rollout of this id.

        Raises:
            PilotageError: there is none, or what is kept of it cannot be read.
        """
        row = self._base.execute(
            "select id, attempt, endpoint, baseline, candidate, spec, records, begun_at, begin,"
            " since_ns, state, looks, evidence, evidence_looks, resumes_ns, history"
            " from rollouts where id = ?",
            (rollout,),
        ).fetchone()
        if row is None:
            raise PilotageError(f"there is no rollout {rollout}", where=FILE)
        try:
            return _kept(row)
        except msgspec.MsgspecError as error:
            raise PilotageError(
                f"what is kept of rollout {rollout} cannot be read: {error}", where=FILE
            ) from error

    # --- going on --------------------------------------------------------------------------

    def cuts(self, rollout: str, *, since_look: int = 0) -> list[Cut]:
        """The blocks that were looked at, from look number `since_look` (0 is the first)."""
        rows = self._base.execute(
            "select cut from blocks where rollout = ? and look >= ? order by look",
            (rollout, since_look),
        )
        return [msgspec.msgpack.decode(cut, type=Cut) for (cut,) in rows]

    def looked(
        self,
        rollout: str,
        look: int,
        cut: Cut,
        state: State,
        *,
        entries: Sequence[Entry] = (),
        saved: Saved | None = None,
    ) -> None:
        """A block was looked at: its cut, the state after it, what the ledger is owed.

        Raises:
            PilotageError: that block was looked at already, by another process.
        """
        with self._transaction():
            changed = self._base.execute(
                "update rollouts set state = ?, looks = ? where id = ? and looks = ?",
                (_json(state), look + 1, rollout, look),
            ).rowcount
            if not changed:
                raise PilotageError(
                    "another process decides on this rollout",
                    where=rollout,
                    fix="End the other `pilotage serve`, or give it another --data folder.",
                )
            self._base.execute(
                "insert into blocks values (?, ?, ?)", (rollout, look, msgspec.msgpack.encode(cut))
            )
            self._owe(entries)
            if saved is not None:
                self._save(rollout, look + 1, saved)

    def stepped(self, rollout: str, state: State, *, entries: Sequence[Entry] = ()) -> None:
        """The state changed between two looks: a person steered, or something crashed."""
        with self._transaction():
            self._base.execute(
                "update rollouts set state = ? where id = ?", (_json(state), rollout)
            )
            self._owe(entries)

    def save(self, rollout: str, looks: int, saved: Saved) -> None:
        """Evidence and history as they are after so many looks."""
        with self._transaction():
            self._save(rollout, looks, saved)

    def _save(self, rollout: str, looks: int, saved: Saved) -> None:
        self._base.execute(
            "update rollouts set evidence = ?, evidence_looks = ?, resumes_ns = ?, history = ?"
            " where id = ?",
            (
                saved.evidence,
                looks,
                saved.resumes_ns,
                msgspec.msgpack.encode(saved.history),
                rollout,
            ),
        )

    # --- the ledger's ----------------------------------------------------------------------

    def owe(self, entries: Sequence[Entry]) -> None:
        """More that the ledger is owed."""
        with self._transaction():
            self._owe(entries)

    def owed(self) -> list[Entry]:
        """Entries that may not stand in the ledger yet, the oldest first."""
        rows = self._base.execute("select entry from owed order by number")
        return [msgspec.json.decode(entry, type=Entry) for (entry,) in rows]

    def paid(self, keys: Iterable[str]) -> None:
        """These stand in the ledger."""
        with self._transaction():
            self._base.executemany("delete from owed where key = ?", [(key,) for key in keys])

    def _owe(self, entries: Sequence[Entry]) -> None:
        self._base.executemany(
            "insert or ignore into owed (key, entry) values (?, ?)",
            [(entry.key, msgspec.json.encode(entry)) for entry in entries],
        )

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._base)


class _Transaction:
    """Everything or nothing; the write lock is taken at the start, so that it never fails later."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def __enter__(self) -> None:
        self._base.execute("begin immediate")

    def __exit__(self, kind: object, *_: object) -> None:
        self._base.execute("commit" if kind is None else "rollback")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _kept(row: tuple[object, ...]) -> Kept:
    (
        id_,
        attempt,
        endpoint,
        baseline,
        candidate,
        spec,
        records,
        begun_at,
        begin,
        since_ns,
        state,
        looks,
        evidence,
        evidence_looks,
        resumes_ns,
        history,
    ) = row
    text = msgspec.json.decode
    return Kept(
        id=str(id_),
        attempt=int(str(attempt)),
        identity=Identity(
            endpoint=str(endpoint),
            baseline=text(str(baseline), type=Party),
            candidate=text(str(candidate), type=Party),
            spec=spec_of(str(spec)),
        ),
        records=str(records),
        begun_at=float(str(begun_at)),
        begin=offsets_decoded(text(str(begin), type=dict[str, int])),
        since_ns=int(str(since_ns)),
        state=text(str(state), type=State),
        looks=int(str(looks)),
        evidence=evidence if isinstance(evidence, bytes) else None,
        evidence_looks=int(str(evidence_looks)),
        resumes_ns=int(str(resumes_ns)),
        history=msgspec.msgpack.decode(history, type=History)
        if isinstance(history, bytes)
        else History(),
    )
