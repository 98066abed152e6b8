// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Desk} from "./Application.sol";
import {Core} from "./types/Core.sol";
import {IMandates} from "./interfaces/IMandates.sol";

/// @title Implementation of {IMandates}, where errors, events and rules are described
contract Mandates is IMandates, Desk {
    /// @notice No mandate outlives this, so that a forgotten one ends by itself.
    uint64 public constant LONGEST = 5 * 365 days;

    mapping(address principal => mapping(address agent => mapping(bytes32 scope => Mandate))) private _mandates;

    constructor(Core memory core) Desk(core) {}

    /// @inheritdoc IMandates
    function grant(address agent, bytes32 scope, uint64 validUntil) external {
        address principal = _activeActorWith(agent);
        _requireNoGuardianship(principal, agent, scope);

        _record(principal, principal, agent, scope, Mandate(Kind.PowerOfAttorney, validUntil), 0);
    }

    /// @inheritdoc IMandates
    function withdraw(address agent, bytes32 scope) external {
        address principal = _actor();
        _requireNoGuardianship(principal, agent, scope);

        _end(principal, principal, agent, scope, 0);
    }

    /// @inheritdoc IMandates
    function appointGuardian(
        address ward,
        address guardian,
        bytes32 scope,
        uint64 validUntil,
        bytes32 basis
    ) external restricted {
        address actor = _activeActor();
        members.requireBothActive(ward, guardian);

        _record(actor, ward, guardian, scope, Mandate(Kind.Guardianship, validUntil), basis);
    }

    /// @inheritdoc IMandates
    function end(address principal, address agent, bytes32 scope, bytes32 basis) external restricted {
        _end(_activeActor(), principal, agent, scope, basis);
    }

    /// @inheritdoc IMandates
    function mayAct(address actor, address principal, bytes32 scope) external view returns (bool) {
        if (actor == principal) return true;
        return block.timestamp <= _mandates[principal][actor][scope].validUntil && members.isActive(actor);
    }

    /// @inheritdoc IMandates
    function mandate(address principal, address agent, bytes32 scope) external view returns (Mandate memory) {
        return _mandates[principal][agent][scope];
    }

    /// @dev One that has expired binds the ward no longer.
    function _requireNoGuardianship(address principal, address agent, bytes32 scope) private view {
        Mandate storage found = _mandates[principal][agent][scope];
        if (found.kind == Kind.Guardianship && block.timestamp <= found.validUntil)
            revert Mandates_GuardianshipInForce(principal, agent, scope);
    }

    function _record(
        address actor,
        address principal,
        address agent,
        bytes32 scope,
        Mandate memory given,
        bytes32 basis
    ) private {
        uint64 chainTime = uint64(block.timestamp);
        if (principal == agent) revert Mandates_SelfMandate(principal);
        if (scope == 0) revert Mandates_EmptyScope();
        if (given.validUntil <= chainTime) revert Mandates_ValidityInPast(given.validUntil, chainTime);
        if (given.validUntil > chainTime + LONGEST)
            revert Mandates_ValidityTooLong(given.validUntil, chainTime + LONGEST);

        _mandates[principal][agent][scope] = given;

        emit MandateGranted(principal, actor, agent, scope, given.kind, given.validUntil, basis);
    }

    function _end(address actor, address principal, address agent, bytes32 scope, bytes32 basis) private {
        if (_mandates[principal][agent][scope].kind == Kind.None) revert Mandates_NoMandate(principal, agent, scope);

        delete _mandates[principal][agent][scope];

        emit MandateEnded(principal, actor, agent, scope, basis);
    }
}
