// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {Context} from "@openzeppelin/contracts/utils/Context.sol";

import {IMandates} from "./interfaces/IMandates.sol";
import {IMembers} from "./interfaces/IMembers.sol";
import {Core} from "./types/Core.sol";

/// @title What every application inherits
/// @notice An application keeps no access list of its own: `restricted` asks the one authority which roles may call a function, and
/// {IMembers} says whether a party may do new business.
abstract contract Application is AccessManaged {
    IMembers public immutable members;

    /// @notice A call through `AccessManager.execute` arrives with the manager as its sender; no record may name it as the actor.
    error Application_ManagerCannotAct(address manager);

    constructor(Core memory core) AccessManaged(core.authority) {
        members = core.members;
    }

    /// @dev Who acts, for every function that records it.
    function _actor() internal view returns (address actor) {
        actor = _msgSender();
        if (actor == authority()) revert Application_ManagerCannotAct(actor);
    }

    /// @dev Who acts in new business: an active member or resident.
    function _activeActor() internal view returns (address actor) {
        actor = _actor();
        members.requireActive(actor);
    }

    /// @dev Who acts in new business with a counterparty; both must be active.
    function _activeActorWith(address counterparty) internal view returns (address actor) {
        actor = _actor();
        members.requireBothActive(actor, counterparty);
    }
}

/// @title A workflow that residents and companies may sign for without gas
/// @notice Desks trust the forwarder (ERC-2771); registries never do.
abstract contract Desk is Application, ERC2771Context {
    IMandates public immutable mandates;

    error Desk_NotAuthorized(address actor, address principal, bytes32 scope);

    constructor(Core memory core) Application(core) ERC2771Context(core.forwarder) {
        mandates = core.mandates;
    }

    /// @dev Reverts unless `actor` is `principal` or holds its mandate for `scope`.
    function _requireMayAct(address actor, address principal, bytes32 scope) internal view {
        if (actor != principal && !mandates.mayAct(actor, principal, scope)) revert Desk_NotAuthorized(actor, principal, scope);
    }

    function _msgSender() internal view virtual override(Context, ERC2771Context) returns (address) {
        return ERC2771Context._msgSender();
    }

    function _msgData() internal view virtual override(Context, ERC2771Context) returns (bytes calldata) {
        return ERC2771Context._msgData();
    }

    function _contextSuffixLength() internal view virtual override(Context, ERC2771Context) returns (uint256) {
        return ERC2771Context._contextSuffixLength();
    }
}
