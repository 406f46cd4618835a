#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small HTTP server that answers every request with "NAME CLIENT-ADDRESS".

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


async def serve(name, port):
    # Host None listens on every address of both families.
    server = await asyncio.start_server(lambda r, w: answer(r, w, name), None, port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
