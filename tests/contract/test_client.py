# SPDX-License-Identifier: Apache-2.0
"""The API client and the reflector (lib/kube) against the embedded API server and
its faults, seen through watch_probe: one JSON line for each call of a sink.
Shown here: K51, K52, K55, K56, K57, K60, K61."""
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import kube
from harness.mini import MiniApiServer
from harness.real import RealApiServer
from harness.wait import wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = pathlib.Path(os.environ.get("HERALD_BIN") or ROOT / "build/release/bin") / "watch_probe"
PATH = "/api/v1/configmaps"


class Probe:
    """watch_probe running; `calls` are the lines so far, `store` what an owner would hold."""

    def __init__(self, kubeconfig, path=PATH, page_size=2):
        self.calls, self.store, self.lines = [], {}, queue.Queue()
        self.process = subprocess.Popen([str(PROBE), kubeconfig, path, str(page_size)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.log = []
        self.readers = [threading.Thread(target=self._read, daemon=True),
                        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def next(self, timeout=15):
        try:
            call = self.lines.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"the probe told nothing more after {self.calls[-5:]}; "
                                 f"log: {self.log[-5:]}") from None
        self.calls.append(call)
        if call["call"] == "list_begin":
            self.unseen = set(self.store)
        elif call["call"] == "put":
            self.store[call["name"]] = int(call["version"])
            getattr(self, "unseen", set()).discard(call["name"])
        elif call["call"] == "gone":
            self.store.pop(call["name"], None)
        elif call["call"] == "list_end":
            for name in self.unseen:
                self.store.pop(name)
        return call

    def until(self, wanted, timeout=15, **members):
        end = time.monotonic() + timeout
        while True:
            call = self.next(max(end - time.monotonic(), 0.01))
            if call["call"] == wanted and all(call.get(k) == v for k, v in members.items()):
                return call

    def failing(self, pattern, timeout=15):
        while True:
            call = self.until("failing", timeout)
            if re.search(pattern, call["text"]):
                return call["text"]

    def count(self, kind):
        return sum(call["call"] == kind for call in self.calls)

    def stop(self):
        """Ends it in order; gives its metrics as {"name{labels}": value}."""
        self.process.send_signal(signal.SIGTERM)
        text = self.until("metrics")["text"]
        assert self.process.wait(10) == 0, self.log
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line and not line.startswith("#")}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


def call(kubeconfig, *args):
    done = subprocess.run([str(PROBE), kubeconfig, "call", *args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def server():
    with MiniApiServer(args=("--bookmarks", "500ms")) as made:
        for number in range(5):
            made.admin.create(kube.configmap(f"c{number}", {"n": str(number)}))
        made.reset_requests()
        yield made


@pytest.fixture
def probes(server):
    started = []

    def start(**options):
        started.append(Probe(options.pop("kubeconfig", server.kubeconfig), **options))
        return started[-1]

    yield start
    for probe in started:
        probe.kill()


def paged(server):
    """As a server without streaming lists."""
    server.fault("status", verb="watch", path="configmaps", code=422, times=1)


def add(server, name):
    server.admin.create(kube.configmap(name, {}))


def end_watch(server, action):
    wait_for("the watch", lambda: server.end_watches("configmaps", action) == 1)


def lists(server):
    return server.requests()["counts"].get("list configmaps", 0)


def test_streaming_list_then_watch_k55(server, probes):
    probe = probes()
    probe.until("list_end")
    assert [c["call"] for c in probe.calls] == ["list_begin"] + ["put"] * 5 + ["list_end"]
    add(server, "later")
    probe.until("put", name="later")
    server.admin.delete("configmaps", "later")
    probe.until("gone", name="later")
    assert lists(server) == 0
    assert probe.stop()['herald_watch_lists_total{resource="configmaps"}'] == 1


@pytest.mark.parametrize("code", [400, 422])
def test_falls_back_to_pages_k55(server, probes, code):
    server.fault("status", verb="watch", path="configmaps", code=code)
    probe = probes()
    probe.until("list_end")
    assert sorted(probe.store) == [f"c{n}" for n in range(5)]
    assert lists(server) == 3
    assert probe.count("list_begin") == 1 and probe.count("failing") == 0
    add(server, "later")
    probe.until("put", name="later")


def test_resumes_without_a_list_k51(server, probes):
    probe = probes()
    probe.until("list_end")
    for number in range(3):
        end_watch(server, "close")
        add(server, f"new{number}")
        probe.until("put", name=f"new{number}")
    assert probe.count("list_begin") == 1 and probe.count("failing") == 0
    assert lists(server) == 0


def test_resumes_after_a_dropped_connection_k53(server, probes):
    probe = probes()
    probe.until("list_end")
    end_watch(server, "drop")
    add(server, "later")
    probe.until("put", name="later")
    assert probe.count("list_begin") == 1 and lists(server) == 0


def delete_unseen(server, probe, name):
    """With the last rule keeping the reflector out: what it can learn only from a list."""
    wait_for("a refused try", lambda: server.faults()[-1]["hits"] > 0)
    server.admin.delete("configmaps", name)
    server.clear_faults()
    probe.until("list_end")
    assert name not in probe.store and len(probe.store) == 4
    assert probe.count("gone") == 0
    assert all("503" in c["text"] for c in probe.calls if c["call"] == "failing")


def test_lists_again_on_410_event_k52(server, probes):
    probe = probes()
    probe.until("list_end")
    wait_for("the watch", lambda: server.watches("configmaps") == 1)
    server.fault("status", verb="watch", path="configmaps", code=503, times=-1)
    end_watch(server, "expire")
    delete_unseen(server, probe, "c0")


def test_forgotten_after_each_list_it_lists_less_and_less_often_k52(server, probes):
    """K53: also where the list itself is a watch, and comes whole each time."""
    probe = probes()
    probe.until("list_end")
    begin = time.monotonic()
    for _ in range(5):
        end_watch(server, "expire")
        probe.until("list_end")
    # A lower bound: half of 0.1, 0.2, 0.4, 0.8 and 1.6 s at the least.
    assert time.monotonic() - begin > 1.5


def test_lists_again_on_410_status_k52(server, probes):
    paged(server)
    probe = probes()
    probe.until("list_end")
    wait_for("the watch", lambda: server.watches("configmaps") == 1)
    server.fault("status", verb="watch", path="configmaps", code=410)
    server.fault("status", verb="list", path="configmaps", code=503, times=-1)
    end_watch(server, "close")
    delete_unseen(server, probe, "c0")


def test_lists_again_on_too_large_version_k52(server, probes):
    paged(server)
    probe = probes()
    probe.until("list_end")
    server.fault("status", verb="watch", path="configmaps", code=504,
                 message="Too large resource version: 999, current: 5")
    end_watch(server, "close")
    probe.failing("Too large resource version")
    probe.until("list_end")
    assert len(probe.store) == 5


def test_expired_continue_token_starts_over_k56(server, probes):
    paged(server)
    server.fault("status", verb="list", path="configmaps", code=410, skip=1)
    probe = probes()
    probe.until("list_end")
    assert len(probe.store) == 5 and probe.count("list_begin") == 2
    assert probe.count("failing") == 0


def test_error_event_is_told_and_retried(server, probes):
    probe = probes()
    probe.until("list_end")
    server.fault("watch_error", verb="watch", path="configmaps", code=500)
    end_watch(server, "close")
    assert "cannot watch /api/v1/configmaps" in probe.failing("500 InternalError")
    add(server, "later")
    probe.until("put", name="later")
    assert probe.count("list_begin") == 1


def test_error_events_without_end_lead_to_a_list(server, probes):
    probe = probes()
    probe.until("list_end")
    server.fault("watch_error", verb="watch", path="configmaps", code=500, times=3)
    end_watch(server, "close")
    probe.until("list_end")
    assert probe.count("failing") == 1  # the same text is told once


@pytest.mark.parametrize("verb", ["watch", "list"])
def test_garbage_is_told_and_survived(server, probes, verb):
    probe = probes()
    probe.until("list_end")
    if verb == "list":
        server.fault("watch_error", verb="watch", path="configmaps")
        paged(server)
    server.fault("garbage", verb=verb, path="configmaps")
    end_watch(server, "close")
    assert re.search(r"at byte \d+|middle of a value", probe.failing("cannot read"))
    add(server, "later")
    probe.until("put", name="later")
    assert len(probe.store) == 6


@pytest.mark.parametrize("clean", [True, False])
def test_truncated_list_starts_over(server, probes, clean):
    paged(server)
    server.fault("truncate", verb="list", path="configmaps", bytes=300, clean=clean)
    probe = probes()
    probe.failing("cannot")
    probe.until("list_end")
    assert len(probe.store) == 5


def test_truncated_watch_event_is_read_again(server, probes):
    probe = probes()
    probe.until("list_end")
    server.fault("truncate", verb="watch", path="configmaps", bytes=100, clean=True)
    end_watch(server, "close")
    wait_for("the next watch", lambda: server.faults()[0]["hits"] == 1)
    add(server, "later")
    end_watch(server, "close")
    probe.failing("middle of a value")
    probe.until("put", name="later")
    assert probe.count("list_begin") == 1


@pytest.mark.parametrize("body", ["{}", "<html></html>", '{"kind":"Status"}',
                                  '{"kind":"List","items":[]}', '{"metadata":{"resourceVersion":"9"}}'])
def test_what_is_no_list_never_empties_the_store(server, probes, body):
    probe = probes()
    probe.until("list_end")
    paged(server)
    server.fault("body", verb="list", path="configmaps", body=body)
    end_watch(server, "expire")
    probe.failing("cannot read")
    assert len(probe.store) == 5
    probe.until("list_end")
    assert len(probe.store) == 5


def test_huge_object_is_left_out_alone(server, probes):
    paged(server)
    probe = probes()
    probe.until("list_end")
    server.fault("huge", verb="watch", path="configmaps", mib=17)
    end_watch(server, "close")
    add(server, "later")
    probe.until("put", name="later")
    metrics = probe.stop()
    assert metrics['herald_watch_skipped_objects_total{resource="configmaps"}'] == 1


def test_undecodable_objects_lose_no_others(server, probes):
    paged(server)
    good = '{"metadata":{"name":"%s","resourceVersion":"%d"}}'
    items = ",".join([good % ("a", 1), '{"metadata":{"name":nonsense}}', good % ("b", 2),
                      '{"metadata":{"x":"\\ud800"}}', good % ("c", 3)])
    server.fault("body", verb="list", path="configmaps",
                 body='{"items":[%s],"metadata":{"resourceVersion":"100000"}}' % items)
    server.fault("status", verb="watch", path="configmaps", code=503, times=-1)
    probe = probes()
    probe.until("list_end")
    assert sorted(probe.store) == ["a", "b", "c"]
    assert probe.stop()['herald_watch_skipped_objects_total{resource="configmaps"}'] == 2


def test_strange_objects_are_none_the_less_handed_over(server, probes):
    """What API servers store, and a strict reader would refuse: see also controller/test_strange.py."""
    paged(server)
    strange = '{"metadata":{"name":"%s","resourceVersion":"1","x":%s}}'
    items = ",".join([strange % ("nul", '"a\\u0000b"'), strange % ("deep", "[" * 4000 + "]" * 4000),
                      strange % ("huge", '"' + "a" * 2_500_000 + '"')])
    server.fault("body", verb="list", path="configmaps",
                 body='{"items":[%s],"metadata":{"resourceVersion":"100000"}}' % items)
    server.fault("status", verb="watch", path="configmaps", code=503, times=-1)
    probe = probes()
    probe.until("list_end")
    assert sorted(probe.store) == ["deep", "huge", "nul"]
    assert probe.stop()['herald_watch_skipped_objects_total{resource="configmaps"}'] == 0


def test_stale_list_undoes_nothing_k57(server, probes):
    paged(server)
    probe = probes()
    probe.until("list_end")
    add(server, "new")
    probe.until("put", name="new")
    server.fault("stale", verb="list", path="configmaps", behind=3, times=2)
    end_watch(server, "expire")
    probe.failing("older than")
    assert "new" in probe.store and probe.count("list_begin") == 1
    probe.until("list_end")
    assert len(probe.store) == 6


def test_history_that_went_back_is_believed_in_the_end_k57(server, probes):
    paged(server)
    probe = probes()
    probe.until("list_end")
    server.fault("stale", verb="list", path="configmaps", behind=2, times=-1)
    end_watch(server, "expire")
    probe.failing("older than")
    probe.until("list_end", timeout=30)
    assert len(probe.store) == 3


def test_retry_after_is_kept_to_k53(server, probes):
    server.fault("status", verb="watch", path="configmaps", code=429, retryAfter=2)
    started = time.monotonic()
    probe = probes()
    assert "429 Too Many Requests" in probe.failing("429")
    probe.until("list_end")
    assert time.monotonic() - started >= 2


def test_503_is_retried_and_told_once_k53(server, probes):
    server.fault("status", verb="watch", path="configmaps", code=503, times=4)
    probe = probes()
    probe.until("list_end")
    assert probe.count("failing") == 1
    assert probe.stop()['herald_watch_failures_total{resource="configmaps"}'] == 4


def test_watches_closed_at_once_make_no_tight_circle(server, probes):
    probe = probes()
    probe.until("list_end")
    server.fault("close_watch", verb="watch", path="configmaps", times=-1)
    end_watch(server, "close")
    wait_for("five tries", lambda: server.faults()[0]["hits"] >= 5)
    server.clear_faults()
    add(server, "later")
    probe.until("put", name="later")
    assert server.requests()["counts"]["watch configmaps"] < 20


def test_server_restart_k53(server, probes):
    """A restarted server has no history: the version is too old for it, or still known."""
    probe = probes()
    probe.until("list_end")
    server.down()
    probe.failing("cannot GET")
    server.up()
    add(server, "later")
    probe.until("put", name="later", timeout=30)
    assert len(probe.store) == 6


def test_hung_server_is_noticed(server, probes):
    """The peer's kernel still answers; only a probe can tell that nothing else does."""
    probe = probes()
    probe.until("list_end")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        probe.failing("cannot GET", timeout=45)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    add(server, "later")
    probe.until("put", name="later", timeout=30)
    assert probe.count("list_begin") == 1


def rotating(server, tmp_path):
    """A kubeconfig whose token is read from the returned file."""
    token_file, config = tmp_path / "token", tmp_path / "kubeconfig"
    config.write_text(f"""
clusters: [{{name: c, cluster: {{server: "{server.url}", certificate-authority: "{server.ca_file}"}}}}]
users: [{{name: u, user: {{tokenFile: token}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
""")
    return token_file, str(config)


def test_rotated_token_is_read_k61(server, probes, tmp_path):
    first, second = server.token_for("one", ["system:masters"]), server.token_for("two", ["system:masters"])
    token_file, config = rotating(server, tmp_path)
    token_file.write_text(first + "\n")
    probe = probes(kubeconfig=config)
    probe.until("list_end")
    token_file.write_text(second)
    server.revoke(first)
    end_watch(server, "close")
    add(server, "later")
    probe.until("put", name="later")
    assert probe.count("failing") == 0


def test_401_with_the_same_token_fails_after_one_reread_k61(server, tmp_path):
    token_file, config = rotating(server, tmp_path)
    token_file.write_text("wrong")
    (answer,) = call(config, "GET", PATH)
    assert answer["status"] == 401 and "401 Unauthorized" in answer["text"]


def test_401_once_is_no_failure_k61(server, tmp_path):
    token_file, config = rotating(server, tmp_path)
    token_file.write_text(server.token)
    server.fault("status", path="configmaps", code=401)
    (answer,) = call(config, "GET", PATH)
    assert answer["status"] == 200


def test_missing_token_file_is_logged(server, tmp_path):
    _, config = rotating(server, tmp_path)
    done = subprocess.run([str(PROBE), config, "call", "GET", PATH], capture_output=True, text=True, timeout=60)
    assert "cannot read the token file" in done.stderr and json.loads(done.stdout)["status"] in (401, 403)


def test_403_names_the_rule(server):
    config = server.kubeconfig_for("nobody")
    (answer,) = call(config, "PATCH", "/api/v1/namespaces/default/services/web/status", "{}")
    assert answer["reason"] == "Forbidden"
    assert "grant verb `patch` on `services/status` to this service account (see config/rbac)" in answer["text"]
    (answer,) = call(config, "GET", "/apis/coordination.k8s.io/v1/leases?watch=true")
    assert "grant verb `watch` on `leases` of API group `coordination.k8s.io`" in answer["text"]


def test_answer_larger_than_allowed_is_refused(server):
    server.fault("huge", path="configmaps", mib=17)
    (answer,) = call(server.kubeconfig, "GET", PATH)
    assert answer["status"] == 0 and "larger than allowed" in answer["text"]


def test_lost_answer_has_no_status(server):
    server.fault("drop_after", method="PATCH")
    (answer,) = call(server.kubeconfig, "PATCH", "/api/v1/namespaces/default/configmaps/c0", '{"data":{"a":"b"}}')
    assert answer["status"] == 0 and "cannot PATCH" in answer["text"]
    assert server.admin.get("configmaps", "c0")["data"]["a"] == "b"


def test_hung_call_times_out(server):
    server.fault("hang", path="configmaps")
    (answer,) = call(server.kubeconfig, "GET", PATH)
    assert answer["status"] == 0 and "no answer" in answer["text"]


def test_many_calls_at_once(server):
    """More than the server allows streams; all are answered."""
    answers = call(server.kubeconfig, "PATCH", "/api/v1/namespaces/default/configmaps/c0",
                   '{"data":{"a":"b"}}', "1000")
    assert len(answers) == 1000 and {answer["status"] for answer in answers} == {200}


def test_untrusted_server_is_refused_k61(server, tmp_path):
    """Another CA than the one that signed the server's certificate."""
    with MiniApiServer() as other:
        config = tmp_path / "kubeconfig"
        config.write_text(pathlib.Path(server.kubeconfig).read_text())
        text = re.sub(r"certificate-authority-data: *\S+", f"certificate-authority: {other.ca_file}",
                      config.read_text())
        text = re.sub(r"certificate-authority: *\S+", f"certificate-authority: {other.ca_file}", text)
        config.write_text(text)
        (answer,) = call(str(config), "GET", PATH)
    assert answer["status"] == 0 and "certificate" in answer["text"]


def follow(server, page_size=2):
    """The round of list, put and gone that each server must allow; gives the metrics."""
    for number in range(5):
        server.admin.create(kube.configmap(f"c{number}", {}))
    probe = Probe(server.kubeconfig, "/api/v1/namespaces/default/configmaps", page_size)
    try:
        probe.until("list_end", timeout=30)
        assert {f"c{n}" for n in range(5)} <= set(probe.store)
        server.admin.create(kube.configmap("later", {}))
        probe.until("put", name="later")
        server.admin.delete("configmaps", "later")
        probe.until("gone", name="later")
        assert probe.count("list_begin") == 1 and probe.count("failing") == 0
        return probe.stop()
    finally:
        probe.kill()


def test_against_the_real_server_k60(real_api):
    metrics = follow(real_api)
    refused = [name for name in metrics if 'code="422"' in name]
    assert bool(refused) != real_api.has_feature("WatchList"), "streaming lists are asked for, and refused where there are none"


def test_against_a_real_server_without_streaming_lists_k55(cluster_bins, workdir):
    server = RealApiServer(workdir / "api", args=["--feature-gates=WatchList=false"])
    try:
        metrics = follow(server)
    finally:
        server.stop()
    assert metrics['herald_api_requests_total{method="GET",code="422"}'] == 1
    assert metrics['herald_api_requests_total{method="GET",code="200"}'] >= 3


def test_against_the_embedded_server_k60(server):
    for number in range(5):
        server.admin.delete("configmaps", f"c{number}")
    follow(server)
