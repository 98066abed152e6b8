"""The data product at a hospital, step by step: functions that bring a case to the state a test starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.city import CNY
from tests.evm import dev_account

SCHEMA, CONTENT, LICENCE = b"\xa1" * 32, b"\xa2" * 32, b"\xa3" * 32
MODEL, OUTPUT = b"\xb1" * 32, b"\xb2" * 32
KEY, CIPHERTEXT = b"\xc1" * 32, b"\xc2" * 32
PURPOSE = b"MEDICAL_RESEARCH".ljust(24, b"\0")
PRICE = 12_345  # fen per use
PERIOD = 30 * 86_400
MAX_USES = 5
ANSWER, ACCEPT, COMPLETE = 7 * 86_400, 86_400, 86_400
GENERAL, SQL = 1, 1


class GrantState:
    NONE, REQUESTED, APPROVED, DENIED, LAPSED, REVOKED, EXPIRED = range(7)


class JobState:
    NONE, SUBMITTED, ACCEPTED, COMPLETED, FAILED, TIMED_OUT = range(6)


@dataclass
class Data:
    city: Any

    def __post_init__(self) -> None:
        names = ("DatasetRegistry", "ModelRegistry", "AccessGrants", "ComputeDesk", "Escrow")
        self.datasets, self.models, self.grants, self.desk, self.escrow = map(self.city.contract, names)
        self.hospital, self.institute = self.city.hospital, self.city.institute

    @property
    def now(self) -> int:
        return self.city.chain.time

    def dataset(self, lineage: int = 0, content: bytes = CONTENT) -> int:
        return self.datasets.register(SCHEMA, content, 3, GENERAL, lineage, LICENCE, sender=self.hospital).value

    def model(self, content: bytes = MODEL) -> int:
        return self.models.publish(SQL, content, OUTPUT, sender=self.institute).value

    def offer(self, dataset: int | None = None, price: int = PRICE, max_uses: int = MAX_USES) -> int:
        dataset = dataset or self.dataset()
        return self.grants.offer(dataset, PURPOSE, CNY, price, PERIOD, max_uses, sender=self.hospital).value

    def requested(self, uses: int = 3, offer: int | None = None, price: int = PRICE) -> int:
        offer = offer or self.offer(price=price)
        if price:
            self.city.fund(self.institute, price * uses)
            self.city.approve_escrow(self.institute, price * uses)
        return self.grants.request(offer, uses, sender=self.institute).value

    def approved(self, uses: int = 3, **terms: Any) -> int:
        grant = self.requested(uses, **terms)
        self.grants.approve(grant, sender=self.hospital)
        return grant

    def submitted(self, grant: int | None = None) -> int:
        """A job for an approved model under an approved grant."""
        grant = grant or self.approved()
        model = self.models.modelOf(MODEL) or self.model()
        dataset = self.grants.standingOf(grant)[1]
        if not self.models.isApproved(dataset, model):
            self.models.approve(dataset, model, sender=self.hospital)
        return self.desk.submit(grant, model, KEY, sender=self.institute).value

    def accepted(self, grant: int | None = None) -> int:
        job = self.submitted(grant)
        self.desk.accept(job, sender=self.hospital)
        return job

    def complete(self, job: int, sender: Any = None, **changes: Any) -> Any:
        facts = {"ciphertext": CIPHERTEXT, "version": 1, "model": MODEL, "epsilon": 0, **changes}
        return self.desk.complete(job, *facts.values(), sender=sender or self.hospital)

    def completed(self) -> int:
        job = self.accepted()
        self.complete(job)
        return job

    def held(self, grant: int) -> int:
        return self.escrow.held(self.grants, grant, self.city.token)

    def claimable(self, account: Any) -> int:
        return self.escrow.claimable(account, self.city.token)

    def grant_state(self, grant: int) -> int:
        return self.grants.grantOf(grant).state

    def job_state(self, job: int) -> int:
        return self.desk.job(job).state

    def suspend(self, account: Any) -> None:
        self.city.contract("Members").suspend(account, b"\x0e" * 32, sender=self.city.founder)

    def second_hospital(self) -> str:
        """Another member that holds data, though not these."""
        account = dev_account(19).address
        self.admit_hospital(account)
        return account

    def admit_hospital(self, account: Any) -> None:
        code = b"91350100M000100Y43"  # the worked example of GB 32100-2015
        hospital = self.city.city.kinds["hospital"]
        self.city.contract("Members").admit(account, hospital, code, b"\x77" * 32, sender=self.city.founder)

    def confer(self, role: str, account: Any) -> None:
        authority = self.city.contract("Authority")
        authority.grantRole(self.city.city.roles[role], account, 0, sender=self.city.founder)


@pytest.fixture
def data(city) -> Data:
    return Data(city)
