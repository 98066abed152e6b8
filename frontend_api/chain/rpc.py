"""JSON-RPC over HTTP. One request is one attempt: retrying is the caller's decision, because a lost reply may hide a done deed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import aiohttp
import orjson

from ..errors import Unavailable


class NodeUnreachable(Unavailable):
    """The node did not answer, or not in JSON-RPC. Whether it did what it was asked is not known."""

    code, title = "node-unreachable", "The chain's node cannot be reached"


class RpcError(Exception):
    """The node's own error."""

    def __init__(self, code: int, message: str, data: Any = None):
        super().__init__(f"{message} ({code})")
        self.code, self.message, self.data = code, message, data


Request = tuple[str, Sequence[Any]]


class Rpc:
    def __init__(self, url: str, timeout_seconds: float = 10):
        self._url, self._timeout = url, aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._ids = count(1)

    async def call(self, method: str, *params: Any) -> Any:
        """One request. Raises `NodeUnreachable` or the node's `RpcError`."""
        reply = await self._post({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})
        if not isinstance(reply, dict):
            raise NodeUnreachable("The node's reply is not JSON-RPC.")
        return _result(reply, raising=True)

    async def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Many requests in one HTTP request; each result is the value or an `RpcError`, in the order asked."""
        if not requests:
            return []
        numbered = [(next(self._ids), method, params) for method, params in requests]
        reply = await self._post(
            [{"jsonrpc": "2.0", "id": i, "method": method, "params": params} for i, method, params in numbered]
        )
        if not isinstance(reply, list):
            raise NodeUnreachable("The node's reply to a batch is not a list.")
        by_id = {item.get("id"): item for item in reply if isinstance(item, dict)}
        missing = [i for i, _, _ in numbered if i not in by_id]
        if missing:
            raise NodeUnreachable(f"The node left {len(missing)} of {len(numbered)} requests unanswered.")
        return [_result(by_id[i], raising=False) for i, _, _ in numbered]

    async def _post(self, body: Any) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                self._url, data=orjson.dumps(body), headers={"content-type": "application/json"}
            ) as response:
                raw = await response.read()
                if response.status != 200:
                    raise NodeUnreachable(f"The node answered HTTP {response.status}.")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise NodeUnreachable(f"The node did not answer ({type(error).__name__}).") from error
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise NodeUnreachable("The node's reply is not JSON.") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _result(reply: dict[str, Any], *, raising: bool) -> Any:
    error = reply.get("error")
    if error is not None:
        made = RpcError(int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
        if raising:
            raise made
        return made
    if "result" not in reply:
        raise NodeUnreachable("The node's reply has neither result nor error.")
    return reply["result"]
