// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Desk} from "../core/Application.sol";
import {Core} from "../core/types/Core.sol";
import {IAccessGrants} from "./interfaces/IAccessGrants.sol";
import {IComputeDesk} from "./interfaces/IComputeDesk.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";

/// @title Implementation of {IComputeDesk}, where errors, events and rules are described
contract ComputeDesk is IComputeDesk, Desk {
    /// @notice How long a holder's node may take to accept a job.
    uint64 public constant ACCEPT_PERIOD = 1 days;
    /// @notice How long it may take from accepting to completing.
    uint64 public constant COMPLETE_PERIOD = 1 days;

    IAccessGrants public immutable grants;
    IDatasetRegistry public immutable datasets;
    IModelRegistry public immutable models;

    /// @dev Shares slot 0 with the authority's address, which every call reads to know that the manager does not act.
    uint64 private _jobCount;
    /// @dev One slot until a job is completed, which adds the hash in a second.
    mapping(uint256 jobId => Job) private _jobs;

    constructor(Core memory core, IAccessGrants grants_, IDatasetRegistry datasets_, IModelRegistry models_) Desk(core) {
        grants = grants_;
        datasets = datasets_;
        models = models_;
    }

    /// @inheritdoc IComputeDesk
    /// @dev Not restricted: only a grant's grantee gets past {IAccessGrants-use}, and its role was checked when it asked for the grant.
    function submit(uint256 grantId, uint256 modelId, bytes32 resultKey) external returns (uint256 jobId) {
        address actor = _activeActor();
        if (modelId == 0 || modelId > type(uint48).max) revert ComputeDesk_UnknownModel(modelId);
        if (resultKey == 0) revert ComputeDesk_EmptyResultKey();

        jobId = ++_jobCount;
        uint64 acceptBy = uint64(block.timestamp) + ACCEPT_PERIOD;
        Job storage made = _jobs[jobId];
        // AccessGrants counts grants in 48 bits and refuses an id that it never gave.
        made.grantId = uint48(grantId);
        made.modelId = uint48(modelId);
        made.deadline = acceptBy;
        made.state = State.Submitted;

        emit JobSubmitted(jobId, actor, grantId, modelId, resultKey, acceptBy);

        grants.use(grantId, actor);
    }

    /// @inheritdoc IComputeDesk
    function accept(uint256 jobId) external restricted {
        address actor = _activeActor();
        Job storage found = _jobs[jobId];
        _requireState(jobId, found, State.Submitted);
        (uint256 datasetId, IAccessGrants.State state, uint64 until) = _requireHolder(jobId, found, actor);
        _requireInTime(jobId, found);
        if (state != IAccessGrants.State.Approved || block.timestamp > until)
            revert ComputeDesk_GrantNotInForce(jobId, found.grantId, state, until);
        models.requireApproved(datasetId, found.modelId);

        uint64 completeBy = uint64(block.timestamp) + COMPLETE_PERIOD;
        found.state = State.Accepted;
        found.deadline = completeBy;

        emit JobAccepted(jobId, actor, completeBy);
    }

    /// @inheritdoc IComputeDesk
    /// @dev Neither restricted nor for active members only: delivering is an obligation.
    function complete(uint256 jobId, bytes32 ciphertextHash, uint16 datasetVersion, bytes32 modelHash, uint64 epsilon) external {
        address actor = _actor();
        Job storage found = _jobs[jobId];
        _requireState(jobId, found, State.Accepted);
        (uint256 datasetId, IAccessGrants.State state, uint64 until) = _requireHolder(jobId, found, actor);
        _requireInTime(jobId, found);
        if (state == IAccessGrants.State.Revoked) revert ComputeDesk_GrantNotInForce(jobId, found.grantId, state, until);
        if (ciphertextHash == 0) revert ComputeDesk_EmptyHash(jobId);
        bytes32 registered = models.requireApproved(datasetId, found.modelId);
        if (modelHash != registered) revert ComputeDesk_WrongModelHash(jobId, modelHash, registered);
        uint16 newest = datasets.versionOf(datasetId);
        if (datasetVersion == 0 || datasetVersion > newest) revert ComputeDesk_UnknownDatasetVersion(jobId, datasetVersion, newest);

        found.state = State.Completed;
        found.datasetVersion = datasetVersion;
        found.epsilon = epsilon;
        found.ciphertextHash = ciphertextHash;

        emit JobCompleted(jobId, actor, ciphertextHash, datasetVersion, modelHash, epsilon);

        grants.payUse(found.grantId, actor);
    }

    /// @inheritdoc IComputeDesk
    /// @dev Neither restricted, nor for active members only, nor bound to a deadline: it only gives money back.
    function fail(uint256 jobId, Reason reason) external {
        address actor = _actor();
        Job storage found = _jobs[jobId];
        _requireOpen(jobId, found);
        _requireHolder(jobId, found, actor);
        if (reason == Reason.None) revert ComputeDesk_NoReason(jobId);

        found.state = State.Failed;
        found.reason = reason;

        emit JobFailed(jobId, actor, reason);

        grants.refundUse(found.grantId, actor);
    }

    /// @inheritdoc IComputeDesk
    function timeOut(uint256 jobId) external {
        address actor = _actor();
        Job storage found = _jobs[jobId];
        _requireOpen(jobId, found);
        uint64 deadline = found.deadline;
        if (block.timestamp <= deadline) revert ComputeDesk_TooEarly(jobId, deadline, uint64(block.timestamp));

        found.state = State.TimedOut;

        emit JobTimedOut(jobId, actor);

        grants.refundUse(found.grantId, actor);
    }

    /// @inheritdoc IComputeDesk
    function job(uint256 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    /// @inheritdoc IComputeDesk
    function jobCount() external view returns (uint256) {
        return _jobCount;
    }

    function _requireState(uint256 jobId, Job storage found, State required) private view {
        State state = found.state;
        if (state != required) revert ComputeDesk_WrongState(jobId, state);
    }

    function _requireOpen(uint256 jobId, Job storage found) private view {
        State state = found.state;
        if (state != State.Submitted && state != State.Accepted) revert ComputeDesk_WrongState(jobId, state);
    }

    function _requireHolder(
        uint256 jobId,
        Job storage found,
        address actor
    ) private view returns (uint256 datasetId, IAccessGrants.State state, uint64 until) {
        address holder;
        (holder, datasetId, state, until) = grants.standingOf(found.grantId);
        if (actor != holder) revert ComputeDesk_NotTheHolder(jobId, actor, holder);
    }

    function _requireInTime(uint256 jobId, Job storage found) private view {
        uint64 deadline = found.deadline;
        if (block.timestamp > deadline) revert ComputeDesk_TooLate(jobId, deadline, uint64(block.timestamp));
    }
}
