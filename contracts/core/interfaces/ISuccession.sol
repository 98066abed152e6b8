// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Nothing dies with a key
/// @notice Who takes the place of a member or resident (merger, death, lost key, insolvency). A court proposes, the old account contests
/// or a court dismisses until it is completed, and after the waiting period anyone completes. The successor claims assets one by one.
interface ISuccession {
    enum State {
        None,
        Proposed,
        Completed
    }

    /// @param successor    who takes the place
    /// @param completableAt Unix seconds, the first at which it may be completed
    struct Case {
        address successor;
        uint64 completableAt;
        State state;
    }

    event SuccessionProposed(address indexed predecessor, address indexed actor, address successor, uint64 completableAt, bytes32 basis);
    event SuccessionContested(address indexed predecessor, address indexed actor, bytes32 basis);
    event SuccessionCompleted(address indexed predecessor, address indexed actor, address successor);

    error Succession_UnknownPredecessor(address account);
    error Succession_ToItself(address account);
    error Succession_WrongState(address predecessor, State state);
    error Succession_TooEarly(address predecessor, uint64 completableAt, uint64 chainTime);
    error Succession_SuccessorWasSucceeded(address successor, address by);

    function propose(address predecessor, address successor, bytes32 basis) external;

    /// @notice The predecessor objects; its account being able to speak is proof enough that the key is not lost.
    function contest(address predecessor) external;

    /// @notice An office stops a succession.
    function dismiss(address predecessor, bytes32 basis) external;

    /// @notice Complete after the waiting period. The successor must still be active.
    function complete(address predecessor) external;

    /// @notice Who may claim what `predecessor` held; zero when nobody.
    function successorOf(address predecessor) external view returns (address);

    function caseOf(address predecessor) external view returns (Case memory);
}
