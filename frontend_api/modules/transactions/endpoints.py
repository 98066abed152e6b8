"""/transactions: what became of a write. /forward-requests: signed by anyone, relayed by the service."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field, field_validator
from sqlalchemy import Connection

from ...auth import Caller
from ...chain import outbox
from ...chain.abi import Call, abi_of
from ...errors import Conflict, Forbidden, InvalidInput, Unavailable
from ...kit.ids import Address
from ...kit.pagination import Cursor, Limit
from ...kit.schemas import Body, Resource
from ...submission import Action, Asked, TransactionList, TransactionResource, wait_seconds
from ..members import repository as members_repository
from .forwarding import FORWARDED_GAS, VALIDITY_SECONDS, ForwardRequest

router = APIRouter()

Prefer = Annotated[str | None, Header(description="`wait=10` waits that many seconds for the block (RFC 7240)")]
_HEX = re.compile(r"0x([0-9a-fA-F]{2})*")


def _hex_bytes(value: str) -> str:
    if not _HEX.fullmatch(value):
        raise ValueError("bytes are written 0x and an even number of hexadecimal digits")
    return value


class Preparation(Body):
    """A call that somebody else is going to sign."""

    signer: Address
    contract: str = Field(description="a desk's name in the address book, such as `MortgageDesk`")
    function: str
    args: list[Any] = Field(
        max_length=32, description="in the function's order; bytes as 0x-hex, unit numbers and currencies as text"
    )


class PreparedResource(Resource):
    typed_data: dict[str, Any] = Field(
        description="sign this with eth_signTypedData_v4, then send `request` and the signature"
    )
    request: dict[str, Any]


class ForwardFields(Body):
    signer: Address
    to: Address
    gas: int = Field(gt=0, le=FORWARDED_GAS)
    nonce: int = Field(ge=0, lt=2**64)
    deadline: int = Field(gt=0, lt=2**48)
    data: str = Field(max_length=20_000)

    _check_data = field_validator("data")(_hex_bytes)


class SignedRequest(Body):
    request: ForwardFields
    signature: str = Field(max_length=4_000, description="65 bytes of ECDSA, or what an ERC-1271 account takes")

    _check_signature = field_validator("signature")(_hex_bytes)


@router.get("/transactions/{identifier}", tags=["transactions"], operation_id="getTransaction")
async def get_transaction(
    identifier: Annotated[str, Field(max_length=64)], request: Request, _: Caller, prefer: Prefer = None
) -> TransactionResource:
    """A transaction from acceptance to finality."""
    submissions = request.app.state.city.submissions
    await submissions.get(identifier)
    found: TransactionResource = await submissions.wait(identifier, wait_seconds(prefer))
    return found


@router.get("/transactions", tags=["transactions"], operation_id="listTransactions")
async def list_transactions(
    request: Request,
    caller: Caller,
    state: Annotated[str | None, Query(pattern="^(queued|submitted|mined|failed)$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> TransactionList:
    """The caller's transactions in the order of acceptance; `mined` includes final ones."""
    found: TransactionList = await request.app.state.city.submissions.listed(caller.key_id, state, cursor, limit)
    return found


@router.post("/forward-requests/prepare", tags=["transactions"], operation_id="prepareForwardRequest")
async def prepare(body: Preparation, request: Request) -> PreparedResource:
    """The EIP-712 message for a call to a desk, for its signer's wallet. Needs no key: nothing is sent."""
    city = request.app.state.city
    if body.contract not in city.deployment.contracts:
        raise InvalidInput(f"The address book has no contract `{body.contract}`.", field="contract")
    abi = abi_of(city.deployment.type_of(body.contract))
    if not abi.has_function("isTrustedForwarder"):
        raise InvalidInput(f"{body.contract} is no desk: it takes no forwarded calls.", field="contract")
    data = abi.encode(body.function, _typed(abi.function(body.function, len(body.args))["inputs"], body.args))
    made = ForwardRequest(
        body.signer,
        city.deployment.address(body.contract),
        FORWARDED_GAS,
        await city.forwarder.nonce_of(body.signer),
        city.indexer.head.time + VALIDITY_SECONDS,
        data,
    )
    fields = ForwardFields(
        signer=made.signer, to=made.to, gas=made.gas, nonce=made.nonce, deadline=made.deadline, data="0x" + data.hex()
    )
    return PreparedResource(
        typed_data=city.forwarder.typed_data(made, city.deployment.chain_id),
        request=fields.model_dump(by_alias=True),
    )


@router.post("/forward-requests", status_code=202, tags=["transactions"], operation_id="submitForwardRequest")
async def submit(
    body: SignedRequest, request: Request, response: Response, prefer: Prefer = None
) -> TransactionResource:
    """Relay a signed call to a desk, one at a time for each signer.

    The signature is the authorisation, so no API key is needed; the same request is sent once.
    """
    city = request.app.state.city
    if city.settings.relayer is None:
        raise Unavailable("This service relays nothing: CHAINCITY_RELAYER is not set.")
    fields = body.request
    city.require_desk(fields.to)
    if await city.database.read(members_repository.find_party, fields.signer) is None:
        raise Forbidden(
            f"{fields.signer} is no member or resident of this city; requests of strangers are not relayed."
        )
    forward = ForwardRequest(
        fields.signer, fields.to, fields.gas, fields.nonce, fields.deadline, bytes.fromhex(fields.data[2:])
    )
    call: Call = city.forwarder.execute(forward, bytes.fromhex(body.signature[2:]))
    # The same request again finds the first one's transaction.
    hashed = outbox.body_hash([call.to, call.data.hex()])
    owner = f"signer:{forward.signer}"
    asked = Asked(owner, city.settings.relayer, hashed, hashed, wait_seconds(prefer), relayed=True)

    def one_at_a_time(connection: Connection) -> None:
        # All requests that a signer makes with one nonce pass the simulation until the first is in a block: the others would only burn gas.
        if outbox.is_on_its_way(connection, owner):
            raise Conflict(f"A request of {forward.signer} is on its way; send the next one when that has ended.")

    return await Action(city, asked, response).send(call, also=one_at_a_time)


def _typed(parameters: list[dict[str, Any]], values: list[Any]) -> list[Any]:
    """JSON arguments as the ABI's types, structs and lists included."""
    return [_value(parameter, value) for parameter, value in zip(parameters, values, strict=True)]


def _value(parameter: dict[str, Any], value: Any) -> Any:
    """0x-hex or short ASCII text for bytes, decimal strings for integers, objects or lists for structs."""
    name, kind = parameter["name"], parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        if not isinstance(value, list):
            raise InvalidInput("must be a list", field=name)
        return [_value(inner, item) for item in value]
    if kind == "tuple":
        parts = parameter["components"]
        if isinstance(value, dict) and set(value) == {part["name"] for part in parts}:
            value = [value[part["name"]] for part in parts]
        if not isinstance(value, list) or len(value) != len(parts):
            raise InvalidInput(f"must have the parts {', '.join(part['name'] for part in parts)}", field=name)
        return tuple(_typed(parts, value))
    if kind.startswith("bytes") and isinstance(value, str):
        if value.startswith("0x"):
            return bytes.fromhex(_checked(name, value)[2:])
        if value.isascii():
            return value.encode()
        raise InvalidInput("bytes are 0x-hex or ASCII text", field=name)
    if kind.startswith(("uint", "int")) and isinstance(value, str) and re.fullmatch(r"[0-9]{1,78}", value):
        return int(value)
    return value


def _checked(name: str, value: str) -> str:
    try:
        return _hex_bytes(value)
    except ValueError as error:
        raise InvalidInput(str(error), field=name) from error
