"""A TCP proxy before a server, for tests of what happens when that server vanishes without a word."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Self

from tests.support.ports import own_port


class Proxy:
    """Listens on 127.0.0.1 and passes everything on to `target`, a port of 127.0.0.1 or a unix socket's path.

    In a thread with an event loop of its own. A context manager.
    """

    def __init__(self, target: int | str) -> None:
        self.port = own_port()
        self.target = target
        self._open: list[_Passage] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", self.port))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def vanish(self, successor: int | str) -> None:
        """As a host that is gone: what is open takes data and gives none, for ever; new ones reach `successor`."""
        self.target = successor
        self._run(self._swallow())

    def move(self, successor: int | str) -> None:
        """As a name that points elsewhere: what is open stays open, new connections reach `successor`."""
        self.target = successor

    @property
    def open(self) -> int:
        """How many connections are open and passed on."""
        return sum(not passage.swallows for passage in tuple(self._open))

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(self.target, str):
                upstream = await asyncio.open_unix_connection(self.target)
            else:
                upstream = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        passage = _Passage(writer, upstream[1])
        self._open.append(passage)
        try:
            await asyncio.gather(passage.pump(reader, upstream[1]), passage.pump(upstream[0], writer))
        finally:
            self._open.remove(passage)
            for each in (upstream[1], writer):
                each.transport.abort()

    async def _swallow(self) -> None:
        for passage in self._open:
            passage.swallows = True
            passage.upstream.close()

    async def _close(self) -> None:
        self._server.close()
        for passage in self._open:
            for writer in (passage.upstream, passage.client):
                writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Transports close in the loop's next round.
        await asyncio.sleep(0)


class _Passage:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, upstream: asyncio.StreamWriter) -> None:
        self.client = client
        self.upstream = upstream
        self.swallows = False

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy until one end closes; while it swallows, read and write nothing."""
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self.swallows:
                    writer.write(data)
                    await writer.drain()
        # The end of a connection is a word, too.
        if not self.swallows or writer is self.upstream:
            writer.close()
