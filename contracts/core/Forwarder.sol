// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title The forwarder: anyone may sign, nobody needs gas
/// @notice OpenZeppelin's ERC2771Forwarder, which (5.7) recovers by ECDSA only and turns inner errors into `FailedCall`. This one also accepts
/// ERC-1271 signers (a Safe) and hands the inner error up, so that a relayed call fails with the same error as a direct one (`FailedCall` only
/// where there was none, as when the request's gas ran out).
/// A failed request reverts whole and its nonce is not spent, in a batch too.
contract Forwarder is ERC2771Forwarder {
    error Forwarder_NoValue(uint256 value);

    constructor() ERC2771Forwarder("chaincity Forwarder") {}

    /// @inheritdoc ERC2771Forwarder
    function execute(ForwardRequestData calldata request) public payable override {
        _refuseValue();
        _executeOrBubble(request);
    }

    /// @notice Execute all requests or none. The chain's money is tokens; requests carry no native value.
    function executeBatch(ForwardRequestData[] calldata requests, address payable) public payable override {
        _refuseValue();
        for (uint256 i; i < requests.length; ++i) {
            _executeOrBubble(requests[i]);
        }
    }

    function _executeOrBubble(ForwardRequestData calldata request) private {
        if (request.value != 0) revert Forwarder_NoValue(request.value);
        if (!_execute(request, true)) {
            uint256 size;
            assembly ("memory-safe") {
                size := returndatasize()
            }
            if (size == 0) revert Errors.FailedCall();
            // Nothing was called since the inner call, so its return data is still there.
            assembly ("memory-safe") {
                let data := mload(0x40)
                returndatacopy(data, 0, size)
                revert(data, size)
            }
        }
    }

    /// @dev In an empty batch too, where no request would notice it and it would stay here for ever.
    function _refuseValue() private view {
        if (msg.value != 0) revert Forwarder_NoValue(msg.value);
    }

    /// @dev ECDSA for plain keys, ERC-1271 for accounts with code.
    function _recoverForwardRequestSigner(
        ForwardRequestData calldata request
    ) internal view override returns (bool isValid, address signer) {
        (isValid, signer) = super._recoverForwardRequestSigner(request);
        if ((isValid && signer == request.from) || request.from.code.length == 0) return (isValid, signer);

        bytes32 hash = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    FORWARD_REQUEST_TYPEHASH,
                    request.from,
                    request.to,
                    request.value,
                    request.gas,
                    nonces(request.from),
                    request.deadline,
                    keccak256(request.data)
                )
            )
        );
        if (SignatureChecker.isValidSignatureNow(request.from, hash, request.signature)) return (true, request.from);
    }
}
