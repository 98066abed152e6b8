"""Who plays: members of the charter, and those that the story admits, by their index in the development mnemonic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Party:
    """code: unified social credit code; index: in the development mnemonic; new: not in the charter"""

    name: str
    title: str
    code: str
    index: int
    kind: str = "company"
    new: bool = True


CORE = Party("debtor", "涟源钢铁 Lianyuan Steel", "91431382MA5277275H", 6, new=False)
TIER_1 = (
    Party("supplier", "湘中机械 Xiangzhong Machinery", "91431381MA5198083N", 5, new=False),
    Party("forging", "娄底锻造 Loudi Forging", "91431300MA5700000T", 20),
    Party("bearings", "娄星轴承 Louxing Bearings", "91431302MA5711113N", 21),
    Party("castings", "冷水江铸件 Lengshuijiang Castings", "91431381MA57222263", 22),
    Party("antimony", "涟源锑业 Lianyuan Antimony", "91431382MA5733339G", 23),
)
TIER_2 = (
    Party("logistics", "新化物流 Xinhua Logistics", "91431322MA5744452L", 24),
    Party("tooling", "娄底刀具 Loudi Tooling", "91431300MA5755565P", 25),
    Party("refractory", "娄星耐火 Louxing Refractory", "91431302MA5766678K", 26),
    Party("packaging", "冷水江包装 Lengshuijiang Packaging", "91431381MA57777912", 27),
    Party("electrics", "涟源电气 Lianyuan Electrics", "91431382MA5788904T", 28),
)
TIER_3 = (
    Party("scrap", "新化废钢 Xinhua Scrap", "91431322MA58000170", 29),
    Party("sand", "娄底砂石 Loudi Sand", "91431300MA58111305", 30),
    Party("timber", "娄星木业 Louxing Timber", "91431302MA58222431", 31),
    Party("repairs", "冷水江检修 Lengshuijiang Repairs", "91431381MA5833356D", 32),
    Party("grease", "涟源油脂 Lianyuan Grease", "91431382MA5844469T", 33),
)
BANKS = (
    Party("bank", "娄底农商银行 Loudi Rural Commercial Bank", "91431300MA49605155", 2, "bank", new=False),
    Party("bank2", "湘中银行 Xiangzhong Bank", "91431300MA5039701U", 3, "bank", new=False),
    Party("bank3", "新化村镇银行 Xinhua Village Bank", "91431322MA5855582Y", 34, "bank"),
    Party("bank4", "娄底商业银行 Loudi Commercial Bank", "91431300MA58666952", 35, "bank"),
    Party("bank5", "娄星信用社 Louxing Credit Cooperative", "91431302MA58778089", 36, "bank"),
)
SUPPLIERS = (*TIER_1, *TIER_2, *TIER_3)
EVERYBODY = (CORE, *SUPPLIERS, *BANKS)
NEW = tuple(party for party in EVERYBODY if party.new)
BY_NAME = {party.name: party for party in EVERYBODY}

#: The tier-1 supplier that does not pay an invoice of its own, and the tier-2 supplier that wrote the invoice.
DEFAULTER, CREDITOR = BY_NAME["antimony"], BY_NAME["electrics"]
