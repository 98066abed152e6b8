"""What `chaincity serve` runs in its worker process."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from fastapi import FastAPI

from .app import create_app

#: <sys/prctl.h>
_PR_SET_PDEATHSIG = 1


def create() -> FastAPI:
    """The application, in a process that ends with its parent: an orphan would go on sending beside its successor."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            raise SystemExit("the server that started this worker is gone")
    return create_app()
