"""Reports in a real S3 server: a run appears there whole or not at all, and every machine sees the same history."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from s3fs import S3FileSystem
from starlette.testclient import TestClient

import tasks.reports.publish
from tasks.disk.layout import digests_folder, folder_of
from tasks.disk.mirror import Mirror, mirror_of
from tasks.opening.reports_folder import folder_of_reports, place_of_reports, readable, writable
from tasks.reports.catalogue import is_listed, list_runs, rebuild_catalogue
from tasks.reports.publish import is_published, keep_rejections, publish
from tasks.reports.refresh import refresh, refresh_held
from tasks.reports.run_folders import run_folders
from tasks.site.app import catalogue_app
from tasks.study.errors import PoolwiseError, StudyError
from tasks.view.document import summary_json, summary_of
from tests.factories import singular_case
from tests.parts.line import line_to
from tests.parts.object_store import BUCKET, SECRET, ObjectStore
from tests.tasks.rows.sources.places import set_environment

SUMMARY = summary_json(summary_of(singular_case().context))
FILES = ("estimates.csv", "posterior.nc", "report.html", "study.toml", "summary.json")


@dataclass
class Shared:
    """An address in the store, and machines that know nothing else of each other."""

    store: ObjectStore
    address: str
    scratch: Path
    monkeypatch: pytest.MonkeyPatch

    def on(self, machine: str) -> Path:
        """The reports folder as this machine has it."""
        self.monkeypatch.setenv("XDG_CACHE_HOME", str(self.scratch / machine))
        return folder_of_reports(self.address)

    def with_environment(self, **environment: str) -> None:
        """From now on; what was opened before is forgotten."""
        for name, value in environment.items():
            self.monkeypatch.setenv(name, value)
        S3FileSystem.clear_instance_cache()

    def objects(self) -> set[str]:
        root = self.address.removeprefix("s3://")
        return {name[len(root) + 1 :] for name in self.store.files.find(root)}


@pytest.fixture
def shared(
    object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Shared:
    set_environment(monkeypatch, object_store.environment)
    S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(tasks.reports.publish, "plotly_version", lambda: "0")
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:16]
    return Shared(object_store, f"s3://{BUCKET}/{name}/reports", tmp_path, monkeypatch)


def files(run_id: str, fingerprint: str = "f" * 64) -> dict[str, Any]:
    """As a run's; its report says which one it is."""
    summary = SUMMARY.replace("f" * 64, fingerprint).replace(singular_case().context.findings.run.id, run_id)
    return {
        "report.html": f"<title>{run_id}</title><script src='../../plotly-0.min.js'></script>",
        "summary.json": summary,
        "estimates.csv": "a,b\n",
        "study.toml": "",
        "posterior.nc": lambda path: path.write_bytes(b"\x89HDF"),
    }


def names_of(reports: Path) -> list[str]:
    return [folder.name for folder in run_folders(folder_of(reports, "study"))]


def test_a_run_goes_to_the_store_and_every_machine_finds_it(shared: Shared) -> None:
    reports = shared.on("one")
    publish(reports, "study", "r1", files("r1"))
    rebuild_catalogue(reports)
    assert shared.objects() == {
        *(f"study/r1/{name}" for name in FILES),
        *("study/latest/report.html", "plotly-0.min.js", "index.html", "catalogue.json"),
    }
    other = shared.on("other")
    refresh(other, "study")
    assert is_published(other, "study", "f" * 64) == other / "study" / "r1"
    assert [run.run_id for run in list_runs(other)] == ["r1"]
    assert is_listed(other, other / "study" / "r1")
    assert os.readlink(other / "study" / "latest") == "r1"
    publish(other, "study", "r2", files("r2"))
    rebuild_catalogue(other)
    refresh(reports)
    assert names_of(reports) == ["r2", "r1"]


def test_the_bucket_alone_can_be_read(shared: Shared) -> None:
    reports = shared.on("one")
    publish(reports, "study", "r1", files("r1"))
    rebuild_catalogue(reports)
    keep_rejections(reports, "study", "r0", "file,row\n")
    rebuild_catalogue(reports)
    root, there = shared.address.removeprefix("s3://"), shared.objects()
    for page in (name for name in there if name.endswith(".html")):
        text = shared.store.files.cat(f"{root}/{page}").decode()
        links = re.findall(r"""(?:href|src)=["']([^"'#:?]+)["']""", text) + re.findall(r'url=([^"]+)"', text)
        assert links
        for link in links:
            assert os.path.normpath(Path(page).parent / link) in there, (page, link)
        assert shared.store.files.info(f"{root}/{page}")["ContentType"] == "text/html"


def killed_at(at: int, address: str, environment: dict[str, str]) -> None:
    """Publish in a process that is killed instead of putting its object number `at`."""
    os.environ.update(environment)
    put, n_put = Mirror._put, iter(range(at + 1))

    def put_or_die(self: Mirror, path: Path, target: Path) -> None:
        if next(n_put) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        put(self, path, target)

    Mirror._put = put_or_die  # type: ignore[method-assign]
    tasks.reports.publish.plotly_version = lambda: "0"
    reports = folder_of_reports(address)
    refresh_held(reports, "study")
    publish(reports, "study", "r1", files("r1"))
    rebuild_catalogue(reports)


@pytest.mark.parametrize("at", [0, 1, 4, 5, 6])
def test_killed_at_any_moment_a_run_is_there_whole_or_not_at_all(shared: Shared, at: int) -> None:
    environment = {**shared.store.environment, "XDG_CACHE_HOME": str(shared.scratch / "killed")}
    process = multiprocessing.get_context("spawn").Process(target=killed_at, args=(at, shared.address, environment))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    is_whole = at > 5  # plotly.js and five files
    for machine in ("other", "killed"):
        reports = shared.on(machine)
        refresh(reports)
        assert names_of(reports) == (["r1"] if is_whole else [])
    refresh_held(reports, "study")
    assert {name for name in shared.objects() if name.startswith("study/r1/")} == (
        {f"study/r1/{name}" for name in FILES} if is_whole else set()
    )
    publish(reports, "study", "r2", files("r2"))
    assert names_of(reports) == (["r2", "r1"] if is_whole else ["r2"])
    assert not is_whole or not is_listed(reports, reports / "study" / "r1")  # so the next run lists it


def test_a_store_that_fails_half_way_has_no_run_and_nothing_is_lost(shared: Shared) -> None:
    shared.monkeypatch.setattr(S3FileSystem, "retries", 1)
    with line_to(shared.store.port) as line:
        shared.with_environment(AWS_ENDPOINT_URL=f"http://127.0.0.1:{line.port}")
        reports = shared.on("one")
        publish(reports, "study", "r1", files("r1"))
        line.fails = lambda block: b"r2/report.html" in block and b"PUT" in block
        with pytest.raises(PoolwiseError, match="cannot be reached"):
            publish(reports, "study", "r2", files("r2"))
        assert line.is_dead
        assert names_of(reports) == ["r1"]
        with pytest.raises(PoolwiseError, match="cannot be reached"):
            refresh(reports)
        assert names_of(reports) == ["r1"]
        line.mend()
        refresh_held(reports, "study")
        assert not any("r2/" in name for name in shared.objects())
        publish(reports, "study", "r2", files("r2"))
    assert {f"study/r2/{name}" for name in FILES} <= shared.objects()


def test_who_may_not_publish_leaves_nothing(shared: Shared) -> None:
    reports = shared.on("one")
    seen: list[set[str]] = []

    def refuse() -> None:
        seen.append(shared.objects())
        raise PoolwiseError("Another process has taken over study")

    with pytest.raises(PoolwiseError, match="taken over"):
        publish(reports, "study", "r1", files("r1"), refuse)
    assert {f"study/r1/{name}" for name in FILES} - seen[0] == {"study/r1/summary.json"}  # all but the marker
    assert shared.objects() == {"plotly-0.min.js"}
    assert names_of(reports) == []


def test_a_process_beside_may_bring_the_run_before_its_publisher_shows_it(shared: Shared) -> None:
    reports, whole = shared.on("one"), Mirror._require_whole

    def others_are_faster(self: Mirror, run: Path, files: set[Path]) -> None:
        whole(self, run, files)
        refresh(reports)  # as the catalogue does, every few seconds
        assert {path.name for path in run.iterdir()} == {"summary.json"}

    shared.monkeypatch.setattr(Mirror, "_require_whole", others_are_faster)
    folder = publish(reports, "study", "r1", files("r1"))
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert not list(folder.parent.glob(".staging-*"))


def test_a_run_that_is_there_is_never_changed(shared: Shared) -> None:
    publish(shared.on("one"), "study", "r1", files("r1"))
    with pytest.raises(PoolwiseError, match=r"reports/study/r1 is published already"):
        publish(shared.on("other"), "study", "r1", files("r1"))
    assert {f"study/r1/{name}" for name in FILES} <= shared.objects()


def test_what_is_deleted_in_the_store_is_gone_here(shared: Shared) -> None:
    reports = shared.on("one")
    publish(reports, "study", "r1", files("r1"))
    publish(reports, "study", "r2", files("r2"))
    keep_rejections(reports, "study", "r0", "file,row\n")
    shared.store.files.rm(f"{shared.address}/study/r2", recursive=True)
    shared.store.files.rm(f"{shared.address}/study/rejected/r0.csv")
    refresh(reports)
    assert names_of(reports) == ["r1"]
    assert os.readlink(reports / "study" / "latest") == "r1"
    assert not list((reports / "study" / "rejected").glob("*.csv"))


def test_the_catalogue_serves_what_others_published(shared: Shared) -> None:
    reports = shared.on("one")
    publish(reports, "study", "r1", files("r1"))
    keep_rejections(reports, "study", "r0", "file,row\n")
    serving = shared.on("serving")
    refresh(serving)
    assert {path.name for path in (serving / "study" / "r1").iterdir()} == {"summary.json"}
    site = TestClient(catalogue_app(serving, allowed_hosts=["*"]))
    assert "r1" in site.get("/catalogue.json").text
    assert site.get("/study/r1/report.html").text.startswith("<title>r1<")
    assert site.get("/study/r1/posterior.nc").content == b"\x89HDF"
    assert site.get("/study/rejected/r0.csv").text == "file,row\n"
    assert len(site.get("/plotly-0.min.js").content) > 100_000
    assert site.get("/study/r1/rejected.csv").status_code == 404
    assert site.get("/study/../study/r1/.address").status_code == 404
    assert site.get("/study/r9/report.html").status_code == 404


def test_an_address_that_cannot_be_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for wrong, why in {
        "s3://": "no bucket",
        "file:///srv/reports": "no bucket",
        "s3://bucket/*": "may hold none",
        "s3://key:secretkey@bucket/reports": "no password",
        "s3://bucket/reports?token=secretkey": "may",
    }.items():
        with pytest.raises(StudyError, match=why) as refused:
            readable(wrong)
        assert "secretkey" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_permission_is_said_before_anything_is_read(shared: Shared) -> None:
    shared.with_environment(AWS_SECRET_ACCESS_KEY="another-secret-that-is-wrong")
    shared.on("one")
    with pytest.raises(PoolwiseError, match=r"reports cannot be reached: .*AWS_ACCESS_KEY_ID") as refused:
        writable(shared.address)
    assert SECRET not in str(refused.value)
    assert "another-secret" not in str(refused.value)


def test_the_same_place_has_one_name_everywhere(shared: Shared, tmp_path: Path) -> None:
    assert place_of_reports(shared.on("one")) == shared.address
    assert place_of_reports(folder_of_reports(f"{shared.address}/")) == shared.address
    assert place_of_reports(tmp_path) == str(tmp_path.resolve())
    assert mirror_of(tmp_path) is None
    assert digests_folder(shared.on("one"), "study", "key").is_relative_to(shared.scratch)
