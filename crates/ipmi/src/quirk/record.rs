//! Rows about sensor records, readings, the event log and inventories.

use super::{Area, Quirk, Row};

use Area::{Inventory, Log, Readings, Records};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    Row::new(
        Quirk::SdrReserveMissing,
        Records,
        &[54],
        "§33.9, §33.11",
        "there is neither Get SDR Repository Info nor Reserve SDR Repository",
        "reads without a reservation and without knowing when records change",
    )
    .noticed()
    .seen_on("Artesyn AdvancedTCA boards"),
    Row::new(
        Quirk::SdrCountWrong,
        Records,
        &[57],
        "§33.9",
        "the repository has another number of records than it says",
        "reads to the end of the list",
    )
    .seen_on("Fujitsu RX100, RX300"),
    Row::new(
        Quirk::SdrListEndless,
        Records,
        &[58],
        "§33.12",
        "the last record leads back to the first instead of to FFFFh",
        "ends where a record comes twice",
    )
    .noticed()
    .seen_on("Inspur")
    .flag("assumemaxsdrrecordcount"),
    Row::new(
        Quirk::SdrIdDiffers,
        Records,
        &[59],
        "§33.12",
        "records have another number in them than they are asked for by",
        "goes by the number that it asked for",
    )
    .noticed()
    .seen_on("Supermicro X6DHR"),
    Row::new(
        Quirk::SdrLengthTooBig,
        Records,
        &[60],
        "§43",
        "records claim to be longer than they are, and reading on is refused by CAh, or brings nothing",
        "keeps what there is of the record",
    )
    .noticed()
    .seen_on("HP DL585 G7"),
    Row::new(
        Quirk::SdrWholeReadShort,
        Records,
        &[61],
        "§33.12",
        "a record that is read whole lacks its end",
        "reads in parts from then on",
    )
    .noticed()
    .seen_on("Xyratex"),
    Row::new(
        Quirk::SdrReadLimited,
        Records,
        &[62],
        "§33.12",
        "long reads are refused by CAh",
        "reads less at once, in a fixed number of steps",
    )
    .noticed(),
    Row::new(
        Quirk::SdrReservationLost,
        Records,
        &[63],
        "§33.11",
        "reservations are lost by C5h while a record is read",
        "reserves again and reads the record anew, a bounded number of times",
    )
    .noticed(),
    Row::new(
        Quirk::SdrLastRefused,
        Records,
        &[64],
        "§33.12",
        "the last record leads to one that is refused by C3h",
        "takes that for the end",
    )
    .noticed()
    .seen_on("Dell FC830"),
    Row::new(
        Quirk::DeviceSdrsOnly,
        Records,
        &[65],
        "§35.2",
        "sensor records are with the sensor device, and there is no repository",
        "asks where Get Device ID says that they are",
    )
    .seen_on("satellite controllers"),
    Row::new(
        Quirk::SensorOwnerWrong,
        Records,
        &[70],
        "§43.1",
        "sensor records name other owners than the BMC, which has the sensors",
        "asks the BMC for all of them",
    )
    .configured()
    .seen_on("Fujitsu RX300, RX300 S2, HP DL140 G1")
    .flag("assumebmcowner"),
    Row::new(
        Quirk::SensorAbsentByCode,
        Readings,
        &[66],
        "§35.14",
        "sensors without a reading are refused by C9h, CBh, CDh, CEh, D3h or D5h",
        "takes that for \"no reading\", not for an error",
    ),
    Row::new(
        Quirk::ReadingShort,
        Readings,
        &[67],
        "§35.14",
        "readings lack the bytes of the states",
        "takes no state for given",
    ),
    Row::new(
        Quirk::ScanningFlagWrong,
        Readings,
        &[69],
        "§35.14",
        "readings are good although \"scanning disabled\" is set",
        "believes the readings",
    )
    .configured()
    .seen_on("Dell 2900/2950/R410/R610, HP rx3600")
    .flag("ignorescanningdisabled"),
    Row::new(
        Quirk::IllegalStates,
        Readings,
        &[71],
        "§35.14, §43.1",
        "states are set that the sensor's record does not know",
        "leaves them out",
    ),
    Row::new(
        Quirk::SelReserveDenied,
        Log,
        &[75],
        "§31.4",
        "Reserve SEL is refused for want of privilege",
        "reads and clears without a reservation",
    ),
    Row::new(
        Quirk::SelNextZero,
        Log,
        &[76],
        "§31.5",
        "entries lead to entry 0 now and then",
        "asks for the entry again, a bounded number of times",
    )
    .noticed(),
    Row::new(
        Quirk::SelListEndless,
        Log,
        &[77],
        "§31.5",
        "the last entry leads back to the first",
        "ends where an entry comes twice, and says that the end was not told",
    )
    .noticed(),
    Row::new(
        Quirk::SelEntryUnreadable,
        Log,
        &[],
        "§31.5",
        "an entry in the middle of the log can't be read, whoever asks",
        "steps over it by the next record number, and tells that it is missing",
    )
    .noticed(),
    Row::new(
        Quirk::SelGeneratorWrong,
        Log,
        &[79],
        "§32.1",
        "entries name another generator than the sensor's owner",
        "finds the sensor by its number, where only one has it",
    )
    .configured()
    .seen_on("Supermicro H8QME"),
    Row::new(
        Quirk::SelTimesSinceStart,
        Log,
        &[81],
        "§32.1, §37.1",
        "times count from the BMC's start",
        "shows no time of day for them",
    ),
    Row::new(
        Quirk::FruChecksumsWrong,
        Inventory,
        &[83],
        "FRU 1.0 §8",
        "an inventory's checksums are wrong",
        "reads it all the same",
    )
    .noticed()
    .seen_on("Inventec 5441, Dell R610, R710")
    .flag("skipchecks"),
    Row::new(
        Quirk::FruReadLimited,
        Inventory,
        &[84],
        "§34.2",
        "long reads are refused by C9h",
        "reads less at once, in a fixed number of steps",
    )
    .noticed(),
    Row::new(
        Quirk::FruEmpty,
        Inventory,
        &[86],
        "§34.1",
        "an inventory that a record names has no bytes",
        "leaves the part out",
    ),
];
