"""The Dockerfile: locked, without root, without a compiler, and with nothing of this machine. `make image` runs it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.parts.dockerfile_steps import copied, let_in, patterns, stages

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "Dockerfile").read_text("utf-8")
STAGES = {stage.name: stage for stage in stages(TEXT)}
IGNORED = patterns((ROOT / ".dockerignore").read_text("utf-8"))


def test_steps_are_read_as_docker_reads_them() -> None:
    text = "# a\nFROM debian AS one\nRUN a \\\n # b\n && c\n\nFROM one\nCOPY --from=one x y z/\n"
    one, last = stages(text)
    assert (one.name, one.base, one.of("RUN")) == ("one", "debian", ["a  && c"])
    assert (last.name, last.base) == ("", "one")
    assert copied(last.of("COPY")[0]) == ("one", ["x", "y"], "z/")


def test_the_last_pattern_that_fits_decides() -> None:
    told = ["*", "!flows", "!data", "data/*/incoming", "**/__pycache__"]
    assert let_in("flows/report.py", told)
    assert let_in("data/sleepstudy/study.toml", told)
    for path in ("reports/index.html", "flows/__pycache__/report.pyc", "data/sleepstudy/incoming/a.csv", ".env"):
        assert not let_in(path, told)


def test_what_is_copied_exists_and_nothing_else_is_let_in() -> None:
    told = [source for stage in STAGES.values() for words in stage.of("COPY") for source in _of_the_context(words)]
    assert set(told) == {pattern.removeprefix("!") for pattern in IGNORED if pattern.startswith("!")}
    for source in told:
        assert (ROOT / source).exists(), source
        assert let_in(source, IGNORED), source
    for path in (".git/config", ".venv/bin/python", "reports/x/y/report.html", "tests/conftest.py", "env", ".env"):
        assert not let_in(path, IGNORED), path


def _of_the_context(words: str) -> list[str]:
    stage, sources, _ = copied(words)
    return [] if stage else sources


def test_every_package_comes_from_the_lock_and_uv_is_the_makefiles() -> None:
    (version,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert re.findall(r"pip install .*", TEXT) == [f"pip install --no-cache-dir --quiet uv=={version}"]
    synced = re.findall(r"uv sync .*", TEXT)
    assert len(synced) == 2
    for line in synced:
        assert " --locked --no-default-groups --extra s3 --extra postgres --extra dask" in line


def test_nobody_is_root_and_installers_stay_behind() -> None:
    for name in ("job", "serve"):
        (base,) = STAGES[STAGES[name].base].of("USER")
        assert base.isdigit()
        assert base != "0"
        assert STAGES[name].of("RUN") == STAGES[name].of("USER") == []
    assert list(STAGES)[-1] == "job", "what `docker build` makes"
    assert "build" not in {STAGES["run"].base, STAGES[STAGES["run"].base].base}
    installed = " ".join(re.findall(r"apt-get install (.*)", TEXT))
    assert set(installed.split()) - {"-qq", "--no-install-recommends", "\\"} == {
        "ca-certificates",
        "fonts-dejavu-core",
        "python3",
        "python3-venv",
    }


def test_of_other_machines_only_the_base_image_is_named() -> None:
    assert {stage.base for stage in STAGES.values()} - set(STAGES) == {"debian:bookworm-slim"}
    hosts = re.findall(r"https?://[^\s'\"]+", TEXT)
    assert hosts == ["http://127.0.0.1:8765/health"]
    assert not re.search(r"(?i)index|proxy|cert_file|trusted", TEXT)


def test_bytecode_is_compiled_once_and_none_is_written_later() -> None:
    (build,), (run,) = STAGES["build"].of("ENV"), STAGES["run"].of("ENV")
    assert "UV_COMPILE_BYTECODE=1" in build
    assert ".venv/bin/python -m compileall -q flows tasks" in STAGES["build"].of("RUN")[-1]
    assert "PYTHONDONTWRITEBYTECODE=1" in run
    assert "PYTHONDONTWRITEBYTECODE" not in build


@pytest.mark.parametrize(("name", "has_one"), [("serve", True), ("job", False)])
def test_health_is_asked_for_where_something_is_served(name: str, has_one: bool) -> None:
    assert bool(STAGES[name].of("HEALTHCHECK")) is has_one
