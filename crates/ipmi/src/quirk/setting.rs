//! Rows about settings, texts, power and users.

use super::{Area, Quirk, Row};

use Area::{Log, Session, Settings, Sol, Users};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    Row::new(
        Quirk::MessagesShort,
        Session,
        &[48],
        "§6.10",
        "messages with more than 34 bytes of data are refused",
        "reads in parts that fit",
    )
    .seen_on("bridges and BMCs behind a KCS interface"),
    Row::new(
        Quirk::SystemInfoDenied,
        Settings,
        &[56],
        "§22.14b",
        "system information is refused for want of privilege",
        "does without",
    )
    .seen_on("Supermicro X8DTL, X9DRFR, Windmill, Bull"),
    Row::new(
        Quirk::LanParameterFlaky,
        Settings,
        &[55],
        "§23.2",
        "a LAN parameter is refused by FFh now and then",
        "asks once more",
    )
    .noticed(),
    Row::new(
        Quirk::SelTimeBusy,
        Log,
        &[80],
        "§31.10",
        "the log's clock is refused by 81h while the log is busy",
        "asks again, a bounded number of times",
    ),
    Row::new(
        Quirk::IdentifyLengthRefused,
        Settings,
        &[],
        "§28.5",
        "Chassis Identify takes its first byte only",
        "asks for a light that goes out by itself",
    )
    .seen_on("HP"),
    Row::new(
        Quirk::PowerCommandIgnored,
        Settings,
        &[101],
        "§28.3",
        "a power command is said to be carried out, and isn't",
        "looks at the power, and sends it once more",
    )
    .noticed(),
    Row::new(
        Quirk::ManufacturerInvalid,
        Settings,
        &[104],
        "§20.1",
        "the maker's number is nobody's",
        "goes by what the BMC does",
    )
    .seen_on("Supermicro X8"),
    Row::new(
        Quirk::GuidByteOrder,
        Settings,
        &[105],
        "§20.8",
        "a GUID's bytes go in another order",
        "goes by the version in it, where that fits one order only",
    )
    .noticed(),
    Row::new(
        Quirk::GuidUnsteady,
        Settings,
        &[],
        "§20.8",
        "the GUID is another one in each answer, or after each restart",
        "asks twice, and knows it by MAC address and serial number; shows no such GUID",
    )
    .noticed(),
    Row::new(
        Quirk::BootFlagsLong,
        Settings,
        &[97],
        "§28.13",
        "the boot flags have 12 more bytes",
        "reads the bytes that it knows",
    )
    .seen_on("HP DL380 G5"),
    Row::new(
        Quirk::AssetTagLengthMissing,
        Settings,
        &[103],
        "DCMI 1.5 §6.4.2",
        "the asset tag comes without its length",
        "reads to the end of what comes",
    )
    .noticed()
    .seen_on("Supermicro"),
    Row::new(
        Quirk::WatchdogNeverRunning,
        Settings,
        &[53],
        "§27.7",
        "the watchdog is never said to be running",
        "looks twice whether the countdown moves",
    )
    .seen_on("Sun x4100/x4200/x4500")
    .flag("ignorestateflag"),
    Row::new(
        Quirk::PowerReadingEmpty,
        Settings,
        &[74],
        "DCMI 1.5 §6.6.1",
        "power is said to be measured, and Get Power Reading has no data",
        "says that there is no reading",
    )
    .seen_on("Supermicro"),
    Row::new(
        Quirk::EnableNeedsPassword,
        Users,
        &[90],
        "§22.30",
        "enabling a user without a password's bytes is refused by C7h",
        "sends zeros for a password with it",
    )
    .seen_on("Sun X4140, Windmill"),
    Row::new(
        Quirk::Password20Refused,
        Users,
        &[36],
        "§22.30",
        "passwords in the form of 20 bytes are refused",
        "sends 16 bytes where the password has no more",
    )
    .seen_on("Supermicro"),
    Row::new(
        Quirk::UserNameUnsetRefused,
        Users,
        &[92],
        "§22.29",
        "the name of a user that has none is refused by CCh",
        "takes the user for one that isn't there",
    ),
    Row::new(
        Quirk::SolSizesWrong,
        Sol,
        &[108],
        "§24.1",
        "the sizes of packets are told as 0",
        "sends packets as short as every BMC takes them",
    )
    .seen_on("Asus P5M2, Intel SR1520ML, Sun x4100, Supermicro X8DT*")
    .flag("solpayloadsize"),
    Row::new(
        Quirk::SolPortWrong,
        Sol,
        &[109],
        "§24.1",
        "the port for serial over LAN is told with its bytes swapped",
        "stays with the session's port",
    )
    .seen_on("Asus P5MT-R, Supermicro X8DTH-iF")
    .flag("solport"),
    Row::new(
        Quirk::SolStatusWrong,
        Sol,
        &[110],
        "§24.4",
        "serial over LAN is always said to be in use",
        "asks which session has it, and goes on where none has",
    )
    .seen_on("Supermicro X8SIL-F, Windmill, Winterfell")
    .flag("solstatus"),
    Row::new(
        Quirk::SolCapacityZero,
        Sol,
        &[113],
        "§24.4",
        "there is room for no instance of serial over LAN",
        "takes it for one",
    ),
    Row::new(
        Quirk::SolPacketsMalformed,
        Sol,
        &[118],
        "§15.9",
        "packets come that are too short for serial over LAN",
        "drops them; what was in them comes again",
    ),
];
