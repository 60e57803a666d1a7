#!/usr/bin/env python3
"""Says the relay's protocol through an independent WebSocket implementation, and breaks its rules by hand.

    .ci/websocket.py ws://127.0.0.1:PORT/sync
"""

import asyncio
import os
import struct
import sys
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

URL = sys.argv[1]
HOST, PORT = urlsplit(URL).hostname, urlsplit(URL).port
# A hello of version 1 without token, features and compression, in a plain envelope.
HELLO = bytes([0, 1, 0x52, 0x57, 1, 1, 0, 0, 0, 0])
PATIENCE = 20


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def block(data):
    return varint(len(data)) + data


def ping(number):
    return bytes([0, 7]) + varint(number)


def join(room):
    return bytes([0, 3]) + block(room) + bytes([0]) + bytes(16)


def push(room, number, replica, first, payload):
    header = block(b"doc") + bytes(8) + struct.pack("<Q", replica) + varint(first) + varint(1)
    return bytes([0, 5]) + varint(room) + varint(number) + bytes([0]) + header + block(payload)


async def hear(socket, kind):
    """The next message of a kind, without envelope and kind."""
    while True:
        message = await asyncio.wait_for(socket.recv(), PATIENCE)
        assert isinstance(message, bytes) and message[0] == 0, message
        if message[1] == kind:
            return message[2:]


def connection(**options):
    return connect(URL, compression=None, max_size=1 << 23, ping_interval=None, **options)


async def a_hello_is_answered():
    async with connection() as socket:
        await socket.send(HELLO)
        await hear(socket, 65)


async def extensions_are_not_agreed_on():
    async with connect(URL) as socket:
        assert socket.protocol.extensions == [], socket.protocol.extensions
        await socket.send(HELLO)
        await hear(socket, 65)


async def fragments_of_any_size_are_one_message():
    async with connection() as socket:
        await socket.send([HELLO[:1], HELLO[1:5], b"", HELLO[5:]])
        await hear(socket, 65)
        for size in (1, 125, 126, 127, 65535, 65536, 300_000):
            message = bytes([0, 6, 99]) + bytes([1]) + varint(2000) + bytes(2000)
            pieces = [message[at : at + size] for at in range(0, len(message), size)]
            await socket.send(pieces)
            await socket.send(ping(size))
            assert await hear(socket, 75) == varint(size)


async def pings_are_answered_between_fragments():
    async with connection() as socket:
        async def pieces():
            yield HELLO[:2]
            await asyncio.wait_for(await socket.ping(b"between"), PATIENCE)
            yield HELLO[2:]

        await socket.send(pieces())
        await hear(socket, 65)
        for payload in (b"", b"x" * 125):
            await asyncio.wait_for(await socket.ping(payload), PATIENCE)
        await socket.pong(b"unasked")
        await socket.send(ping(5))
        assert await hear(socket, 75) == varint(5)


async def closing_handshakes_end_cleanly():
    for code, reason in ((1000, ""), (1001, "going"), (3000, "x" * 123), (4999, "é")):
        socket = await connection()
        await socket.send(HELLO)
        await hear(socket, 65)
        await asyncio.wait_for(socket.close(code, reason), PATIENCE)
        assert socket.close_code == code, socket.close_code


async def text_is_refused():
    async with connection() as socket:
        await socket.send("hello")
        try:
            while True:
                await asyncio.wait_for(socket.recv(), PATIENCE)
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 1003, closed


async def what_is_pushed_comes_to_everybody():
    async with connection() as one, connection() as two:
        rooms = []
        for socket in (one, two):
            await socket.send(HELLO)
            await hear(socket, 65)
            await socket.send(join(b"websocket test"))
            joined = await hear(socket, 67)
            rooms.append(joined[1 + joined[0]])
            await hear(socket, 69)
        replica = int.from_bytes(os.urandom(8), "little")
        for number, size in enumerate((1, 1000, 70_000, 900_000)):
            payload = os.urandom(size)
            await one.send(push(rooms[0], number, replica, number, payload))
            assert payload in await hear(two, 68)
            await hear(one, 70)


async def a_hundred_at_once():
    async def one(number):
        async with connection() as socket:
            await socket.send(HELLO)
            await hear(socket, 65)
            for count in range(20):
                await socket.send(ping(number * 20 + count))
                assert await hear(socket, 75) == varint(number * 20 + count)

    await asyncio.gather(*(one(number) for number in range(100)))


async def other_paths_are_no_websockets():
    try:
        async with connect(URL.replace("/sync", "/other")):
            raise AssertionError("upgraded")
    except InvalidStatus as refused:
        assert refused.response.status_code == 404, refused


async def broken_rules_have_the_right_code():
    key = b"\x01\x02\x03\x04"

    def frame(first, payload, mask=True, length=None):
        size = len(payload)
        head = bytes([first, (0x80 if mask else 0) | (size if length is None else length)])
        body = bytes(byte ^ key[at % 4] for at, byte in enumerate(payload)) if mask else payload
        return head + (key if mask else b"") + body

    cases = {
        "no mask": (1002, frame(0x82, HELLO, mask=False)),
        "first reserved bit": (1002, frame(0xC2, HELLO)),
        "second reserved bit": (1002, frame(0xA2, HELLO)),
        "third reserved bit": (1002, frame(0x92, HELLO)),
        "unknown opcode": (1002, frame(0x83, b"")),
        "unknown control opcode": (1002, frame(0x8F, b"")),
        "continuation of nothing": (1002, frame(0x80, b"")),
        "message within a message": (1002, frame(0x02, b"a") + frame(0x82, b"b")),
        "ping in fragments": (1002, frame(0x09, b"")),
        "close with half a code": (1002, frame(0x88, b"\x03")),
        "close with a code that is not for the wire": (1002, frame(0x88, b"\x03\xed")),
        "close with a reason that is no text": (1002, frame(0x88, b"\x03\xe8\xff")),
        "frame beyond all bounds": (1009, b"\x82\xff" + b"\x7f" + b"\xff" * 7 + key),
    }
    for name, (code, data) in cases.items():
        reader, writer = await asyncio.open_connection(HOST, PORT)
        writer.write(
            b"GET /sync HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + data
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert b" 101 " in head and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head
        answer = await asyncio.wait_for(reader.readexactly(4), PATIENCE)
        assert answer[0] == 0x88, (name, answer)
        assert int.from_bytes(answer[2:4], "big") == code, (name, answer)
        writer.close()


async def main():
    tests = [
        a_hello_is_answered,
        extensions_are_not_agreed_on,
        fragments_of_any_size_are_one_message,
        pings_are_answered_between_fragments,
        closing_handshakes_end_cleanly,
        text_is_refused,
        what_is_pushed_comes_to_everybody,
        a_hundred_at_once,
        other_paths_are_no_websockets,
        broken_rules_have_the_right_code,
    ]
    for test in tests:
        await asyncio.wait_for(test(), 3 * PATIENCE)
        print("websocket:", test.__name__.replace("_", " "))


asyncio.run(main())
