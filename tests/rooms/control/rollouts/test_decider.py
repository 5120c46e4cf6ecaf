import asyncio
import socket
from contextlib import asynccontextmanager, closing
from dataclasses import replace as replaced

import pytest
from msgspec.structs import replace

from pilotage.contracts import directing, records
from pilotage.contracts.directing import Directed, Direction, NotDirected, Seal, WorkerDied
from pilotage.control.ledger.file import Ledger
from pilotage.control.rollouts.decider import LEDGER, Decider, DeciderSettings
from pilotage.control.rollouts.history import History
from pilotage.control.rollouts.steering import Order
from pilotage.control.rollouts.steering_socket import ask, socket_path
from pilotage.control.rollouts.store import Saved, Store
from pilotage.errors import PilotageError
from pilotage.serving.processes.handoff import channel_kind
from pilotage.serving.recording import ring
from simulators.record_folders import RecordFolder
from simulators.rollout_frames import FIVE, Frames, spec_of
from simulators.rollouts import IDENTITY

SPEC = spec_of(stages=(replaced(FIVE, lasts_s=1000.0, units=50),), block_s=0.05)
IRIS = replaced(IDENTITY, endpoint="iris", spec=SPEC)
PATIENCE_S = 20.0


class Desk:
    """A home, a record folder, and the publisher's end of the channel, with no publisher."""

    def __init__(self, home, folder) -> None:
        self.home, self.folder = home, folder
        self.asked = []
        self.views = []
        self.events = []
        with closing(Store(home)) as store:
            self.kept = store.begin(
                IRIS, records=str(folder.folder), begin={}, since_ns=0, now_s=5.0
            )
        self.frames = Frames(rollout=self.kept.id)

    @asynccontextmanager
    async def deciding(self, reach=lambda _: None):
        ours, its = socket.socketpair(socket.AF_UNIX, channel_kind())
        ours.setblocking(False)
        settings = DeciderSettings(
            self.home, self.kept.id, its, (self.views.append,), self.log, reach
        )
        self.channel = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read)
        running = asyncio.create_task(Decider(settings).run())
        try:
            yield running
        finally:
            asyncio.get_running_loop().remove_reader(ours.fileno())
            ours.close()
            await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), PATIENCE_S)
            its.close()

    def answers(self, *arms) -> None:
        for arm, requests, errors in arms:
            _, payload = self.frames.answers(arm, requests, errors)
            assert self.folder.recording.put_block(records.decode_block(payload))

    def tell(self, message) -> None:
        self.channel.send(directing.encode(message))

    async def until(self, true):
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                await asyncio.sleep(0.005)

    async def until_phase(self, phase):
        await self.until(lambda: self.views and self.views[-1].phase == phase)

    @property
    def directions(self) -> list[Direction]:
        return [each for each in self.asked if isinstance(each, Direction)]

    def lines(self, kind):
        return [each for each in Ledger(self.home / LEDGER).read() if each.entry.kind == kind]

    def _read(self) -> None:
        self.asked.append(directing.decode_ask(self.channel.recv(directing.MESSAGE_BYTES)))

    def log(self, event, **fields) -> None:
        self.events.append((event, fields))


@pytest.fixture
def desk(tmp_path):
    folder = RecordFolder(tmp_path / "records")
    yield Desk(tmp_path / "home", folder)
    folder.close()


async def test_it_first_directs_as_the_state_has_it_and_tells_the_ledger_that_it_began(desk):
    async with desk.deciding():
        await desk.until(lambda: desk.directions)
        (direction,) = desk.directions
        assert [route.weight_ppm for route in direction.routes] == [950_000, 50_000]
        assert [line.entry.what["candidate"]["name"] for line in desk.lines("started")] == [
            "v2.onnx"
        ]


async def test_harm_is_found_and_the_baseline_gets_everything(desk):
    async with desk.deciding():
        for _ in range(3):
            desk.answers(("baseline", 950, 3), ("candidate", 50, 20))
        await desk.until_phase("rolled_back")
        await desk.until(lambda: len(desk.directions) == 2)
        assert [route.weight_ppm for route in desk.directions[-1].routes] == [1_000_000]
        (verdict,) = desk.lines("verdict")
        assert desk.views[-1].verdict == verdict.id
        assert len(desk.lines("ended")) == 1


async def test_what_a_verdict_stands_on_is_sealed_when_asked_for_and_told(desk):
    async with desk.deciding():
        desk.answers(("baseline", 950, 3), ("candidate", 50, 40))
        await desk.until_phase("rolled_back")
        await desk.until(lambda: any(isinstance(each, Seal) for each in desk.asked))
        assert desk.lines("sealed") == []
        desk.folder.copy()
        desk.folder.seal()
        await desk.until(lambda: desk.lines("sealed"))
        (sealed,) = desk.lines("sealed")
        assert sealed.entry.what["verdict"] == desk.lines("verdict")[0].entry.key
        assert len(sealed.entry.what["segments"]) == 1


async def test_one_that_is_started_again_goes_on_and_says_nothing_twice(desk):
    async with desk.deciding():
        desk.answers(("baseline", 950, 3), ("candidate", 50, 0))
        await desk.until(lambda: desk.views and desk.views[-1].guards[0].candidate_count == 50)
    looks = len(desk.views)
    async with desk.deciding():
        await desk.until(lambda: len(desk.views) > looks)
        assert desk.views[looks].guards[0].candidate_count == 50
        desk.answers(("baseline", 950, 3), ("candidate", 50, 40))
        await desk.until_phase("rolled_back")
    async with desk.deciding():
        desk.asked.clear()
        await desk.until(lambda: desk.directions)
        assert [route.weight_ppm for route in desk.directions[0].routes] == [1_000_000]
        assert [len(desk.lines(kind)) for kind in ("started", "verdict", "ended")] == [1, 1, 1]
        assert desk.views[-1].verdict == desk.lines("verdict")[0].id


@pytest.mark.parametrize(("code", "phase"), [(-11, "rolled_back"), (-6, "rolled_back")])
async def test_a_worker_that_crashed_by_itself_takes_the_candidate_out(desk, code, phase):
    async with desk.deciding():
        await desk.until(lambda: desk.directions)
        desk.tell(WorkerDied(0, code))
        await desk.until_phase(phase)
        assert "which version did it cannot be told" in desk.views[-1].because
        assert desk.lines("verdict") == []


@pytest.mark.parametrize("code", [-9, -15, 1])
async def test_a_worker_that_somebody_ended_is_nobodys_fault(desk, code):
    async with desk.deciding():
        await desk.until(lambda: desk.directions)
        desk.tell(WorkerDied(0, code))
        seen = len(desk.views)
        await desk.until(lambda: len(desk.views) > seen + 1)
        assert desk.views[-1].phase == "running"


async def test_a_direction_that_no_worker_can_serve_takes_the_candidate_out(desk):
    async with desk.deciding():
        await desk.until(lambda: desk.directions)
        desk.tell(NotDirected(desk.directions[-1].number - 1, "an old one"))
        desk.tell(Directed(desk.directions[-1].number, 7))
        desk.tell(NotDirected(desk.directions[-1].number, "no such file"))
        await desk.until_phase("rolled_back")
        assert "no such file" in desk.views[-1].because


async def test_a_way_back_that_could_not_be_taken_is_asked_for_again(desk):
    async with desk.deciding():
        await desk.until(lambda: desk.directions)
        desk.tell(NotDirected(desk.directions[-1].number, "no such file"))
        await desk.until(lambda: len(desk.directions) == 2)
        desk.tell(NotDirected(desk.directions[-1].number, "the disk is full"))
        await desk.until(lambda: len(desk.directions) == 3)
        again, before = desk.directions[-1], desk.directions[-2]
        assert again == replace(before, number=again.number)
        assert [route.weight_ppm for route in again.routes] == [1_000_000]


async def test_a_person_steers_it_over_its_socket(desk):
    path = socket_path(desk.home, "iris")
    async with desk.deciding():
        await desk.until(lambda: desk.directions and path.exists())
        paused = await asyncio.to_thread(ask, path, Order("pause", "ada"))
        assert paused.view.phase == "paused"
        refused = await asyncio.to_thread(ask, path, Order("pause", "ada"))
        assert refused.view.phase == "paused"
        assert (await asyncio.to_thread(ask, path, Order("abort", "ada"))).view.phase == "aborted"
        over = await asyncio.to_thread(ask, path, Order("promote", "ada"))
        assert "cannot promote" in over.error
        assert [line.entry.what["verb"] for line in desk.lines("steered")] == ["pause", "abort"]


async def test_it_ends_when_its_channel_does_with_its_evidence_saved(desk):
    async with desk.deciding() as running:
        desk.answers(("baseline", 950, 3), ("candidate", 50, 0))
        await desk.until(lambda: desk.views and desk.views[-1].guards[0].candidate_count == 50)
    assert running.exception() is None
    with closing(Store(desk.home)) as store:
        kept = store.get(desk.kept.id)
        assert kept.looks == kept.evidence_looks > 0


async def test_a_second_process_does_not_decide_on_the_same_rollout(desk):
    async with desk.deciding():
        await desk.until(lambda: desk.directions)
        ours, its = socket.socketpair(socket.AF_UNIX, channel_kind())
        with ours, its, pytest.raises(PilotageError, match="another `pilotage serve` decides"):
            Decider(DeciderSettings(desk.home, desk.kept.id, its, (), desk.log))
    async with desk.deciding():
        await desk.until(lambda: len(desk.directions) == 2)


async def test_records_that_are_not_kept_are_told_since_the_candidate_goes_on_unjudged(desk):
    found = [path for place in desk.folder.places for path in place.glob("*.ring")]
    recorder = ring.Ring.open(found[0])
    async with desk.deciding():
        recorder.tell(ring.OVER_BUDGET)
        await desk.until(lambda: desk.views and "--record-budget" in desk.views[-1].sentence)
        assert desk.views[-1].sentence.startswith("v2.onnx gets 5 % of the traffic")
        recorder.tell(ring.RECORDING)
        await desk.until(lambda: "--record-budget" not in desk.views[-1].sentence)
    news = [fields["news"] for event, fields in desk.events if event == "rollout"]
    assert news == [
        "records are not kept, since --record-budget is used up",
        "what comes is judged again",
    ]
    assert [each.text for each in desk.views[-1].happened] == news
    recorder.close()


async def test_a_ledger_that_takes_nothing_is_told_once_and_paid_when_it_can_be(desk):
    path = desk.home / LEDGER
    path.write_text("no line of a ledger\n")
    async with desk.deciding():
        await desk.until(lambda: len(desk.views) > 6)
        assert [event for event, _ in desk.events].count("ledger_owed") == 1
        path.rename(desk.home / "damaged")
        await desk.until(lambda: desk.lines("started"))


async def test_evidence_that_cannot_be_read_is_gathered_again_from_the_records(desk):
    async with desk.deciding():
        desk.answers(("baseline", 950, 3), ("candidate", 50, 0))
        await desk.until(lambda: desk.views and desk.views[-1].guards[0].candidate_count == 50)
    with closing(Store(desk.home)) as store:
        kept = store.get(desk.kept.id)
        store.save(kept.id, kept.looks, Saved(b"damaged", History(), 0))
    looks = len(desk.views)
    async with desk.deciding():
        await desk.until(lambda: len(desk.views) > looks)
        assert desk.views[looks].guards[0].candidate_count == 50
        assert "evidence_unreadable" in [event for event, _ in desk.events]
