"""Samples in a child process that can be ended: by an interrupt, by a time limit, with its parent.

An engine's native code hears no Python signal, and CmdStan starts processes of its own. So the child leads a process
group, which is killed as a whole. It receives arrays and JSON through a pipe, and answers in frames: a letter, a
length, and that many bytes. It ends itself when the pipe to it closes. What it writes to disk lies in one scratch
folder, which is removed after it.
"""

from __future__ import annotations

import io
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from tasks.disk.leftovers import undone_if_cut_short
from tasks.disk.scratch import scratch_folder
from tasks.engines.engines import EngineName, Progress, StanEngine, TimeIsUp, engine_named
from tasks.stats.records import Floats
from tasks.study.errors import PoolwiseError

if TYPE_CHECKING:
    from tasks.study.settings import SamplerSettings

HEAD = struct.Struct("<cq")
PROGRESS, DRAWS, PROBLEM, BUG = b"p", b"d", b"e", b"b"


class SamplerProcess:
    """The engine of this name, each sampling in a process of its own; all of them together may take `seconds`."""

    def __init__(self, name: EngineName, seconds: float) -> None:
        self._asked, self._engine = name, engine_named(name)
        self._ends = time.monotonic() + seconds

    @property
    def name(self) -> str:
        return self._engine.name

    def sample(
        self, program: Path, data: Mapping[str, Any], settings: SamplerSettings, seed: int, progress: Progress
    ) -> dict[str, Floats]:
        """As `StanEngine.sample`. Raises TimeIsUp when the time is over; the sampler has ended by then."""
        asked = {"engine": self._asked, "program": str(program), "settings": settings.model_dump(), "seed": seed}
        with _child() as child:
            assert child.stdin is not None
            assert child.stdout is not None
            with suppress(BrokenPipeError):  # the child has ended already; reading its answer reports why
                _send(child.stdin, DRAWS, _packed({**data, "asked": json.dumps(asked)}))
            # Unbuffered: bytes already read into a buffer would not wake whoever waits for the next frame.
            with open(child.stdout.fileno(), "rb", buffering=0, closefd=False) as answers:
                return _answer(answers, self._ends, progress)


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    """A child process with a scratch folder of its own; both are gone when the block ends."""
    with scratch_folder() as scratch, _started(scratch) as child, undone_if_cut_short(lambda: _kill(child)):
        try:
            yield child
        finally:
            _kill(child)


def _started(scratch: Path) -> subprocess.Popen[bytes]:
    # -P: a folder called `tasks` in the user's working directory is not imported.
    command = [sys.executable, "-P", "-m", "tasks.engines.sampler_process"]
    return subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(scratch)},
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and all that it started, and wait for it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _answer(stream: IO[bytes], ends: float, progress: Progress) -> dict[str, Floats]:
    """The draws that the child sends; progress is passed on. Raises what the child met."""
    share = 0.0
    while True:
        kind, content = _received(stream, ends, share)
        if kind == DRAWS:
            return _unpacked(content)
        if kind == PROBLEM:
            raise PoolwiseError(content.decode())
        if kind == BUG:
            raise RuntimeError(content.decode())
        (share,) = struct.unpack("<d", content)
        progress(share)


def _received(stream: IO[bytes], ends: float, share: float) -> tuple[bytes, bytes]:
    """The next frame: its kind and content. Raises TimeIsUp if it begins too late, PoolwiseError if the child ended."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(max(ends - time.monotonic(), 0.0)):
            raise TimeIsUp(share)
    try:
        return _receive(stream)
    except EOFError:
        raise PoolwiseError(
            "The sampler's process ended by itself before it was done. That happens when the machine runs out of "
            "memory: close other programs, or ask for fewer [sampler] chains or draws."
        ) from None


def _send(stream: IO[bytes], kind: bytes, content: bytes) -> None:
    stream.write(HEAD.pack(kind, len(content)))
    stream.write(content)
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[bytes, bytes]:
    kind, length = HEAD.unpack(_exactly(stream, HEAD.size))
    return kind, _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    """`length` bytes. Raises EOFError if the stream ends before."""
    parts = []
    while length > 0:
        parts.append(stream.read(length))
        if not parts[-1]:
            raise EOFError
        length -= len(parts[-1])
    return b"".join(parts)


def _packed(values: Mapping[str, Any]) -> bytes:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **values)
    return content.getvalue()


def _unpacked(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] if arrays[name].ndim else arrays[name].item() for name in arrays.files}


def main() -> None:
    """The child: reads one request from standard input, writes progress and draws to standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what native code prints goes to standard error, not among the answers
    _, content = _receive(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        draws = _sampled(_unpacked(content), answers)
    except PoolwiseError as error:
        _send(answers, PROBLEM, str(error).encode())
    except Exception:
        _send(answers, BUG, traceback.format_exc().encode())
    else:
        _send(answers, DRAWS, _packed(draws))


def _sampled(request: dict[str, Any], answers: IO[bytes]) -> dict[str, Floats]:
    asked = json.loads(request.pop("asked"))
    engine: StanEngine = engine_named(asked["engine"])
    settings = cast("SamplerSettings", SimpleNamespace(**asked["settings"]))
    shown = 0.0

    def progress(share: float) -> None:
        nonlocal shown
        if share > shown:
            shown = share
            _send(answers, PROGRESS, struct.pack("<d", share))

    return engine.sample(Path(asked["program"]), request, settings, asked["seed"], progress)


def _end_with_parent() -> None:
    """Wait until the pipe ends, as nothing more is ever sent, then kill the process group."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
