#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server that answers every request with "NAME CLIENT-ADDRESS", and on the
same port every UDP datagram with the same.

    backend.py NAME PORT
"""
import asyncio
import sys


async def answer(reader, writer, name):
    peer = writer.get_extra_info("peername")[0]
    body = f"{name} {peer}\n".encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(head + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass  # the client is done, or speaks no HTTP
    finally:
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, name):
        self.name = name

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(f"{self.name} {addr[0].removeprefix('::ffff:')}\n".encode(), addr)


async def serve(name, port):
    # Host None listens on every address of both families.
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: Datagrams(name), local_addr=("::", port))
    server = await asyncio.start_server(lambda r, w: answer(r, w, name), None, port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
