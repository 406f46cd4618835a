# SPDX-License-Identifier: Apache-2.0
"""The manifests of config/ as kubectl apply -k would send them. Reads of a kustomization
only what ours use, a list of resources, and refuses any that says more."""
from pathlib import Path

import yaml

CONFIG = Path(__file__).resolve().parents[2] / "config"
KNOWN_KEYS = {"apiVersion", "kind", "resources"}


def load_kustomization(folder):
    """Every object of the folder and of those it names, in order."""
    text = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if set(text) != KNOWN_KEYS:
        raise ValueError(f"{folder}/kustomization.yaml says more than this reads: {sorted(set(text) - KNOWN_KEYS)}")
    objects = []
    for resource in text["resources"]:
        path = folder / resource
        objects += load_kustomization(path.resolve()) if path.is_dir() else load_file(path)
    return objects


def load_file(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def default_manifests():
    return load_kustomization(CONFIG / "default")


def pod_template(objects, component):
    """The pod of our Deployment or DaemonSet, as an object of its own."""
    owner = next(o for o in objects if o["kind"] in ("Deployment", "DaemonSet")
                 and o["metadata"]["name"] == f"herald-{component}")
    template = owner["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
            "metadata": {**template["metadata"], "name": f"herald-{component}-0", "namespace": "herald-system"}}
