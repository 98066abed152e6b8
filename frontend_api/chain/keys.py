"""Who signs. `KeyStore` is what the sender needs; a hardware module would implement the same methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from coincurve import PrivateKey
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import to_checksum_address

from ..config import DEVELOPMENT_CHAINS, Settings
from ..errors import Forbidden
from ..kit.hashing import keccak


class KeyStore(Protocol):
    def accounts(self) -> list[str]: ...

    def sign_transaction(self, account: str, fields: dict[str, Any]) -> tuple[bytes, str]:
        """The signed bytes and the transaction hash."""
        ...

    def sign_typed_data(self, account: str, message: dict[str, Any]) -> bytes:
        """The 65-byte signature of an EIP-712 message as `eth_signTypedData_v4` takes it."""
        ...


class LocalKeys:
    """Keys held in this process's memory, from encrypted keystore files or the development mnemonic."""

    def __init__(self, accounts: dict[str, Any]):
        self._accounts = accounts
        self._signers = {address: PrivateKey(bytes(account.key)) for address, account in accounts.items()}

    def __repr__(self) -> str:
        return f"<LocalKeys {len(self._accounts)} accounts>"

    def accounts(self) -> list[str]:
        return list(self._accounts)

    def sign_transaction(self, account: str, fields: dict[str, Any]) -> tuple[bytes, str]:
        """An EIP-1559 transaction without access list: the bytes that eth_account makes, in a tenth of its time."""
        signer = self._signers.get(account)
        if signer is None:
            raise self._no_key(account)
        names = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas")
        parts = [_rlp_number(fields[name]) for name in names]
        parts += [_rlp_bytes(bytes.fromhex(fields["to"][2:])), _rlp_number(fields["value"])]
        parts += [_rlp_bytes(bytes(fields["data"])), _RLP_EMPTY_LIST]
        unsigned = b"".join(parts)
        signature = signer.sign_recoverable(keccak(_TYPE + _rlp_list(unsigned)), hasher=None)
        numbers = (signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"))
        raw = _TYPE + _rlp_list(unsigned + b"".join(_rlp_number(number) for number in numbers))
        return raw, "0x" + keccak(raw).hex()

    def sign_typed_data(self, account: str, message: dict[str, Any]) -> bytes:
        return bytes(self._signer(account).sign_message(encode_typed_data(full_message=message)).signature)

    def _signer(self, account: str) -> Any:
        signer = self._accounts.get(account)
        if signer is None:
            raise self._no_key(account)
        return signer

    def _no_key(self, account: str) -> Forbidden:
        return Forbidden(f"This service holds no key for {account}; sign the request yourself.")


#: EIP-2718 type of an EIP-1559 transaction.
_TYPE = b"\x02"
_RLP_EMPTY_LIST = b"\xc0"


def _rlp_number(number: int) -> bytes:
    return _rlp_bytes(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _rlp_bytes(value: bytes) -> bytes:
    """Ethereum Yellow Paper, appendix B."""
    if len(value) == 1 and value[0] < 0x80:
        return value
    return _rlp_length(len(value), 0x80) + value


def _rlp_list(payload: bytes) -> bytes:
    return _rlp_length(len(payload), 0xC0) + payload


def _rlp_length(length: int, offset: int) -> bytes:
    if length < 56:
        return bytes((offset + length,))
    written = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((offset + 55 + len(written),)) + written


def load_keys(settings: Settings, chain_id: int) -> LocalKeys:
    """Keys as configured. The development mnemonic is refused on any chain that is not a development chain."""
    accounts: dict[str, Any] = {}
    if settings.mnemonic is not None:
        if chain_id not in DEVELOPMENT_CHAINS:
            raise ValueError(f"CHAINCITY_MNEMONIC is for development chains only, this is chain {chain_id}.")
        Account.enable_unaudited_hdwallet_features()
        for index in range(settings.mnemonic_accounts):
            account = Account.from_mnemonic(
                settings.mnemonic.get_secret_value(), account_path=f"m/44'/60'/0'/0/{index}"
            )
            accounts[account.address] = account
    if settings.keystore is not None:
        accounts |= _keystore_accounts(settings.keystore, settings)
    return LocalKeys(accounts)


def _keystore_accounts(folder: Path, settings: Settings) -> dict[str, Any]:
    if settings.keystore_password is None:
        raise ValueError("CHAINCITY_KEYSTORE needs CHAINCITY_KEYSTORE_PASSWORD.")
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("*.json")):
        key = Account.decrypt(json.loads(path.read_text()), settings.keystore_password.get_secret_value())
        account = Account.from_key(key)
        found[to_checksum_address(account.address)] = account
    return found
