// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Models by content hash, and which holder lets which model run on which dataset
/// @notice A model is immutable: another content is another model. An approval belongs to the dataset's holder, who can withdraw it at any
/// time; it is looked at when a job is accepted and again when its result is sold.
interface IModelRegistry {
    enum Kind {
        None,
        Sql,
        Onnx
    }

    /// @param contentHash  keccak-256 of the model file's canonical bytes
    /// @param outputSchema keccak-256 of the canonical bytes of its declared output
    /// @param publisher    who published it
    /// @param kind         see {Kind}
    struct Model {
        bytes32 contentHash;
        bytes32 outputSchema;
        address publisher;
        Kind kind;
    }

    event ModelPublished(uint256 indexed modelId, address indexed actor, Kind kind, bytes32 contentHash, bytes32 outputSchema);
    event ModelApproved(uint256 indexed datasetId, address indexed actor, uint256 indexed modelId);
    event ModelWithdrawn(uint256 indexed datasetId, address indexed actor, uint256 indexed modelId);

    error ModelRegistry_NoKind();
    error ModelRegistry_EmptyHash();
    error ModelRegistry_AlreadyPublished(bytes32 contentHash, uint256 modelId);
    error ModelRegistry_UnknownModel(uint256 modelId);
    error ModelRegistry_AlreadyApproved(uint256 datasetId, uint256 modelId);
    error ModelRegistry_NotApproved(uint256 datasetId, uint256 modelId);

    /// @notice Publish a model. The same content is published once, whoever does it.
    /// @dev Emits {ModelPublished}.
    /// @return modelId sequential, from 1
    function publish(Kind kind, bytes32 contentHash, bytes32 outputSchema) external returns (uint256 modelId);

    /// @notice Let a model run on one's own dataset.
    /// @dev Emits {ModelApproved}.
    function approve(uint256 datasetId, uint256 modelId) external;

    /// @notice Stop a model from running on one's own dataset, jobs already accepted included.
    /// @dev Emits {ModelWithdrawn}.
    function withdraw(uint256 datasetId, uint256 modelId) external;

    /// @notice The record; zeros when there is none.
    function model(uint256 modelId) external view returns (Model memory);

    /// @notice The model with that content, zero when nobody published it.
    function modelOf(bytes32 contentHash) external view returns (uint256);

    /// @notice Whether the dataset's holder approves the model now.
    function isApproved(uint256 datasetId, uint256 modelId) external view returns (bool);

    /// @notice The model's content hash; reverts unless the dataset's holder approves the model now.
    function requireApproved(uint256 datasetId, uint256 modelId) external view returns (bytes32 contentHash);

    /// @notice How many models there are, which is also the last id.
    function modelCount() external view returns (uint256);
}
