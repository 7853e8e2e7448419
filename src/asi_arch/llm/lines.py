"""From what is written in the settings to a line: 'openai:gpt-5-mini', 'gguf:model.gguf', 'inbox:questions'."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from asi_arch.domain.errors import UserError
from asi_arch.domain.exchanges import Exchanges
from asi_arch.domain.extras import how_to_install, is_installed
from asi_arch.domain.minds import Role
from asi_arch.llm.backend import Backend
from asi_arch.llm.inbox import InboxBackend
from asi_arch.llm.mind import Line
from asi_arch.llm.model_file import checked_model
from asi_arch.llm.patience import Patience
from asi_arch.llm.plan import GGUF, INBOX, KNOWN, PLACES, REPLAY, MindPlan, Protocol
from asi_arch.llm.prices import Tariff, free, is_own_machine, tariff_of
from asi_arch.llm.recorded import ReplayBackend

_NEEDED = {Protocol.OPENAI: "openai", Protocol.ANTHROPIC: "anthropic", Protocol.GOOGLE: "google.genai"}
_MANY = 1_000_000


class Spec(NamedTuple):
    """What stands before and after the first colon."""

    service: str
    model: str
    """A model's name, or a path for `gguf`, `inbox` and `replay`."""

    def __str__(self) -> str:
        return f"{self.service}:{self.model}"


@dataclass(frozen=True)
class Surroundings:
    """What lines are made with."""

    plan: MindPlan
    keys: Mapping[str, str]
    """By service; a service that is reached without a key has none."""
    open_record: Callable[[Path], Exchanges]
    """Opens another campaign's record for reading."""
    rng: Random
    tick: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


def parsed(text: str, plan: MindPlan) -> Spec:
    """Raises `UserError` for an unknown service or a missing model."""
    service, colon, model = (part.strip() for part in text.partition(":"))
    if service not in PLACES and plan.service(service) is None:
        known = ", ".join(sorted({*KNOWN, *plan.services, *PLACES}))
        raise UserError(
            f"unknown service {service!r} in {text!r}; there are {known}, and those that you describe in the settings"
            " under [minds.services.NAME]"
        )
    if not colon or not model:
        example = {GGUF: "gguf:models/small.gguf", INBOX: "inbox:questions", REPLAY: "replay:campaigns/default"}
        raise UserError(
            f"{text!r} names no {'path' if service in PLACES else 'model'};"
            f" write it like {example.get(service, f'{service}:MODEL')!r}"
        )
    return Spec(service, model)


def remote_services(plan: MindPlan) -> list[str]:
    """The services that any role uses and that are reached over HTTP."""
    return sorted({parsed(text, plan).service for text in plan.all_specs()} - set(PLACES))


def open_line(spec: Spec, around: Surroundings) -> Line:
    """A line to who is named. Raises `UserError` for a missing key, extra, model file or record."""
    backend, tariff, at_once = _backend(spec, around)
    total_s = around.plan.patience_s
    patience = Patience(total_s, at_once=at_once, rng=around.rng, tick=around.tick, sleep=around.sleep)
    return Line(str(spec), backend, tariff, patience)


def open_lines(around: Surroundings) -> dict[Role, tuple[Line, ...]]:
    """For every role that has a mind a line to it, or to each of several; the same mind is always on the same line."""
    plan, lines = around.plan, dict[Spec, Line]()
    found: dict[Role, tuple[Line, ...]] = {}
    for role in Role:
        specs = members_of(plan, role)
        for spec in specs:
            if spec not in lines:
                lines[spec] = _sharing(open_line(spec, around), [lines[s] for s in lines if s.service == spec.service])
        if specs:
            found[role] = tuple(lines[spec] for spec in specs)
    return found


def members_of(plan: MindPlan, role: Role) -> list[Spec]:
    """Who answers for a role, none or several. Raises `UserError` for one that is named twice."""
    specs = [parsed(text, plan) for text in plan.specs(role)]
    for spec in specs:
        if specs.count(spec) > 1:
            raise UserError(f"'{spec}' is named twice for the {role.value} under [minds.roles]; name each mind once")
    return specs


def _sharing(line: Line, others: list[Line]) -> Line:
    """One service is down or overloaded for all of its models at once."""
    return replace(line, patience=others[0].patience) if others else line


def _backend(spec: Spec, around: Surroundings) -> tuple[Backend, Tariff, int]:
    """Who answers, at what price, and how many questions at once."""
    plan, place = around.plan, Path(spec.model).expanduser()
    if spec.service == INBOX:
        inbox = InboxBackend(place, patience_s=plan.inbox_patience_s, tick=around.tick, sleep=around.sleep)
        return inbox, free, _MANY
    if spec.service == REPLAY:
        return ReplayBackend(around.open_record(place), str(spec)), free, 1
    if spec.service == GGUF:
        return _local(place, plan), free, 1
    return _remote(spec, around)


def _local(path: Path, plan: MindPlan) -> Backend:
    model = checked_model(path)
    _require("xllamacpp", "local")
    _require("pydantic_ai", "local")
    from asi_arch.llm.gguf import GgufBackend

    return GgufBackend(model, plan)


def _remote(spec: Spec, around: Surroundings) -> tuple[Backend, Tariff, int]:
    service = around.plan.service(spec.service)
    assert service is not None
    key = around.keys.get(spec.service, "")
    if not key and not is_own_machine(service.url):
        variable = service.key_variable or default_variable(spec.service)
        raise UserError(
            f"no key for {spec.service!r}: set the environment variable {variable}, or put the key into a file that"
            f" only you can read (chmod 600) and name it in the settings as minds.services.{spec.service}.key_file"
        )
    _require("pydantic_ai", "minds")
    _require(_NEEDED[service.protocol], "minds")
    from asi_arch.llm.remote import Access, RemoteBackend

    tariff = tariff_of(spec.service, service, spec.model)
    return RemoteBackend(Access(service, spec.model, key)), tariff, service.at_once


def default_variable(service: str) -> str:
    """The environment variable that holds a service's key."""
    return "".join(c if c.isalnum() else "_" for c in service).upper() + "_API_KEY"


def _require(module: str, extra: str) -> None:
    if not is_installed(module):
        raise UserError(f"this mind needs packages that are not installed; run: {how_to_install(extra)}")
