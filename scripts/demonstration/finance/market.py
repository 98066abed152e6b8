"""What the chapters of the story share: clients, the chain, and the story's own book of who holds what, which API and chain must match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ..client import Client
from ..processes import rpc
from ..stage import Stage
from ..steps import Mismatch, expect, until
from .cast import BY_NAME, Party
from .invoices import Invoice

STORY = "finance"
DAY = 86400
#: Requests at once, as a company's back office might send them.
THREADS = 4
#: The most that one request takes.
LARGEST_BULK = 1000


@dataclass
class Paper:
    """A receivable in the story's book; amounts in fen."""

    id: int
    invoice: Invoice
    face: int
    paid: int = 0
    #: By account.
    units: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    claimed: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True)
class Sent:
    """One write of many: who sends what where."""

    member: str
    path: str
    body: Any = None


class Market:
    def __init__(self, stage: Stage):
        self.stage = stage
        self.papers: dict[int, Paper] = {}
        self.ledger, self.desk = stage.contract("ReceivableLedger"), stage.contract("FinancingDesk")
        self.escrow, self.token = stage.contract("Escrow"), stage.contract("SettlementToken:CNY")
        #: What each bank had when it was funded, fen.
        self.start: dict[str, int] = {}
        #: Tokens that the banks have issued, and that were given back, fen.
        self.issued = 0
        self.redeemed = 0
        #: Of the default: the bank with recourse and the one without, and the quotes that they bought by.
        self.quotes: dict[str, dict[str, Any]] = {}

    def run(self, title: str, actor: str, act: Callable[[], Any]) -> Any:
        return self.stage.steps.run(STORY, title, actor, act)

    def say(self, text: str) -> None:
        self.stage.steps.console.print(f"       {text}", markup=False)

    def client(self, party: Party | str) -> Client:
        return self.stage.client(party if isinstance(party, str) else party.name)

    def address(self, party: Party | str) -> str:
        return self.stage.address(party if isinstance(party, str) else party.name)

    def member_of(self, account: str) -> str:
        return next(name for name in BY_NAME if self.address(name) == account)

    def balance(self, party: Party | str) -> int:
        return int(self.token.balanceOf(self.address(party)))

    def paper_of(self, invoice: Invoice) -> Paper:
        return next(paper for paper in self.papers.values() if paper.invoice == invoice)

    # --- writing

    def many(self, acts: Sequence[Sent]) -> None:
        """Send writes side by side and wait until all are in blocks; the first that failed raises."""
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda act: self.client(act.member).post(act.path, act.body, wait=0), acts))
        by_member = defaultdict(list)
        for act, answer in zip(acts, answers, strict=True):
            by_member[act.member].append(answer["id"])
        for member, ids in by_member.items():
            self.client(member).wait_for(ids)

    def bulk(self, member: Party | str, path: str, items: Sequence[dict[str, Any]]) -> Any:
        """One request for many items, waited for until all are in blocks; returns the last transaction."""
        client, last = self.client(member), None
        for start in range(0, len(items), LARGEST_BULK):
            answer = client.post(path, {"items": items[start : start + LARGEST_BULK]}, wait=0)
            if problem := next((item["problem"] for item in answer["items"] if item["problem"]), None):
                raise Mismatch(f"refused: {problem['detail']}")
            last = client.wait_for([item["transaction"]["id"] for item in answer["items"]])[-1]
        return last

    def side_by_side(self, acts: Iterable[Callable[[], Any]]) -> list[Any]:
        with ThreadPoolExecutor(THREADS) as pool:
            return [done.result() for done in [pool.submit(act) for act in acts]]

    def issue(self, bank: Party, to: Party, fen: int) -> Any:
        """Tokens of a bank, booked in the story's book."""
        body = {"to": self.address(to), "amount": str(fen), "booking": "0x" + "b0" * 32}
        sent = self.client(bank).post("/currencies/CNY/issues", body)
        self.issued += fen
        return sent

    def approve(self, party: Party, spender: str, fen: int) -> None:
        self.client(party).post("/currencies/CNY/approvals", {"spender": spender, "amount": str(fen)})

    # --- time

    def pass_until(self, chain_time: int) -> None:
        """Let chain time pass and wait until the service has seen it."""
        seconds = chain_time - self.stage.chain_time()
        if seconds > 0:
            rpc(self.stage.rpc_url, "evm_increaseTime", seconds)
            rpc(self.stage.rpc_url, "evm_mine")
        until(lambda: self.client("debtor").get("/reminders", limit=1)["at"] >= chain_time, True)

    # --- comparing

    def require_same(self, papers: Iterable[Paper]) -> None:
        """The book is what the chain says: state of the debt, and units of every holder."""
        wanted = list(papers)
        found = self.stage.read_many("ReceivableLedger", "receivable", [[paper.id] for paper in wanted])
        holders = [(paper, account) for paper in wanted for account in paper.units]
        units = self.stage.read_many("ReceivableLedger", "holding", [[p.id, account] for p, account in holders])
        for paper, on_chain in zip(wanted, found, strict=True):
            expect(f"face of {paper.id} on chain", (on_chain["face"], on_chain["paid"]), (paper.face, paper.paid))
        for (paper, account), held in zip(holders, units, strict=True):
            expect(f"units of {paper.id} on chain", held["units"], paper.units[account])

    def unchanged(self, act: Callable[[], Any]) -> Any:
        """Do something that must leave no trace on the chain: no contract emits anything."""
        block = self.stage.block()
        found = act()
        expect("events on chain since the attempt began", self.stage.logs_after(block), [])
        return found
