// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Application} from "../core/Application.sol";
import {Core} from "../core/types/Core.sol";
import {IDatasetRegistry} from "./interfaces/IDatasetRegistry.sol";

/// @title Implementation of {IDatasetRegistry}, where errors, events and rules are described
contract DatasetRegistry is IDatasetRegistry, Application {
    /// @notice Decimal digits of the largest row count that can be told.
    uint8 public constant LARGEST_BUCKET = 19;

    /// @dev Shares slot 0 with the authority's address, which every restricted call reads.
    uint64 private _datasetCount;
    /// @dev Two slots each.
    mapping(uint256 datasetId => Dataset) private _datasets;
    /// @dev Two slots each, written once.
    mapping(uint256 datasetId => mapping(uint16 version => Content)) private _contents;

    constructor(Core memory core) Application(core) {}

    /// @inheritdoc IDatasetRegistry
    function register(
        bytes32 schemaRoot,
        bytes32 contentCommitment,
        uint8 rowCountBucket,
        Classification classification,
        uint256 lineageId,
        bytes32 licence
    ) external restricted returns (uint256 datasetId) {
        address holder = _activeActor();
        _requireContent(schemaRoot, contentCommitment, rowCountBucket);
        if (classification == Classification.None) revert DatasetRegistry_NoClassification();
        if (licence == 0) revert DatasetRegistry_EmptyCommitment();
        if (lineageId != 0) {
            requireHolder(lineageId, holder);
            lineageId = _datasets[lineageId].lineageId;
        }

        datasetId = ++_datasetCount;
        if (lineageId == 0) lineageId = datasetId;
        _datasets[datasetId] = Dataset(holder, 1, rowCountBucket, classification, uint64(lineageId), licence);
        _contents[datasetId][1] = Content(schemaRoot, contentCommitment);

        emit DatasetRegistered(datasetId, holder, schemaRoot, contentCommitment, rowCountBucket, classification, lineageId, licence);
    }

    /// @inheritdoc IDatasetRegistry
    function registerVersion(
        uint256 datasetId,
        bytes32 schemaRoot,
        bytes32 contentCommitment,
        uint8 rowCountBucket
    ) external restricted returns (uint16 version) {
        address holder = _activeActor();
        requireHolder(datasetId, holder);
        _requireContent(schemaRoot, contentCommitment, rowCountBucket);
        version = _datasets[datasetId].version;
        if (_contents[datasetId][version].contentCommitment == contentCommitment)
            revert DatasetRegistry_SameContent(datasetId, contentCommitment);
        if (version == type(uint16).max) revert DatasetRegistry_TooManyVersions(datasetId, version);

        ++version;
        _datasets[datasetId].version = version;
        _datasets[datasetId].rowCountBucket = rowCountBucket;
        _contents[datasetId][version] = Content(schemaRoot, contentCommitment);

        emit DatasetVersionRegistered(datasetId, holder, version, schemaRoot, contentCommitment, rowCountBucket);
    }

    /// @inheritdoc IDatasetRegistry
    function dataset(uint256 datasetId) external view returns (Dataset memory) {
        return _datasets[datasetId];
    }

    /// @inheritdoc IDatasetRegistry
    function contentOf(uint256 datasetId, uint16 version) external view returns (Content memory) {
        return _contents[datasetId][version];
    }

    /// @inheritdoc IDatasetRegistry
    function versionOf(uint256 datasetId) external view returns (uint16) {
        return _datasets[datasetId].version;
    }

    /// @inheritdoc IDatasetRegistry
    function datasetCount() external view returns (uint256) {
        return _datasetCount;
    }

    /// @inheritdoc IDatasetRegistry
    function requireHolder(uint256 datasetId, address account) public view {
        address holder = _datasets[datasetId].holder;
        if (holder == address(0)) revert DatasetRegistry_UnknownDataset(datasetId);
        if (holder != account) revert DatasetRegistry_NotTheHolder(datasetId, account, holder);
    }

    function _requireContent(bytes32 schemaRoot, bytes32 contentCommitment, uint8 rowCountBucket) private pure {
        if (schemaRoot == 0 || contentCommitment == 0) revert DatasetRegistry_EmptyCommitment();
        if (rowCountBucket == 0 || rowCountBucket > LARGEST_BUCKET)
            revert DatasetRegistry_RowCountBucketOutOfRange(rowCountBucket, LARGEST_BUCKET);
    }
}
