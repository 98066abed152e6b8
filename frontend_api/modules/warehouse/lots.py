"""What stands for a lot of goods on chain: its two keyed fingerprints and the commitment to its description.

docs/lots.md defines them to the byte:

    HMAC(key, canonical), RFC 2104 with Keccak-256 (block of 136 bytes)
    canonical = the UTF-8 bytes of a JSON array, without spaces and with non-ASCII characters as they are:
        full    ["chaincity lot 1", warehouse, owner, number, date, description, quantity, unit]
        number  ["chaincity lot number 1", warehouse, number in letters and digits]

    goods = Keccak-256(salt, UTF-8 bytes of ["chaincity goods 1", description])
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from ..receivables.invoices import keyed
from ..receivables.ubl import letters_and_digits, normal

_FULL: Final = "chaincity lot 1"
_NUMBER: Final = "chaincity lot number 1"
_GOODS: Final = "chaincity goods 1"


@dataclass(frozen=True)
class Lot:
    """The facts of a lot.

    warehouse, owner: unified social credit codes; the owner at the time of the receipt
    number: the warehouse's own, as it writes it
    taken_in: YYYY-MM-DD
    quantity: whole `unit`s; unit: UN/ECE Recommendation 20 code
    """

    warehouse: str
    owner: str
    number: str
    taken_in: str
    description: str
    quantity: int
    unit: str

    def fingerprints(self, key: bytes) -> tuple[bytes, bytes]:
        """The full one and that of the number, 32 bytes each."""
        full = (
            _FULL,
            self.warehouse,
            self.owner,
            normal(self.number),
            self.taken_in,
            normal(self.description),
            str(self.quantity),
            self.unit,
        )
        return keyed(key, full), keyed(key, (_NUMBER, self.warehouse, letters_and_digits(self.number)))


def goods_commitment(salt: bytes, description: str) -> bytes:
    """Binds the receipt to the description, and says nothing of it without the salt: 32 random bytes."""
    canonical = json.dumps([_GOODS, normal(description)], ensure_ascii=False, separators=(",", ":"))
    return keccak(salt + canonical.encode())
