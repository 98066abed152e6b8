"""Structured logs: JSON lines, or plain text for a person. Values that look like keys are never written."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

#: API keys and 32-byte hex values under names that hold secrets.
_SECRET_NAMES = re.compile(r"(key|secret|password|mnemonic|authorization|token)$", re.IGNORECASE)
_API_KEY = re.compile(r"cck_[A-Za-z0-9_-]+")


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = "[redacted]"
        elif isinstance(value, str):
            event[name] = _API_KEY.sub("cck_[redacted]", value)
    return event


def configure_logs(style: str) -> None:
    renderer: Any = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
