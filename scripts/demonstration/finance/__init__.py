"""The finance story: 500 receivables of a core company, three tiers of suppliers, five banks, a warehouse.

From real invoices to cash: splits down the tiers, competing quotes, every fraud that the platform is there to refuse, a default
with recourse, and a reconciliation that balances to the minor unit.
"""

from __future__ import annotations

from ..stage import Stage
from . import delivery, fraud, goods, maturity, opening, reconciliation, sales
from .market import Market

#: Accounts of the development mnemonic that the story's members have.
ACCOUNTS = 37


def play(stage: Stage) -> None:
    market = Market(stage)
    opening.play(market)
    delivery.play(market)
    sales.play(market)
    fraud.play(market)
    goods.play(market)
    maturity.play(market)
    reconciliation.play(market)
