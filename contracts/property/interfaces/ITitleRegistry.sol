// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Currency} from "../../core/interfaces/ICurrencies.sol";
import {UnitNumber} from "../types/UnitNumber.sol";

/// @title Property titles: one per unit, with its liens
/// @notice ERC-721 for reading by wallets and explorers, ERC-5192 always locked: a title moves only as the law moves it, through a desk with
/// the role TITLE_OPEN. The token id is the unit number, so a unit cannot be registered twice.
///
/// Lifecycle: `None` → register → `Active` → (transfer, reissue: version + 1, stays `Active`) → cancel → `Cancelled` (cold).
/// `Superseded` is where a split or merged unit ends.
///
/// Invariant T1: `liens` = the number of active liens of the title, at most `MAX_LIENS`. T2: a released lien never becomes active again; its
/// number is its rank and is not used twice. T3: a title with a lien that forbids transfer keeps its owner. T4: a cancelled title has no lien.
interface ITitleRegistry {
    enum Status {
        None,
        Active,
        Superseded,
        Cancelled
    }

    /// @param owner           who holds the title
    /// @param registeredAt    Unix seconds of the first registration
    /// @param version         1 at registration, + 1 with each certificate that takes the place of an earlier one
    /// @param status          see the lifecycle
    /// @param liens           active liens
    /// @param certificateRoot root of the current certificate's salted fields
    struct Title {
        address owner;
        uint64 registeredAt;
        uint16 version;
        Status status;
        uint8 liens;
        bytes32 certificateRoot;
    }

    enum LienStatus {
        None,
        Active,
        Released
    }

    /// @param holder          the secured creditor
    /// @param status          see {LienStatus}
    /// @param forbidsTransfer whether the title may not be transferred while it stands; Civil Code 406 allows both
    /// @param amount          secured amount in minor units of `currency`
    struct Lien {
        address holder;
        LienStatus status;
        bool forbidsTransfer;
        Currency currency;
        uint128 amount;
    }

    event TitleRegistered(UnitNumber indexed unit, address indexed actor, address indexed owner, bytes32 certificateRoot);
    event TitleTransferred(
        UnitNumber indexed unit,
        address indexed actor,
        address indexed to,
        address from,
        uint16 version,
        bytes32 certificateRoot
    );
    event TitleReissued(UnitNumber indexed unit, address indexed actor, uint16 version, bytes32 certificateRoot, bytes32 basis);
    event TitleCancelled(UnitNumber indexed unit, address indexed actor, bytes32 basis);
    event LienPlaced(
        UnitNumber indexed unit,
        address indexed actor,
        address indexed holder,
        uint16 number,
        uint128 amount,
        Currency currency,
        bool forbidsTransfer
    );
    event LienReleased(UnitNumber indexed unit, address indexed actor, uint16 number);

    error TitleRegistry_MalformedUnitNumber(UnitNumber unit);
    error TitleRegistry_AlreadyRegistered(UnitNumber unit, Status status);
    error TitleRegistry_NotActive(UnitNumber unit, Status status);
    error TitleRegistry_EmptyCertificateRoot(UnitNumber unit);
    error TitleRegistry_SameCertificateRoot(UnitNumber unit, bytes32 certificateRoot);
    error TitleRegistry_NotTheOwner(UnitNumber unit, address owner, address claimed);
    error TitleRegistry_SameOwner(UnitNumber unit, address owner);
    error TitleRegistry_TransferForbiddenByLien(UnitNumber unit, uint8 forbidding);
    error TitleRegistry_Encumbered(UnitNumber unit, uint8 liens);
    error TitleRegistry_TooManyLiens(UnitNumber unit, uint8 limit);
    error TitleRegistry_ZeroAmount(UnitNumber unit);
    error TitleRegistry_LienNotActive(UnitNumber unit, uint16 number, LienStatus status);
    /// @notice Titles do not move by ERC-721 transfers or approvals (ERC-5192).
    error TitleRegistry_Locked(uint256 tokenId);

    /// @notice Register a unit's first title.
    /// @dev Emits {TitleRegistered}, ERC-721 Transfer and ERC-5192 Locked. Requirements: the number is laid out as GB/T 37346 says; nobody
    /// registered the unit before; the registrar is active, the owner an active member or resident.
    function registerTitle(UnitNumber unit, address owner, bytes32 certificateRoot) external;

    /// @notice Move a title to a new owner, with a new certificate. For desks.
    /// @param from  the owner whom the desk's case knows; refused when the title moved meanwhile
    /// @param actor the person on whose act the desk does it
    function transferTitle(UnitNumber unit, address from, address to, bytes32 certificateRoot, address actor) external;

    /// @notice Correct or reissue: a new certificate takes the place of the current one.
    /// @param basis commitment to the decision it rests on
    function reissue(UnitNumber unit, bytes32 certificateRoot, bytes32 basis) external;

    /// @notice End a title without liens.
    function cancel(UnitNumber unit, bytes32 basis) external;

    /// @notice Enter a lien. For desks.
    /// @param owner the owner whom the desk's case knows; refused when the title moved meanwhile
    /// @return number the lien's number on this title, which is also its rank
    function placeLien(
        UnitNumber unit,
        address owner,
        address holder,
        uint128 amount,
        Currency currency,
        bool forbidsTransfer,
        address actor
    ) external returns (uint16 number);

    /// @notice Take a lien off. For desks that finish cases.
    function releaseLien(UnitNumber unit, uint16 number, address actor) external;

    /// @notice The title of a unit; zeros when it was never registered.
    function titleOf(UnitNumber unit) external view returns (Title memory);

    /// @notice A lien by its number; zeros when there never was one.
    function lienOf(UnitNumber unit, uint16 number) external view returns (Lien memory);
}
