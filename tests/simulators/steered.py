"""A decider that people steer, without records: the real socket and table, a view that is given."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import uvloop
from msgspec import structs

from pilotage.control.rollouts.steering import Order, Reply
from pilotage.control.rollouts.steering_listener import Listener, serve
from pilotage.control.rollouts.steering_socket import socket_path
from pilotage.control.rollouts.table import State, Steered, step, words_of
from pilotage.control.rollouts.view import RolloutView
from simulators.rollouts import SPEC


@contextmanager
def listening(
    path: Path, handle: Callable[[Order], Reply], faults: list[BaseException] | None = None
) -> Iterator[Listener]:
    """A loop of its own in a thread, at the socket; faults that it met are appended."""
    started: Future[Listener] = Future()
    over: Future[None] = Future()

    async def decide():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: faults.append(told["exception"]))
        listener = await serve(path, handle)
        started.set_result(listener)
        await asyncio.wrap_future(over)
        listener.close()

    with ThreadPoolExecutor(1) as thread, asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        deciding = thread.submit(run.run, decide())
        try:
            yield started.result(10)
        finally:
            over.set_result(None)
            deciding.result(10)


class SteeredRollout:
    """One rollout; `asked` are the orders it got, and `views` are shown one after the other."""

    def __init__(self, view: RolloutView, *later: RolloutView) -> None:
        self.view = view
        self.asked: list[Order] = []
        self._later = list(later)
        self._state = State(phase=view.phase)

    def handle(self, order: Order) -> Reply:
        """Does what was asked, as the table has it."""
        self.asked.append(order)
        if order.verb == "status":
            shown = self.view
            if self._later:
                self.view = self._later.pop(0)
            return Reply(view=shown)
        self._state = step(self._state, Steered(order.verb, order.by), SPEC)
        sentence = f"It is {words_of(self._state.phase)}, {self._state.because}."
        self.view = structs.replace(self.view, phase=self._state.phase, sentence=sentence)
        return Reply(view=self.view)

    @contextmanager
    def decided(self, data_folder: Path) -> Iterator["SteeredRollout"]:
        """While it is decided for this folder."""
        with listening(socket_path(data_folder, self.view.endpoint), self.handle):
            yield self
