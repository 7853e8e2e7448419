"""A local model: llama.cpp in a child process that serves on loopback, with a key made for the occasion.

In a process of its own, because a crash in native code, or a model larger than the memory, must not take the controller
along. It ends when this process does, whatever ends it.
"""

import asyncio
import json
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Final

from asi_arch.domain.exchanges import Reply, Request
from asi_arch.llm.backend import Permanent
from asi_arch.llm.plan import MindPlan, Service
from asi_arch.llm.remote import Access, RemoteBackend

START_S: Final = 600.0
_LAST_CHARS = 2000


class GgufBackend:
    """One model file, loaded with the first question."""

    def __init__(self, path: Path, plan: MindPlan) -> None:
        """Of a file that `checked_model` let through."""
        self._path = path
        self._plan = plan
        self._key = secrets.token_urlsafe(24)
        self._starting = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._remote: RemoteBackend | None = None

    async def complete(self, request: Request) -> Reply:
        """The model's reply. Raises `Permanent` when it can't be started, `Transient` when it died on the way."""
        return await (await self._running()).complete(request)

    async def close(self) -> None:
        """End the child."""
        if self._remote is not None:
            await self._remote.close()
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
            await self._child.wait()
        self._child, self._remote = None, None

    async def _running(self) -> RemoteBackend:
        """The started server; a dead one is started again."""
        async with self._starting:
            if self._remote is None or self._child is None or self._child.returncode is not None:
                await self.close()
                url = await self._start()
                service = Service(url=f"{url}/v1", at_once=1, timeout_s=3600.0)
                self._remote = RemoteBackend(Access(service, self._path.stem, self._key, is_ours=True))
            return self._remote

    async def _start(self) -> str:
        """The address of the child's server. What llama.cpp says of loading lies in a file, which can't run full."""
        wish = {"model": str(self._path), "key": self._key, "context": self._plan.context_tokens}
        pipe = asyncio.subprocess.PIPE
        with tempfile.TemporaryFile() as said:
            command = (sys.executable, "-m", "asi_arch.llm.gguf_server")
            child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=said)
            self._child = child
            assert child.stdin and child.stdout
            child.stdin.write(json.dumps({**wish, "threads": self._plan.threads}).encode() + b"\n")
            try:
                line = await asyncio.wait_for(child.stdout.readline(), START_S)
            except asyncio.TimeoutError:
                line = b""
            if line:
                return str(json.loads(line)["url"])
            if child.returncode is None:
                child.kill()
            await child.wait()
            said.seek(0)
            told = said.read().decode(errors="replace").strip()[-_LAST_CHARS:]
        raise Permanent(f"llama.cpp can't load {self._path.name}: {told or f'no sign of life within {START_S:.0f} s'}")
