"""Deployments kept in files, for pools of processes, Docker and Kubernetes: deployed on a real server, run nowhere.

That a pool of processes runs them is `docs/team.md`'s; that a container does, `make image`'s.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow, get_client

from flows.serve.deployments import run_on_request
from tasks.opening.studies import read_study

ROOT = Path(__file__).parents[3]
STUDIES = {file.parent.name: file.parent for file in (ROOT / "data").glob("*/study.toml")}
FILES = {
    "poolwise": ROOT / "prefect.yaml",
    "poolwise-docker": ROOT / "docs" / "prefect-docker.yaml",
    "poolwise-kubernetes": ROOT / "docs" / "prefect-kubernetes.yaml",
}
TEMPLATES = {"docker": ROOT / "docs" / "job-docker.json", "kubernetes": ROOT / "docs" / "job-kubernetes.json"}
NAMED = {"IMAGE": "registry.example.org/poolwise:1", "REPORTS": "s3://bucket/reports"}
MARKER = "marker-of-a-secret-of-a-pool"


@pytest.mark.parametrize("pool", FILES)
def test_each_study_is_deployed_with_a_limit(pool: str) -> None:
    told = yaml.safe_load(FILES[pool].read_text("utf-8"))["deployments"]
    assert {each["name"] for each in told} == set(STUDIES)
    for each in told:
        study = read_study(STUDIES[each["name"]]).study
        assert (each["description"], each["tags"]) == (study.title, ["poolwise", study.name])
        assert each["work_pool"]["name"] == pool
        assert each["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        assert bool(each["schedules"]) == bool(study.schedule)
        (trigger,) = each["triggers"]
        ours = run_on_request(study.name)
        assert (trigger["name"], set(trigger["expect"])) == (ours.name, ours.expect)
        assert trigger["match"] == ours.match.model_dump()
        assert each["parameters"]["study"] == f"data/{study.name}"
        module, _, name = each["entrypoint"].rpartition(".")
        flow = getattr(importlib.import_module(module), name)
        assert isinstance(flow, Flow)
        flow.validate_parameters(each["parameters"])


@pytest.fixture(scope="module")
def on_a_server(prefect_server: None) -> dict[str, dict[str, Any]]:
    """What the server holds of each pool's deployments after each file was deployed as its head says."""
    from prefect.blocks.system import Secret

    Secret(value=f"postgresql+psycopg://poolwise:{MARKER}@h/d").save("poolwise-database-url", overwrite=True)
    _prefect("work-pool", "create", "poolwise", "--type", "process")
    for kind, file in TEMPLATES.items():
        _prefect("work-pool", "create", f"poolwise-{kind}", "--type", kind, "--base-job-template", str(file))
    found = {}
    with get_client(sync_client=True) as client:
        for pool, file in FILES.items():
            _prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(file.relative_to(ROOT)))
            held = [each for each in client.read_deployments() if each.work_pool_name == pool]
            found[pool] = {each.name: each for each in held}
    return found


def _prefect(*arguments: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "prefect", *arguments],
        cwd=ROOT,
        env={**os.environ, **NAMED},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_server_takes_them_with_their_limit_and_what_happens_beyond_it(on_a_server: dict[str, Any]) -> None:
    for pool, deployments in on_a_server.items():
        assert set(deployments) == set(STUDIES), pool
        for each in deployments.values():
            assert each.global_concurrency_limit.limit == 1
            assert each.concurrency_options.collision_strategy.value == "ENQUEUE"
            assert not each.paused
    in_containers = [*on_a_server["poolwise-docker"].values(), *on_a_server["poolwise-kubernetes"].values()]
    for each in in_containers:
        assert each.job_variables == {"image": NAMED["IMAGE"]}
        assert each.parameters["reports"] == NAMED["REPORTS"]
        assert each.pull_steps == [{"prefect.deployments.steps.set_working_directory": {"directory": "/srv/poolwise"}}]


def test_a_pool_of_docker_hands_secrets_over_and_keeps_none(on_a_server: dict[str, Any]) -> None:
    """Prefect fills a block's name in when a run begins: it stands in the pool's template, not in a deployment."""
    from prefect.workers.base import BaseJobConfiguration

    assert on_a_server["poolwise-docker"]
    with get_client(sync_client=True) as client:
        pool = client.read_work_pool("poolwise-docker")
        kept = pool.model_dump_json() + "".join(each.model_dump_json() for each in client.read_deployments())
    assert MARKER not in kept
    filled = _filled(BaseJobConfiguration, pool.base_job_template)
    assert MARKER in filled.env["POOLWISE_DATABASE_URL"]
    assert filled.env["POOLWISE_STORE_BLOCK"] == "poolwise-store"


def _filled(kind: Any, template: dict[str, Any]) -> Any:
    import asyncio

    async def fill() -> Any:
        async with get_client() as client:
            return await kind.from_template_and_values(template, {"image": "i", "env": {"MORE": "1"}}, client=client)

    return asyncio.run(fill())


def test_templates_of_jobs_use_what_they_declare_and_hold_no_value_that_is_secret() -> None:
    for file in TEMPLATES.values():
        template = json.loads(file.read_text("utf-8"))
        used = set(re.findall(r"{{ ([\w-]+) }}", json.dumps(template["job_configuration"])))
        assert used == set(template["variables"]["properties"])
        assert template["variables"]["required"] == ["image"]
        assert "prefect.blocks" not in json.dumps(template["job_configuration"])


def test_a_pod_has_no_rights_that_a_report_does_not_need() -> None:
    job = json.loads(TEMPLATES["kubernetes"].read_text("utf-8"))["job_configuration"]["job_manifest"]
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["name"] == "prefect-job", "the only name that Prefect takes"
    user = re.search(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert user is not None
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == int(user[1])
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container["envFrom"] == [{"secretRef": {"name": "{{ secret }}"}}]
