// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Desk} from "./Application.sol";
import {IMembers} from "./interfaces/IMembers.sol";
import {Core} from "./types/Core.sol";
import {ISuccession} from "./interfaces/ISuccession.sol";

/// @title Implementation of {ISuccession}, where errors, events and rules are described
contract Succession is ISuccession, Desk {
    /// @notice How long a proposed succession can be contested.
    uint64 public constant WAITING_PERIOD = 15 days;

    mapping(address predecessor => Case) private _cases;

    error Succession_NotThePredecessor(address actor, address predecessor);

    constructor(Core memory core) Desk(core) {}

    /// @inheritdoc ISuccession
    function propose(address predecessor, address successor, bytes32 basis) external restricted {
        address actor = _activeActorWith(successor);
        if (members.party(predecessor).status == IMembers.Status.None) revert Succession_UnknownPredecessor(predecessor);
        if (predecessor == successor) revert Succession_ToItself(predecessor);
        State state = _cases[predecessor].state;
        if (state != State.None) revert Succession_WrongState(predecessor, state);
        _requireNotSucceeded(successor);

        uint64 completableAt = uint64(block.timestamp) + WAITING_PERIOD;
        _cases[predecessor] = Case(successor, completableAt, State.Proposed);

        emit SuccessionProposed(predecessor, actor, successor, completableAt, basis);
    }

    /// @inheritdoc ISuccession
    function contest(address predecessor) external {
        address actor = _actor();
        if (actor != predecessor) revert Succession_NotThePredecessor(actor, predecessor);
        _drop(predecessor, actor, 0);
    }

    /// @inheritdoc ISuccession
    function dismiss(address predecessor, bytes32 basis) external restricted {
        _drop(predecessor, _activeActor(), basis);
    }

    /// @inheritdoc ISuccession
    function complete(address predecessor) external {
        address actor = _actor();
        Case storage found = _cases[predecessor];
        if (found.state != State.Proposed) revert Succession_WrongState(predecessor, found.state);
        if (block.timestamp < found.completableAt)
            revert Succession_TooEarly(predecessor, found.completableAt, uint64(block.timestamp));
        address successor = found.successor;
        members.requireActive(successor);
        _requireNotSucceeded(successor);

        found.state = State.Completed;

        emit SuccessionCompleted(predecessor, actor, successor);
    }

    /// @inheritdoc ISuccession
    function successorOf(address predecessor) public view returns (address) {
        Case storage found = _cases[predecessor];
        return found.state == State.Completed ? found.successor : address(0);
    }

    /// @inheritdoc ISuccession
    function caseOf(address predecessor) external view returns (Case memory) {
        return _cases[predecessor];
    }

    function _drop(address predecessor, address actor, bytes32 basis) private {
        State state = _cases[predecessor].state;
        if (state != State.Proposed) revert Succession_WrongState(predecessor, state);

        delete _cases[predecessor];

        emit SuccessionContested(predecessor, actor, basis);
    }

    /// @dev A chain of successions would let two accounts succeed each other.
    function _requireNotSucceeded(address successor) private view {
        address by = successorOf(successor);
        if (by != address(0)) revert Succession_SuccessorWasSucceeded(successor, by);
    }
}
