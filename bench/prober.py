# SPDX-License-Identifier: Apache-2.0
"""A client that waits for a Service: run in the client's network namespace.

    prober.py INTERFACE

For each address on stdin it prints a line of JSON: when (monotonic) the first ARP frame
was heard that says who has it, and when the first HTTP answer came. A connection that
is lost in a node without rules for it yet would be tried again by the kernel a second
later; so that this second is not measured, a new one is begun every 5 ms."""
import json
import selectors
import socket
import sys
import time

INTERVAL = 0.005
TIMEOUT = 30
OPEN_MAX = 400
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


class Prober:
    def __init__(self, interface):
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        self.wire.bind((interface, 0x0806))
        self.wire.setblocking(False)
        self.heard = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.wire, selectors.EVENT_READ)
        self.selector.register(sys.stdin, selectors.EVENT_READ)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.wire:
                    self.hear()
                    continue
                line = sys.stdin.readline()
                if not line:
                    return
                answered = self.ask(line.strip())
                print(json.dumps({"announced": self.heard.get(line.strip()), "answered": answered}), flush=True)

    def hear(self):
        now = time.monotonic()
        try:
            while True:
                frame = self.wire.recv(2048)
                self.heard.setdefault(socket.inet_ntoa(frame[28:32]), now)
        except BlockingIOError:
            pass

    def ask(self, address):
        """When the first answer came, or None."""
        asking = selectors.DefaultSelector()
        asking.register(self.wire, selectors.EVENT_READ)
        opened, answered = [], None
        end = time.monotonic() + TIMEOUT
        while answered is None and time.monotonic() < end:
            opened.append(begin(address, asking))
            if len(opened) > OPEN_MAX:
                close(opened.pop(0), asking)
            answered = self.serve(asking, opened, time.monotonic() + INTERVAL)
        for connection in opened:
            close(connection, asking)
        asking.close()
        return answered

    def serve(self, asking, opened, until):
        while (left := until - time.monotonic()) > 0:
            for key, events in asking.select(left):
                if key.fileobj is self.wire:
                    self.hear()
                elif is_answered(key.fileobj, events, asking):
                    return time.monotonic()
                elif key.fileobj.fileno() < 0:
                    opened.remove(key.fileobj)
        return None


def begin(address, asking):
    connection = socket.socket()
    connection.setblocking(False)
    connection.connect_ex((address, 80))
    asking.register(connection, selectors.EVENT_WRITE)
    return connection


def close(connection, asking):
    if connection.fileno() >= 0:
        asking.unregister(connection)
        connection.close()


def is_answered(connection, events, asking):
    """One step of a connection: it is closed when it fails."""
    try:
        if events & selectors.EVENT_WRITE:
            connection.send(REQUEST)
            asking.modify(connection, selectors.EVENT_READ)
            return False
        if connection.recv(4096).startswith(b"HTTP/1.1 200"):
            return True
    except OSError:
        pass
    close(connection, asking)
    return False


if __name__ == "__main__":
    Prober(sys.argv[1]).run()
