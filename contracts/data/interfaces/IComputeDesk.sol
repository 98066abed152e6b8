// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessGrants} from "./IAccessGrants.sol";

/// @title Jobs: the model goes to the data
/// @notice A grantee submits a job, which takes one use out of its grant at once, so that jobs sent together cannot overspend it. The holder's
/// node accepts it, runs the approved model where the data lie, delivers the result off chain, encrypted to the job's result key, and
/// completes the job with the hash of that ciphertext; the use is then paid. A job that fails or is not answered in time is refunded.
///
/// Job: Submitted → Accepted → Completed; Submitted | Accepted → Failed | TimedOut.
interface IComputeDesk {
    enum State {
        None,
        Submitted,
        Accepted,
        Completed,
        Failed,
        TimedOut
    }

    /// @notice Why a holder's node did not deliver.
    enum Reason {
        None,
        GrantInactive,
        ModelNotApproved,
        ModelUnavailable,
        ModelHashMismatch,
        DatasetVersionMismatch,
        ModelInvalid,
        ExecutionFailed,
        ResourceLimit,
        OutputRefused,
        Interrupted,
        ResultKeyInvalid
    }

    /// @param grantId        under which grant
    /// @param modelId        which model
    /// @param deadline       Unix seconds, inclusive: to accept while submitted, to complete or fail while accepted
    /// @param state          see {State}
    /// @param reason         why it failed
    /// @param datasetVersion on which version the model ran
    /// @param epsilon        privacy cost in micro-epsilon
    /// @param ciphertextHash keccak-256 of the encrypted result
    struct Job {
        uint48 grantId;
        uint48 modelId;
        uint64 deadline;
        State state;
        Reason reason;
        uint16 datasetVersion;
        uint64 epsilon;
        bytes32 ciphertextHash;
    }

    event JobSubmitted(
        uint256 indexed jobId,
        address indexed actor,
        uint256 indexed grantId,
        uint256 modelId,
        bytes32 resultKey,
        uint64 acceptBy
    );
    event JobAccepted(uint256 indexed jobId, address indexed actor, uint64 completeBy);
    event JobCompleted(
        uint256 indexed jobId,
        address indexed actor,
        bytes32 ciphertextHash,
        uint16 datasetVersion,
        bytes32 modelHash,
        uint64 epsilon
    );
    event JobFailed(uint256 indexed jobId, address indexed actor, Reason reason);
    event JobTimedOut(uint256 indexed jobId, address indexed actor);

    error ComputeDesk_UnknownModel(uint256 modelId);
    error ComputeDesk_EmptyResultKey();
    error ComputeDesk_WrongState(uint256 jobId, State state);
    error ComputeDesk_NotTheHolder(uint256 jobId, address actor, address holder);
    error ComputeDesk_TooLate(uint256 jobId, uint64 deadline, uint64 chainTime);
    error ComputeDesk_TooEarly(uint256 jobId, uint64 deadline, uint64 chainTime);
    error ComputeDesk_GrantNotInForce(uint256 jobId, uint256 grantId, IAccessGrants.State state, uint64 until);
    error ComputeDesk_EmptyHash(uint256 jobId);
    error ComputeDesk_WrongModelHash(uint256 jobId, bytes32 modelHash, bytes32 registered);
    error ComputeDesk_UnknownDatasetVersion(uint256 jobId, uint16 datasetVersion, uint16 newest);
    error ComputeDesk_NoReason(uint256 jobId);

    /// @notice Ask for a model to be run under one's own grant.
    /// @dev Emits {JobSubmitted}. Takes one use of the grant ({IAccessGrants-use}). Whether the holder approves the model is looked at when the
    /// job is accepted, not here.
    /// @param resultKey X25519 public key to which the result is encrypted; fresh for each job, kept in the event only
    /// @return jobId sequential, from 1
    function submit(uint256 grantId, uint256 modelId, bytes32 resultKey) external returns (uint256 jobId);

    /// @notice Take a job on. Called by the holder, who must approve the model; the grant must be in force, its time included.
    /// @dev Emits {JobAccepted}.
    function accept(uint256 jobId) external;

    /// @notice Say what was delivered; the use is paid to the holder. Called by the holder while it approves the model and has not revoked
    /// the grant. What was accepted in the grant's time may be delivered after it.
    /// @dev Emits {JobCompleted}.
    /// @param ciphertextHash keccak-256 of the sealed result
    /// @param datasetVersion a registered version of the grant's dataset
    /// @param modelHash      content hash of what ran; must be the registered one
    /// @param epsilon        privacy cost in micro-epsilon
    function complete(uint256 jobId, bytes32 ciphertextHash, uint16 datasetVersion, bytes32 modelHash, uint64 epsilon) external;

    /// @notice Say why nothing is delivered, before or after accepting; the use is refunded. Called by the holder, at any time.
    /// @dev Emits {JobFailed}.
    function fail(uint256 jobId, Reason reason) external;

    /// @notice Refund a job whose deadline passed. Anyone may.
    /// @dev Emits {JobTimedOut}.
    function timeOut(uint256 jobId) external;

    /// @notice The record; zeros when there is none.
    function job(uint256 jobId) external view returns (Job memory);

    /// @notice How many jobs there are, which is also the last id.
    function jobCount() external view returns (uint256);
}
