"""The Researcher that needs no model: typed mechanisms, designs made of them, and the code that they stand for.

`catalogue` holds the mechanisms, `design` keeps them consistent, `mutation` moves among designs, `rendering` writes
the code, `wording` and `argument` the words.
"""

from asi_arch.agents.composer.baselines import BASELINE_DESIGNS, baseline_proposal
from asi_arch.agents.composer.catalogue import CATALOGUE
from asi_arch.agents.composer.composer import Composer
from asi_arch.agents.composer.design import Design, Part
from asi_arch.agents.composer.mechanism import Mechanism
from asi_arch.agents.composer.rendering import rendered

__all__ = ["BASELINE_DESIGNS", "CATALOGUE", "Composer", "Design", "Mechanism", "Part", "baseline_proposal", "rendered"]
