# SPDX-License-Identifier: Apache-2.0
"""The embedded API server (tests/miniapi): building it once, running it, and
its control endpoints for faults, request counts and expiry."""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from harness.kube import Kube
from harness.reset import reset

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "miniapi"


def cache_dir():
    """Where builds are kept between runs, outside the checkout."""
    root = os.environ.get("HERALD_CACHE")
    if root:
        return pathlib.Path(root)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/root"), ".cache")
    return pathlib.Path(base) / "herald"


def build():
    """The path of the server's binary, built if these sources have not been yet."""
    digest = hashlib.sha256()
    for path in sorted([*SOURCES.glob("*.go"), SOURCES / "go.mod"]):
        if not path.name.endswith("_test.go"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    target = cache_dir() / f"miniapi-{digest.hexdigest()[:16]}" / "miniapi"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"miniapi.{os.getpid()}")
    subprocess.run(["go", "build", "-o", str(fresh), "."], cwd=SOURCES, check=True, env=go_env())
    os.replace(fresh, target)
    return target


def go_env():
    env = dict(os.environ, CGO_ENABLED="0", GO111MODULE="on", GOFLAGS="-mod=mod", GOTOOLCHAIN="local")
    if "HOME" not in env and "GOCACHE" not in env:
        env["GOCACHE"] = str(cache_dir() / "go-build")
    return env


class MiniApiServer:
    """A running embedded API server, ready when the constructor returns.

    Attributes: name, url, ca_file, token, kubeconfig, pid, dir, client_cert,
    client_key (an admin's). `prefix` is put before the command line, e.g.
    ["ip", "netns", "exec", "ns"]; then requests from here need a way there."""

    name = "mini"

    def __init__(self, directory=None, listen="127.0.0.1:0", args=(), prefix=()):
        self.own_dir = directory is None
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="miniapi-"))
        self.listen, self.args, self.prefix = listen, list(args), list(prefix)
        self.ca_file = str(self.dir / "ca.crt")
        self.kubeconfig = str(self.dir / "kubeconfig")
        self.client_cert, self.client_key = str(self.dir / "admin.crt"), str(self.dir / "admin.key")
        self.log = self.dir / "log"
        self._kube = None
        self._start()

    def _start(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        url_file = self.dir / "url"
        url_file.unlink(missing_ok=True)
        command = [*self.prefix, str(build()), "--dir", str(self.dir), "--listen", self.listen, *self.args]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
        end = time.monotonic() + 20
        while not url_file.exists():
            if self.process.poll() is not None or time.monotonic() > end:
                self._end(signal.SIGKILL)
                raise RuntimeError(f"the embedded API server did not start: {self.log.read_text()}")
            time.sleep(0.01)
        self.pid = self.process.pid
        self.url = url_file.read_text().strip()
        self.token = (self.dir / "token").read_text().strip()

    def _end(self, sig):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self._kube:
            self._kube.close()
            self._kube = None

    def stop(self):
        self._end(signal.SIGTERM)
        if self.own_dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def down(self):
        """Stops it, keeping its state and its address for up()."""
        self._end(signal.SIGTERM)

    def up(self):
        """Starts it again: same URL, credentials and objects, no watch history."""
        self.listen = self.url.removeprefix("https://")
        self._start()

    def restart(self):
        self.down()
        self.up()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def admin(self):
        if self._kube is None:
            self._kube = Kube(self)
        return self._kube

    def token_for(self, user, groups=()):
        """A token of `user`, who has only the rights that RBAC objects give."""
        token = "token-" + hashlib.sha256(f"{user} {groups}".encode()).hexdigest()[:20]
        self.admin.call("POST", "/_tokens", {"token": token, "user": user, "groups": list(groups)})
        return token

    def revoke(self, token):
        self.admin.call("DELETE", "/_tokens", {"token": token})

    def kubeconfig_for(self, user, groups=()):
        """The path of a kubeconfig with a token of that user."""
        path = self.dir / f"kubeconfig-{hashlib.sha256(user.encode()).hexdigest()[:8]}"
        path.write_text(f"""apiVersion: v1
kind: Config
clusters:
- name: mini
  cluster: {{server: "{self.url}", certificate-authority: "{self.ca_file}"}}
users:
- name: user
  user: {{token: "{self.token_for(user, groups)}"}}
contexts:
- name: mini
  context: {{cluster: mini, user: user}}
current-context: mini
""")
        return str(path)

    def fault(self, action, method="", path="", verb="", user="", times=1, skip=0, **details):
        """Adds a rule: the next `times` (-1: all) matching requests suffer
        `action`; see tests/miniapi/README.md for the actions and details."""
        self.admin.call("POST", "/_fault", {"method": method, "path": path, "verb": verb, "user": user,
                                            "times": times, "skip": skip, "action": {"type": action, **details}})

    def faults(self):
        """The rules in force, each with its hits."""
        return self.admin.call("GET", "/_fault")["rules"]

    def clear_faults(self):
        self.admin.call("DELETE", "/_fault")

    def requests(self):
        """{"counts": {"patch services/status": 3, ...}, "writes": [{verb, path, user}]}."""
        return self.admin.call("GET", "/_requests")

    def reset_requests(self):
        self.admin.call("DELETE", "/_requests")

    def has_feature(self, name):
        """Of those that tests ask for it has what the pinned Kubernetes has by default."""
        return name in ("WatchList",)

    def reset(self):
        """Deletes what tests made (harness/reset.py), and lifts all faults."""
        self.clear_faults()
        reset(self.admin)

    def compact(self):
        """Forgets all history: watches and lists from older versions get 410."""
        self.admin.call("POST", "/_compact")

    def expire_continue(self):
        self.admin.call("POST", "/_expire")

    def watches(self, path=""):
        """How many watches run on paths that match the regular expression."""
        return self.admin.call("GET", "/_watches", params={"path": path})["running"]

    def end_watches(self, path="", action="close"):
        """Ends running watches: close, drop (the connection), expire (ERROR 410)."""
        return self.admin.call("POST", "/_watches", {"path": path, "action": action})["told"]


if __name__ == "__main__":
    build()
