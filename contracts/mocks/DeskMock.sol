// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Desk} from "../core/Application.sol";
import {Core} from "../core/types/Core.sol";

/// @title The smallest desk: shows what the base makes of a caller
contract DeskMock is Desk {
    uint256 public acts;

    event Acted(address indexed actor, bytes data);

    error DeskMock_Refused(address actor, uint256 number, string text);

    constructor(Core memory core) Desk(core) {}

    function act() external {
        _done(_actor());
    }

    function actActive() external {
        _done(_activeActor());
    }

    function actWith(address counterparty) external {
        _done(_activeActorWith(counterparty));
    }

    function actFor(address principal, bytes32 scope) external {
        address actor = _actor();
        _requireMayAct(actor, principal, scope);
        _done(actor);
    }

    function actRestricted() external restricted {
        _done(_actor());
    }

    function refuse(uint256 number, string calldata text) external view {
        revert DeskMock_Refused(_msgSender(), number, text);
    }

    function panic(uint256 by) external pure returns (uint256) {
        return 1 / by;
    }

    function say(string calldata text) external pure {
        // solhint-disable-next-line gas-custom-errors, reason-string
        revert(text);
    }

    /// @notice Never ends by itself.
    function spin() external {
        while (acts < type(uint256).max) {
            ++acts;
        }
    }

    /// @notice Sends the same call through the forwarder again, from within it.
    function relay(address forwarder, bytes calldata data) external {
        (bool success, bytes memory answer) = forwarder.call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    function _done(address actor) private {
        ++acts;
        emit Acted(actor, _msgData());
    }
}
