"""How components are called: as the composer's mechanisms, or by one name per family for what is none of them."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.mechanism import Family

_FAMILIES = {
    Family.UPDATE: "another rule by which the memory is written or tokens are mixed",
    Family.DECAY: "another way to forget",
    Family.WRITE: "another control of what is written",
    Family.INPUT: "another treatment of the input before queries, keys and values",
    Family.FEATURES: "another feature map of queries and keys",
    Family.ADDRESS: "another change to queries and keys",
    Family.BRANCH: "another path beside the main memory",
    Family.ROUTING: "another way to weigh the paths",
    Family.NORM: "another normalisation",
    Family.GATE: "another gate on the output",
}


def other(family: Family) -> str:
    """The name of what belongs to a family and is none of its mechanisms."""
    return f"other_{family.value}"


VOCABULARY: Mapping[str, str] = MappingProxyType(
    {
        **{key: mechanism.title for key, mechanism in CATALOGUE.items()},
        **{other(family): gloss for family, gloss in _FAMILIES.items()},
    }
)
"""Every known name with a short gloss, in the order in which a mixer applies them."""


def plain_name(text: str) -> str:
    """A name as it is compared and stored: small letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")


def spoken(name: str) -> str:
    """The name in words, to be searched for in a text: its gloss, or itself."""
    mechanism = CATALOGUE.get(name)
    return mechanism.title if mechanism else name.replace("_", " ")
