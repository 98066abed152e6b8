"""How a contract's refusal reads: an HTTP status and a sentence with the error's own values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..abi import Decoded

#: Arguments that hold a chain time, by name.
_TIMES = frozenset(
    [
        "validUntil",
        "chainTime",
        "latest",
        "completableAt",
        "anchoredAt",
        "deadline",
        "dueAt",
        "until",
        "defaultsAt",
        "reservedUntil",
        "answerBy",
    ]
)


@dataclass(frozen=True)
class Sentence:
    """`names`: what an enum argument's numbers are called."""

    status: int
    text: str
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def render(self, error: Decoded) -> str:
        values = {name: self._value(name, value) for name, value in error.args.items()}
        return self.text.format(error=error.name, **values)

    def _value(self, name: str, value: Any) -> str:
        if name in self.names and isinstance(value, int) and value < len(self.names[name]):
            return self.names[name][value]
        if name in _TIMES and isinstance(value, int) and value < 2**38:
            return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        if isinstance(value, bytes):
            stripped = value.rstrip(b"\0")
            readable = stripped and all(0x21 <= b < 0x7F for b in stripped)
            return stripped.decode("ascii") if readable else "0x" + value.hex()
        return str(value)
