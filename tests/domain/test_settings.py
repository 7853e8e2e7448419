from pathlib import Path

import pytest

from asi_arch.domain.errors import ProfileError, UserError
from asi_arch.settings import PROFILES, load_profile, load_settings, profile_names


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((PROFILES / "smoke.toml").read_text() + "\n[serach]\n")
    with pytest.raises(ProfileError, match="unknown key 'serach'"):
        load_profile(str(path))


def test_an_unknown_profile_lists_those_that_ship() -> None:
    with pytest.raises(ProfileError, match=r"no profile 'gpu'.*cpu, paper, smoke"):
        load_profile("gpu")


def test_rubbish_is_not_toml(tmp_path: Path) -> None:
    path = tmp_path / "rubbish.toml"
    path.write_bytes(b"\xff\x00")
    with pytest.raises(ProfileError, match="can't be read as TOML"):
        load_profile(str(path))


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_that_ships_loads_under_its_own_name(name: str) -> None:
    assert load_profile(name).name == name


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "asi-arch"
    folder.mkdir()
    (folder / "settings.toml").write_text('workers = 3\nstate = "from-file"\n')
    settings = load_settings({"XDG_CONFIG_HOME": str(tmp_path), "ASI_ARCH_STATE": "from-env"})
    assert (settings.workers, settings.state) == (3, Path("from-env"))


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(UserError, match="workers"):
        load_settings({"XDG_CONFIG_HOME": "/nonexistent", "ASI_ARCH_WORKERS": "many"})


def test_own_papers_lie_where_the_user_keeps_data(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": "/nonexistent", "XDG_DATA_HOME": str(tmp_path)}
    assert load_settings(environment).papers == tmp_path / "asi-arch" / "papers"
    assert load_settings({**environment, "ASI_ARCH_PAPERS": "mine"}).papers == Path("mine")
