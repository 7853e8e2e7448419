"""Where the Diversifier sends an idea that was had before: disciplines, each with what it could mean for a mixer."""

from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import NamedTuple


class Discipline(NamedTuple):
    """A field of knowledge."""

    name: str
    words: str
    """A sentence that begins with the field's name."""


def _discipline(name: str, meaning: str) -> Discipline:
    return Discipline(name, f"{name}: {meaning}")


DISCIPLINES = (
    _discipline("control theory", "treat the state as a plant, and let feedback correct what it got wrong."),
    _discipline("error-correcting codes", "store each fact redundantly, so that a damaged one can still be read."),
    _discipline("population genetics", "let memories compete, drift and recombine, and keep those that proved useful."),
    _discipline("signal processing", "split the stream into bands or phases, and filter each at a rate of its own."),
    _discipline("information theory", "spend state on what is surprising, and none on what could be predicted."),
    _discipline("dynamical systems", "choose attractors, oscillations or slow manifolds that hold what matters."),
    _discipline("statistical physics", "let a temperature or an energy decide how sharply memories settle."),
    _discipline("fluid dynamics", "let information be carried, mixed and damped along a flow through the channels."),
    _discipline("topology", "keep what survives deformation: order, loops or neighbourhoods of tokens."),
    _discipline("differential geometry", "keep the state on a curved space, such as rotations, and move along it."),
    _discipline("optimisation", "read the update as a solver's step: momentum, preconditioner, trust region."),
    _discipline("numerical analysis", "discretise the recurrence by a better rule: implicit, multi-step or adaptive."),
    _discipline("Bayesian filtering", "keep an uncertainty beside each memory, and weigh new evidence against it."),
    _discipline("neuroscience", "let synapses tire, recover or be tagged, and remember an event in two phases."),
    _discipline("immunology", "let detectors that matched once grow stronger and answer faster the next time."),
    _discipline("ecology", "let heads share a resource, so that each is driven into a niche of its own."),
    _discipline("economics", "let tokens bid for room in the state, at a price that rises as it fills."),
    _discipline("databases", "index, log and compact what was written, and separate a hot store from a cold one."),
    _discipline("operating systems", "page, prefetch and evict memories as a cache does, by recency and frequency."),
    _discipline("data compression", "build a dictionary of what recurs, and store only references to it."),
    _discipline("computational linguistics", "open and close frames, as clauses nest, and bind words to roles."),
    _discipline("music theory", "keep several metres at once, and let events fall on strong and weak beats."),
    _discipline("cartography", "keep the same past on maps of several scales, coarse for far and fine for near."),
    _discipline("queueing theory", "let tokens wait, be served by priority, and leave when they are stale."),
    _discipline("cryptography", "address by keys that are spread so evenly that no two facts collide by accident."),
    _discipline("chemistry", "let two memories react only where both are present, and saturate."),
)


def drawn(used: Iterable[str], rng: Random) -> Discipline:
    """One of those whose names come least often among the used ones."""
    counts = Counter(used)
    least = min(counts[discipline.name] for discipline in DISCIPLINES)
    return rng.choice([discipline for discipline in DISCIPLINES if counts[discipline.name] == least])
