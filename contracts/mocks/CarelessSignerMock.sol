// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @title An account that answers ERC-1271 without looking: yes, no, something else, nothing, a revert, or never
contract CarelessSignerMock {
    enum Mode {
        Accepts,
        Refuses,
        Garbage,
        MagicAndMore,
        TooShort,
        Nothing,
        Reverts,
        Spins
    }

    Mode public mode;

    error CarelessSignerMock_Refused();

    function set(Mode mode_) external {
        mode = mode_;
    }

    function approve(IERC20 token, address spender, uint256 amount) external {
        token.approve(spender, amount);
    }

    /// @notice Call anything in this account's name.
    function run(address target, bytes calldata data) external {
        Address.functionCall(target, data);
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes32) {
        bytes32 magic = bytes32(IERC1271.isValidSignature.selector);
        if (mode == Mode.Accepts) return magic;
        if (mode == Mode.Refuses) return bytes32(bytes4(0xffffffff));
        if (mode == Mode.Garbage) return keccak256("garbage");
        if (mode == Mode.MagicAndMore) return magic | bytes32(uint256(1));
        if (mode == Mode.Reverts) revert CarelessSignerMock_Refused();
        if (mode == Mode.Spins) {
            uint256 turns;
            while (gasleft() > 0) {
                ++turns;
            }
        }
        uint256 size = mode == Mode.TooShort ? 4 : 0;
        assembly ("memory-safe") {
            mstore(0, magic)
            return(0, size)
        }
    }
}
