// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Documents anchored in batches
/// @notice One transaction anchors any number of documents: the root of an OpenZeppelin StandardMerkleTree over `bytes32` document roots.
/// A batch belongs to its issuer, so that nobody can anchor another's root first and keep it from revoking.
interface IDocumentRegistry {
    enum Status {
        Unknown,
        Valid,
        Revoked,
        Superseded
    }

    /// @notice Why a document was revoked.
    enum Reason {
        None,
        Unspecified,
        IssuedInError,
        Fraud,
        CourtOrder,
        Surrendered,
        FactsChanged
    }

    /// @param anchoredAt Unix seconds, zero when the issuer never anchored the root
    /// @param documents  how many documents the issuer says the batch holds
    struct Batch {
        uint64 anchoredAt;
        uint32 documents;
    }

    /// @param status       see {Status}
    /// @param anchoredAt   Unix seconds
    /// @param changedAt    Unix seconds of the revocation or supersession, zero while valid
    /// @param reason       why it was revoked
    /// @param supersededBy the root of the document that took its place
    struct DocumentStatus {
        Status status;
        uint64 anchoredAt;
        uint64 changedAt;
        Reason reason;
        bytes32 supersededBy;
    }

    event BatchAnchored(bytes32 indexed root, address indexed issuer, uint32 documents);
    event DocumentRevoked(bytes32 indexed document, address indexed issuer, Reason reason);
    event DocumentSuperseded(bytes32 indexed document, address indexed issuer, bytes32 successor);

    error DocumentRegistry_EmptyRoot();
    error DocumentRegistry_EmptyBatch();
    error DocumentRegistry_AlreadyAnchored(bytes32 root, address issuer, uint64 anchoredAt);
    error DocumentRegistry_NoReason(bytes32 document);
    error DocumentRegistry_AlreadyEnded(bytes32 document, address issuer, Status status);
    error DocumentRegistry_SupersededByItself(bytes32 document);

    /// @notice Anchor a batch of documents.
    /// @dev Emits {BatchAnchored}.
    function anchor(bytes32 root, uint32 documents) external;

    /// @notice Revoke one of one's own documents for good. It need not be anchored: refusing in advance is allowed.
    /// @dev Emits {DocumentRevoked}.
    function revoke(bytes32 document, Reason reason) external;

    /// @notice Say which document took the place of one of one's own.
    /// @dev Emits {DocumentSuperseded}. The successor must not have ended itself, so that readers who follow the chain come to an end.
    function supersede(bytes32 document, bytes32 successor) external;

    /// @notice When an issuer anchored a root.
    function batchOf(address issuer, bytes32 root) external view returns (Batch memory);

    /// @notice The status of a document that the issuer anchored under `root`; `Unknown` when root or proof do not hold.
    /// @param proof siblings from the leaf up, as StandardMerkleTree gives them; the leaf is the double hash of `abi.encode(document)`
    function statusOf(
        address issuer,
        bytes32 root,
        bytes32 document,
        bytes32[] calldata proof
    ) external view returns (DocumentStatus memory);
}
