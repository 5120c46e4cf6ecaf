"""Compressed bodies both ways, their limits, and what is no compressed body."""

import gzip
import tracemalloc
import zlib

import pytest

from pilotage.contracts.limits import MIB, Limits
from pilotage.serving.http.compression import (
    accepted_encoding,
    compress,
    decompress,
    request_encoding,
)
from pilotage.serving.refusals import Refusal
from simulators.clients import Client, get, post

BODY = b"a body that repeats itself, " * 100
PACKED = {"gzip": gzip.compress(BODY), "deflate": zlib.compress(BODY)}


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_request_is_unpacked_and_its_connection_goes_on(encoding: str):
    line = b"Content-Encoding: " + encoding.encode()
    for _ in range(2):
        client = Client()
        request = post(b"/p", PACKED[encoding], line)
        client.send(request, request, get(b"/next"))
        assert client.bodies() == [b"POST /p " + BODY, b"POST /p " + BODY, b"GET /next "]


def test_a_known_compressed_head_is_still_unpacked():
    client = Client()
    for _ in range(4):
        client.send(post(b"/p", PACKED["gzip"], b"Content-Encoding: gzip"))
    assert client.bodies() == [b"POST /p " + BODY] * 4


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-1],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed + b"x",
        lambda packed: packed + packed,
        lambda packed: b"x" + packed,
        lambda packed: packed[:-2] + b"xx",
        lambda _: BODY,
    ],
    ids=["cut", "half", "tail", "twice", "front", "checksum", "plain"],
)
def test_a_spoilt_compressed_body_is_refused_and_the_connection_goes_on(encoding: str, spoil):
    client = Client()
    line = b"Content-Encoding: " + encoding.encode()
    client.send(post(b"/p", spoil(PACKED[encoding]), line), get(b"/next"))
    assert client.statuses() == [400, 200]


def test_deflate_without_its_framing_is_refused():
    packer = zlib.compressobj(wbits=-15)
    with pytest.raises(Refusal) as refused:
        decompress(packer.compress(BODY) + packer.flush(), "deflate", Limits())
    assert "RFC 1950" in refused.value.expected


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip", b"compress", b"x"])
def test_other_encodings_are_refused_from_the_head(encoding: bytes):
    client = Client()
    client.send(post(b"/p", b"body", b"Content-Encoding: " + encoding), get(b"/next"))
    first, second = client.replies()
    assert first.status == 415
    assert first.headers["accept-encoding"] == "gzip, deflate"
    assert second.status == 200


def test_identity_and_a_request_without_a_body_need_no_unpacking():
    assert request_encoding(b"identity") is None
    client = Client()
    client.send(get(b"/", b"Content-Encoding: gzip"))
    assert client.statuses() == [200]


def test_body_bytes_holds_on_both_sides_after_decompression():
    limits = Limits(body_bytes=1000)
    assert decompress(gzip.compress(bytes(1000)), "gzip", limits) == bytes(1000)
    with pytest.raises(Refusal) as refused:
        decompress(gzip.compress(bytes(1001)), "gzip", limits)
    assert refused.value.status == 413


def test_a_bomb_of_a_megabyte_is_cut_off_with_bounded_memory():
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = gzip.compress(b"")[:10] + block * 64  # a gigabyte of zeros
    assert 0.9 * MIB < len(bomb) < 1.1 * MIB
    client = Client(limits=Limits(body_bytes=4 * MIB))
    request = post(b"/p", bomb, b"Content-Encoding: gzip")
    tracemalloc.start()
    client.send(request, get(b"/next"))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert client.statuses() == [413, 200]
    assert peak_bytes < 16 * MIB


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        (b"", None),
        (b"gzip", "gzip"),
        (b"GZIP", "gzip"),
        (b"deflate", "deflate"),
        (b"gzip, deflate, br", "gzip"),
        (b"deflate, gzip", "gzip"),
        (b"gzip;q=0", None),
        (b"gzip;q=0.000, deflate", "deflate"),
        (b"gzip; q=0.1, deflate; q=0.9", "deflate"),
        (b"gzip;q=0.5, deflate;q=0.5", "gzip"),
        (b"br, zstd", None),
        (b"*", None),
        (b"identity", None),
        (b"gzip;q=x", None),
        (b"gzip;level=1", None),
        (b", ,;,", None),
    ],
)
def test_an_answer_is_compressed_only_as_the_client_takes_it(accepted: bytes, encoding: str | None):
    assert accepted_encoding(accepted) == encoding


def test_what_is_compressed_here_others_unpack():
    assert gzip.decompress(compress(BODY, "gzip")) == BODY
    assert zlib.decompress(compress(BODY, "deflate")) == BODY
    assert decompress(compress(BODY, "gzip"), "gzip", Limits()) == BODY
