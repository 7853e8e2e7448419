"""Who counts as the gallery of a campaign: its fittest candidates, to be set against all others."""

from asi_arch.report.digest import Digest, Line

FITTEST = 10


def groups(campaign: Digest) -> tuple[list[Line], list[Line]]:
    """The fittest candidates, and all others; at most half of those with a fitness are the fittest."""
    scored = [line for line in campaign.candidates if line.summary.fitness is not None]
    scored.sort(key=lambda line: (-(line.summary.fitness or 0.0), line.summary.index))
    fittest = scored[: min(FITTEST, len(scored) // 2)]
    chosen = {line.summary.index for line in fittest}
    return fittest, [line for line in campaign.candidates if line.summary.index not in chosen]
