from collections.abc import Callable

import numpy as np
import pytest
from safetensors.numpy import save

from asi_arch.domain.candidate import Author
from asi_arch.domain.outcome import Run
from asi_arch.domain.profile import ModelSpec, StageName
from asi_arch.domain.verdict import Verdict
from asi_arch.report.export.subject import Source, Subject
from asi_arch.testing.records import make_campaign, make_experiment, make_profile, make_proposal

WIDTH, MLP_WIDTH, VOCABULARY = 32, 24, 256
MakeSubject = Callable[..., Subject]


def arrays() -> dict[str, np.ndarray]:
    """Of a model without a mixer: what every model has."""
    shapes = {"embedding.weight": (VOCABULARY, WIDTH), "norm.weight": (WIDTH,), "blocks.0.mixer.a.weight": (2,)}
    return {name: np.arange(np.prod(shape), dtype=np.float32).reshape(shape) for name, shape in shapes.items()}


@pytest.fixture
def make_subject() -> MakeSubject:
    """Makes what an export is made from; the weights need not fit the source unless they are given."""

    def make(
        source: str | None = None,
        *,
        weights: bytes | None = None,
        verdict: Verdict | None = None,
        papers: tuple[Source, ...] = (),
        tokenizer: str = "",
        **proposal: object,
    ) -> Subject:
        changes = {**proposal, **({} if source is None else {"source": source})}
        idea = make_proposal("KeenMixer", author=Author.COMPOSER).model_copy(update=changes)
        experiment = make_experiment(7, idea)
        run: Run = next(run for run in experiment.runs if run.key.stage is StageName.LANGUAGE)
        profile = make_profile(model=ModelSpec(depth=2, width=WIDTH, heads=2))
        campaign = make_campaign(profile).model_copy(
            update={"data_description": "a text of ours; with a semicolon: 1 file, 1.0 MB; 5 synthetic tasks"}
        )
        return Subject(
            campaign=campaign,
            experiment=experiment,
            run=run.model_copy(update={"mlp_width": MLP_WIDTH, "weights": "b" * 64}),
            weights=save(arrays()) if weights is None else weights,
            tokenizer=tokenizer,
            verdict=verdict,
            ancestors=(make_experiment(0, make_proposal("delta_net", author=Author.BASELINE)).summary(),),
            baselines=(make_experiment(0, make_proposal("delta_net", author=Author.BASELINE)).summary(),),
            papers=papers,
            version="0.1.0",
        )

    return make
