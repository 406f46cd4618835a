# SPDX-License-Identifier: Apache-2.0
"""A probe program (tests/unit/kube/*_probe.c) that runs and tells what happens in it,
one JSON line a call."""
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HERALD_BIN") or ROOT / "build/release/bin")


class LineProbe:
    """`calls` are the lines so far, each with "at", the time when it was seen."""

    def __init__(self, program, *arguments):
        self.calls, self.log, self.lines = [], [], queue.Queue()
        self.process = subprocess.Popen([str(BIN / program), *map(str, arguments)], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.readers = [threading.Thread(target=self._read, daemon=True),
                        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put({**json.loads(line), "at": time.monotonic()})

    def next(self, timeout=15):
        try:
            call = self.lines.get(timeout=max(timeout, 0.001))
        except queue.Empty:
            raise AssertionError(f"the probe told nothing more after {self.calls[-5:]}; "
                                 f"log: {self.log[-10:]}") from None
        self.calls.append(call)
        return call

    def until(self, wanted, timeout=15):
        end = time.monotonic() + timeout
        while (call := self.next(end - time.monotonic()))["call"] != wanted:
            pass
        return call

    def quiet(self):
        """Nothing is told that was not read yet."""
        assert self.lines.empty(), self.lines.get()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self._end()

    def stop(self):
        """SIGTERM; the exit code and the calls that were told until the end."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self._end()
        rest = []
        while not self.lines.empty():
            rest.append(self.lines.get())
        self.calls += rest
        return self.process.returncode, rest

    def _end(self):
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            code, _ = self.stop()
            assert code == 0, f"ended with {code}; log: {self.log[-20:]}"
