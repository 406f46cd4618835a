# SPDX-License-Identifier: Apache-2.0
"""A real etcd and kube-apiserver. One server lasts a whole session, since it
takes some seconds to start; reset() empties it between tests, which takes
milliseconds."""
import base64
import secrets
import socket
import urllib.parse
from pathlib import Path

import requests

from harness.binaries import cluster_binaries
from harness.kube import ApiError, Kube, path_of
from harness.pki import issuer_of, make_credentials
from harness.process import Process
from harness.reset import reset
from harness.wait import wait_for

SERVICE_RANGES = "10.96.0.0/12,fd00:96::/112"
SERVICE_ACCOUNT = "system:serviceaccount:"

KUBECONFIG = """apiVersion: v1
kind: Config
clusters:
- name: real
  cluster: {{server: "{url}", certificate-authority: "{ca_file}"}}
users:
- name: user
  user: {{{user}}}
contexts:
- name: real
  context: {{cluster: real, user: user}}
current-context: real
"""


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class RealApiServer:
    """A running server, ready when the constructor returns.

    Attributes as MiniApiServer's: name, url, ca_file, token, kubeconfig, pid,
    dir, client_cert, client_key (an admin's), admin (a Kube).

    users: {"name": ["group", ...]}, further users, who have tokens but only the
    rights that RBAC objects give. service_account_admission: keeps the admission
    plugin on that wants a ServiceAccount for each Pod; then start_controllers()
    has to make these. args: further arguments for kube-apiserver."""

    name = "real"

    def __init__(self, directory, address="127.0.0.1", users=None, service_account_admission=False, args=()):
        self.dir = Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.address, self.args = address, list(args)
        if not service_account_admission:
            self.args.append("--disable-admission-plugins=ServiceAccount")
        self.binaries = cluster_binaries()
        self.ca_file = str(self.dir / "ca.crt")
        self.client_cert, self.client_key = str(self.dir / "client.crt"), str(self.dir / "client.key")
        self.kubeconfig = str(self.dir / "kubeconfig")
        self.etcd_url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
        self.port = free_port(address)
        self.url = f"https://{address}:{self.port}"
        self._tokens = {user: secrets.token_hex(16) for user in ("admin", *(users or {}))}
        self.token = self._tokens["admin"]
        self._kube = self.apiserver = self.controllers = None
        self._write_credentials({"admin": ["system:masters"], **(users or {})})
        self.etcd = self._start_etcd()
        try:
            self.start_apiserver()
        except BaseException:
            self.stop()
            raise

    def _write_credentials(self, groups):
        make_credentials(self.dir)
        rows = [f'{self._tokens[user]},{user},{user},"{",".join(of)}"\n' for user, of in groups.items()]
        (self.dir / "tokens.csv").write_text("".join(rows))
        self._write_kubeconfig(self.kubeconfig, self.token)

    def _write_kubeconfig(self, path, token):
        user = f'token: "{token}"'
        Path(path).write_text(KUBECONFIG.format(url=self.url, ca_file=self.ca_file, user=user))

    def _start_etcd(self):
        peers = f"http://127.0.0.1:{free_port('127.0.0.1')}"
        return Process("etcd", [
            self.binaries / "etcd", "--data-dir", self.dir / "etcd", "--unsafe-no-fsync", "--log-level=warn",
            "--listen-client-urls", self.etcd_url, "--advertise-client-urls", self.etcd_url,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
            "--initial-cluster", f"default={peers}"], self.dir)

    def start_apiserver(self):
        """Starts it, or starts it again at the same URL with the same data."""
        key = self.dir / "service-account.key"
        self.apiserver = Process("kube-apiserver", [
            self.binaries / "kube-apiserver", f"--etcd-servers={self.etcd_url}",
            f"--bind-address={self.address}", f"--advertise-address={self.address}",
            f"--secure-port={self.port}", f"--cert-dir={self.dir / 'certs'}",
            f"--token-auth-file={self.dir / 'tokens.csv'}", f"--client-ca-file={self.dir / 'client-ca.crt'}",
            "--authorization-mode=RBAC", f"--service-cluster-ip-range={SERVICE_RANGES}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
            "--endpoint-reconciler-type=none", "--shutdown-delay-duration=0s", *self.args], self.dir)
        wait_for("kube-apiserver to be ready", self._ready, timeout=60)

    def _ready(self):
        self.etcd.require_running()
        self.apiserver.require_running()
        issuer_of(self.dir / "certs" / "apiserver.crt", Path(self.ca_file))
        return self.admin.raw("GET", "/readyz", timeout=5).text == "ok"

    @property
    def admin(self):
        if self._kube is None:
            self._kube = Kube(self)
        return self._kube

    @property
    def pid(self):
        return self.apiserver.pid

    def _forget_connections(self):
        if self._kube:
            self._kube.close()
            self._kube = None

    def kill_apiserver(self):
        """SIGKILL; etcd and its data stay, start_apiserver() brings it back."""
        self.apiserver.kill()
        self._forget_connections()

    def down(self):
        """An orderly stop of the API server; up() brings it back."""
        self.apiserver.stop()
        self._forget_connections()

    def up(self):
        self.start_apiserver()

    def restart(self):
        self.down()
        self.up()

    def start_controllers(self, *names):
        """kube-controller-manager with only these controllers, for instance
        "endpointslice-controller", "deployment-controller", "namespace-controller"."""
        self.controllers = Process("kube-controller-manager", [
            self.binaries / "kube-controller-manager", "--kubeconfig", self.kubeconfig,
            f"--controllers={','.join(names)}", "--leader-elect=false", "--bind-address=127.0.0.1",
            f"--secure-port={free_port('127.0.0.1')}", f"--cert-dir={self.dir / 'controller-certs'}",
            f"--service-account-private-key-file={self.dir / 'service-account.key'}"], self.dir)
        return self.controllers

    def stop_controllers(self):
        if self.controllers:
            self.controllers.stop()
            self.controllers = None

    def stop(self):
        self.stop_controllers()
        for process in (self.apiserver, self.etcd):
            if process:
                process.stop()
        self._forget_connections()

    def token_for(self, user, groups=(), seconds=3600):
        """A token of one of `users`, or of "system:serviceaccount:NAMESPACE:NAME",
        which is made where missing; the server signs it (TokenRequest)."""
        if not user.startswith(SERVICE_ACCOUNT):
            if user not in self._tokens:
                raise ValueError(f"'{user}' has no token here: give it in users={{...}}, or take a service account")
            return self._tokens[user]
        namespace, name = user.removeprefix(SERVICE_ACCOUNT).split(":")
        self._ensure("/api/v1/namespaces", namespace)
        self._ensure(path_of("serviceaccounts", namespace), name)
        answer = self.admin.call("POST", path_of("serviceaccounts", namespace, name, "token"),
                                 {"spec": {"expirationSeconds": seconds}})
        return answer["status"]["token"]

    def _ensure(self, path, name):
        response = self.admin.raw("POST", path, {"metadata": {"name": name}})
        if response.status_code not in (201, 409):
            raise ApiError(response)

    def kubeconfig_for(self, user, groups=()):
        """The path of a kubeconfig with a token of that user."""
        path = self.dir / f"kubeconfig-{urllib.parse.quote(user, safe='')}"
        self._write_kubeconfig(path, self.token_for(user, groups))
        return str(path)

    @property
    def minor(self):
        """34 of Kubernetes 1.34."""
        return int(self.admin.call("GET", "/version")["minor"])

    def has_feature(self, name):
        """Whether this version of Kubernetes knows the feature, and has it on."""
        lines = self.admin.raw("GET", "/metrics").text.splitlines()
        return any(line.startswith(f'kubernetes_feature_enabled{{name="{name}",') and line.endswith(" 1") for line in lines)

    def reset(self):
        """Deletes what tests made (harness/reset.py)."""
        reset(self.admin)

    def compact(self):
        """Makes etcd forget all history. The API server's watch cache still knows the
        recent past of everything but Events, which it has no cache for."""
        revision = self._etcd("range", {"key": "AA=="})["header"]["revision"]
        self._etcd("compaction", {"revision": revision, "physical": True})

    def etcd_put(self, key, value):
        """Stores bytes behind the API server's back, as an older server left them."""
        self._etcd("put", {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value).decode()})

    def _etcd(self, operation, body):
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{self.etcd_url}/v3/kv/{operation}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()
