"""The tasks of a profile, and what names their data."""

from collections.abc import Mapping
from pathlib import Path

from asi_arch.domain.ports import Task
from asi_arch.domain.profile import Profile, StageName
from asi_arch.domain.record import canonical_hash
from asi_arch.tasks.language import LanguageTask
from asi_arch.tasks.recall import RecallTask


def build_tasks(profile: Profile, cache: Path) -> dict[StageName, Task]:
    """One task for every stage. Raises `DataError` for a corpus and `ProfileError` for a stage that can't be built."""
    return {
        StageName.LANGUAGE: LanguageTask(profile.language, cache),
        StageName.RECALL: RecallTask(profile.recall),
    }


def data_fingerprint(tasks: Mapping[StageName, Task]) -> str:
    """Changes whenever any batch of any stage would change."""
    return canonical_hash({stage.value: task.fingerprint for stage, task in tasks.items()})


def data_description(tasks: Mapping[StageName, Task]) -> str:
    """All stages in one line for people."""
    return "; ".join(tasks[stage].description for stage in StageName if stage in tasks)
