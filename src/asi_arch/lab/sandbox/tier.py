"""Tiers of containment, and which one this machine can offer."""

import platform
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from asi_arch.lab.sandbox import bubblewrap, container, landlock, seccomp


class Tier(str, Enum):
    """Best first. The value is stored with every result."""

    BUBBLEWRAP = "bubblewrap"
    """Own name spaces and file system, and inside of them everything of the next tier."""
    LANDLOCK = "landlock"
    """Landlock and seccomp on the machine's own file system."""
    CONTAINER = "container"
    """A container of Podman's without network, in which each child has name spaces of its own. Not for promotion."""
    NONE = "process"
    """A process of its own with a cleared environment, which can read the user's files and use the network."""

    @property
    def is_contained(self) -> bool:
        """Whether code of unknown origin may run in it."""
        return self is not Tier.NONE


class Offer(NamedTuple):
    """The best tier, and why better ones are not to be had."""

    tier: Tier
    missing: tuple[str, ...]


@lru_cache
def best_offer() -> Offer:
    """What this machine offers, found by trying."""
    missing: list[str] = []
    for tier in Tier:
        complaint = complaint_about(tier)
        if not complaint:
            return Offer(tier, tuple(dict.fromkeys(missing)))
        missing.append(complaint)
    raise AssertionError("a process of its own can always be had")


def complaint_about(tier: Tier) -> str:
    """Why this tier can't be had here, and what to install; empty where it can."""
    if tier is Tier.NONE:
        return ""
    if tier is Tier.CONTAINER:
        return _kernel_complaint(needs_landlock=False) or container.complaint()
    return _kernel_complaint(needs_landlock=True) or (bubblewrap.complaint() if tier is Tier.BUBBLEWRAP else "")


def _kernel_complaint(*, needs_landlock: bool) -> str:
    """Why seccomp, which every tier needs, or Landlock can't be used."""
    if platform.system() != "Linux":
        return f"code can be contained on Linux only, this is {platform.system()}"
    if needs_landlock and landlock.version() < 1:
        return (
            f"the kernel {platform.release()} has no Landlock (Linux has it since 5.13; it may be switched off at boot)"
        )
    if not seccomp.is_supported():
        return f"the system calls of a {platform.machine()} are not known"
    return ""
