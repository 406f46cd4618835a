# SPDX-License-Identifier: Apache-2.0
"""A client that asks 1,000 times a second, whether it is answered or not.

    asking_client.py ADDRESS

Every millisecond it sends a datagram to port 80, each from a socket of its own, so that each
is a flow of its own. It prints "ok TIME" for each that was answered and "failed TIME" for
each that was not within a second; TIME is when it was sent (CLOCK_MONOTONIC)."""
import select
import socket
import sys
import time

INTERVAL, TIMEOUT = 0.001, 1.0


def tell(outcome, sent):
    print(f"{outcome} {sent:.6f}", flush=True)


def send(address):
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.setblocking(False)
    try:
        asking.connect((address, 80))
        asking.send(b"?")
        return asking
    except OSError:
        asking.close()
        return None


def answered(asking):
    try:
        return bool(asking.recv(100))
    except OSError:
        return False  # refused


def main():
    address = sys.argv[1]
    poll = select.poll()
    waiting = {}  # by descriptor, the oldest first

    def end(fd, outcome):
        asking, sent = waiting.pop(fd)
        poll.unregister(fd)
        asking.close()
        tell(outcome, sent)

    due = time.monotonic()
    while True:
        for fd, _ in poll.poll(max(0, (due - time.monotonic()) * 1000)):
            end(fd, "ok" if answered(waiting[fd][0]) else "failed")
        now = time.monotonic()
        while waiting and now - waiting[oldest := next(iter(waiting))][1] > TIMEOUT:
            end(oldest, "failed")
        if now < due:
            continue
        due = max(due + INTERVAL, now)
        if asking := send(address):
            waiting[asking.fileno()] = (asking, now)
            poll.register(asking, select.POLLIN)
        else:
            tell("failed", now)


main()
