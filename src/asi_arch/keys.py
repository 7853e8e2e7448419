"""Keys of services: from the environment, or from a file that only its owner can read. Never from the settings."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from asi_arch.domain.errors import UserError
from asi_arch.llm.lines import default_variable
from asi_arch.llm.plan import MindPlan
from asi_arch.llm.prices import is_own_machine
from asi_arch.llm.redact import SHORTEST


def found_keys(plan: MindPlan, services: list[str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The key of each of these services that has one. Raises `UserError` for one that can't be a key."""
    found = {name: key for name in services if (key := _key(plan, name, environment))}
    for name, key in found.items():
        service = plan.service(name)
        _require_plausible(name, key, is_remote=service is None or not is_own_machine(service.url))
    return found


def _key(plan: MindPlan, name: str, environment: Mapping[str, str]) -> str:
    service = plan.service(name)
    if service is None:
        return ""
    variable = service.key_variable or default_variable(name)
    if value := environment.get(variable, "").strip():
        return value
    if service.key_variable and service.key_file is None and not is_own_machine(service.url):
        raise UserError(f"no key for {name!r}: the environment variable {variable} is not set")
    return "" if service.key_file is None else _from_file(service.key_file.expanduser())


def _from_file(path: Path) -> str:
    """What is in a key file. Raises `UserError` for one that others may read, before it is read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UserError(f"key file {path} can't be read: {error.strerror}") from None
    with os.fdopen(handle, encoding="utf-8", errors="replace") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UserError(f"key file {path} is not a file")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise UserError(f"key file {path} can be read by others (mode {mode:o}); run: chmod 600 {path}")
        content = file.read(10_000).strip()
    if not content:
        raise UserError(f"key file {path} is empty")
    return content


def _require_plausible(name: str, key: str, *, is_remote: bool) -> None:
    """Never shows the key."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UserError(f"the key of {name!r} has line breaks, spaces or unusual characters; it must be the key alone")
    if is_remote and len(key) < SHORTEST:
        raise UserError(f"the key of {name!r} has {len(key)} characters; a key has at least {SHORTEST}")
