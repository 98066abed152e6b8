"""The only place that reads the environment. Every setting has the prefix CHAINCITY_ and a default that suits a local chain."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: Chains on which the well-known development mnemonic may sign: Anvil's and Geth's development networks.
DEVELOPMENT_CHAINS = frozenset({31337, 1337})


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CHAINCITY_", extra="ignore")

    rpc_url: str = Field("http://127.0.0.1:8545", description="JSON-RPC address of the member's own node")
    deployment: Path = Field(Path("deployments/31337.json"), description="address book that `ape run deploy` wrote")
    database_url: str = Field("sqlite:///.run/chaincity.db", description="SQLAlchemy address of the database")
    host: str = Field("127.0.0.1", description="address the server binds to; loopback unless you say otherwise")
    port: int = Field(8000, ge=0, le=65535)
    public_url: str = Field("http://127.0.0.1:8000", description="what QR codes and links point to")

    keystore: Path | None = Field(None, description="folder of encrypted keystore files, one per custodial key")
    keystore_password: SecretStr | None = None
    mnemonic: SecretStr | None = Field(None, description="development mnemonic; refused outside development chains")
    mnemonic_accounts: int = Field(20, ge=1, le=200)
    relayer: str | None = Field(None, description="the custodial account that relays ERC-2771 requests")

    finality_depth: int = Field(2, ge=0, description="blocks on top of a block before its facts are final")
    poll_seconds: float = Field(0.1, gt=0, description="how often the node is asked for a new block")
    rpc_timeout_seconds: float = Field(10, gt=0)
    gas_price_tip: int = Field(0, ge=0, description="wei per gas offered on top of the base fee")
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024)
    node_name: str = "chaincity"
    log_format: Literal["json", "console"] = "json"
    #: Consortium key for invoice fingerprints; without it a documented demonstration key is used and responses say so.
    fingerprint_key: SecretStr | None = None

    @field_validator("rpc_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("CHAINCITY_RPC_URL must start with http:// or https://")
        return value
