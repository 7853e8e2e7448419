"""What was asked, how it was measured, and what may be wrong with it, from a campaign's own profile."""

from asi_arch.domain.campaign import Campaign
from asi_arch.domain.profile import Policy, Profile
from asi_arch.report import imported_words
from asi_arch.report.digest import Digest
from asi_arch.report.words import listed, plural

_POLICIES = {
    Policy.EVOLUTION: "the parent is drawn from the pool's ranks {0}-{1}, examples from ranks {2}-{3}",
    Policy.GREEDY: "the parent is always the fittest, examples come from ranks {2}-{3}",
    Policy.RANDOM: "no parent and no examples: every design is drawn at random, as a control",
}


def question(campaign: Digest) -> str:
    """What the campaign looked for, in a sentence."""
    if campaign.is_imported:
        return imported_words.question(campaign)
    search = campaign.campaign.profile.search
    return (
        "Find a token mixer that models language better than the baselines without losing the ability to recall what it"
        f" has seen. Baselines: {listed(campaign.baseline_names)}; the reference is {campaign.yardstick.reference}."
        f" Policy: {search.policy.value}. Seed of the search: {campaign.campaign.seed}."
    )


def glossary(campaign: Digest) -> list[tuple[str, str]]:
    """The page's terms, for those who meet them here."""
    if campaign.is_imported:
        return imported_words.glossary(campaign)
    reference = campaign.yardstick.reference
    return [
        (
            "Language loss",
            "minus the logarithm of the probability that the model gave to the token that came next, averaged over text"
            " that it was not trained on, in nats. Lower is better; 0.1 lower means a tenth more probability for every"
            " token.",
        ),
        (
            "Recall accuracy",
            "the share of right answers in synthetic tasks that ask for something seen earlier in the sequence,"
            " averaged over the tasks. Multi-query recall is the most telling one: which value came with this key?",
        ),
        (
            "Fitness",
            f"what the search maximises, between 0 and 1; a model exactly as good as {reference} in loss and recall has"
            " half of the points for both, and the judge's mark decides about the last third.",
        ),
        (
            "Judge",
            "marks for the design itself (how much work it does, how simple and how new it is), computed by rules.",
        ),
        (
            "Seed",
            "decides about the random initial weights and the order of the data. Models that differ by less than two"
            " trainings of one of them do are a tie.",
        ),
        (
            "Vault",
            "a part of the data that is looked at once a candidate was found better with fresh seeds on another such"
            " part, and never otherwise. There every token is hidden from the model until its loss is known.",
        ),
    ]


def method(campaign: Digest) -> list[str]:
    """How every candidate is trained, measured and chosen."""
    if campaign.is_imported:
        return imported_words.method(campaign)
    profile, search = campaign.campaign.profile, campaign.campaign.profile.search
    ranks = (*search.parent_ranks, *search.reference_ranks)
    return [
        f"Model: {plural(profile.model.depth, 'layer')} of width {profile.model.width}, {profile.model.heads} heads,"
        f" {profile.precision} on {profile.device}. The width of the MLP adapts so that all models have equally many"
        " parameters.",
        _language(campaign.campaign),
        _recall(profile),
        f"Every model is trained with the seeds {', '.join(map(str, profile.seeds))}; the loss is computed outside of"
        " the candidate's processes, on data that it never receives.",
        "Fitness: the mean of three terms between 0 and 1, for the gain in language loss, the gain in recall accuracy"
        f" and the judged design. Gains are relative to {campaign.yardstick.reference} and count up to"
        f" ±{profile.fitness.band:.0%}; a larger gain in loss is taken for a leak." + _veto(campaign),
        *_early_stop(campaign),
        f"Search: {_POLICIES[search.policy].format(*ranks)}; a pool of {search.pool_size}, closed for the first"
        f" {search.cold_start} experiments and refreshed after every {search.update_every}.",
        "Verification: fresh seeds, the same for candidate and baselines, scored on text that the search never saw;"
        " moderated paired t-test, corrected for all verifications of the campaign. Where that refuses nothing, it and"
        f" {campaign.yardstick.reference} are scored in the vault, blind, at up to {profile.blind.vault_positions:,}"
        " positions of either stage; means over the seeds, 95% interval from drawing whole documents again.",
    ]


def threats(campaign: Digest) -> list[str]:
    """Why the numbers may mislead, as far as it is known from the campaign itself."""
    if campaign.is_imported:
        return imported_words.threats(campaign)
    profile = campaign.campaign.profile
    found = [
        f"The search's numbers come from {plural(len(profile.seeds), 'seed')} each and choose the best of many: they"
        " are leads. Only the section on verified models makes claims.",
        f"Small models and short trainings: {plural(profile.model.depth, 'layer')} of width {profile.model.width},"
        f" {profile.language.steps:,} steps. Whether this ranking holds at a larger scale was not measured.",
        "Learning rate and schedule were set once for all models; a candidate may win or lose by how they suit it.",
        "The synthetic tasks are few and accuracy jumps when a model learns to recall: its noise is far from normal.",
        "The judge marks the design, not the truth; a third of the fitness is its opinion.",
    ]
    if profile.fitness.formula == "recall_veto":
        found.append(
            f"The veto compares a candidate's multi-query recall with {campaign.yardstick.floor}'s as they were"
            " measured: near the limit, the seeds' noise decides."
        )
    if campaign.language_noise is None:
        found.insert(1, "The noise between seeds is unknown, because no model was trained with two.")
    else:
        found.insert(
            1,
            f"Two trainings of the same model with other seeds differ by {campaign.language_noise.std:.3f} nats (one"
            f" standard deviation, {campaign.language_noise.degrees} degrees of freedom). Smaller differences mean"
            " little.",
        )
    if campaign.vault_looks > 1:
        found.append(
            f"The vault was opened {plural(campaign.vault_looks, 'time')}; every look makes it a little less fresh."
        )
    return found


def _language(campaign: Campaign) -> str:
    stage = campaign.profile.language
    tokens = stage.steps * stage.batch * stage.context
    return (
        f"Language stage: {campaign.data_description}, vocabulary '{stage.vocabulary}', context {stage.context}, batch"
        f" {stage.batch}, {stage.steps:,} steps ({tokens / 1e6:.2f}M tokens); loss in nats per token on"
        f" {stage.held_out_windows} held-out windows."
    )


def _recall(profile: Profile) -> str:
    stage = profile.recall
    return (
        f"Recall stage: {', '.join(stage.tasks)}, sequences of {stage.length} tokens, batch {stage.batch},"
        f" {stage.steps:,} steps; accuracy on {stage.held_out_per_task} held-out sequences per task."
    )


def _veto(campaign: Digest) -> str:
    if campaign.campaign.profile.fitness.formula == "paper":
        return " The formula is the paper's, without a veto."
    floor = f"{campaign.yardstick.floor}'s"
    return f" A candidate whose multi-query recall is below {floor} is vetoed and has no fitness, whatever its loss."


def _early_stop(campaign: Digest) -> list[str]:
    """The rule in a sentence; nothing where there is none."""
    watch = campaign.campaign.profile.watch
    if not watch.rungs:
        return []
    rungs = listed([f"at {rung.fraction:.0%} of the run by more than {rung.margin:g} nats" for rung in watch.rungs])
    return [
        f"Early stop: a training of the language stage ends when its loss, the mean of the last {watch.window} steps,"
        f" is worse than {campaign.yardstick.reference}'s at the same step and seed, {rungs}, on all seeds. Of all"
        f" candidates {watch.audit_fraction:.0%} are trained on nevertheless, to measure the rule.",
    ]
