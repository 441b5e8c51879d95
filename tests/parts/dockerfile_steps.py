"""Reads a Dockerfile and its .dockerignore, and runs its steps in roots of Debian's: no image has to be pulled.

What it knows is what our Dockerfile uses: FROM … AS, RUN and COPY (with --from), ENV, WORKDIR, USER, HEALTHCHECK, CMD.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

# How a machine reaches what a build needs is its own affair, and stays out of the image.
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT")
OF_THE_MACHINE = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_HTTP_TIMEOUT")
INSIDE = "/run/certificates"
ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc")
# Mounts end with the process: they are seen by nobody else.
MOUNTED = (
    "mount -t proc proc $0/proc; mount --rbind /dev $0/dev; mount -t tmpfs tmpfs $0/run; "
    f'test -z "$1" || cp "$1" "$0{INSIDE}"; shift; exec chroot "$@"'
)


@dataclass(frozen=True)
class Step:
    name: str  # RUN, COPY, …
    words: str  # what follows, lines joined


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    steps: tuple[Step, ...]

    def of(self, name: str) -> list[str]:
        return [step.words for step in self.steps if step.name == name]


def stages(text: str) -> list[Stage]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    steps = [Step(*line.split(maxsplit=1)) for line in joined]
    starts = [at for at, step in enumerate(steps) if step.name == "FROM"] + [len(steps)]
    found = []
    for start, end in pairwise(starts):
        base, _, name = steps[start].words.partition(" AS ")
        found.append(Stage(name, base, tuple(steps[start + 1 : end])))
    return found


def copied(step_words: str) -> tuple[str, list[str], str]:
    """The stage that a COPY takes from (empty for the context), its sources, and where they go."""
    words = step_words.split()
    stage = next((word.partition("=")[2] for word in words if word.startswith("--from=")), "")
    *sources, target = [word for word in words if not word.startswith("--")]
    return stage, sources, target


def let_in(path: str, ignored: Sequence[str]) -> bool:
    """Whether the path is part of the build's context: the last pattern that fits it, or a folder of its, decides."""
    parts = path.split("/")
    ways = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    answer = True
    for pattern in ignored:
        wanted = pattern.removeprefix("!")
        deep = wanted.removeprefix("**/")
        if any(_fits(way, wanted) for way in ways) or (deep != wanted and any(fnmatch(part, deep) for part in parts)):
            answer = pattern.startswith("!")
    return answer


def _fits(way: str, pattern: str) -> bool:
    return way.count("/") == pattern.count("/") and fnmatch(way, pattern)


def patterns(dockerignore: str) -> list[str]:
    return [line for line in dockerignore.splitlines() if line.strip() and not line.startswith("#")]


@dataclass(frozen=True)
class Built:
    """What a stage has become; its folder is the root of its containers."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    folder: str = "/"
    user: str = "0"
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()

    def line(self, command: Iterable[str], more: Mapping[str, str] | None = None, certificates: str = "") -> list[str]:
        """The command that runs this one in a container of the image: its user, folder and variables, no others."""
        home = {"HOME": self._home()}
        variables = [f"{name}={value}" for name, value in {**home, **self.environment, **(more or {})}.items()]
        inside = ["env", "-i", *variables, "sh", "-c", 'cd "$0"; exec "$@"', self.folder, *command]
        user = f"--userspec={self.user}:{self.user}"
        return [*ALONE, MOUNTED, str(self.root), certificates, user, str(self.root), *inside]

    def _home(self) -> str:
        people = [line.split(":") for line in (self.root / "etc" / "passwd").read_text().splitlines()]
        return next((each[5] for each in people if self.user in (each[0], each[2])), "/")


def build(dockerfile: Path, debian: Path, place: Path) -> Iterator[tuple[str, str, Built]]:
    """Every step, run: stage, step and what the stage is after it. `debian` is the base image's root."""
    done: dict[str, Built] = {}
    for stage in stages(dockerfile.read_text("utf-8")):
        base = done.get(stage.base, Built(debian))
        now = replace(base, root=place / stage.name)
        subprocess.run(["cp", "-a", "--reflink=auto", base.root, now.root], check=True)
        for step in stage.steps:
            now = _after(step, now, dockerfile.parent, done)
            yield stage.name, f"{step.name} {step.words}", now
        done[stage.name] = now


def _after(step: Step, now: Built, context: Path, done: Mapping[str, Built]) -> Built:
    words = step.words
    if step.name == "RUN":
        subprocess.run(now.line(["sh", "-c", words], *_of_the_machine()), check=True)
    elif step.name == "COPY":
        _copy(words, now, context, done)
    elif step.name == "ENV":
        return replace(now, environment={**now.environment, **dict(word.split("=", 1) for word in shlex.split(words))})
    elif step.name == "WORKDIR":
        (now.root / words.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return replace(now, folder=words)
    elif step.name == "USER":
        return replace(now, user=words)
    elif step.name in ("CMD", "HEALTHCHECK"):
        command = tuple(json.loads(words[words.index("[") :]))
        return replace(now, **{"command" if step.name == "CMD" else "health": command})
    else:
        raise ValueError(f"{step.name} is not known here")
    return now


def _of_the_machine() -> tuple[dict[str, str], str]:
    """Variables of this machine that a build may need here, and the file of the certificates that it trusts."""
    more = {name: os.environ[name] for name in OF_THE_MACHINE if os.environ.get(name)}
    certificates = os.environ.get("SSL_CERT_FILE", "")
    return {**more, **(dict.fromkeys(CERTIFICATES, INSIDE) if certificates else {})}, certificates


def _copy(words: str, now: Built, context: Path, done: Mapping[str, Built]) -> None:
    stage, sources, target = copied(words)
    ignored = [] if stage else patterns((context / ".dockerignore").read_text("utf-8"))
    place = now.root / str(Path(now.folder) / target).lstrip("/")
    for source in sources:
        origin = done[stage].root / source.lstrip("/") if stage else context / source
        whole = target.endswith("/") or len(sources) > 1
        _copied(origin, place / origin.name if origin.is_file() and whole else place, context, ignored)


def _copied(origin: Path, target: Path, context: Path, ignored: Sequence[str]) -> None:
    """As Docker does: all of it belongs to root."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        ways = {name: str((Path(folder) / name).relative_to(context)) for name in names} if ignored else {}
        return {name for name, way in ways.items() if not let_in(way, ignored)}

    target.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_file():
        shutil.copy2(origin, target)
    else:
        shutil.copytree(origin, target, symlinks=True, dirs_exist_ok=True, ignore=left_out)
    subprocess.run(["chown", "-hR", "0:0", target], check=True)
