"""µs of CPU to send one reply: on the socket itself, and by uvloop's transport.

    python benchmarks/parts/http_write.py

Sends a reply on each of 64 (then 8, then 1) loopback connections and turns the loop once, as a
batch does; the clients' reading is not in the number. The two ways take turns.
"""

import asyncio
import socket
import statistics
import time

import uvloop

from pilotage.contracts.limits import Limits
from pilotage.serving.http.exchange import Exchange
from pilotage.serving.http.head import Head
from pilotage.serving.http.head_cache import HeadCache
from pilotage.serving.http.listener import Listener
from pilotage.serving.http.reading import Front

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"x" * 200
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ROUNDS = 7
TURNS = 4000


class Holding:
    """Keeps each exchange for the loop below to answer."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def plan(self, head: Head) -> object:
        return head.path

    def admit(self, plan: object, body_bytes: int) -> None: ...

    def answer(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def abandon(self, exchange: Exchange) -> None: ...


async def measure(connections: int, turns: int, *, direct: bool) -> float:
    """µs of this process's CPU a reply, system calls included."""
    service = Holding()
    front = Front(service, Limits(), HeadCache(), now_ns=time.time_ns)
    listener = Listener(front, direct=direct)
    clients: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as door:
        for _ in range(connections):
            clients.append(socket.create_connection(door.getsockname()))
            listener.accept(door.accept()[0])
    spent_s = 0.0
    for _ in range(turns):
        for client in clients:
            client.send(REQUEST)
        while len(service.exchanges) < connections:
            await asyncio.sleep(0)
        exchanges, service.exchanges = service.exchanges, []
        began_s = time.process_time()
        for exchange in exchanges:
            exchange.reply(REPLY)
        await asyncio.sleep(0)  # the transport sends at the end of the loop's turn
        spent_s += time.process_time() - began_s
        for client in clients:
            client.recv(4096)
    for client in clients:
        client.close()
    listener.close()
    return spent_s / (turns * connections) * 1e6


def main() -> None:
    for connections in (64, 8, 1):
        numbers: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(ROUNDS):
            for direct, rounds in numbers.items():
                turns = TURNS // connections * 4
                rounds.append(uvloop.run(measure(connections, turns, direct=direct)))
        for direct, rounds in numbers.items():
            way = "socket" if direct else "transport"
            least, median = min(rounds), statistics.median(rounds)
            print(f"{connections:>3} replies a turn, {way:<9} {median:6.2f}  least {least:6.2f} µs")


if __name__ == "__main__":
    main()
