//! The quirks by name.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::row::{Row, rows};

/// Declares the quirks with their names.
macro_rules! quirks {
    ($($quirk:ident = $name:literal,)*) => {
        /// One deviation from the specification. New ones are added: only the names are stable, not the order.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Quirk {
            $(
                #[doc = concat!("`", $name, "`: see its [row](Quirk::row).")]
                $quirk,
            )*
        }

        impl Quirk {
            /// Every quirk.
            pub const ALL: &[Self] = &[$(Self::$quirk,)*];

            /// Its name in configurations and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$quirk => $name,)*
                }
            }
        }
    };
}

quirks! {
    AuthCapabilitiesWrong = "auth-capabilities-wrong",
    VersionBitRefused = "version-bit-refused",
    SessionIdZero = "session-id-zero",
    CodesThoughOff = "codes-though-off",
    DropsWithoutCode = "drops-without-code",
    SequenceByteSwapped = "sequence-byte-swapped",
    MessageChecksumWrong = "message-checksum-wrong",
    ActivationSequenceOff = "activation-sequence-off-by-one",
    HighestPrivilegeRefused = "highest-privilege-refused",
    V15SessionsMissing = "v15-sessions-missing",
    OpenSessionRoleHashed = "open-session-role-hashed",
    RakpNamePadded = "rakp-name-padded",
    NameOnlyLookupRefused = "name-only-lookup-refused",
    Rakp2LengthOff = "rakp2-length-off-by-one",
    Rakp4CodeWhole = "rakp4-code-whole",
    SuiteRecordsBroken = "suite-records-broken",
    Suite0Code = "suite-0-rakp4-code",
    RakpLookupBitLeftOut = "rakp-lookup-bit-left-out",
    OneSuiteOnly = "one-suite-only",
    AlgorithmListWrong = "algorithm-list-wrong",
    SuitesCountedFrom1 = "suites-counted-from-1",
    Sha256Refused = "sha256-refused",
    Rakp2SessionForgotten = "rakp2-session-forgotten",
    Rakp4SessionForgotten = "rakp4-session-forgotten",
    RakpParameterRefusedOnce = "rakp-parameter-refused-once",
    OpenSessionErrorShort = "open-session-error-short",
    CompletionCodeAsStatus = "completion-code-as-status",
    Rakp2GuidZero = "rakp2-guid-zero",
    PasswordCutAt16 = "password-cut-at-16",
    SuiteOfferedUnusable = "suite-offered-unusable",
    SuiteTiedToPrivilege = "suite-tied-to-privilege",
    SequenceSkips = "sequence-skips",
    CloseSessionUnanswered = "close-session-unanswered",
    OneSessionSlot = "one-session-slot",
    SessionDroppedSilently = "session-dropped-silently",
    PresencePongMissing = "presence-pong-missing",
    StaleAnswerFirst = "stale-answer-first",
    DuplicateRefused = "duplicate-refused",
    RequestNumbersNarrow = "request-numbers-narrow",
    OftenBusy = "often-busy",
    NeedsGap = "needs-gap",
    SdrReserveMissing = "sdr-reserve-missing",
    SdrCountWrong = "sdr-count-wrong",
    SdrListEndless = "sdr-list-endless",
    SdrIdDiffers = "sdr-id-differs",
    SdrLengthTooBig = "sdr-length-too-big",
    SdrWholeReadShort = "sdr-whole-read-short",
    SdrReadLimited = "sdr-read-limited",
    SdrReservationLost = "sdr-reservation-lost",
    SdrLastRefused = "sdr-last-refused",
    DeviceSdrsOnly = "device-sdrs-only",
    SensorOwnerWrong = "sensor-owner-wrong",
    SensorAbsentByCode = "sensor-absent-by-code",
    ReadingShort = "reading-short",
    ScanningFlagWrong = "scanning-flag-wrong",
    IllegalStates = "illegal-states",
    SelReserveDenied = "sel-reserve-denied",
    SelNextZero = "sel-next-zero",
    SelListEndless = "sel-list-endless",
    SelEntryUnreadable = "sel-entry-unreadable",
    SelGeneratorWrong = "sel-generator-wrong",
    SelTimeBusy = "sel-time-busy",
    SelTimesSinceStart = "sel-times-since-start",
    FruChecksumsWrong = "fru-checksums-wrong",
    FruReadLimited = "fru-read-limited",
    FruEmpty = "fru-empty",
    MessagesShort = "messages-short",
    SystemInfoDenied = "system-info-denied",
    LanParameterFlaky = "lan-parameter-flaky",
    IdentifyLengthRefused = "identify-length-refused",
    PowerCommandIgnored = "power-command-ignored",
    ManufacturerInvalid = "manufacturer-invalid",
    GuidByteOrder = "guid-byte-order",
    GuidUnsteady = "guid-unsteady",
    BootFlagsLong = "boot-flags-long",
    AssetTagLengthMissing = "asset-tag-length-missing",
    WatchdogNeverRunning = "watchdog-never-running",
    PowerReadingEmpty = "power-reading-empty",
    EnableNeedsPassword = "enable-needs-password",
    Password20Refused = "password-20-refused",
    UserNameUnsetRefused = "user-name-unset-refused",
    SolSizesWrong = "sol-sizes-wrong",
    SolPortWrong = "sol-port-wrong",
    SolStatusWrong = "sol-status-wrong",
    SolCapacityZero = "sol-capacity-zero",
    SolPacketsMalformed = "sol-packets-malformed",
}

impl Quirk {
    /// What is known about it.
    #[must_use]
    pub fn row(self) -> &'static Row {
        // One row each: a test sees to it.
        rows()
            .find(|row| row.quirk == self)
            .unwrap_or(&Row::MISSING)
    }

    /// The quirk with the number `index`, in the order of [`Self::ALL`].
    pub(super) fn at(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no quirk of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownQuirk {
    /// The name that was given.
    pub name: String,
    /// A quirk with a name much like it.
    pub like: Option<Quirk>,
}

impl fmt::Display for UnknownQuirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no quirk named {:?}", self.name)?;
        match self.like {
            Some(like) => write!(f, "; did you mean {:?}?", like.name()),
            None => f.write_str("; 'reddrum ipmi quirks' lists them"),
        }
    }
}

impl core::error::Error for UnknownQuirk {}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    /// By its name, or by that of FreeIPMI's workaround flag.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_it = |row: &&Row| row.quirk.name() == name || row.freeipmi == Some(name);
        rows()
            .find(is_it)
            .map(|row| row.quirk)
            .ok_or_else(|| UnknownQuirk {
                name: name.into(),
                like: most_like(name),
            })
    }
}

/// The quirk whose name shares the most pairs of letters with `name`; `None` where that is less than half of them.
fn most_like(name: &str) -> Option<Quirk> {
    let pairs = |text: &'static str| text.as_bytes().windows(2);
    let share = |known: &'static str| {
        let common = pairs(known).filter(|pair| name.as_bytes().windows(2).any(|own| own == *pair));
        let all = known.len().max(name.len()).saturating_sub(1).max(1);
        common.count() * 100 / all
    };
    let best = Quirk::ALL.iter().max_by_key(|quirk| share(quirk.name()))?;
    (share(best.name()) >= 50).then_some(*best)
}
