# SPDX-License-Identifier: BSD-2-Clause
"""An asyncio server. `leak`: eof_received() keeps the transport open, and nobody closes it; `healthy`: an echo server."""

import asyncio
import sys

import line

transports = []


class Leaking(asyncio.Protocol):
    def connection_made(self, transport):
        transports.append(transport)

    def data_received(self, data):
        line.say_from("accepted")

    def eof_received(self):
        line.say_from("leaked")
        return True  # "we will close it ourselves"


async def echo(reader, writer):
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


async def main():
    listener = line.listen()
    loop = asyncio.get_running_loop()
    if sys.argv[1] == "leak":
        await loop.create_server(Leaking, sock=listener)
    else:
        await asyncio.start_server(echo, sock=listener)
    line.announce(listener, cause="eof-ignored", eof_read=True, seen_reading=True)
    ended = loop.create_future()

    def obey():
        if sys.stdin.readline() != "close\n":
            ended.set_result(None)
        else:
            transports[0].get_extra_info("socket")._sock.close()  # without lingering in the loop: at once
            line.say_from("closed")

    loop.add_reader(sys.stdin, obey)
    await ended


asyncio.run(main())
