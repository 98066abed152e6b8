// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICurrencies} from "../interfaces/ICurrencies.sol";
import {IEscrow} from "../interfaces/IEscrow.sol";
import {IMandates} from "../interfaces/IMandates.sol";
import {IMembers} from "../interfaces/IMembers.sol";

/// @notice The core contracts that an application is deployed against. A core contract that is deployed before another leaves it zero.
struct Core {
    address authority;
    address forwarder;
    IMembers members;
    IMandates mandates;
    ICurrencies currencies;
    IEscrow escrow;
}
