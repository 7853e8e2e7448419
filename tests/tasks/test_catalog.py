from pathlib import Path

import pytest

from asi_arch.domain.profile import LanguageStage, Profile, StageName
from asi_arch.tasks.catalog import build_tasks, data_description, data_fingerprint
from asi_arch.testing.records import make_profile


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    (tmp_path / "book.txt").write_text("a line of text\n" * 1000)
    return make_profile(language=LanguageStage(data=str(tmp_path / "book.txt"), context=32, held_out_windows=8))


def test_a_profile_has_one_task_per_stage(profile: Profile, tmp_path: Path) -> None:
    tasks = build_tasks(profile, tmp_path / "cache")
    assert list(tasks) == [StageName.LANGUAGE, StageName.RECALL]
    assert data_description(tasks) == "text of book.txt: 1 file, 15.0 kB; 4 synthetic tasks of 64 tokens"


def test_the_data_are_named_by_all_stages(profile: Profile, tmp_path: Path) -> None:
    names = {data_fingerprint(build_tasks(profile, tmp_path / "cache")) for _ in range(2)}
    assert len(names) == 1
    longer = profile.model_copy(update={"recall": profile.recall.model_copy(update={"length": 80})})
    names.add(data_fingerprint(build_tasks(longer, tmp_path / "cache")))
    (tmp_path / "book.txt").write_text("another line of text\n" * 1000)
    names.add(data_fingerprint(build_tasks(profile, tmp_path / "cache")))
    assert len(names) == 3
