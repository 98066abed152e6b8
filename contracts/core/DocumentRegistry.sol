// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Application} from "./Application.sol";
import {Core} from "./types/Core.sol";
import {IDocumentRegistry} from "./interfaces/IDocumentRegistry.sol";

/// @title Implementation of {IDocumentRegistry}, where errors, events and rules are described
contract DocumentRegistry is IDocumentRegistry, Application {
    /// @dev What ended a document. Two slots, written once.
    struct End {
        uint64 endedAt;
        Reason reason;
        bytes32 supersededBy;
    }

    mapping(address issuer => mapping(bytes32 root => Batch)) private _batches;
    mapping(address issuer => mapping(bytes32 document => End)) private _ends;

    constructor(Core memory core) Application(core) {}

    /// @inheritdoc IDocumentRegistry
    function anchor(bytes32 root, uint32 documents) external restricted {
        address issuer = _activeActor();
        if (root == 0) revert DocumentRegistry_EmptyRoot();
        if (documents == 0) revert DocumentRegistry_EmptyBatch();
        Batch storage batch = _batches[issuer][root];
        if (batch.anchoredAt != 0) revert DocumentRegistry_AlreadyAnchored(root, issuer, batch.anchoredAt);

        _batches[issuer][root] = Batch(uint64(block.timestamp), documents);

        emit BatchAnchored(root, issuer, documents);
    }

    /// @inheritdoc IDocumentRegistry
    /// @dev Not restricted: an issuer that was suspended or lost its role still may, and must, revoke.
    function revoke(bytes32 document, Reason reason) external {
        address issuer = _actor();
        _requireNotEnded(issuer, document);
        if (reason == Reason.None) revert DocumentRegistry_NoReason(document);

        _ends[issuer][document] = End(uint64(block.timestamp), reason, 0);

        emit DocumentRevoked(document, issuer, reason);
    }

    /// @inheritdoc IDocumentRegistry
    function supersede(bytes32 document, bytes32 successor) external {
        address issuer = _activeActor();
        _requireNotEnded(issuer, document);
        if (successor == 0) revert DocumentRegistry_EmptyRoot();
        if (successor == document) revert DocumentRegistry_SupersededByItself(document);
        // With this, no chain of supersessions leads back to where it began.
        _requireNotEnded(issuer, successor);

        _ends[issuer][document] = End(uint64(block.timestamp), Reason.None, successor);

        emit DocumentSuperseded(document, issuer, successor);
    }

    /// @inheritdoc IDocumentRegistry
    function batchOf(address issuer, bytes32 root) external view returns (Batch memory) {
        return _batches[issuer][root];
    }

    /// @inheritdoc IDocumentRegistry
    function statusOf(
        address issuer,
        bytes32 root,
        bytes32 document,
        bytes32[] calldata proof
    ) external view returns (DocumentStatus memory found) {
        uint64 anchoredAt = _batches[issuer][root].anchoredAt;
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(document))));
        if (anchoredAt == 0 || !MerkleProof.verifyCalldata(proof, root, leaf)) return found;

        End storage end = _ends[issuer][document];
        found = DocumentStatus(_statusOf(end), anchoredAt, end.endedAt, end.reason, end.supersededBy);
    }

    function _requireNotEnded(address issuer, bytes32 document) private view {
        Status status = _statusOf(_ends[issuer][document]);
        if (status != Status.Valid) revert DocumentRegistry_AlreadyEnded(document, issuer, status);
    }

    function _statusOf(End storage end) private view returns (Status) {
        if (end.endedAt == 0) return Status.Valid;
        return end.reason == Reason.None ? Status.Superseded : Status.Revoked;
    }
}
