"""What to do where the kernel or the machine's owner forbids name spaces, without which neither outer wall stands."""

from pathlib import Path

_FORBIDDEN = ("namespace", "operation not permitted", "unshare", "clone", "permission denied", "uid map")
"""Words of the programs that are refused them, in lower case."""
_SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "0"),
    ("kernel/unprivileged_userns_clone", "1"),
    ("user/max_user_namespaces", "10000"),
)
"""Below /proc/sys, with the value that permits them; the last one forbids them at 0 only."""


def way_to_name_spaces(said: str, switches: Path = Path("/proc/sys")) -> str:
    """For a program that said so when it was refused: which switch is off, in words to append; else empty."""
    if not any(word in said.lower() for word in _FORBIDDEN):
        return ""
    for name, wanted in _SWITCHES:
        found = _value(switches / name)
        if found is not None and found != wanted and not (name.startswith("user/") and found != "0"):
            return f" (the kernel forbids it; its owner can permit it: sysctl -w {name.replace('/', '.')}={wanted})"
    return " (the kernel, or a container that this machine is, forbids it; permit unprivileged user name spaces there)"


def _value(switch: Path) -> str | None:
    try:
        return switch.read_text(encoding="ascii").strip()
    except OSError:
        return None
