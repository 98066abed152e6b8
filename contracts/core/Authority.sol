// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title The one authority of a city's chain
/// @notice OpenZeppelin's AccessManager, unmodified. Every restricted function of every application asks it; no application keeps an
/// access list of its own. Which function needs which role is data: `contracts/<module>/manifest.yaml`, applied by `ape run deploy`.
/// @dev A contract of our own name only so that it is compiled, deployed and put into the address book like the others.
contract Authority is AccessManager {
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
