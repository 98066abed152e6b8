"""ComputeDesk: jobs from submission to payment or refund, and everything that must not happen to them."""

from __future__ import annotations

import pytest

from tests.evm import reverts

from .conftest import ACCEPT, CIPHERTEXT, COMPLETE, KEY, MODEL, PERIOD, PRICE, GrantState, JobState


def test_submit__under_an_approved_grant__takes_one_use_at_once(data):
    grant, model = data.approved(), data.model()
    receipt = data.desk.submit(grant, model, KEY, sender=data.institute)

    assert receipt.value == 1
    assert [e.name for e in receipt.events] == ["JobSubmitted", "GrantUsed"]
    assert receipt.only("JobSubmitted") == {
        "jobId": 1, "actor": data.institute, "grantId": grant, "modelId": model, "resultKey": KEY,
        "acceptBy": data.now + ACCEPT,
    }  # fmt: skip
    assert receipt.only("GrantUsed") == {"grantId": grant, "actor": data.institute, "usesLeft": 2}
    assert data.desk.job(1) == (grant, model, data.now + ACCEPT, JobState.SUBMITTED, 0, 0, 0, bytes(32))
    assert (data.held(grant), data.desk.jobCount()) == (3 * PRICE, 1)


def test_submit__jobs_sent_together__cannot_overspend_the_uses(data):
    grant = data.approved(2)
    data.submitted(grant), data.submitted(grant)
    with reverts("AccessGrants_NoUseLeft", grantId=grant):
        data.submitted(grant)


def test_submit__facts_missing__refused(data):
    grant = data.approved()
    for model in (0, 2**48, 2**256 - 1):
        with reverts("ComputeDesk_UnknownModel", modelId=model):
            data.desk.submit(grant, model, KEY, sender=data.institute)
    with reverts("ComputeDesk_EmptyResultKey"):
        data.desk.submit(grant, 1, bytes(32), sender=data.institute)


def test_submit__without_a_usable_grant__refused(data):
    for unknown in (0, 7, 2**48 + 1, 2**256 - 1):
        with reverts("AccessGrants_WrongState", grantId=unknown, state=0, required=GrantState.APPROVED):
            data.desk.submit(unknown, 1, KEY, sender=data.institute)
    grant = data.requested()
    with reverts("AccessGrants_WrongState", grantId=grant, state=1, required=GrantState.APPROVED):
        data.desk.submit(grant, 1, KEY, sender=data.institute)
    data.grants.approve(grant, sender=data.hospital)
    with reverts("AccessGrants_NotTheGrantee", grantId=grant, actor=data.hospital, grantee=data.institute):
        data.desk.submit(grant, 1, KEY, sender=data.hospital)
    with reverts("Members_NotEnrolled", account=data.city.chain.stranger):
        data.desk.submit(grant, 1, KEY, sender=data.city.chain.stranger)
    until = data.now + PERIOD
    data.city.chain.mine(PERIOD + 1)
    with reverts("AccessGrants_TooLate", grantId=grant, until=until, chainTime=until + 1):
        data.desk.submit(grant, 1, KEY, sender=data.institute)


def test_submit__suspended__refused(data):
    grant = data.approved()
    data.suspend(data.institute)
    with reverts("Members_Suspended", account=data.institute):
        data.desk.submit(grant, 1, KEY, sender=data.institute)


def test_accept__by_the_holder__to_be_completed_within_a_day(data):
    job = data.submitted()
    data.city.chain.mine(ACCEPT)
    receipt = data.desk.accept(job, sender=data.hospital)

    assert [e.name for e in receipt.events] == ["JobAccepted"]
    assert receipt.only("JobAccepted") == {"jobId": job, "actor": data.hospital, "completeBy": data.now + COMPLETE}
    assert data.desk.job(job)[2:4] == (data.now + COMPLETE, JobState.ACCEPTED)


def test_accept__wrong_party__refused(data):
    job = data.submitted()
    other = data.second_hospital()
    with reverts("ComputeDesk_NotTheHolder", jobId=job, actor=other, holder=data.hospital):
        data.desk.accept(job, sender=other)
    with reverts("AccessManagedUnauthorized", caller=data.institute):
        data.desk.accept(job, sender=data.institute)
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        data.desk.accept(job, sender=data.hospital)


def test_accept__too_late__refused(data):
    job = data.submitted()
    deadline = data.now + ACCEPT
    data.city.chain.mine(ACCEPT + 1)
    with reverts("ComputeDesk_TooLate", jobId=job, deadline=deadline, chainTime=deadline + 1):
        data.desk.accept(job, sender=data.hospital)


def test_accept__model_not_approved__refused(data):
    job = data.submitted()
    data.models.withdraw(1, 1, sender=data.hospital)
    with reverts("ModelRegistry_NotApproved", datasetId=1, modelId=1):
        data.desk.accept(job, sender=data.hospital)


def test_accept__grant_revoked_or_its_time_over__refused(data):
    grant = data.approved()
    until = data.now + PERIOD
    data.city.chain.mine(PERIOD)
    late, job = data.submitted(grant), data.submitted(grant)
    data.city.chain.mine(1)
    with reverts("ComputeDesk_GrantNotInForce", jobId=late, grantId=grant, state=2, until=until):
        data.desk.accept(late, sender=data.hospital)
    data.grants.revoke(grant, sender=data.hospital)
    with reverts("ComputeDesk_GrantNotInForce", jobId=job, grantId=grant, state=5, until=until):
        data.desk.accept(job, sender=data.hospital)


def test_complete__accepted__recorded_and_paid(data):
    grant = data.approved(3)
    job = data.accepted(grant)
    receipt = data.complete(job, epsilon=2**64 - 1)

    assert [e.name for e in receipt.events] == ["JobCompleted", "UsePaid", "Released"]
    assert receipt.only("JobCompleted") == {
        "jobId": job, "actor": data.hospital, "ciphertextHash": CIPHERTEXT, "datasetVersion": 1, "modelHash": MODEL,
        "epsilon": 2**64 - 1,
    }  # fmt: skip
    assert receipt.only("UsePaid") == {"grantId": grant, "actor": data.hospital, "amount": PRICE}
    assert data.desk.job(job) == (
        grant, 1, data.now + COMPLETE, JobState.COMPLETED, 0, 1, 2**64 - 1, CIPHERTEXT,
    )  # fmt: skip
    assert (data.held(grant), data.claimable(data.hospital), data.claimable(data.institute)) == (2 * PRICE, PRICE, 0)
    data.escrow.claim(data.hospital, data.city.token, sender=data.hospital)
    assert data.city.token.balanceOf(data.hospital) == PRICE


def test_complete__parties_suspended_meanwhile__obligation_goes_on(data):
    job = data.accepted()
    data.suspend(data.hospital), data.suspend(data.institute)
    data.complete(job)
    assert data.claimable(data.hospital) == PRICE


def test_complete__on_an_older_version__recorded(data):
    job = data.accepted()
    data.datasets.registerVersion(1, b"\x01" * 32, b"\x02" * 32, 3, sender=data.hospital)
    data.complete(job, version=1)
    assert data.desk.job(job).datasetVersion == 1


def test_complete__wrong_facts__refused(data):
    job = data.accepted()
    with reverts("ComputeDesk_NotTheHolder", jobId=job, actor=data.institute, holder=data.hospital):
        data.complete(job, sender=data.institute)
    with reverts("ComputeDesk_EmptyHash", jobId=job):
        data.complete(job, ciphertext=bytes(32))
    with reverts("ComputeDesk_WrongModelHash", jobId=job, modelHash=KEY, registered=MODEL):
        data.complete(job, model=KEY)
    for version in (0, 2, 65_535):
        with reverts("ComputeDesk_UnknownDatasetVersion", jobId=job, datasetVersion=version, newest=1):
            data.complete(job, version=version)
    assert (data.job_state(job), data.claimable(data.hospital)) == (JobState.ACCEPTED, 0)


def test_complete__too_late__refused(data):
    job = data.accepted()
    deadline = data.now + COMPLETE
    data.city.chain.mine(COMPLETE + 1)
    with reverts("ComputeDesk_TooLate", jobId=job, deadline=deadline, chainTime=deadline + 1):
        data.complete(job)


def test_complete__revoked_or_withdrawn_meanwhile__result_is_not_sold(data):
    grant = data.approved()
    until = data.now + PERIOD
    job = data.accepted(grant)
    data.models.withdraw(1, 1, sender=data.hospital)
    with reverts("ModelRegistry_NotApproved", datasetId=1, modelId=1):
        data.complete(job)
    data.grants.revoke(grant, sender=data.hospital)
    with reverts("ComputeDesk_GrantNotInForce", jobId=job, grantId=grant, state=5, until=until):
        data.complete(job)


@pytest.mark.parametrize("stage", ["submitted", "accepted"])
@pytest.mark.parametrize("reason", [1, 11])
def test_fail__open_job__use_refunded_and_spent(data, stage, reason):
    grant = data.approved()
    job = getattr(data, stage)(grant)
    data.city.chain.mine(3 * COMPLETE)
    receipt = data.desk.fail(job, reason, sender=data.hospital)

    assert [e.name for e in receipt.events] == ["JobFailed", "UseRefunded", "Released"]
    assert receipt.only("JobFailed") == {"jobId": job, "actor": data.hospital, "reason": reason}
    assert receipt.only("UseRefunded") == {"grantId": grant, "actor": data.hospital, "amount": PRICE}
    assert data.desk.job(job)[3:5] == (JobState.FAILED, reason)
    assert (data.held(grant), data.claimable(data.institute), data.claimable(data.hospital)) == (2 * PRICE, PRICE, 0)
    assert data.grants.grantOf(grant)[2:4] == (2, 0)


def test_fail__no_reason_or_by_another__refused(data):
    job = data.accepted()
    with reverts("ComputeDesk_NoReason", jobId=job):
        data.desk.fail(job, 0, sender=data.hospital)
    with reverts("ComputeDesk_NotTheHolder", jobId=job, actor=data.institute, holder=data.hospital):
        data.desk.fail(job, 1, sender=data.institute)


@pytest.mark.parametrize("stage", ["submitted", "accepted"])
def test_time_out__deadline_passed__anyone_refunds(data, stage):
    grant = data.approved()
    job = getattr(data, stage)(grant)
    deadline = data.now + ACCEPT
    data.city.chain.mine(ACCEPT)
    with reverts("ComputeDesk_TooEarly", jobId=job, deadline=deadline, chainTime=deadline):
        data.desk.timeOut(job, sender=data.city.li)
    data.city.chain.mine(1)
    receipt = data.desk.timeOut(job, sender=data.city.li)

    assert [e.name for e in receipt.events] == ["JobTimedOut", "UseRefunded", "Released"]
    assert receipt.only("JobTimedOut") == {"jobId": job, "actor": data.city.li.address}
    assert (data.held(grant), data.claimable(data.institute), data.claimable(data.hospital)) == (2 * PRICE, PRICE, 0)


def at_state(data, state: int) -> int:
    if state == JobState.NONE:
        return 9
    stage = {JobState.SUBMITTED: "submitted", JobState.COMPLETED: "completed"}.get(state, "accepted")
    job = getattr(data, stage)()
    if state == JobState.FAILED:
        data.desk.fail(job, 1, sender=data.hospital)
    if state == JobState.TIMED_OUT:
        data.city.chain.mine(COMPLETE + 1)
        data.desk.timeOut(job, sender=data.city.li)
    assert data.job_state(job) == state
    return job


ALLOWED_FROM = {
    "accept": {JobState.SUBMITTED},
    "complete": {JobState.ACCEPTED},
    "fail": {JobState.SUBMITTED, JobState.ACCEPTED},
    "timeOut": {JobState.SUBMITTED, JobState.ACCEPTED},
}


@pytest.mark.parametrize("state", range(6))
@pytest.mark.parametrize("move", ALLOWED_FROM)
def test_every_move__from_a_wrong_state__refused(data, move, state):
    if state in ALLOWED_FROM[move]:
        return
    job = at_state(data, state)
    data.city.chain.mine(2 * COMPLETE)
    with reverts("ComputeDesk_WrongState", jobId=job, state=state):
        if move == "complete":
            data.complete(job)
        else:
            getattr(data.desk, move)(job, *([1] if move == "fail" else []), sender=data.hospital)


def test_old_desk__after_its_successor_opened__still_settles_its_jobs(data):
    job = data.accepted()
    authority = data.city.contract("Authority")
    roles = data.city.city.roles
    authority.revokeRole(roles["GRANT_METER"], data.desk, sender=data.city.founder)
    with reverts("AccessManagedUnauthorized", caller=data.desk):
        data.desk.submit(1, 1, KEY, sender=data.institute)
    data.complete(job)
    assert data.claimable(data.hospital) == PRICE
