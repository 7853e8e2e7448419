"""What the user asked for, as a profile: a new campaign's, or a known one's unless another was asked for."""

from pathlib import Path
from typing import NamedTuple

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.errors import StoreMismatch
from asi_arch.domain.profile import Policy, Profile
from asi_arch.settings import load_profile

DEFAULT_PROFILE = "cpu"


class Wish(NamedTuple):
    """What the user asked for; None means 'whatever the campaign has, or the default for a new one'."""

    profile: str | None = None
    seed: int | None = None
    policy: Policy | None = None
    data: str | None = None
    reflection: bool | None = None


def wished_profile(wish: Wish) -> Profile:
    """The profile named by the user with the other wishes put in."""
    profile = load_profile(wish.profile or DEFAULT_PROFILE)
    if wish.policy is not None:
        search = profile.search.model_copy(update={"policy": wish.policy})
        profile = profile.model_copy(update={"search": search})
    if wish.data is not None:
        profile = profile.model_copy(update={"language": profile.language.model_copy(update={"data": wish.data})})
    if wish.reflection is not None:
        agents = profile.agents.model_copy(update={"reflection": wish.reflection})
        profile = profile.model_copy(update={"agents": agents})
    return profile


def asked_profile(wish: Wish, known: Campaign | None, folder: Path) -> Profile:
    """A campaign's own profile, unless the user asked for another one: that is refused, naming what differs."""
    if known is None:
        return wished_profile(wish)
    own = known.profile
    if wish.seed is not None and wish.seed != known.seed:
        raise _mismatch(folder, f"has seed {known.seed}, not {wish.seed}")
    if wish.policy is not None and wish.policy is not own.search.policy:
        raise _mismatch(folder, f"has the policy '{own.search.policy.value}', not '{wish.policy.value}'")
    if wish.data is not None and wish.data != own.language.data:
        raise _mismatch(folder, f"was trained on {own.language.data!r}, not {wish.data!r}")
    if wish.reflection is not None and wish.reflection != own.agents.reflection:
        raise _mismatch(folder, "was started to reflect" if own.agents.reflection else "was started without --reflect")
    if wish.profile is not None:
        same_rest = Wish(wish.profile, None, own.search.policy, own.language.data, own.agents.reflection)
        asked = wished_profile(same_rest)
        if asked.profile_hash != own.profile_hash:
            names = f"'{own.name}' ({own.profile_hash[:8]}), not '{asked.name}' ({asked.profile_hash[:8]})"
            raise _mismatch(folder, f"was made with the profile {names}")
    return own


def _mismatch(folder: Path, what: str) -> StoreMismatch:
    advice = "leave the option out to go on with it, or choose another folder with --state"
    return StoreMismatch(f"{folder} {what}; {advice}")
