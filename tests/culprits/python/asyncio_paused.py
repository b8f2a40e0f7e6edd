# SPDX-License-Identifier: BSD-2-Clause
"""An asyncio server that pauses a connection's transport after its first bytes and never resumes it.

Prints {"port":...,"pid":...} first and {"paused":true} when it has. Ends when its stdin does.
"""

import asyncio
import json
import os
import sys


class Forgetful(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.pause_reading()
        print(json.dumps({"paused": True}), flush=True)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Forgetful, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "pid": os.getpid()}), flush=True)
    end = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), end.set)
    await end.wait()


asyncio.run(main())
