// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Unified social credit code (统一社会信用代码), 18 ASCII characters.
type CreditCode is bytes18;

using {isValid, isZero} for CreditCode global;

/// @dev The 31 characters of GB 32100-2015, table 1, in the order of their values: digits and letters without I, O, S, V, Z.
bytes constant ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// @notice Whether all 18 characters are of the alphabet and the last is the check character.
/// @dev GB 32100-2015, 5.4: the sum of value × 3^(i-1) mod 31 over the first 17 characters; the check value is 31 minus the sum mod 31 (31 counts as 0).
function isValid(CreditCode code) pure returns (bool) {
    bytes18 raw = CreditCode.unwrap(code);
    uint256 weight = 1;
    uint256 sum;
    for (uint256 i; i < 18; ++i) {
        uint256 value = _value(uint8(raw[i]));
        if (value == 31) return false;
        // The check character's own weight is 1: with it the whole sum is a multiple of 31.
        sum += i == 17 ? value : value * weight;
        weight = (weight * 3) % 31;
    }
    return sum % 31 == 0;
}

function isZero(CreditCode code) pure returns (bool) {
    return CreditCode.unwrap(code) == 0;
}

/// @dev The value of a character, 31 when it is not of the alphabet.
function _value(uint8 character) pure returns (uint256) {
    for (uint256 value; value < 31; ++value) {
        if (uint8(ALPHABET[value]) == character) return value;
    }
    return 31;
}
