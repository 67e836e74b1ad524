"""The recipes of deploy/: what they install, and that all they name is there. No container engine is needed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from meltano_driver import manifest
from sandbox_driver import Sandbox, small_world
from singer_driver import outcomes
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
CRONJOB = yaml.safe_load((DEPLOY / "cronjob.yaml").read_text(encoding="utf-8"))
SERVICE = (DEPLOY / "exactonline-accounts.service").read_text(encoding="utf-8")
OUTSIDE = {name: text for name, text in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}


def instructions(kind: str) -> list[str]:
    """What the Dockerfile says after one of its words."""
    return re.findall(rf"^{kind} (.+)$", DOCKERFILE, re.MULTILINE)


# The container


def test_the_container_copies_only_what_is_there_and_every_package_of_the_lock() -> None:
    local = [line.split()[:-1] for line in instructions("COPY") if not line.startswith("--")]
    copied = {path for paths in local for path in paths}
    members = re.search(r"^members = \[(.+)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)

    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert members is not None
    assert set(re.findall(r'"([\w-]+)"', members[1])) <= copied


def test_the_container_is_not_root_and_holds_no_secret() -> None:
    assert instructions("USER") == ["65532:65532"]
    assert not re.search(r"secret|token|password|client_id", " ".join(instructions("ENV")), re.IGNORECASE)
    assert not any(".env" in line for line in instructions("COPY"))


def copied_to(source: Path) -> None:
    """What the first stage copies, as a fresh folder."""
    for line in instructions("COPY"):
        paths = [] if line.startswith("--") else line.split()[:-1]
        for path in paths:
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).is_dir():
                shutil.copytree(ROOT / path, source / path, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy(ROOT / path, source / path)


def built(folder: Path) -> tuple[Path, Path]:
    """The environment and the project that the steps of the first stage make, below a folder."""
    source, environment, project = folder / "src", folder / "opt", folder / "project"
    copied_to(source)
    for step in instructions("RUN"):
        here = step.replace("/opt/exactonline", str(environment)).replace("/project", str(project))
        command = re.sub(r"^uv ", f"{find_uv_bin()} ", here)
        env = {**OUTSIDE, "UV_PROJECT_ENVIRONMENT": str(environment), "UV_PYTHON": sys.executable}
        done = subprocess.run(["sh", "-c", command], cwd=source, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    shutil.rmtree(source)  # the container has it no more
    return environment, project


@pytest.mark.timeout(600)
def test_what_the_container_installs_runs_the_main_job(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.reset(small_world(2, targets=(201,)))
    environment, project = built(tmp_path)
    env = {
        **OUTSIDE,
        **{f"EXACTONLINE_{name.upper()}": str(value) for name, value in sandbox.config().items()},
        **dict(pair.split("=", 1) for line in instructions("ENV")[1:] for pair in shlex.split(line)),
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "EXACTONLINE_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "TAP_EXACTONLINE_DIVISIONS": "[100]",
    }
    ((entry,), arguments) = (yaml.safe_load(instructions(kind)[0]) for kind in ("ENTRYPOINT", "CMD"))

    command = [str(environment / "bin" / entry), *arguments]
    ran = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert sandbox.codes(201) == ["1", "2"]
    assert {line["outcome"] for line in outcomes(project / "output" / "production")} == {"created"}


# Kubernetes


def test_the_cron_job_runs_one_at_a_time_without_rights_it_does_not_need() -> None:
    spec = CRONJOB["spec"]
    pod: dict[str, Any] = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert (CRONJOB["apiVersion"], CRONJOB["kind"]) == ("batch/v1", "CronJob")
    assert (spec["concurrencyPolicy"], pod["restartPolicy"]) == ("Forbid", "Never")
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == instructions("USER")[0]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_the_recipes_name_a_job_and_an_environment_that_exist() -> None:
    plan = manifest()
    jobs = {job["name"] for job in plan["jobs"]}
    environments = {environment["name"] for environment in plan["environments"]}
    (container,) = CRONJOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]

    assert {container["args"][1], yaml.safe_load(instructions("CMD")[0])[1]} <= jobs
    started = re.search(r"^ExecStart=(\S+) --environment=(\w+) run (\w+)$", SERVICE, re.MULTILINE)
    assert started is not None
    assert (started[2] in environments, started[3] in jobs) == (True, True)
    assert started[1] == "/opt/exactonline-accounts/.venv/bin/meltano"
    assert (Path(sys.executable).parent / "meltano").exists()


# systemd


def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    judge = shutil.which("systemd-analyze")
    if judge is None:
        pytest.skip("systemd-analyze is not installed here")
    for unit in DEPLOY.glob("exactonline-accounts.*"):
        text = unit.read_text(encoding="utf-8")
        # The program and the user are those of the machine where it will run.
        text = text.replace("/opt/exactonline-accounts/.venv/bin/meltano", "/bin/true").replace(
            "User=exactonline\n", ""
        )
        (tmp_path / unit.name).write_text(text, encoding="utf-8")

    judged = subprocess.run(
        [judge, "verify", *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True, check=False
    )

    assert (judged.returncode, judged.stderr) == (0, "")
