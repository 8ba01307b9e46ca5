"""A submission server on loopback that keeps what it receives and answers what a test tells it to. Tests only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class SmtpServer:
    """``replies`` overrides the answer to a command line by its beginning, e.g. ``RCPT TO:<a@b>`` → ``550 no``."""

    port: int = 0
    replies: dict[str, str] = field(default_factory=dict)
    recipients: list[str] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    _handlers: set[asyncio.Task[Any]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            await self._converse(reader, writer)
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip():
            answer = self._answer(line)
            writer.write(answer.encode() + b"\r\n")
            if line == "QUIT":
                await writer.drain()
                return
            if answer.startswith("354"):
                body = await reader.readuntil(b"\r\n.\r\n")
                self.messages.append(message_from_bytes(body[:-3], policy=policy.default))
                writer.write(self.replies.get("end of DATA", "250 queued").encode() + b"\r\n")

    def _answer(self, line: str) -> str:
        for beginning, answer in self.replies.items():
            if line.startswith(beginning):
                return answer
        if line.startswith("RCPT TO:"):
            self.recipients.append(line.removeprefix("RCPT TO:").strip("<>"))
        return "354 go on" if line == "DATA" else "250 ok"

    async def stop(self) -> None:
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)


@asynccontextmanager
async def smtp_server() -> AsyncIterator[SmtpServer]:
    """Serves one server while the body runs."""
    state = SmtpServer()
    server = await asyncio.start_server(state.serve, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    async with server:
        yield state
        await state.stop()
