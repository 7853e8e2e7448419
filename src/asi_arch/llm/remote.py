"""Services over HTTP through pydantic-ai's model classes, at their lowest level: one request, one response.

Its retries are not used and those of the providers' libraries are switched off (`patience` owns them); there are no
tools and no agents, and everything that goes wrong comes out as an `AttemptError` without the library's own error.
"""

import asyncio
import json
import warnings
from typing import Any, Final, NamedTuple, cast

import httpx2
from pydantic_ai import exceptions
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.settings import ModelSettings

from asi_arch.domain.exchanges import Ending, Reply, Request
from asi_arch.llm.backend import AttemptError, Permanent, Transient
from asi_arch.llm.plan import Protocol, Service
from asi_arch.llm.transport import ReplyTooLong, limited_client
from asi_arch.llm.wording import correction, schema_note

# Models that reason take no temperature; the library says so at every call, to nobody who could do anything about it.
warnings.filterwarnings("ignore", message="Sampling parameters .* are not supported", category=UserWarning)

_NO_KEY: Final = "unset"
_OVERLOADED: Final = frozenset({408, 409, 425, 429})
_REASON_CHARS = 500


class Access(NamedTuple):
    """How a service is reached."""

    service: Service
    model: str
    key: str
    """Empty for servers that want none."""
    is_ours: bool = False
    """Whether we started the server and know that it holds the model to a schema, so that it need not be shown."""


class RemoteBackend:
    """One model of one service."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client = limited_client(access.service.timeout_s)
        self._model = _model(access, self._client)
        profile = cast("dict[str, Any]", self._model.profile)
        is_held = bool(profile.get("supports_json_schema_output", False))
        self._is_native = is_held and access.service.form == "native"
        self._may_ignore_schemas = bool(access.service.url) and not access.is_ours

    async def complete(self, request: Request) -> Reply:
        """The reply. Raises `Transient` or `Permanent`."""
        outcome = await self._attempt(request)
        # Raised outside of the handler, so that no error of a library, which holds requests and headers, hangs on it.
        if isinstance(outcome, AttemptError):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _attempt(self, request: Request) -> Reply | AttemptError:
        limit_s = self._access.service.timeout_s
        settings = ModelSettings(temperature=request.temperature, max_tokens=request.max_tokens, timeout=limit_s)
        # No `asyncio.wait_for`: before Python 3.12 it loses a cancellation that comes as what it waits for ends.
        asked = asyncio.ensure_future(self._model.request(self._messages(request), settings, self._parameters(request)))
        try:
            done, _ = await asyncio.wait({asked}, timeout=limit_s)
            if not done:
                return Transient(f"no reply within {limit_s:g} s", is_charged=True)
            return _reply(asked.result())
        except exceptions.ModelHTTPError as error:
            return _of_status(error, self._access)
        except (exceptions.ModelAPIError, httpx2.HTTPError, ReplyTooLong) as error:
            return _of_connection(error, self._access)
        except exceptions.UserError as error:
            return Permanent(str(error)[:_REASON_CHARS])
        except (exceptions.AgentRunError, ValueError, TypeError, AttributeError, LookupError, AssertionError) as error:
            return _garbled(error)
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)

    def _messages(self, request: Request) -> list[ModelMessage]:
        is_shown = bool(request.json_schema) and (not self._is_native or self._may_ignore_schemas)
        system = request.prompt.system + (schema_note(request) if is_shown else "")
        first = [SystemPromptPart(content=system)] if system else []
        messages: list[ModelMessage] = [ModelRequest(parts=[*first, UserPromptPart(content=request.prompt.user)])]
        for turn in request.turns:
            messages.append(ModelResponse(parts=[TextPart(content=turn.reply or "(nothing)")]))
            messages.append(ModelRequest(parts=[UserPromptPart(content=correction(turn))]))
        return messages

    def _parameters(self, request: Request) -> ModelRequestParameters:
        if not (self._is_native and request.json_schema):
            return ModelRequestParameters()
        form = OutputObjectDefinition(json_schema=json.loads(request.json_schema), name=request.form or "answer")
        return ModelRequestParameters(output_mode="native", output_object=form)


def _model(access: Access, client: httpx2.AsyncClient) -> Model[Any]:
    service, url, key = access.service, access.service.url or None, access.key or _NO_KEY
    if service.protocol is Protocol.ANTHROPIC:
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        anthropic = AsyncAnthropic(api_key=key, base_url=url, http_client=client, max_retries=0)
        return AnthropicModel(access.model, provider=AnthropicProvider(anthropic_client=anthropic))
    if service.protocol is Protocol.GOOGLE:
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        return GoogleModel(access.model, provider=GoogleProvider(api_key=key, http_client=client, base_url=url))
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    openai = AsyncOpenAI(api_key=key, base_url=url or "https://api.openai.com/v1", http_client=client, max_retries=0)
    # Ollama, llama.cpp and others know the older name of the limit only, and would ignore the newer one.
    profile = None if url is None else OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
    return OpenAIChatModel(access.model, provider=OpenAIProvider(openai_client=openai), profile=profile)


def _reply(response: ModelResponse) -> Reply:
    details = response.provider_details or {}
    endings = {"length": Ending.TRUNCATED, "content_filter": Ending.REFUSED}
    ending = endings.get(response.finish_reason or "", Ending.ANSWERED)
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    usage = response.usage
    is_counted = bool(usage.input_tokens or usage.output_tokens)
    return Reply(
        text=text or str(details.get("refusal", "")),
        ending=ending,
        model=response.model_name or "",
        input_tokens=usage.input_tokens if is_counted else None,
        output_tokens=usage.output_tokens if is_counted else None,
    )


def _of_status(error: exceptions.ModelHTTPError, access: Access) -> Reply | AttemptError:
    status, told = error.status_code, _told(error.body)
    where = access.service.url or access.service.protocol.value
    if "insufficient_quota" in told or status == 402:
        return Permanent(f"no credit or quota is left (status {status}): {told}")
    if status in _OVERLOADED or status >= 500:
        return Transient(f"{where} answers with status {status}: {told}", retry_after_s=_retry_after_s(error))
    if status in (401, 403):
        return Permanent(f"{where} does not accept the key (status {status}): {told}")
    if status == 404:
        return Permanent(f"{where} knows no model {access.model!r}, or the URL is wrong (status 404): {told}")
    return Permanent(f"{where} does not take the request (status {status}): {told}")


def _retry_after_s(error: exceptions.ModelHTTPError) -> float | None:
    found = getattr(error, "retry_after", None)
    return max(0.0, float(found)) if isinstance(found, int | float) else None


def _of_connection(error: BaseException, access: Access) -> Reply | AttemptError:
    """By what lies at the bottom: never connected, cut off on the way, too long, or not JSON."""
    chain = _chain(error)
    where = access.service.url or access.service.protocol.value
    if any(isinstance(item, ReplyTooLong) for item in chain):
        return Reply(text="", ending=Ending.TRUNCATED)
    deepest = next((item for item in reversed(chain) if isinstance(item, httpx2.TransportError)), None)
    if deepest is None:
        return _garbled(error)
    reason = str(deepest) or type(deepest).__name__
    if isinstance(deepest, httpx2.UnsupportedProtocol | httpx2.ProxyError):
        return Permanent(f"{where} can't be reached: {reason}")
    is_connected = not isinstance(deepest, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
    what = "the connection was cut" if is_connected else "can't be reached"
    return Transient(f"{where}: {what}: {reason}", is_charged=is_connected)


def _garbled(error: BaseException) -> Reply:
    return Reply(text=str(error)[:_REASON_CHARS], ending=Ending.GARBLED)


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _told(body: object) -> str:
    """A service's own words, in one short line."""
    if body is None:
        return "no explanation"
    text = body if isinstance(body, str) else json.dumps(body, default=str)
    return " ".join(text.split())[:_REASON_CHARS]
