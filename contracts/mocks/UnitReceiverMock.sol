// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title A holder of units whose receiver's hook accepts, refuses, answers nonsense, sends the units on at once, never ends or calls somebody
contract UnitReceiverMock is IERC1155Receiver, ERC165 {
    enum Mode {
        Accept,
        Refuse,
        Nonsense,
        SendTwiceOn,
        Spin,
        Call
    }

    Mode public mode;
    address public accomplice;
    /// @notice What the last hook was called with.
    bytes public lastCall;
    /// @notice Whom the hook calls with what, and what came of it.
    address public target;
    bytes public data;
    bool public succeeded;
    bytes public answer;

    error UnitReceiverMock_Refused();

    function set(Mode mode_, address accomplice_) external {
        mode = mode_;
        accomplice = accomplice_;
    }

    function setCall(address target_, bytes calldata data_) external {
        (mode, target, data) = (Mode.Call, target_, data_);
    }

    /// @notice Call anything in this account's name.
    function run(address target_, bytes calldata data_) external {
        Address.functionCall(target_, data_);
    }

    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes calldata data_) external returns (bytes4) {
        lastCall = abi.encode(operator, from, id, value, data_);
        _misbehave();
        if (mode == Mode.Refuse) revert UnitReceiverMock_Refused();
        if (mode == Mode.Nonsense) return 0xdeadbeef;
        if (mode == Mode.SendTwiceOn) {
            IERC1155(msg.sender).safeTransferFrom(address(this), accomplice, id, value, "");
            IERC1155(msg.sender).safeTransferFrom(address(this), accomplice, id, value, "");
        }
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(
        address operator,
        address from,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data_
    ) external returns (bytes4) {
        lastCall = abi.encode(operator, from, ids, values, data_);
        _misbehave();
        if (mode == Mode.Refuse) revert UnitReceiverMock_Refused();
        return mode == Mode.Nonsense ? bytes4(0xdeadbeef) : this.onERC1155BatchReceived.selector;
    }

    function supportsInterface(bytes4 interfaceId) public view override(ERC165, IERC165) returns (bool) {
        return interfaceId == type(IERC1155Receiver).interfaceId || super.supportsInterface(interfaceId);
    }

    function _misbehave() private {
        // solhint-disable-next-line avoid-low-level-calls
        if (mode == Mode.Call) (succeeded, answer) = target.call(data);
        if (mode != Mode.Spin) return;
        uint256 turns;
        while (gasleft() > 0) {
            ++turns;
        }
    }
}
