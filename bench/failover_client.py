# SPDX-License-Identifier: Apache-2.0
"""A client that never stops asking: run in the client's network namespace.

    failover_client.py INTERFACE ADDRESS OWN-ADDRESS

Every 2 ms it sends a datagram to the address, each from a socket of its own, so that no
node remembers it, and every 10 ms an ARP request. It prints "traffic TIME" for each
datagram that came back, and "arp TIME MAC" for each ARP reply (CLOCK_MONOTONIC)."""
import select
import socket
import struct
import sys
import time

DATAGRAM_INTERVAL, ARP_EVERY, OPEN_MAX = 0.002, 5, 500


def request(wire, address, own):
    mac = wire.getsockname()[4]
    return (b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
            + mac + socket.inet_aton(own) + bytes(6) + socket.inet_aton(address))


def main():
    interface, address, own = sys.argv[1:]
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    wire.bind((interface, 0x0806))
    question, wanted = request(wire, address, own), socket.inet_aton(address)
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    waiting = {}
    count, due = 0, time.monotonic()
    while True:
        for fd, _ in poll.poll(max(0, (due - time.monotonic()) * 1000)):
            if fd == wire.fileno():
                frame = wire.recv(2048)
                if frame[20:22] == b"\0\2" and frame[28:32] == wanted and frame[:6] != b"\xff" * 6:
                    print(f"arp {time.monotonic():.6f} {frame[22:28].hex(':')}", flush=True)
                continue
            if fd not in waiting:
                continue
            try:
                waiting[fd].recv(2048)
                print(f"traffic {time.monotonic():.6f}", flush=True)
            except OSError:
                pass  # a node that refuses it: no answer
            poll.unregister(fd)
            waiting.pop(fd).close()
        if time.monotonic() < due:
            continue
        due = max(due + DATAGRAM_INTERVAL, time.monotonic())
        count += 1
        if count % ARP_EVERY == 0:
            wire.send(question)
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asking.setblocking(False)
        try:
            asking.connect((address, 80))
            asking.send(b"?")
        except OSError:
            asking.close()
            continue
        waiting[asking.fileno()] = asking
        poll.register(asking, select.POLLIN)
        if len(waiting) > OPEN_MAX:
            oldest = next(iter(waiting))
            poll.unregister(oldest)
            waiting.pop(oldest).close()


main()
