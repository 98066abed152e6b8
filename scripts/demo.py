"""ape run demo: the city in one command."""

from __future__ import annotations

from scripts.demonstration.play import command

cli = command(
    "demo",
    ("property", "receivables", "data"),
    """Play the stories on a fresh chain; ends with one line `demo: N steps, F failed` and exit status 0 or 1.

    Example: ape run demo --story property
    """,
)
