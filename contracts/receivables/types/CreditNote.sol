// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev A credit note's fingerprint as the register knows it: apart from invoices' fingerprints, so that no credit note takes an invoice.
function ofCreditNote(bytes32 fingerprint) pure returns (bytes32) {
    return fingerprint == 0 ? fingerprint : keccak256(abi.encode("credit note", fingerprint));
}
