"""The Reflector: from the finished experiments to statistics, sentences and weights; needs no language model.

`credit` finds out which mechanisms pay, `findings` gathers everything else, `agenda` draws the consequences.
"""

from asi_arch.agents.reflection.agenda import FEWEST_MEASURED, StatisticsReflector, agenda_of

__all__ = ["FEWEST_MEASURED", "StatisticsReflector", "agenda_of"]
