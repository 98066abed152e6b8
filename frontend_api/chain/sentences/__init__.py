"""Every custom error of every contract, with its HTTP status and its wording. A test walks the ABIs and fails where one is missing."""

from __future__ import annotations

from .core import CORE, OPENZEPPELIN
from .data import DATA
from .property import PROPERTY
from .receivables import RECEIVABLES
from .sentence import Sentence
from .warehouse import WAREHOUSE

SENTENCES: dict[str, Sentence] = {**OPENZEPPELIN, **CORE, **PROPERTY, **RECEIVABLES, **WAREHOUSE, **DATA}

__all__ = ["SENTENCES", "Sentence"]
