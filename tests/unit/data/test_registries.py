"""DatasetRegistry and ModelRegistry: who may record what, and what a record says afterwards."""

from __future__ import annotations

import pytest

from tests.evm import reverts

from .conftest import CONTENT, GENERAL, LICENCE, MODEL, OUTPUT, SCHEMA, SQL

LARGEST = 2**256 - 1


def register(data, sender=None, **changes):
    facts = {
        "schema": SCHEMA, "content": CONTENT, "bucket": 3, "classification": GENERAL, "lineage": 0, "licence": LICENCE,
        **changes,
    }  # fmt: skip
    return data.datasets.register(*facts.values(), sender=sender or data.hospital)


def test_register__own_line__recorded_with_all_facts(data):
    receipt = register(data, classification=5, bucket=19)

    assert receipt.value == 1
    assert len(receipt.events) == 1
    assert receipt.only("DatasetRegistered") == {
        "datasetId": 1, "actor": data.hospital, "schemaRoot": SCHEMA, "contentCommitment": CONTENT,
        "rowCountBucket": 19, "classification": 5, "lineageId": 1, "licence": LICENCE,
    }  # fmt: skip
    assert data.datasets.dataset(1) == (data.hospital, 1, 19, 5, 1, LICENCE)
    assert data.datasets.contentOf(1, 1) == (SCHEMA, CONTENT)
    assert (data.datasets.versionOf(1), data.datasets.datasetCount()) == (1, 1)
    assert data.datasets.versionOf(2) == 0


def test_register__joins_a_line__takes_the_first_datasets_number(data):
    data.dataset()
    register(data, lineage=1)
    register(data, lineage=2)
    register(data)

    assert [data.datasets.dataset(i).lineageId for i in (1, 2, 3, 4)] == [1, 1, 1, 4]


def test_register__line_of_another_holder_or_none__refused(data):
    other = data.second_hospital()
    data.dataset()
    with reverts("DatasetRegistry_NotTheHolder", datasetId=1, actor=other, holder=data.hospital):
        register(data, sender=other, lineage=1)
    with reverts("DatasetRegistry_UnknownDataset", datasetId=LARGEST):
        register(data, lineage=LARGEST)


@pytest.mark.parametrize("field", ["schema", "content", "licence"])
def test_register__empty_commitment__refused(data, field):
    with reverts("DatasetRegistry_EmptyCommitment"):
        register(data, **{field: bytes(32)})


@pytest.mark.parametrize("bucket", [0, 20, 255])
def test_register__impossible_row_count_bucket__refused(data, bucket):
    with reverts("DatasetRegistry_RowCountBucketOutOfRange", rowCountBucket=bucket, largest=19):
        register(data, bucket=bucket)


def test_register__no_classification__refused(data):
    with reverts("DatasetRegistry_NoClassification"):
        register(data, classification=0)


def test_register__without_the_role__refused(data):
    with reverts("AccessManagedUnauthorized", caller=data.institute):
        register(data, sender=data.institute)


def test_register__suspended__refused(data):
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        register(data)


def test_register__through_the_manager__refused(data):
    authority = data.city.contract("Authority")
    data.admit_hospital(authority)
    call = data.datasets.register.encode(SCHEMA, CONTENT, 3, GENERAL, 0, LICENCE)
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(data.datasets, call, sender=data.hospital)


def test_register_version__newer_records__old_commitments_stay(data):
    data.dataset()
    receipt = data.datasets.registerVersion(1, b"\x01" * 32, b"\x02" * 32, 4, sender=data.hospital)

    assert receipt.value == 2
    assert receipt.only("DatasetVersionRegistered") == {
        "datasetId": 1, "actor": data.hospital, "version": 2, "schemaRoot": b"\x01" * 32,
        "contentCommitment": b"\x02" * 32, "rowCountBucket": 4,
    }  # fmt: skip
    assert data.datasets.dataset(1) == (data.hospital, 2, 4, GENERAL, 1, LICENCE)
    assert data.datasets.contentOf(1, 1) == (SCHEMA, CONTENT)
    assert data.datasets.contentOf(1, 2) == (b"\x01" * 32, b"\x02" * 32)


def test_register_version__same_content__refused(data):
    data.dataset()
    with reverts("DatasetRegistry_SameContent", datasetId=1, contentCommitment=CONTENT):
        data.datasets.registerVersion(1, SCHEMA, CONTENT, 3, sender=data.hospital)


def test_register_version__last_number_reached__refused(data):
    data.dataset()
    # Version 65,535 at once: slot 0 of the record holds the holder and, above its 20 bytes, the version.
    from eth_abi import encode
    from eth_utils import keccak

    slot = int.from_bytes(keccak(encode(["uint256", "uint256"], [1, 1])), "big")
    evm, address = data.city.chain.evm, data.datasets.address
    word = evm.storage(address, slot)
    assert (word >> 160) & 0xFFFF == 1, "the storage layout has changed"
    evm.insert_account_storage(address, slot, word | (0xFFFF << 160))

    assert data.datasets.versionOf(1) == 65_535
    with reverts("DatasetRegistry_TooManyVersions", datasetId=1, limit=65_535):
        data.datasets.registerVersion(1, SCHEMA, b"\x02" * 32, 3, sender=data.hospital)


def test_register_version__wrong_party__refused(data):
    other = data.second_hospital()
    data.dataset()
    with reverts("DatasetRegistry_NotTheHolder", datasetId=1, actor=other, holder=data.hospital):
        data.datasets.registerVersion(1, SCHEMA, b"\x02" * 32, 3, sender=other)
    with reverts("DatasetRegistry_UnknownDataset", datasetId=2):
        data.datasets.registerVersion(2, SCHEMA, b"\x02" * 32, 3, sender=data.hospital)
    with reverts("AccessManagedUnauthorized", caller=data.institute):
        data.datasets.registerVersion(1, SCHEMA, b"\x02" * 32, 3, sender=data.institute)
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        data.datasets.registerVersion(1, SCHEMA, b"\x02" * 32, 3, sender=data.hospital)


def test_register_version__impossible_facts__refused(data):
    data.dataset()
    with reverts("DatasetRegistry_EmptyCommitment"):
        data.datasets.registerVersion(1, SCHEMA, bytes(32), 3, sender=data.hospital)
    with reverts("DatasetRegistry_RowCountBucketOutOfRange", rowCountBucket=0, largest=19):
        data.datasets.registerVersion(1, SCHEMA, b"\x02" * 32, 0, sender=data.hospital)


def test_publish__new_model__recorded(data):
    receipt = data.models.publish(2, MODEL, OUTPUT, sender=data.institute)

    assert (receipt.value, len(receipt.events)) == (1, 1)
    assert receipt.only("ModelPublished") == {
        "modelId": 1, "actor": data.institute, "kind": 2, "contentHash": MODEL, "outputSchema": OUTPUT,
    }  # fmt: skip
    assert data.models.model(1) == (MODEL, OUTPUT, data.institute, 2)
    assert (data.models.modelOf(MODEL), data.models.modelOf(OUTPUT), data.models.modelCount()) == (1, 0, 1)


def test_publish__same_content_again__refused(data):
    data.model()
    with reverts("ModelRegistry_AlreadyPublished", contentHash=MODEL, modelId=1):
        data.models.publish(SQL, MODEL, b"\x01" * 32, sender=data.hospital)


def test_publish__facts_missing__refused(data):
    with reverts("ModelRegistry_NoKind"):
        data.models.publish(0, MODEL, OUTPUT, sender=data.institute)
    for content, output in ((bytes(32), OUTPUT), (MODEL, bytes(32))):
        with reverts("ModelRegistry_EmptyHash"):
            data.models.publish(SQL, content, output, sender=data.institute)


def test_publish__wrong_party__refused(data):
    with reverts("AccessManagedUnauthorized", caller=data.city.bank):
        data.models.publish(SQL, MODEL, OUTPUT, sender=data.city.bank)
    data.suspend(data.institute)
    with reverts("Members_Suspended", account=data.institute):
        data.models.publish(SQL, MODEL, OUTPUT, sender=data.institute)


def test_approve__by_the_holder__approved_for_that_dataset_only(data):
    data.dataset(), data.dataset(), data.model()
    receipt = data.models.approve(1, 1, sender=data.hospital)

    assert receipt.only("ModelApproved") == {"datasetId": 1, "actor": data.hospital, "modelId": 1}
    assert (data.models.isApproved(1, 1), data.models.isApproved(2, 1)) == (True, False)
    assert data.models.requireApproved(1, 1) == MODEL
    with reverts("ModelRegistry_NotApproved", datasetId=2, modelId=1):
        data.models.requireApproved(2, 1)


def test_approve__out_of_order_twice_or_by_another__refused(data):
    other = data.second_hospital()
    with reverts("DatasetRegistry_UnknownDataset", datasetId=1):
        data.models.approve(1, 1, sender=data.hospital)
    data.dataset()
    with reverts("ModelRegistry_UnknownModel", modelId=1):
        data.models.approve(1, 1, sender=data.hospital)
    data.model()
    with reverts("DatasetRegistry_NotTheHolder", datasetId=1, actor=other, holder=data.hospital):
        data.models.approve(1, 1, sender=other)
    with reverts("AccessManagedUnauthorized", caller=data.institute):
        data.models.approve(1, 1, sender=data.institute)
    data.models.approve(1, 1, sender=data.hospital)
    with reverts("ModelRegistry_AlreadyApproved", datasetId=1, modelId=1):
        data.models.approve(1, 1, sender=data.hospital)
    data.models.withdraw(1, 1, sender=data.hospital)
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        data.models.approve(1, 1, sender=data.hospital)


def test_withdraw__by_a_suspended_holder__withdrawn_and_can_be_approved_again(data):
    data.dataset(), data.model()
    data.models.approve(1, 1, sender=data.hospital)
    data.suspend(data.hospital)
    receipt = data.models.withdraw(1, 1, sender=data.hospital)

    assert receipt.only("ModelWithdrawn") == {"datasetId": 1, "actor": data.hospital, "modelId": 1}
    assert data.models.isApproved(1, 1) is False
    data.city.contract("Members").reinstate(data.hospital, b"\x0e" * 32, sender=data.city.founder)
    data.models.approve(1, 1, sender=data.hospital)
    assert data.models.isApproved(1, 1) is True


def test_withdraw__not_approved_or_by_another__refused(data):
    data.dataset(), data.model()
    with reverts("ModelRegistry_NotApproved", datasetId=1, modelId=1):
        data.models.withdraw(1, 1, sender=data.hospital)
    data.models.approve(1, 1, sender=data.hospital)
    with reverts("DatasetRegistry_NotTheHolder", datasetId=1, actor=data.institute, holder=data.hospital):
        data.models.withdraw(1, 1, sender=data.institute)
