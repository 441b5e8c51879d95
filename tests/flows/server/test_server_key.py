"""The key to our own Prefect server: made once, read by its owner only, mended or refused where that does not hold."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.server.server_key import KEY, kept_key, new_key
from tasks.study.errors import PoolwiseError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "poolwise" / "prefect.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_made_once_for_its_owner_only(file: Path) -> None:
    umask = os.umask(0)
    try:
        key = kept_key(file)
    finally:
        os.umask(umask)
    assert KEY.fullmatch(key)
    assert file.read_text().strip() == key == kept_key(file)
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["prefect.key"]


def test_every_key_is_another() -> None:
    assert len({new_key() for _ in range(100)}) == 100


@pytest.mark.parametrize("loose", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_could_read_is_replaced(file: Path, loose: int) -> None:
    before = kept_key(file)
    file.chmod(loose)
    assert kept_key(file) != before
    assert mode(file) == 0o600


def test_a_folder_that_others_can_enter_is_closed(file: Path) -> None:
    file.parent.mkdir(parents=True, mode=0o755)
    kept_key(file)
    assert mode(file.parent) == 0o700


@pytest.mark.parametrize("text", ["", "poolwise:short", "admin:admin", "é" * 60])
def test_what_is_no_key_is_replaced(file: Path, text: str) -> None:
    kept_key(file)
    file.write_text(text)
    assert KEY.fullmatch(kept_key(file))


def test_no_link_is_followed(file: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    planted.write_text(new_key())
    file.parent.mkdir(parents=True)
    file.symlink_to(planted)
    with pytest.raises(PoolwiseError, match="cannot be kept"):
        kept_key(file)


def test_a_folder_in_place_of_the_file_is_said(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(PoolwiseError, match=r"cannot be kept .*XDG_STATE_HOME"):
        kept_key(file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("whose", ["file", "folder"])
def test_what_belongs_to_somebody_else_is_refused(file: Path, whose: str) -> None:
    kept_key(file)
    os.chown(file if whose == "file" else file.parent, 12345, 12345)
    with pytest.raises(PoolwiseError, match="belongs to another user"):
        kept_key(file)


def test_several_that_start_at_once_have_one_key(file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: kept_key(file), range(32)))) == 1
