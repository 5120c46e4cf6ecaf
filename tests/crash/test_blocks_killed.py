"""A rollout's blocks while worker and recorder are killed: each is read again just as it was."""

import random
import time

from crash.test_recorder_killed import SEED, Scene, _kill
from pilotage.control.rollouts.blocks import cut_behind, in_order, reached
from pilotage.control.rollouts.replaying import frames_of_blocks
from pilotage.records.frames import Reader, latest_opened_ns

ROUNDS = 40


def test_blocks_that_were_read_amid_kills_come_again_just_as_they_were(tmp_path):
    folder = tmp_path / "records"
    scene = Scene(folder, random.Random(SEED + 1))
    scene.start_worker()
    scene.start_recorder()
    while not folder.is_dir():
        time.sleep(0.001)
    since_ns = latest_opened_ns(folder)
    reader = Reader(folder, since_ns=since_ns)
    reader.skip()
    begin, cuts, blocks = reader.given, [], []
    for _ in range(ROUNDS):
        time.sleep(scene.chance.random() * 0.01)
        victim = scene.chance.choice(("recorder", "worker", "both", "decider"))
        if victim in ("recorder", "both"):
            scene.kill_recorder()
        if victim in ("worker", "both"):
            _kill(scene.worker)
            scene.start_worker()
        if scene.chance.random() < 0.7:
            frames = in_order(reader)
            cuts.append(cut_behind(frames, scene.chance.random()))
            blocks.append([(found.address, found.payload) for found in frames])
        if victim in ("recorder", "both"):
            scene.start_recorder()
        if victim == "decider":
            given = reached(begin, cuts)
            reader = Reader(folder, given=given, since_ns=reader.resumes_ns)
    scene.finish()
    missing = []
    again = frames_of_blocks(folder, begin, cuts, since_ns=since_ns, missing=missing)
    assert [[(found.address, found.payload) for found in block] for block in again] == blocks
    assert missing == []
    assert sum(map(len, blocks)) > 500
    assert len(cuts) > 20
