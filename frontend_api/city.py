"""The composition root: one object that holds every part of a running service, built from the settings and the address book."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import Column, Connection, String, Table, insert, select

from .chain.abi import abi_of
from .chain.deployment import Deployment, DeploymentError
from .chain.indexer import ChainMismatch, Indexer
from .chain.keys import LocalKeys, load_keys
from .chain.projection import CHANGED, Handlers, merged
from .chain.rpc import NodeUnreachable, Rpc
from .chain.sender import Sender
from .config import Settings
from .db import Database, Row, metadata
from .documents import certificate as certificates
from .documents import store
from .documents.certificate import Certificate
from .documents.contract import DocumentRegistry, NodeReader
from .errors import InvalidInput, Unavailable
from .modules.data import repository as data_repository
from .modules.data.contract import AccessGrants, ComputeDesk, DatasetRegistry, ModelRegistry
from .modules.data.service import DataService
from .modules.financing import recourse_repository, register_repository
from .modules.financing import repository as financing_repository
from .modules.financing.contract import FinancingDesk, FinancingRegister
from .modules.financing.limits_repository import group_of
from .modules.financing.reminding import open_recourses
from .modules.financing.service import FinancingService
from .modules.members import repository as members_repository
from .modules.members.contract import Members
from .modules.money.contract import Escrow, SettlementToken
from .modules.property import repository as property_repository
from .modules.property.contract import MortgageDesk, TitleRegistry
from .modules.property.service import PropertyService
from .modules.receivables import repository as receivables_repository
from .modules.receivables.contract import ReceivableLedger
from .modules.receivables.intake import IntakeService
from .modules.receivables.maturity import MaturityService
from .modules.receivables.reminders import ReminderService
from .modules.receivables.reports import ReportService
from .modules.receivables.service import ReceivablesService
from .modules.transactions.forwarding import Forwarder
from .modules.warehouse import repository as warehouse_repository
from .modules.warehouse.contract import WarehouseLedger
from .modules.warehouse.service import WarehouseService
from .submission import Submissions

log = structlog.get_logger("city")

#: Every module's projections; the indexer runs them in the order of the events.
MODULE_HANDLERS: tuple[Handlers, ...] = (
    members_repository.handlers,
    property_repository.handlers,
    receivables_repository.handlers,
    financing_repository.handlers,
    warehouse_repository.handlers,
    recourse_repository.handlers,
    register_repository.handlers,
    data_repository.handlers,
)

meta = Table("meta", metadata, Column("key", String, primary_key=True), Column("value", String, nullable=False))


#: Before background work that failed is tried again.
RETRY_SECONDS = 2.0


class City:
    """Everything a request may need. `start` refuses another chain; background work runs until `stop`."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.deployment = Deployment.load(settings.deployment)
        self.rpc = Rpc(settings.rpc_url, settings.rpc_timeout_seconds)
        self.database = Database(settings.database_url)
        self.keys: LocalKeys = load_keys(settings, self.deployment.chain_id)
        self.indexer = Indexer(
            self.rpc, self.database, self.deployment, merged(MODULE_HANDLERS), settings.finality_depth
        )
        self.sender = Sender(self.rpc, self.database, self.keys, self.deployment.chain_id, settings.gas_price_tip)
        self.submissions = Submissions(self.database, self.sender, self.indexer, self.keys)
        self._tasks: list[asyncio.Task[None]] = []
        #: Which background work is down, and why; empty while all is well. Readiness shows it.
        self.broken: dict[str, str] = {}
        self.submissions.require_whole = self.require_whole
        self._wrap()

    def _wrap(self) -> None:
        def at(name: str) -> tuple[Rpc, str, str]:
            return self.rpc, self.deployment.address(name), name

        self.members = Members(*at("Members"))
        self.escrow = Escrow(*at("Escrow"))
        self.documents = DocumentRegistry(*at("DocumentRegistry"))
        self.forwarder = Forwarder(*at("Forwarder"))
        self.titles = TitleRegistry(*at("TitleRegistry"))
        self.mortgages = MortgageDesk(*at("MortgageDesk"))
        self.receivable_ledger = ReceivableLedger(*at("ReceivableLedger"))
        self.financing_register = FinancingRegister(*at("FinancingRegister"))
        self.financing_desk = FinancingDesk(*at("FinancingDesk"))
        self.warehouse_ledger = WarehouseLedger(*at("WarehouseLedger"))
        self.datasets = DatasetRegistry(*at("DatasetRegistry"))
        self.models = ModelRegistry(*at("ModelRegistry"))
        self.grants = AccessGrants(*at("AccessGrants"))
        self.compute = ComputeDesk(*at("ComputeDesk"))
        self.tokens = {code: SettlementToken(*at(f"SettlementToken:{code}")) for code in self.deployment.currencies}
        self.reader = NodeReader(self.rpc, self.deployment)
        self.property = PropertyService(self)
        self.receivables = ReceivablesService(self)
        self.financing = FinancingService(self)
        self.intake = IntakeService(self)
        self.warehouses = WarehouseService(self)
        self.maturity = MaturityService(self)
        self.reports = ReportService(self, group_of)
        self.reminders = ReminderService(self, open_recourses)
        self.data = DataService(self)

    async def start(self) -> None:
        """Check the chain, make the tables, begin to follow and to send. A node that is down is waited for in the background."""
        self.database.create()
        if not self.database.claim():
            raise DeploymentError(
                "Another service is running on this database; two would use the same nonces. Stop it first."
            )
        self.database.write_now(_claim_database, self.deployment)
        await self.indexer.start()
        try:
            await self.deployment.check(self.rpc)
        except NodeUnreachable as error:
            log.warning("node_unreachable_at_start", reason=error.detail)

        async def wake() -> None:
            self.broken.pop("indexer", None)
            self.sender.wake()

        self.indexer.on_advance.append(wake)
        self._tasks = [
            asyncio.create_task(self._follow(), name="indexer"),
            asyncio.create_task(self._send(), name="sender"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.rpc.close()
        self.database.close()

    async def checked(self) -> None:
        """Wait for the node and make sure that it is on our chain; a wrong chain ends the background work with the reason in the log."""
        while True:
            try:
                return await self.deployment.check(self.rpc)
            except NodeUnreachable:
                await asyncio.sleep(1)

    async def _follow(self) -> None:
        await self._keep_up("indexer", lambda: self.indexer.run(self.settings.poll_seconds))

    async def _send(self) -> None:
        await self._keep_up("sender", self.sender.run)

    async def _keep_up(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run background work for ever. What it stumbles over is logged and tried again; another chain ends it."""
        while True:
            try:
                await self.checked()
                await work()
            except asyncio.CancelledError:
                raise
            except (DeploymentError, ChainMismatch) as error:
                self.broken[name] = str(error)
                log.exception("background_work_ended", work=name)
                return
            except Exception as error:
                # Everybody may read this: a stranger's error quotes statements and values, which belong into the log.
                self.broken[name] = type(error).__name__
                log.exception("background_work_failed", work=name)
                await asyncio.sleep(RETRY_SECONDS)
                if name == "sender":
                    self.broken.pop(name)

    def require_whole(self) -> None:
        """Take no write that could not be followed: 503 while background work is down."""
        for name, reason in self.broken.items():
            raise Unavailable(f"The service's {name} is down ({reason}); nothing was stored. Try again later.")

    async def find_certificate(self, document_root: bytes) -> Certificate | None:
        """An issued certificate by its root, None when this service keeps none."""
        content = await self.database.read(store.find, "0x" + document_root.hex())
        return None if content is None else certificates.parse(bytes(content))

    def require_desk(self, address: str) -> None:
        """Whether an address is a desk of the address book: the relayer's key carries calls to nothing else."""
        name = self.deployment.by_address.get(address)
        if name is None or not abi_of(self.deployment.type_of(name)).has_function("isTrustedForwarder"):
            raise InvalidInput(f"{address} is no desk of this city: it takes no forwarded calls.", field="request.to")

    def finality(self, row: Row) -> str:
        """Whether the last change of a projected row can still be undone."""
        return "final" if row[CHANGED] <= self.indexer.head.final else "mined"


def _claim_database(connection: Connection, deployment: Deployment) -> None:
    """A database belongs to one deployment on one chain; rows of another would be mixed into lies."""
    identity = f"{deployment.chain_id}/{deployment.genesis_hash}/{deployment.address('Authority')}"
    found = connection.execute(select(meta.c.value).where(meta.c.key == "deployment")).scalar()
    if found is None:
        connection.execute(insert(meta).values(key="deployment", value=identity))
    elif found != identity:
        raise DeploymentError(
            f"The database belongs to another deployment ({found}); this one is {identity}. "
            "Point CHAINCITY_DATABASE_URL at another database."
        )
