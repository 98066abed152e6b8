"""What the warehouse tests share: a made-up lot, and the states of receipts and pledges as the contract numbers them."""

from __future__ import annotations

from enum import IntEnum

FINGERPRINT, NUMBER, GOODS = b"\xf1" * 32, b"\xf2" * 32, b"\x60" * 32
QUANTITY = 500_000
SECURED = 90_000_000
UNIT = b"KGM"
DAY = 86400
BANK, COMPANY, WAREHOUSE, SUPERVISOR = 3, 5, 8, 9


class Held(IntEnum):
    """States of a receipt."""

    NONE, STORED, DELIVERED, STRUCK = range(4)


class Pledged(IntEnum):
    """States of a pledge."""

    NONE, PROPOSED, ACCEPTED, ACTIVE, DECLINED, WITHDRAWN, LAPSED, RELEASED, ENFORCED = range(9)
