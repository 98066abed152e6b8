// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Application} from "../core/Application.sol";
import {Core} from "../core/types/Core.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";

/// @title Implementation of {IModelRegistry}, where errors, events and rules are described
contract ModelRegistry is IModelRegistry, Application {
    IDatasetRegistry public immutable datasets;

    /// @dev Shares slot 0 with the authority's address, which every restricted call reads.
    uint64 private _modelCount;
    /// @dev Three slots each, written once.
    mapping(uint256 modelId => Model) private _models;
    mapping(bytes32 contentHash => uint256) private _modelOf;
    mapping(uint256 datasetId => mapping(uint256 modelId => bool)) private _approved;

    constructor(Core memory core, IDatasetRegistry datasets_) Application(core) {
        datasets = datasets_;
    }

    /// @inheritdoc IModelRegistry
    function publish(Kind kind, bytes32 contentHash, bytes32 outputSchema) external restricted returns (uint256 modelId) {
        address publisher = _activeActor();
        if (kind == Kind.None) revert ModelRegistry_NoKind();
        if (contentHash == 0 || outputSchema == 0) revert ModelRegistry_EmptyHash();
        modelId = _modelOf[contentHash];
        if (modelId != 0) revert ModelRegistry_AlreadyPublished(contentHash, modelId);

        modelId = ++_modelCount;
        _models[modelId] = Model(contentHash, outputSchema, publisher, kind);
        _modelOf[contentHash] = modelId;

        emit ModelPublished(modelId, publisher, kind, contentHash, outputSchema);
    }

    /// @inheritdoc IModelRegistry
    function approve(uint256 datasetId, uint256 modelId) external restricted {
        address holder = _activeActor();
        datasets.requireHolder(datasetId, holder);
        if (_models[modelId].kind == Kind.None) revert ModelRegistry_UnknownModel(modelId);
        if (_approved[datasetId][modelId]) revert ModelRegistry_AlreadyApproved(datasetId, modelId);

        _approved[datasetId][modelId] = true;

        emit ModelApproved(datasetId, holder, modelId);
    }

    /// @inheritdoc IModelRegistry
    /// @dev Not restricted: a holder that was suspended or lost its role still may withdraw.
    function withdraw(uint256 datasetId, uint256 modelId) external {
        address holder = _actor();
        datasets.requireHolder(datasetId, holder);
        if (!_approved[datasetId][modelId]) revert ModelRegistry_NotApproved(datasetId, modelId);

        delete _approved[datasetId][modelId];

        emit ModelWithdrawn(datasetId, holder, modelId);
    }

    /// @inheritdoc IModelRegistry
    function model(uint256 modelId) external view returns (Model memory) {
        return _models[modelId];
    }

    /// @inheritdoc IModelRegistry
    function modelOf(bytes32 contentHash) external view returns (uint256) {
        return _modelOf[contentHash];
    }

    /// @inheritdoc IModelRegistry
    function isApproved(uint256 datasetId, uint256 modelId) external view returns (bool) {
        return _approved[datasetId][modelId];
    }

    /// @inheritdoc IModelRegistry
    function requireApproved(uint256 datasetId, uint256 modelId) external view returns (bytes32 contentHash) {
        if (!_approved[datasetId][modelId]) revert ModelRegistry_NotApproved(datasetId, modelId);
        return _models[modelId].contentHash;
    }

    /// @inheritdoc IModelRegistry
    function modelCount() external view returns (uint256) {
        return _modelCount;
    }
}
