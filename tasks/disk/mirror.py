"""A reports folder in an object store: a folder here mirrors it, and the store is what counts.

Everything reads and writes the folder. What is published goes to the store first, a run's `summary.json` last: without
it there is no run there, so a run appears whole or not at all. `pull` brings the summaries of runs that others have
published, which history and catalogue are made of, and `fetch` any other file when somebody asks for it. The folder may
be deleted at any time where a shared database keeps the ledger.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from tasks.disk.layout import LATEST, PORTFOLIO_PAGE, REJECTED, REPORT, STAGING, SUMMARY, address_note
from tasks.disk.leftovers import undone_if_cut_short
from tasks.disk.object_store import ADVICE, store_of
from tasks.disk.reaching import reaching
from tasks.study.errors import PoolwiseError

REDIRECT = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=../{run}/{report}">\n'


def mirror_of(reports: Path) -> Mirror | None:
    """The mirror that this reports folder is; None for an ordinary folder."""
    try:
        return Mirror(reports, address_note(reports).read_text("utf-8"))
    except OSError:
        return None


def place_of(path: Path) -> str:
    """Where people find a path of a reports folder: in its store, or the whole path."""
    mirror = next(filter(None, map(mirror_of, path.parents)), None)
    return mirror.address_of(path) if mirror else str(path.resolve())


@dataclass(frozen=True)
class Mirror:
    """Every method raises PoolwiseError, with a reason and without secrets, when the store cannot be used."""

    folder: Path
    address: str  # without a slash at the end

    def address_of(self, path: Path) -> str:
        """Where this path of the folder is in the store."""
        below = path.relative_to(self.folder).as_posix()
        return self.address if below == "." else f"{self.address}/{below}"

    def pull(self, study: str | None = None) -> bool:
        """Make the folder list the runs and the rejected rows that the store has, of one study or of all.

        Returns whether anything was new or gone.
        """
        found = self._listed(self.folder / study if study else self.folder)
        runs = {path.parent for path in found if path.name == SUMMARY and self._is_of_a_run(path)}
        rejected = {path for path in found if self._is_rejections(path)}
        here = {path for path in self._runs_here(study) if path not in runs and not self._has(path / SUMMARY)}
        gone = {path for path in self._rejections_here(study) if path not in rejected and not self._has(path)}
        new = sorted(path for path in runs if not path.is_dir())
        unknown = sorted(path for path in rejected | self._portfolios(found) if not path.exists())
        for run in here:
            rmtree(run, ignore_errors=True)
        for path in gone:
            path.unlink(missing_ok=True)
        for run in new:
            self._bring_run(run)
        for path in unknown:
            self.fetch(path)
        return bool(here or gone or new or unknown)

    def sweep(self, study: str) -> None:
        """Delete what is left of runs that were never published. Only who holds the study may call this."""
        found = [path for path in self._listed(self.folder / study) if len(self._below(path)) == 3]
        whole = {path.parent for path in found if path.name == SUMMARY}
        left = [path for path in found if path.parent not in whole and self._below(path)[1] not in (LATEST, REJECTED)]
        if left:
            with self._reaching() as store:
                store.rm([self._key(path) for path in left])

    def push_run(self, staging: Path, run: Path, confirm: Callable[[], object]) -> None:
        """Publish the files in `staging` as this run, a path of the folder; `confirm` is called before it can be seen.

        What `confirm` raises, and every trouble before, leaves no run.
        """
        files = sorted(staging.iterdir(), key=lambda path: (path.name == SUMMARY, path.name))
        if self._has(run / SUMMARY):
            raise PoolwiseError(f"{self.address_of(run)} is published already; a run is never changed.")
        try:
            for path in files:
                if path.name == SUMMARY:
                    confirm()
                self._put(path, run / path.name)
            self._require_whole(run, {run / path.name for path in files})
        except BaseException:
            with suppress(Exception):  # the first error is told; the study's next run tries again
                self.remove(run / SUMMARY)  # first, as it may have arrived though its answer did not
                with self._reaching() as store:
                    store.rm(self._key(run), recursive=True)
            raise
        page = REDIRECT.format(run=run.name, report=REPORT)
        with self._reaching() as store:
            store.pipe_file(self._key(run.parent / LATEST / REPORT), page.encode(), **_of_type(store, "text/html"))

    def push(self, *paths: Path) -> None:
        """Put these files of the folder into the store."""
        for path in paths:
            self._put(path, path)

    def remove(self, path: Path) -> None:
        """Delete the object of this path, if there is one."""
        with suppress(FileNotFoundError), self._reaching() as store:
            store.rm_file(self._key(path))

    def push_once(self, path: Path) -> None:
        """Put the file into the store unless one of its name is there."""
        if not self._has(path):
            self._put(path, path)

    def fetch(self, path: Path) -> bool:
        """Bring the file at this path of the folder, whole; returns whether the store has it."""
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with undone_if_cut_short(lambda: beside.unlink(missing_ok=True)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with self._reaching() as store:
                    store.get_file(self._key(path), str(beside))
                beside.replace(path)
            except FileNotFoundError:
                return False
            finally:
                beside.unlink(missing_ok=True)
        return True

    def probe(self) -> None:
        """Write and delete an object, to find out early whether that is allowed."""
        key = self._key(self.folder / f".probe-{secrets.token_hex(4)}")
        with self._reaching() as store:
            store.pipe_file(key, b"?")
            store.rm_file(key)

    def _bring_run(self, run: Path) -> None:
        """Make the run's folder here, with its summary; the other files come when they are asked for."""
        beside = run.with_name(f"{STAGING}{run.name}-{secrets.token_hex(4)}")
        with undone_if_cut_short(lambda: rmtree(beside, ignore_errors=True)):
            try:
                beside.mkdir(parents=True)
                with self._reaching() as store:
                    store.get_file(self._key(run / SUMMARY), str(beside / SUMMARY))
                with suppress(OSError):  # another process of this machine was faster
                    beside.rename(run)
            except FileNotFoundError:
                return  # deleted meanwhile
            finally:
                rmtree(beside, ignore_errors=True)

    def _put(self, path: Path, target: Path) -> None:
        with self._reaching() as store:
            store.put_file(str(path), self._key(target))

    def _has(self, path: Path) -> bool:
        with self._reaching() as store:
            return bool(store.exists(self._key(path)))

    def _require_whole(self, run: Path, files: set[Path]) -> None:
        """Raise PoolwiseError unless the store has just these: somebody may have swept them from below us."""
        if set(self._listed(run)) != files:
            raise PoolwiseError(f"{self.address_of(run)} lost files while it was published. Run again.")

    def _listed(self, below: Path) -> Mapping[Path, Any]:
        """What the store has below this path of the folder, hidden things left out."""
        with self._reaching() as store:
            try:
                found = store.find(self._key(below), detail=True)
            except FileNotFoundError:
                return {}
            root = store._strip_protocol(self.address).rstrip("/")
            paths = {self.folder / key[len(root) + 1 :]: said for key, said in found.items()}
        return {path: said for path, said in paths.items() if not self._is_hidden(path)}

    @contextmanager
    def _reaching(self) -> Iterator[Any]:
        """The store, for one thing at a time. FileNotFoundError is raised as it is: the caller knows what it means."""
        missing: FileNotFoundError | None = None
        with reaching(self.address, ADVICE, doing="reached"):
            store = store_of(self.address)
            store.invalidate_cache()
            try:
                yield store
            except FileNotFoundError as error:
                missing = error
        if missing:
            raise missing

    def _key(self, path: Path) -> str:
        return self.address_of(path)

    def _below(self, path: Path) -> tuple[str, ...]:
        return path.relative_to(self.folder).parts

    def _is_hidden(self, path: Path) -> bool:
        return any(name[:1] in ("", ".") for name in self._below(path))

    def _is_of_a_run(self, path: Path) -> bool:
        parts = self._below(path)
        return len(parts) == 3 and parts[1] not in (LATEST, REJECTED)

    def _portfolios(self, found: Iterable[Path]) -> set[Path]:
        return {path for path in found if path.parent == self.folder and PORTFOLIO_PAGE.fullmatch(path.name)}

    def _is_rejections(self, path: Path) -> bool:
        parts = self._below(path)
        return len(parts) == 3 and parts[1] == REJECTED and path.suffix == ".csv"

    def _runs_here(self, study: str | None) -> list[Path]:
        found = self.folder.glob(f"{study or '*'}/*/")
        return [path for path in found if path.is_dir() and not path.is_symlink() and self._is_plain(path)]

    def _rejections_here(self, study: str | None) -> list[Path]:
        return [path for path in self.folder.glob(f"{study or '*'}/{REJECTED}/*.csv") if not path.name.startswith(".")]

    def _is_plain(self, path: Path) -> bool:
        return not self._is_hidden(path) and path.name not in (LATEST, REJECTED)


def _of_type(store: Any, media_type: str) -> dict[str, str]:
    """How this kind of store is told what an object written from memory is; files tell by their names."""
    protocol = store.protocol if isinstance(store.protocol, str) else store.protocol[0]
    return {"ContentType": media_type} if protocol.startswith("s3") else {}
