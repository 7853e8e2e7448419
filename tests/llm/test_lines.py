import time
from pathlib import Path
from random import Random

import pytest

from asi_arch.domain.errors import StoreError, UserError
from asi_arch.domain.minds import MindRejected, Role
from asi_arch.llm import lines
from asi_arch.llm.lines import Surroundings, open_line, open_lines, parsed
from asi_arch.llm.plan import MindPlan, Service
from asi_arch.llm.prices import tariff_of
from asi_arch.llm.recorded import ReplayBackend
from asi_arch.llm.scripted import ScriptedBackend
from asi_arch.settings import load_settings
from asi_arch.store.exchanges import SqliteExchanges
from asi_arch.testing.mind_contract import make_question


def around(plan: MindPlan = MindPlan(), **keys: str) -> Surroundings:  # noqa: B008 (frozen)
    def reading(folder: Path) -> SqliteExchanges:
        return SqliteExchanges.open(folder, read_only=True)

    return Surroundings(plan, keys, reading, Random(0), time.monotonic)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpt:4", "unknown service 'gpt'.*anthropic.*inbox.*openai"),
        ("openai", "names no model.*'openai:MODEL'"),
        ("openai: ", "names no model"),
        ("gguf:", r"names no path.*gguf:models"),
        ("", "unknown service"),
    ],
)
def test_what_names_nobody_is_explained(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parsed(text, MindPlan())


def test_a_model_may_have_colons_in_its_name() -> None:
    assert parsed("ollama:qwen2.5-coder:7b", MindPlan()) == ("ollama", "qwen2.5-coder:7b")


def test_a_missing_key_says_what_to_set() -> None:
    with pytest.raises(UserError, match=r"no key for 'openai'.*OPENAI_API_KEY.*chmod 600"):
        open_line(parsed("openai:gpt-5-mini", MindPlan()), around())


def test_a_missing_extra_is_named(monkeypatch) -> None:
    monkeypatch.setattr(lines, "is_installed", lambda _name: False)
    with pytest.raises(UserError, match=r"pip install .*\[minds\]'"):
        open_line(parsed("ollama:small", MindPlan()), around())


def test_a_model_file_must_be_there_and_gguf(tmp_path: Path) -> None:
    wrong = tmp_path / "model.gguf"
    wrong.write_text("PK")
    with pytest.raises(UserError, match="is not a GGUF file"):
        open_line(parsed(f"gguf:{wrong}", MindPlan()), around())
    with pytest.raises(UserError, match="can't be read"):
        open_line(parsed(f"gguf:{tmp_path / 'none.gguf'}", MindPlan()), around())


def test_an_inbox_that_is_a_file_and_a_record_that_is_missing_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be made"):
        open_line(parsed(f"inbox:{tmp_path / 'file'}", MindPlan()), around())
    with pytest.raises(StoreError, match="holds no exchanges"):
        open_line(parsed(f"replay:{tmp_path}", MindPlan()), around())


def test_roles_with_one_mind_share_its_line(tmp_path: Path) -> None:
    plan = MindPlan(default=f"inbox:{tmp_path / 'a'}", roles={Role.JUDGE: f"inbox:{tmp_path / 'b'}"})
    lines = open_lines(around(plan))
    assert lines[Role.ANALYST] == lines[Role.DEBUGGER]
    assert [line.name[-1] for line in (*lines[Role.JUDGE], *lines[Role.ANALYST])] == ["b", "a"]


def test_a_role_may_have_several_minds_each_on_one_line(tmp_path: Path) -> None:
    a, b = (f"inbox:{tmp_path / name}" for name in "ab")
    found = open_lines(around(MindPlan(default=b, roles={Role.RESEARCHER: (a, b)})))
    assert [line.name for line in found[Role.RESEARCHER]] == [a, b]
    assert found[Role.RESEARCHER][1] is found[Role.JUDGE][0]


def test_every_member_is_looked_at_before_anything_is_asked(tmp_path: Path) -> None:
    inbox = f"inbox:{tmp_path / 'a'}"
    with pytest.raises(UserError, match="no key for 'openai'"):
        open_lines(around(MindPlan(roles={Role.JUDGE: (inbox, "openai:gpt-5-mini")})))
    with pytest.raises(UserError, match="named twice for the judge"):
        open_lines(around(MindPlan(roles={Role.JUDGE: (inbox, f" {inbox}")})))
    plan = MindPlan(roles={Role.JUDGE: (inbox, "openai:a", "deepseek:b")})
    assert lines.remote_services(plan) == ["deepseek", "openai"]


@pytest.mark.parametrize("named", ["[]", '["openai:a", ""]'])
def test_a_role_that_names_nobody_is_refused(tmp_path: Path, named: str) -> None:
    folder = tmp_path / "asi-arch"
    folder.mkdir()
    (folder / "settings.toml").write_text(f"[minds.roles]\njudge = {named}\n")
    with pytest.raises(UserError, match=r"minds\.roles.*judge must name one mind or a list"):
        load_settings({"XDG_CONFIG_HOME": str(tmp_path)})


def test_settings_take_a_list_of_minds_for_a_role(tmp_path: Path) -> None:
    folder = tmp_path / "asi-arch"
    folder.mkdir()
    text = '[minds.roles]\nresearcher = ["openai:a", "gguf:/m.gguf", "deepseek:deepseek-chat"]\njudge = "openai:b"\n'
    (folder / "settings.toml").write_text(text)
    plan = load_settings({"XDG_CONFIG_HOME": str(tmp_path), "ASI_ARCH_MINDS": "inbox:q"}).minds
    assert plan.specs(Role.RESEARCHER) == ("openai:a", "gguf:/m.gguf", "deepseek:deepseek-chat")
    assert (plan.specs(Role.JUDGE), plan.specs(Role.ANALYST)) == (("openai:b",), ("inbox:q",))
    assert plan.all_specs() == ["inbox:q", "openai:a", "gguf:/m.gguf", "deepseek:deepseek-chat", "openai:b"]


async def test_a_replay_gives_the_same_answers_in_the_same_order(desk, tmp_path: Path) -> None:
    minds = desk.minds(ScriptedBackend(['{"score": 1}', "no", '{"score": 2}']))
    first = [(await minds.ask(make_question(subject="1"))).score for _ in range(2)]
    replay = ReplayBackend(SqliteExchanges.open(desk.folder, read_only=True), "replay:first")
    desk.folder = tmp_path / "other"
    again = desk.minds(replay)
    assert [(await again.ask(make_question(subject="1"))).score for _ in range(2)] == first == [1, 2]
    with pytest.raises(MindRejected, match="was answered 2 times"):
        await again.ask(make_question(subject="1"))
    with pytest.raises(MindRejected, match="never asked"):
        await again.ask(make_question(subject="2"))


def test_prices_come_from_the_user_then_the_list_and_ones_own_machine_is_free() -> None:
    pytest.importorskip("genai_prices")
    priced = Service.model_validate({"prices": {"*": {"input_usd_per_million": 1, "output_usd_per_million": 2}}})
    assert tariff_of("mine", priced, "any")(1_000_000, 1_000_000) == 3.0
    assert tariff_of("ollama", MindPlan().service("ollama") or Service(), "any")(10, 10) == 0.0
    assert (tariff_of("openai", Service(), "gpt-4o-mini")(1_000_000, 0) or 0.0) > 0.0
    assert tariff_of("openai", Service(), "no-such-model")(10, 10) is None


def test_settings_describe_services_roles_and_budgets(tmp_path: Path) -> None:
    folder = tmp_path / "asi-arch"
    folder.mkdir()
    (folder / "settings.toml").write_text(
        '[minds]\ndefault = "lab:small"\n[minds.roles]\njudge = "openai:gpt-5-mini"\n'
        '[minds.services.lab]\nurl = "http://10.0.0.7:8000/v1"\n[minds.services.openai]\nat_once = 2\n'
        "[minds.budgets.campaign]\nusd = 5.0\n"
    )
    plan = load_settings({"XDG_CONFIG_HOME": str(tmp_path), "OPENAI_BASE_URL": "https://proxy.example/v1"}).minds
    assert (plan.specs(Role.JUDGE), plan.specs(Role.ANALYST)) == (("openai:gpt-5-mini",), ("lab:small",))
    openai = plan.service("openai")
    assert openai is not None
    assert (openai.url, openai.at_once) == ("https://proxy.example/v1", 2)
    assert plan.budgets.campaign.usd == 5.0


@pytest.mark.parametrize(
    "line", ['url = "ftp://x"', 'url = "https://me:sk-secret@x"', 'key_variable = "sk-secret"', 'key = "sk-secret"']
)
def test_a_wrong_service_is_named_without_showing_what_may_be_a_key(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "asi-arch"
    folder.mkdir()
    (folder / "settings.toml").write_text(f"[minds.services.lab]\n{line}\n")
    with pytest.raises(UserError, match=r"minds\.services\.lab") as raised:
        load_settings({"XDG_CONFIG_HOME": str(tmp_path)})
    assert "sk-secret" not in str(raised.value)


async def test_garbage_of_any_size_is_refused_in_time(desk) -> None:
    pytest.importorskip("json_repair")
    began = time.process_time()
    with pytest.raises(Exception, match="in 3 tries"):
        await desk.minds(ScriptedBackend(lambda _: '{"a": ' * 15_000 + "}" * 15_000)).ask(make_question())
    assert time.process_time() - began < 30
