"""One client's connection: its bytes go in, whole requests go to the service, in order.

It opens no socket and reads no clock: `receive` gets what came, `tick` the time, the `Wire` takes
what is to be sent. Reading pauses while too many requests are unanswered or the client leaves
answers untaken; what is malformed, late or too large gets one refusal and ends the connection.

Budget: 1.2 µs for a request whose head is known and whose body came in the same buffer, its reply
written and the look-up of the head not counted. Measured: 0.64 µs, and 0.30 µs for the look-up;
8 µs for a new head or a body in pieces (`benchmarks/parts/http_parse.py`, 2 shared cores).
"""

from typing import Final

from pilotage.contracts.limits import Limits
from pilotage.serving.http.compression import decompress, request_encoding
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.head import read_head
from pilotage.serving.http.head_cache import Planned
from pilotage.serving.http.patience import Patience, Phase
from pilotage.serving.http.reading import Front, Reading, unread
from pilotage.serving.http.responses import CONTINUE
from pilotage.serving.http.turns import Turns, Wire
from pilotage.serving.refusals import Refusal


class Connection:
    """The protocol of one TCP connection, without the socket."""

    __slots__ = (
        "_advancing",
        "_answer",
        "_at_start",
        "_closed",
        "_continue_due",
        "_deaf",
        "_ended",
        "_front",
        "_ignored_bytes",
        "_known",
        "_limits",
        "_lingers",
        "_now_ns",
        "_patience",
        "_paused",
        "_reading",
        "_serial",
        "_turns",
        "_wire",
    )

    def __init__(self, front: Front, wire: Wire) -> None:
        self._front = front
        self._limits: Final[Limits] = front.limits
        self._known = front.heads.known
        self._answer = front.service.answer
        self._now_ns = front.now_ns
        self._wire = wire
        self._turns = Turns(
            wire,
            front.limits,
            abandon=front.service.abandon,
            on_change=self._after_reply,
            on_refused=front.on_refused,
        )
        self._reading = Reading(front)
        self._patience = Patience(front.limits)
        self._serial = 0  # grows with each step forward, so that a tick sees whether there was one
        self._at_start = True  # the next byte begins a request
        self._advancing = False
        self._paused = False
        self._continue_due = False
        self._deaf = False  # the rest of the input is ignored
        self._lingers = False  # the client may still be sending when the last reply has left
        self._ended = False  # the client ended its side, or may as well have
        self._closed = False
        self._ignored_bytes = 0

    def receive(self, data: bytes) -> None:
        """Bytes came. What they complete is handed to the service before this returns.

        The flat part is the fast way: a known head with its whole body in this buffer, nothing
        else under way. Everything else leaves for `_receive_other`.
        """
        if self._at_start and self._turns.current is None:
            end = data.find(b"\r\n\r\n") + 4
            planned = self._known.get(data[:end])
            if planned is not None and planned.whole_bytes == len(data):
                self._serial += 1
                turns = self._turns
                turns.current = exchange = Exchange(planned, data[end:], turns, self._now_ns())
                self._answer(exchange)
                return
        self._receive_other(data)

    def receive_eof(self) -> bool:
        """The client ended its side. True when the connection stays open for what is owed."""
        self._ended = True
        if self._turns.over or self._turns.owed == 0:
            return False
        self._watch()
        return True

    def lost(self) -> None:
        """The connection is gone: unanswered exchanges are abandoned, streams told."""
        self._closed = True
        self._at_start = False
        self._reading.stop()
        self._turns.lose()

    def pause_writing(self) -> None:
        """The client does not take what is written: nothing more is read until it does."""
        self._turns.write_paused = True
        self._serial += 1
        self._regulate()

    def resume_writing(self) -> None:
        """The client took what was written."""
        self._turns.write_paused = False
        self._turns.resume()
        self._advance()

    def tick(self, now_s: float) -> None:
        """Close what has waited too long. Called about once a second; times are kept to that."""
        phase = self._phase()
        if self._patience.is_over(phase, self._serial, now_s):
            self._give_up(phase)

    def drain(self) -> None:
        """The next reply is the last. A connection that owes nothing stays until `close_idle`."""
        self._turns.draining = True
        self._turns.unusual = True

    def close_idle(self) -> None:
        """Close if nothing is owed and no request has begun to arrive."""
        if self._phase() is Phase.IDLE:
            self._close()

    # -- input that is not on the fast way

    def _receive_other(self, data: bytes) -> None:
        if self._deaf or self._closed:
            self._lingers = True
            self._ignored_bytes += len(data)
            if self._ignored_bytes > self._limits.body_bytes:
                self._wire.abort()
            return
        self._at_start = False
        try:
            self._reading.add(data)
        except Refusal as refusal:
            self._cut_off(refusal)
        self._advance()

    def _advance(self) -> None:
        """Take from the input what is whole, as far as the limits allow."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._may_take() and self._step():
                pass
        except Refusal as refusal:
            self._cut_off(refusal)
        finally:
            self._advancing = False
        self._regulate()

    def _may_take(self) -> bool:
        turns = self._turns
        return not (
            self._deaf
            or turns.over
            or turns.write_paused
            or turns.owed >= self._limits.pipelined_requests
        )

    def _step(self) -> bool:
        """One head or one body; False when there is not enough input."""
        reading = self._reading
        if reading.in_body:
            whole = reading.body_whole()
            if whole:
                self._complete()
            return whole
        raw = reading.next_head()
        if raw is not None:
            self._serial += 1
            self._begin(raw)
        return raw is not None

    def _begin(self, raw: bytes) -> None:
        """Plan a head and get ready for its body, or decline it."""
        planned = self._known.get(raw)
        try:
            if planned is None:
                planned = self._plan(raw)
            if planned.chunked or planned.content_length > self._reading.buffered_bytes:
                self._admit(planned)
        except _Declined as declined:
            self._decline(declined.planned, declined.refusal)
        else:
            self._reading.begin_body(planned, keep=True)

    def _plan(self, raw: bytes) -> Planned:
        try:
            head = read_head(raw, self._limits)
        except Refusal as refusal:
            raise _Declined(unread(raw), refusal) from None
        planned = Planned(head)
        try:
            plan = self._front.service.plan(head)
            encoding = request_encoding(head.headers.get(b"content-encoding", b""))
        except Refusal as refusal:
            raise _Declined(planned, refusal) from None
        planned.finish(plan, encoding, len(raw))
        self._front.heads.offer(raw, planned, head)
        return planned

    def _admit(self, planned: Planned) -> None:
        try:
            self._front.service.admit(planned.plan, planned.content_length)
            self._reading.reserve(planned.content_length)
        except Refusal as refusal:
            raise _Declined(planned, refusal) from None
        if planned.expect_continue and not self._reading.buffered_bytes:
            self._continue_due = True
            self._invite()

    def _invite(self) -> None:
        """Say `100 Continue`, once all earlier replies have left."""
        if self._turns.owed:
            self._watch()
        else:
            self._continue_due = False
            self._turns.write(CONTINUE)

    def _complete(self) -> None:
        """The body under way is whole, and so is the request."""
        reading = self._reading
        planned, skipping = reading.planned, reading.skipping
        body = reading.take_body()
        self._continue_due = False
        self._serial += 1
        if skipping or planned is None:
            return
        exchange = Exchange(planned, body, self._turns, self._now_ns())
        self._turns.take(exchange)
        self._deaf = not planned.keep_alive
        if body and planned.encoding is not None:
            try:
                exchange.body = decompress(body, planned.encoding, self._limits)
            except Refusal as refusal:
                exchange.refuse(refusal)
                return
        self._answer(exchange)

    # -- saying no

    def _decline(self, planned: Planned, refusal: Refusal) -> None:
        """Refuse a request from its head alone; its body is passed over."""
        exchange = Exchange(planned, b"", self._turns, 0)
        self._turns.take(exchange)
        if refusal.close or planned.expect_continue or not planned.keep_alive:
            self._deaf = self._lingers = True  # whether a body will come is not known
        else:
            self._reading.begin_body(planned, keep=False)
        exchange.refuse(refusal, close=self._deaf)

    def _cut_off(self, refusal: Refusal) -> None:
        """Refuse what cannot be read any further; the rest of the input is ignored."""
        answered = self._reading.skipping
        planned = self._reading.stop()
        self._deaf = self._lingers = True
        if answered:
            self._ended = True
            self._watch()
            self._close_if_done()
            return
        exchange = Exchange(planned, b"", self._turns, 0)
        self._turns.take(exchange)
        exchange.refuse(refusal, close=True)

    # -- after something changed

    def _watch(self) -> None:
        self._turns.watched = self._turns.unusual = True

    def _after_reply(self, ended: bool) -> None:
        """`Turns` wrote an unusual reply; `ended` says that nothing more is written."""
        if ended:
            self._close()
            return
        if self._continue_due:
            self._invite()
        self._advance()

    def _regulate(self) -> None:
        """Read on, pause or close, whichever is due."""
        turns = self._turns
        if turns.over:
            return
        self._at_start = self._reading.between and not self._deaf
        pause = not self._deaf and not self._may_take()
        turns.watched = pause or self._ended or self._continue_due
        turns.unusual = turns.unusual or turns.watched
        if pause != self._paused:
            self._paused = pause
            if pause:
                self._wire.pause_reading()
            else:
                self._wire.resume_reading()
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._ended and not self._advancing and self._turns.owed == 0:
            self._close()

    def _close(self) -> None:
        """Nothing more is written: end the connection so that the last reply arrives."""
        if self._closed:
            return
        self._closed = True
        self._at_start = False
        self._turns.lose()
        unread_input = self._lingers or not self._reading.between
        self._reading.stop()
        if self._paused:
            self._wire.resume_reading()
        if unread_input and not self._ended:
            self._wire.finish()
        else:
            self._ended = True
            self._wire.close()

    # -- time

    def _phase(self) -> Phase:
        turns = self._turns
        if turns.over:
            return Phase.CLOSING if self._ended else Phase.LINGERING
        if turns.write_paused:
            return Phase.UNTAKEN
        if self._ended:
            return Phase.ANSWER if turns.streaming else Phase.HALF_CLOSED
        if not self._paused and not self._reading.between:
            return Phase.BODY if self._reading.in_body else Phase.HEAD
        return Phase.ANSWER if turns.owed else Phase.IDLE

    def _give_up(self, phase: Phase) -> None:
        if phase is Phase.HEAD or phase is Phase.BODY:
            self._cut_off(self._patience.too_late(phase))
        elif phase is Phase.IDLE:
            self._close()
        else:
            self._closed = self._ended = True
            self._reading.stop()
            self._turns.lose()
            self._wire.abort()


class _Declined(Exception):
    """A request refused from its head."""

    def __init__(self, planned: Planned, refusal: Refusal) -> None:
        super().__init__()
        self.planned = planned
        self.refusal = refusal
