"""The documents for Kubernetes: that they fit each other, and Tekton's own schemas where those are at hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hcloud_reassign.project import open_project
from tests.ci_templates.templates import PATTERNS, TEMPLATES, documents

FOLDER = TEMPLATES / "tekton"
CRDS = os.environ.get("HCLOUD_REASSIGN_TEKTON_CRDS", "")
"""A folder with the CRDs of Tekton Pipelines: config/300-crds of its repository."""
NAMESPACE = "hcloud-reassign"


def of_kind(kind: str) -> list[Any]:
    files = sorted(path.name for path in FOLDER.glob("*.yaml"))
    return [one for name in files for one in documents(f"tekton/{name}") if one["kind"] == kind]


def one(kind: str) -> Any:
    (found,) = [found for found in of_kind(kind) if not found["apiVersion"].startswith("kustomize.toolkit")]
    return found


def names(things: list[dict[str, Any]]) -> list[str]:
    return [thing["name"] for thing in things]


def passed(things: list[dict[str, Any]]) -> dict[str, str]:
    return {thing["name"]: thing["value"] for thing in things}


def test_the_kustomization_has_every_file_of_the_folder() -> None:
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "flux.yaml"}
    assert set(kustomization["resources"]) == files
    (generated,) = kustomization["configMapGenerator"]
    assert generated["files"] == ["hcloud-reassign.ini"]
    assert generated["options"] == {"disableNameSuffixHash": True}
    (volume,) = [volume for volume in one("Task")["spec"]["volumes"] if "configMap" in volume]
    assert volume["configMap"]["name"] == generated["name"]
    assert kustomization["namespace"] == one("Namespace")["metadata"]["name"] == NAMESPACE


def test_the_configuration_of_the_cluster_is_sound() -> None:
    project = open_project(FOLDER / "hcloud-reassign.ini", environ={})
    assert project.warnings == ()
    assert list(project.names()) == ["floating.ingress"]


def test_what_refers_to_something_finds_it() -> None:
    listener, template, binding, pipeline, task = (
        one(kind) for kind in ("EventListener", "TriggerTemplate", "TriggerBinding", "Pipeline", "Task")
    )
    (trigger,) = listener["spec"]["triggers"]
    assert trigger["template"] == {"ref": template["metadata"]["name"]}
    assert trigger["bindings"] == [{"ref": binding["metadata"]["name"]}]
    (run,) = template["spec"]["resourcetemplates"]
    assert run["spec"]["pipelineRef"] == {"name": pipeline["metadata"]["name"]}
    (step,) = pipeline["spec"]["tasks"]
    assert step["taskRef"] == {"name": task["metadata"]["name"]}
    accounts = {account["metadata"]["name"] for account in of_kind("ServiceAccount")}
    assert accounts == {listener["spec"]["serviceAccountName"], run["spec"]["taskRunTemplate"]["serviceAccountName"]}


def test_the_five_values_come_from_the_body_to_the_task_by_the_same_names() -> None:
    template, pipeline, task = one("TriggerTemplate"), one("Pipeline"), one("Task")
    assert passed(one("TriggerBinding")["spec"]["params"]) == {name: f"$(body.{name})" for name in PATTERNS}
    assert names(template["spec"]["params"]) == list(PATTERNS)
    (run,) = template["spec"]["resourcetemplates"]
    filled = passed(run["spec"]["params"])
    image = filled.pop("image")
    assert filled == {name: f"$(tt.params.{name})" for name in PATTERNS}
    # A number in YAML would be none in a PipelineRun: its parameters are texts.
    raw = (FOLDER / "trigger.yaml").read_text("utf-8")
    assert all(f'"$(tt.params.{name})"' in raw for name in ("issued_at", "age"))
    assert re.fullmatch(r"[\w.-]+\.example\.com/[\w/-]+:[\w.]+", image)
    (step,) = pipeline["spec"]["tasks"]
    assert passed(step["params"]) == {name: f"$(params.{name})" for name in names(pipeline["spec"]["params"])}
    assert set(names(pipeline["spec"]["params"])) <= set(names(task["spec"]["params"]))
    without = [param["name"] for param in task["spec"]["params"] if "default" not in param]
    assert without == [*PATTERNS, "image"]


def test_the_signature_is_looked_at_before_the_body() -> None:
    (trigger,) = one("EventListener")["spec"]["triggers"]
    signed, named = trigger["interceptors"]
    assert (signed["ref"]["name"], named["ref"]["name"]) == ("github", "cel")
    assert passed(signed["params"]) == {
        "secretRef": {"secretName": "hcloud-reassign-trigger", "secretKey": "secret"},
        "eventTypes": ["hcloud-reassign"],
    }


def test_the_listener_may_only_start_pipelines_and_read_how() -> None:
    (role,), (cluster_role,) = of_kind("Role"), of_kind("ClusterRole")
    writes = [rule for rule in role["rules"] + cluster_role["rules"] if set(rule["verbs"]) - {"get", "list", "watch"}]
    assert writes == [{"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": ["create"]}]
    groups = {group for rule in role["rules"] + cluster_role["rules"] for group in rule["apiGroups"]}
    # Nothing of the core: no secret, no pod, no impersonation.
    assert groups == {"tekton.dev", "triggers.tekton.dev"}
    for binding in (one("RoleBinding"), one("ClusterRoleBinding")):
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "hcloud-reassign-listener", "namespace": NAMESPACE}
        ]


def test_a_run_has_no_rights_in_the_cluster_and_few_in_its_pod() -> None:
    (run,) = one("TriggerTemplate")["spec"]["resourcetemplates"]
    assert run["spec"]["taskRunTemplate"] == {
        "serviceAccountName": "hcloud-reassign-run",
        "podTemplate": {"automountServiceAccountToken": False},
    }
    assert run["spec"]["timeouts"] == {"pipeline": "10m"}
    assert [binding for binding in of_kind("RoleBinding") if "hcloud-reassign-run" in str(binding)] == []
    context = one("Task")["spec"]["stepTemplate"]["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_flux_leaves_the_scripts_alone() -> None:
    for document in (
        found for kind in ("Task", "Pipeline", "TriggerTemplate", "EventListener") for found in of_kind(kind)
    ):
        off = document["metadata"].get("annotations", {}).get("kustomize.toolkit.fluxcd.io/substitute") == "disabled"
        assert off is ("${" in str(document)), document["kind"]


def test_no_secret_lies_in_the_folder() -> None:
    assert of_kind("Secret") == []


# Schemas


def strict(schema: Any) -> Any:
    """A CRD's schema in which a word that it does not know is an error, as it is with strict field validation."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    elif isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found


def schemas() -> Iterator[tuple[str, str, Any]]:
    for file in sorted(Path(CRDS).glob("*.yaml")):
        for crd in yaml.safe_load_all(file.read_text("utf-8")):
            for version in crd["spec"]["versions"]:
                schema = strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"type": "object"}
                yield crd["spec"]["names"]["kind"], f"{crd['spec']['group']}/{version['name']}", schema


@pytest.mark.skipif(not CRDS, reason="HCLOUD_REASSIGN_TEKTON_CRDS names no folder with the CRDs of Tekton")
def test_tektons_schemas_take_the_documents() -> None:
    known = {(kind, version): schema for kind, version, schema in schemas()}
    (run,) = one("TriggerTemplate")["spec"]["resourcetemplates"]
    for document in (one("Task"), one("Pipeline"), run):
        validator = Draft202012Validator(known[document["kind"], document["apiVersion"]])
        assert [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(document)] == []
    misspelt = {**one("Pipeline"), "spec": {**one("Pipeline")["spec"], "task": []}}
    assert list(Draft202012Validator(known["Pipeline", "tekton.dev/v1"]).iter_errors(misspelt))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_builds_it() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    built = list(yaml.safe_load_all(done.stdout))
    assert {document["kind"] for document in built} >= {"Task", "Pipeline", "EventListener", "ConfigMap", "Role"}
    spaces = {document["metadata"].get("namespace") for document in built if "Cluster" not in document["kind"]}
    assert spaces == {NAMESPACE, None}
    assert [document["kind"] for document in built if "namespace" not in document["metadata"]] == [
        "Namespace",
        "ClusterRole",
        "ClusterRoleBinding",
    ]
