"""A design: which mechanisms a mixer is made of, and with which settings. Always consistent."""

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.mechanism import EXCLUSIVE, Family, Mechanism, Setting
from asi_arch.domain.record import Record

MAX_MATRICES = 8.8
"""Largest size of a mixer in units of width squared (36k of the 38k parameters that fit at width 64)."""


class Part(Record):
    """A mechanism in use, with one of its choices for every parameter."""

    key: str
    settings: dict[str, Setting] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_in_the_catalogue(self) -> Self:
        if self.key not in CATALOGUE:
            raise ValueError(f"unknown mechanism {self.key!r}; known are {', '.join(CATALOGUE)}")
        choices = self.mechanism.settings
        if set(choices) != set(self.settings):
            raise ValueError(f"{self.key} takes the settings {sorted(choices)}, got {sorted(self.settings)}")
        for name, value in self.settings.items():
            if value not in choices[name]:
                raise ValueError(f"{self.key}.{name} must be one of {choices[name]}, got {value!r}")
        return self

    @property
    def mechanism(self) -> Mechanism:
        """Its entry in the catalogue."""
        return CATALOGUE[self.key]


class Design(Record):
    """Parts in the catalogue's order, free of conflicts, with all that they need.

    Build one with `settle`; a contradiction is a `ValueError`.
    """

    parts: tuple[Part, ...]

    @field_validator("parts")
    @classmethod
    def _in_order(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        order = list(CATALOGUE)
        return tuple(sorted(parts, key=lambda part: order.index(part.key)))

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        keys = [part.key for part in self.parts]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a mechanism can be used once, got {keys}")
        for part in self.parts:
            others = [CATALOGUE[key] for key in keys if key != part.key]
            if clash := next((other.key for other in others if are_in_conflict(part.mechanism, other)), None):
                raise ValueError(f"{part.key} and {clash} exclude each other")
            if missing := next(
                (g for g in (*part.mechanism.needs, *part.mechanism.within) if not set(g) & set(keys)), None
            ):
                raise ValueError(f"{part.key} needs one of {', '.join(missing)}")
            if part.mechanism.least_paths > len(self.side_paths):
                raise ValueError(f"{part.key} needs {part.mechanism.least_paths} side paths, got {self.side_paths}")
        if not any(part.mechanism.family is Family.UPDATE for part in self.parts):
            raise ValueError("a design needs one mechanism of the family 'update'")
        return self

    def __contains__(self, key: object) -> bool:
        """Whether the mechanism of this key is in use."""
        return any(part.key == key for part in self.parts)

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all mechanisms in use, in the catalogue's order."""
        return tuple(part.key for part in self.parts)

    @property
    def update(self) -> str:
        """Key of the update rule."""
        return next(part.key for part in self.parts if part.mechanism.family is Family.UPDATE)

    @property
    def settings(self) -> Mapping[str, Mapping[str, Setting]]:
        """Settings of every mechanism in use, by its key."""
        return {part.key: part.settings for part in self.parts}

    @property
    def side_paths(self) -> tuple[str, ...]:
        """What stands beside the memory, one name per path, e.g. ('filter 3', 'filter 15', 'value')."""
        return _side_paths(self.parts)

    @property
    def matrices(self) -> float:
        """Rough number of parameters in units of width squared, at width 64."""
        extra_steps = int(str(self.settings.get("delta_steps", {}).get("steps", 2))) - 2
        return sum(part.mechanism.matrices for part in self.parts) + 2.0 * extra_steps


def _side_paths(parts: Iterable[Part]) -> tuple[str, ...]:
    used = {part.key: part.settings for part in parts}
    taps = used.get("multi_scale_fir", {}).get("taps", ())
    filters = [f"filter {size}" for size in taps] if isinstance(taps, tuple) else []
    singles = {"value_path": "value", "window_branch": "window", "slow_memory": "slow"}
    return (*filters, *(name for key, name in singles.items() if key in used))


def are_in_conflict(one: Mechanism, other: Mechanism) -> bool:
    """Whether two different mechanisms cannot stand in one design."""
    is_same_slot = one.family is other.family and one.family in EXCLUSIVE
    return is_same_slot or other.key in one.excludes or one.key in other.excludes


def settle(parts: Iterable[Part], rng: Random | None = None, *, barred: frozenset[str] = frozenset()) -> Design:
    """The consistent design nearest to `parts`, of which earlier ones win over later ones.

    What is in conflict or makes no sense where it stands is left out; what is needed is added (drawn by `rng`, else the
    first that would do). Keys in `barred` are never added.
    """
    chosen: dict[str, Part] = {}
    for part in parts:
        if part.key not in chosen and not _conflicts(part.mechanism, chosen):
            chosen[part.key] = part
    banned = set(barred)
    while flaw := next(_flaws(chosen), None):
        key, group = flaw
        remedies = [k for k in group if k not in banned and not _conflicts(CATALOGUE[k], chosen)]
        if remedies and group in CATALOGUE[key].needs:
            remedy = rng.choice(remedies) if rng else remedies[0]
            chosen[remedy] = part_of(remedy, rng)
        else:
            banned.add(key)
            del chosen[key]
    if not any(part.mechanism.family is Family.UPDATE for part in chosen.values()):
        update = "additive_write" if "delta_rule" in barred else "delta_rule"
        return settle([part_of(update, rng), *chosen.values()], rng)  # bars yield to what an update cannot do without
    return Design(parts=tuple(chosen.values()))


def part_of(key: str, rng: Random | None = None) -> Part:
    """A mechanism with settings drawn by `rng`, else with its first choices."""
    choices = CATALOGUE[key].settings
    return Part(key=key, settings={name: rng.choice(values) if rng else values[0] for name, values in choices.items()})


def _conflicts(mechanism: Mechanism, chosen: Mapping[str, Part]) -> list[str]:
    return [key for key in chosen if key != mechanism.key and are_in_conflict(mechanism, CATALOGUE[key])]


def _flaws(chosen: Mapping[str, Part]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Mechanisms with a group of which none is present, or (with an empty group) with too few side paths."""
    paths = len(_side_paths(chosen.values()))
    for key in chosen:
        if CATALOGUE[key].least_paths > paths:
            yield key, ()
        for group in (*CATALOGUE[key].within, *CATALOGUE[key].needs):
            if not any(member in chosen for member in group):
                yield key, group
