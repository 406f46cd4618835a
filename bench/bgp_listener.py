# SPDX-License-Identifier: Apache-2.0
"""A BGP neighbour that only listens: takes every session that is offered, and prints for each
UPDATE a line of JSON with the time (CLOCK_MONOTONIC), who sent it, and the IPv4 prefixes that
came and went. It asks for no keepalives (hold time 0), so that it has nothing to do but read.

    bgp_listener.py ADDRESS ASN"""
import ipaddress
import json
import selectors
import socket
import struct
import sys
import time

MARKER = b"\xff" * 16
OPEN, UPDATE, KEEPALIVE = 1, 2, 4


def message(kind, body=b""):
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def prefixes(data):
    found, at = [], 0
    while at < len(data):
        length, octets = data[at], (data[at] + 7) // 8
        address = data[at + 1:at + 1 + octets].ljust(4, b"\0")
        found.append(f"{ipaddress.IPv4Address(address)}/{length}")
        at += 1 + octets
    return found


class Session:
    def __init__(self, connection, own):
        self.connection, self.own, self.bytes = connection, own, b""
        self.peer = connection.getpeername()[0]

    def read(self):
        """False once it is over."""
        data = self.connection.recv(1 << 20)
        now = time.monotonic()
        self.bytes += data
        while len(self.bytes) >= 19 and len(self.bytes) >= (length := struct.unpack("!H", self.bytes[16:18])[0]):
            self.take(self.bytes[18], self.bytes[19:length], now)
            self.bytes = self.bytes[length:]
        return bool(data)

    def take(self, kind, body, now):
        if kind == OPEN:
            address, asn = self.own
            self.connection.sendall(message(OPEN, struct.pack("!BHH", 4, asn, 0) + socket.inet_aton(address) + b"\0") +
                                    message(KEEPALIVE))
        elif kind == UPDATE:
            gone = struct.unpack("!H", body[:2])[0]
            attributes = struct.unpack("!H", body[2 + gone:4 + gone])[0]
            print(json.dumps({"time": now, "from": self.peer, "gone": prefixes(body[2:2 + gone]),
                              "came": prefixes(body[4 + gone + attributes:])}), flush=True)


def main():
    address, asn = sys.argv[1], int(sys.argv[2])
    server = socket.create_server((address, 179))
    selector = selectors.DefaultSelector()
    selector.register(server, selectors.EVENT_READ)
    print("{}", flush=True)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                session = Session(server.accept()[0], (address, asn))
                selector.register(session.connection, selectors.EVENT_READ, session)
            elif not key.data.read():
                selector.unregister(key.fileobj)
                key.fileobj.close()


if __name__ == "__main__":
    main()
