"""A founded city on the in-process chain: contracts by name, members by name, money issued where a test needs it."""

from __future__ import annotations

from typing import Any

from scripts.deployment.plan import City, currency_bytes, found_city, read_charter

from .evm import Chain, Contract, EvmBackend, dev_account


class TestCity:
    __test__ = False

    def __init__(self) -> None:
        self.chain = Chain()
        self.city: City = found_city(EvmBackend(self.chain), read_charter())
        self.members = {name: entry["address"] for name, entry in self.city.members.items()}
        self.token = self.contract("SettlementToken:CNY")
        #: Residents, enrolled once for all tests: accounts 10 to 14.
        self.li, self.wang, self.zhao, self.chen, self.guo = (dev_account(i) for i in range(10, 15))
        for number, resident in enumerate((self.li, self.wang, self.zhao, self.chen, self.guo)):
            self.contract("Members").enrol(
                resident, bytes([number + 1]) * 32, self.chain.time + 10 * 365 * 86400, sender=self.registry
            )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.__dict__.get("members", {}):
            raise AttributeError(name)
        return self.members[name]

    def contract(self, name: str) -> Contract:
        return self.chain.at(self.city.types[name], self.city.contracts[name])

    def fund(self, account: Any, amount: int, currency: str = "CNY") -> None:
        """Let a settlement bank issue tokens, `amount` in minor units."""
        token = self.contract(f"SettlementToken:{currency}")
        token.issue(account, amount, b"\x01" * 32, sender=self.bank)

    def approve_escrow(self, account: Any, amount: int, currency: str = "CNY") -> None:
        token = self.contract(f"SettlementToken:{currency}")
        token.approve(self.contract("Escrow"), amount, sender=account)


CNY = currency_bytes("CNY")
