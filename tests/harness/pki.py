# SPDX-License-Identifier: Apache-2.0
"""The keys and certificates that a real API server is started with, made by openssl."""
from harness.netns import run

EC_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]


def make_credentials(folder):
    """service-account.key, client-ca.crt, and an admin's client.crt and client.key."""
    run(["openssl", "genrsa", "-out", folder / "service-account.key", "2048"])
    run(["openssl", "req", "-x509", *EC_KEY, "-subj", "/CN=herald-tests-client-ca",
         "-keyout", folder / "client-ca.key", "-out", folder / "client-ca.crt"])
    run(["openssl", "req", *EC_KEY[:-2], "-subj", "/O=system:masters/CN=admin",
         "-keyout", folder / "client.key", "-out", folder / "client.csr"])
    run(["openssl", "x509", "-req", "-days", "30", "-in", folder / "client.csr",
         "-CA", folder / "client-ca.crt", "-CAkey", folder / "client-ca.key", "-CAcreateserial",
         "-out", folder / "client.crt"])


def issuer_of(chain, target):
    """Copies the last certificate of a PEM chain, the one that signed the others."""
    marker = "-----BEGIN CERTIFICATE-----"
    target.write_text(marker + chain.read_text().rsplit(marker, 1)[1])
