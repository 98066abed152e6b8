// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rights confirmation (数据确权): who holds which dataset
/// @notice A plain record per dataset, no token and no data: what the chain holds is a salted commitment to the records, an unsalted hash
/// of the columns and a coarse size. A dataset keeps its id through its versions; every version's hashes stay readable. Datasets drawn from the same records belong to one line
/// (lineage), named by its first dataset, so that a privacy budget cannot be had twice by registering the records again under another id.
interface IDatasetRegistry {
    /// @notice How sensitive the records are: the grades of GB/T 43697-2024, personal information apart (PIPL, articles 4 and 28).
    enum Classification {
        None,
        General,
        Important,
        Core,
        Personal,
        SensitivePersonal
    }

    /// @param holder         the member that holds the rights (持有者)
    /// @param version        the newest version, from 1
    /// @param rowCountBucket decimal digits of the newest version's row count: 3 means 100 to 999 rows
    /// @param classification see {Classification}
    /// @param lineageId      the first dataset of the line; a dataset of its own names itself
    /// @param licence        keccak-256 of the licence's text
    struct Dataset {
        address holder;
        uint16 version;
        uint8 rowCountBucket;
        Classification classification;
        uint64 lineageId;
        bytes32 licence;
    }

    /// @param schemaRoot        Merkle root of the columns' names and types
    /// @param contentCommitment salted commitment to the records; the salt stays with the holder
    struct Content {
        bytes32 schemaRoot;
        bytes32 contentCommitment;
    }

    event DatasetRegistered(
        uint256 indexed datasetId,
        address indexed actor,
        bytes32 schemaRoot,
        bytes32 contentCommitment,
        uint8 rowCountBucket,
        Classification classification,
        uint256 lineageId,
        bytes32 licence
    );
    event DatasetVersionRegistered(
        uint256 indexed datasetId,
        address indexed actor,
        uint16 version,
        bytes32 schemaRoot,
        bytes32 contentCommitment,
        uint8 rowCountBucket
    );

    error DatasetRegistry_UnknownDataset(uint256 datasetId);
    error DatasetRegistry_NotTheHolder(uint256 datasetId, address actor, address holder);
    error DatasetRegistry_EmptyCommitment();
    error DatasetRegistry_RowCountBucketOutOfRange(uint8 rowCountBucket, uint8 largest);
    error DatasetRegistry_NoClassification();
    error DatasetRegistry_SameContent(uint256 datasetId, bytes32 contentCommitment);
    error DatasetRegistry_TooManyVersions(uint256 datasetId, uint16 limit);

    /// @notice Register a dataset as its holder; this is its version 1.
    /// @dev Emits {DatasetRegistered}.
    /// @param lineageId zero for a line of its own, otherwise any dataset of the same holder whose line this one joins
    /// @return datasetId sequential, from 1
    function register(
        bytes32 schemaRoot,
        bytes32 contentCommitment,
        uint8 rowCountBucket,
        Classification classification,
        uint256 lineageId,
        bytes32 licence
    ) external returns (uint256 datasetId);

    /// @notice Register a newer version of one's own dataset. Grants go on; a node whose local copy is another version refuses to run.
    /// @dev Emits {DatasetVersionRegistered}.
    function registerVersion(
        uint256 datasetId,
        bytes32 schemaRoot,
        bytes32 contentCommitment,
        uint8 rowCountBucket
    ) external returns (uint16 version);

    /// @notice The record; zeros when there is none.
    function dataset(uint256 datasetId) external view returns (Dataset memory);

    /// @notice What a version consists of; zeros when there is none.
    function contentOf(uint256 datasetId, uint16 version) external view returns (Content memory);

    /// @notice The newest version, zero when there is no such dataset.
    function versionOf(uint256 datasetId) external view returns (uint16);

    /// @notice Reverts unless `account` holds the dataset.
    function requireHolder(uint256 datasetId, address account) external view;

    /// @notice How many datasets there are, which is also the last id.
    function datasetCount() external view returns (uint256);
}
