"""ape run demo_finance: supply-chain finance, from 500 invoices to a reconciliation."""

from __future__ import annotations

from scripts.demonstration.play import command

cli = command(
    "demo-finance",
    ("finance",),
    """Play the finance story on a fresh chain; ends with one line `demo-finance: N steps, F failed` and exit status 0 or 1.

    A core company, three tiers of suppliers, five banks and a warehouse; 500 receivables; fraud refused; a default.

    Example: ape run demo_finance --json
    """,
)
