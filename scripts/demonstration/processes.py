"""The processes of a demonstration or a test: Anvil and the service, on free loopback ports, stopped by their own pids."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scripts.deployment.artifacts import ROOT, tool_environment

MNEMONIC = "test test test test test test test test test test test junk"
#: Anvil's chain id.
CHAIN_ID = 31337


class StartError(RuntimeError):
    """A process did not come up; the message holds the end of its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rpc(url: str, method: str, *params: Any) -> Any:
    """One plain JSON-RPC request, for set-up and checks outside the service."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        reply = json.load(response)
    if "error" in reply:
        raise RuntimeError(f"{method}: {reply['error'].get('message')}")
    return reply["result"]


def rpc_many(url: str, method: str, parameters: Sequence[Sequence[Any]]) -> list[Any]:
    """The same request with many parameters, in batches."""
    found: list[Any] = []
    for start in range(0, len(parameters), 250):
        part = parameters[start : start + 250]
        body = [{"jsonrpc": "2.0", "id": i, "method": method, "params": list(p)} for i, p in enumerate(part)]
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            replies = sorted(json.load(response), key=lambda reply: int(reply["id"]))
        for reply in replies:
            if "error" in reply:
                raise RuntimeError(f"{method}: {reply['error'].get('message')}")
            found.append(reply["result"])
    return found


class Process:
    """A child process with a log file, in a session of its own so that stopping it stops its children too."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: dict[str, str] | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.log = name, folder / f"{name}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment or tool_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def wait_until(self, ready: Any, seconds: float) -> None:
        """Wait until `ready()` is true; a StartError with the log's end when it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise StartError(f"{self.name} ended with status {self._process.returncode}:\n{self._tail()}")
            with suppress(OSError, ValueError, RuntimeError, urllib.error.URLError):
                if ready():
                    return
            time.sleep(0.05)
        raise StartError(f"{self.name} did not come up within {seconds:.0f} s:\n{self._tail()}")

    def stop(self, seconds: float = 10) -> None:
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


def start_anvil(folder: Path, *options: str, block_time: float | None = None) -> tuple[Process, str]:
    """A fresh Anvil with free gas, like the city's own chain; with `block_time` it mines in intervals instead of at once."""
    port = free_port()
    command = ["anvil", "--host", "127.0.0.1", "--port", str(port), "--mnemonic", MNEMONIC, "--accounts", "20"]
    command += ["--gas-price", "0", "--block-base-fee-per-gas", "0", "--gas-limit", "1000000000", "--silent", *options]
    if block_time is not None:
        command += ["--block-time", str(block_time)]
    process = Process("anvil", command, folder)
    url = f"http://127.0.0.1:{port}"
    try:
        process.wait_until(lambda: int(rpc(url, "eth_chainId"), 16) == CHAIN_ID, 20)
    except StartError:
        process.stop()
        raise
    return process, url


def service_environment(rpc_url: str, deployment: Path, folder: Path, port: int, relayer: str) -> dict[str, str]:
    """The service's settings on a development chain."""
    return {
        **tool_environment(),
        "CHAINCITY_RPC_URL": rpc_url,
        "CHAINCITY_DEPLOYMENT": str(deployment),
        "CHAINCITY_DATABASE_URL": f"sqlite:///{folder / 'service.db'}",
        "CHAINCITY_PORT": str(port),
        "CHAINCITY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CHAINCITY_MNEMONIC": MNEMONIC,
        "CHAINCITY_RELAYER": relayer,
        "CHAINCITY_FINALITY_DEPTH": "2",
    }


def start_service(environment: dict[str, str], folder: Path) -> tuple[Process, str]:
    """The HTTP service, ready."""
    process = Process("service", [sys.executable, "-m", "frontend_api.cli", "serve"], folder, environment)
    url = f"http://127.0.0.1:{environment['CHAINCITY_PORT']}"

    def ready() -> bool:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)

    try:
        process.wait_until(ready, 40)
    except StartError:
        process.stop()
        raise
    return process, url


@contextmanager
def stopping(*processes: Process) -> Iterator[None]:
    """Stop them however the block ends."""
    try:
        yield
    finally:
        for process in reversed(processes):
            process.stop()
