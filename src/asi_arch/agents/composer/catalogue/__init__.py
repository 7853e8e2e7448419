"""All mechanisms that the composer knows, by key."""

from collections.abc import Mapping
from types import MappingProxyType

from asi_arch.agents.composer.catalogue.address import ADDRESS
from asi_arch.agents.composer.catalogue.memory import MEMORY
from asi_arch.agents.composer.catalogue.output import OUTPUT
from asi_arch.agents.composer.catalogue.paths import PATHS
from asi_arch.agents.composer.mechanism import Mechanism

CATALOGUE: Mapping[str, Mechanism] = MappingProxyType({m.key: m for m in (*MEMORY, *ADDRESS, *PATHS, *OUTPUT)})
"""Every mechanism by its key, in the order in which a mixer applies them."""
