// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Property unit number (不动产单元号): 28 ASCII characters. The token id is the same 28 bytes.
type UnitNumber is bytes28;

using {isWellFormed, toTokenId} for UnitNumber global;

/// @dev One bit (0x80) per character, most significant character first.
uint256 constant ONES = 0x01010101010101010101010101010101010101010101010101010101;
uint256 constant TOP = 0x80808080808080808080808080808080808080808080808080808080;
/// @dev 6 county + 3 zone + 3 sub-zone digits, then 5 digits of the parcel's serial number.
uint256 constant DIGITS = 0x80808080808080808080808000008080808080000000000000000000;
/// @dev The parcel's two feature letters.
uint256 constant LETTERS = 0x00000000000000000000000080800000000000000000000000000000;
/// @dev The unit's serial number on the parcel.
uint256 constant TAIL = 0x8080808080808080;

/// @notice Whether the number is laid out as GB/T 37346 says: 12 digits, 2 capitals, 5 digits, one of F (building), L (forest), Q (other) or
/// W (none), then 8 digits or capitals, which are eight zeros after W. The standard has no check character.
/// @dev All 28 characters are compared at once: with every byte below 0x80, `byte + (0x80 - low)` sets its top bit iff byte ≥ low.
function isWellFormed(UnitNumber unit) pure returns (bool) {
    uint256 x = uint224(UnitNumber.unwrap(unit));
    if (x & TOP != 0) return false;
    uint256 digits = (x + ONES * 0x50) & ~(x + ONES * 0x46); // 0x30 '0' … 0x39 '9'
    uint256 letters = (x + ONES * 0x3f) & ~(x + ONES * 0x25); // 0x41 'A' … 0x5a 'Z'
    if (digits & DIGITS != DIGITS || letters & LETTERS != LETTERS || (digits | letters) & TAIL != TAIL) return false;

    uint256 feature = (x >> 64) & 0xff;
    if (feature == 0x57) return uint64(x) == 0x3030303030303030; // 'W', "00000000"
    return feature == 0x46 || feature == 0x4c || feature == 0x51; // 'F', 'L', 'Q'
}

/// @notice The ERC-721 token id of a unit.
function toTokenId(UnitNumber unit) pure returns (uint256) {
    return uint224(UnitNumber.unwrap(unit));
}
