"""Files that appear whole or not at all, and what to tell a user when a disk refuses."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.disk.leftovers import undone_if_cut_short
from tasks.study.errors import PoolwiseError

ELSEWHERE = ", or choose another folder with --out"


def write_whole(path: Path, content: bytes | str, mode: int | None = None) -> None:
    """Write the file so that readers see the old one or the new one, whole: beside it, flushed to disk, renamed.

    `mode` are its permissions; default: the user's own.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with undone_if_cut_short(lambda: beside.unlink(missing_ok=True)):
        try:
            beside.write_bytes(encoded(content))
            if mode is not None:
                beside.chmod(mode)
            sync(beside)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    sync(path.parent)


def encoded(content: bytes | str) -> bytes:
    """The text as UTF-8; a lone surrogate, which UTF-8 lacks, as its backslash escape, which JSON reads back."""
    return content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content


def sync(path: Path) -> None:
    """Flush a file or a folder to disk. Disks that cannot flush are skipped; a full disk raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with _unsupported_is_fine():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _unsupported_is_fine() -> Iterator[None]:
    """Ignore that a disk cannot flush."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise


@contextmanager
def explained(doing: str, folder: Path) -> Iterator[None]:
    """Turn an OSError of the block into a PoolwiseError: what was being done, where, why not, what to do next."""
    try:
        yield
    except OSError as error:
        raise PoolwiseError(f"Poolwise could not {doing} in {folder}: {refusal(error, ELSEWHERE)}") from error


def refusal(error: OSError, otherwise: str = "") -> str:
    """Why the system refused, and what to do next, as the end of a sentence.

    `otherwise` is an alternative to mending it, such as ", or choose another folder".
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Make room there and run again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"that is not allowed. Change its permissions{otherwise}."
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return f"{error.filename or 'a file'} is in the way. Move it{otherwise}."
    if error.errno == errno.ENAMETOOLONG:
        return "the name is too long. Choose a shorter one."
    if error.errno == errno.ELOOP:
        return f"a link leads back to itself. Remove it{otherwise}."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open. Close other programs, or raise the limit (ulimit -n), and run again."
    return f"{error.strerror or error}."
