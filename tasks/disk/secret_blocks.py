"""Prefect's Secret blocks, asked of a server that is there already; and a store's keys, which may be in one of them."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from typing import Any

from tasks.study.errors import PoolwiseError

STORE_BLOCK = "POOLWISE_STORE_BLOCK"
STORES = ("AWS_", "GOOGLE_", "AZURE_")  # how the variables begin that a store's client reads


def secret_of(name: str) -> Any:
    """What the block holds: a text, or what its JSON means. Raises PoolwiseError.

    No server is started for it: Prefect would start one of its own, which answers everybody.
    """
    if "prefect" not in sys.modules and not os.environ.get("PREFECT_API_URL"):
        raise _without_block(name, "no Prefect server is named by PREFECT_API_URL")
    from prefect.blocks.system import Secret
    from prefect.settings import get_current_settings

    if not get_current_settings().api.url:
        raise _without_block(name, "no Prefect server is named by PREFECT_API_URL")
    try:
        return Secret.load(name).get()  # type: ignore[union-attr]
    except Exception as error:
        raise _without_block(name, type(error).__name__) from None


def use_store_block() -> None:
    """Put the variables that the block named by STORE_BLOCK holds into the environment, where stores' clients look.

    The block is read once a process. Without STORE_BLOCK nothing is done. Raises PoolwiseError.
    """
    if name := os.environ.get(STORE_BLOCK, "").strip():
        os.environ.update(_variables(name))


@cache
def _variables(name: str) -> dict[str, str]:
    held = secret_of(name)
    try:
        found = json.loads(held) if isinstance(held, str) else held
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(_is_of_a_store(*each) for each in found.items()):
        raise PoolwiseError(
            f"Prefect's Secret block {name}, which {STORE_BLOCK} names, does not hold variables of a store. Give "
            f"it JSON whose names begin with {', '.join(STORES)}, as in: "
            '{"AWS_ACCESS_KEY_ID": "…", "AWS_SECRET_ACCESS_KEY": "…"}'
        )
    return found


def _is_of_a_store(name: object, value: object) -> bool:
    return isinstance(name, str) and name.startswith(STORES) and isinstance(value, str)


def _without_block(name: str, why: str) -> PoolwiseError:
    return PoolwiseError(
        f"Prefect's Secret block {name} cannot be read: {why}. Make it with the server that this process uses, or give "
        "an environment variable instead."
    )
