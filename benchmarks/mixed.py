"""A tiny request beside 3 MB JSON images that go to another model of the same worker.

Two callers send images without pause; the tail of the tiny requests (8 connections) is stated with
the images and without. What bounds it is the work of one image that cannot be interrupted.
"""

import time

import msgspec

from benchmarks import load
from benchmarks.contenders import OURS, V2_JSON, pilotage_command
from benchmarks.models import IMAGE, TINY
from benchmarks.places import BUILD
from benchmarks.server import Server, ask, free_port
from benchmarks.trials import removed, say
from benchmarks.wires import requests_of, write_rotation

IMAGE_CONNECTIONS = 2
TINY_CONNECTIONS = 8
IMAGES = 8
"""Different images in the rotation: 24 MB of requests."""


class Mixed(msgspec.Struct, frozen=True):
    """Milliseconds of the tiny requests alone and beside images; `image_ms` is one image alone."""

    image_mb: float
    image_ms: float
    images_a_second: float
    alone_p50_ms: float
    alone_p99_ms: float
    beside_p50_ms: float
    beside_p99_ms: float
    beside_max_ms: float


def run(*, seconds: int) -> Mixed:
    """Our server with both models on one worker."""
    port = free_port()
    log = BUILD / "logs" / "pilotage-mixed.log"
    environment = OURS.variables(TINY, port, "json")
    command = pilotage_command([TINY, IMAGE], port, ())
    with (
        removed(BUILD / "records" / str(port)),
        Server(command, port, environment=environment, log=log) as server,
    ):
        tiny = requests_of(V2_JSON["json"], TINY, port)
        images = requests_of(V2_JSON["json"], IMAGE, port, count=IMAGES)
        server.start(tiny[0])
        tiny_file = write_rotation(tiny, BUILD / "rotations" / "mixed-tiny")
        image_file = write_rotation(images, BUILD / "rotations" / "mixed-image")
        image_ms = min(_time_ms(port, images[turn % IMAGES]) for turn in range(5))
        alone = load.run(tiny_file, port, connections=TINY_CONNECTIONS, seconds=seconds)
        floods = load.start(image_file, port, connections=IMAGE_CONNECTIONS, seconds=seconds + 2)
        time.sleep(1)
        beside = load.run(tiny_file, port, connections=TINY_CONNECTIONS, seconds=seconds)
        flood = floods.finish()
    done = Mixed(
        image_mb=round(len(images[0]) / 1e6, 2),
        image_ms=round(image_ms, 2),
        images_a_second=round(flood.rate, 1),
        alone_p50_ms=alone.p50_us / 1e3,
        alone_p99_ms=alone.p99_us / 1e3,
        beside_p50_ms=beside.p50_us / 1e3,
        beside_p99_ms=beside.p99_us / 1e3,
        beside_max_ms=beside.max_us / 1e3,
    )
    say(f"tiny beside images: p99 {done.beside_p99_ms} ms, alone {done.alone_p99_ms} ms")
    return done


def _time_ms(port: int, request: bytes) -> float:
    began = time.perf_counter()
    ask(port, request)
    return (time.perf_counter() - began) * 1e3
