//! Rows about logging in and about requests in a session.

use super::{Area, Quirk, Row};

use Area::{Login, LoginV15, Session};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    Row::new(Quirk::AuthCapabilitiesWrong, LoginV15, &[1], "§22.13",
        "Get Channel Authentication Capabilities names no authentication type and no kind of user, but log-in works",
        "tries the log-in's own types where none of them is offered, and goes by no other bit")
        .seen_on("Asus P5M2, Intel SR1520ML, Sun 2200/4150/4450").flag("authcap"),
    Row::new(Quirk::VersionBitRefused, LoginV15, &[2], "§22.13",
        "a BMC of IPMI 1.5 refuses the question for IPMI 2.0's capabilities by CCh",
        "asks without; logs in by IPMI 1.5 where the login says so, else names the reason")
        .seen_on("BMCs before IPMI 2.0"),
    Row::new(Quirk::SessionIdZero, LoginV15, &[3], "§22.17",
        "Activate Session gives the session the ID 0", "takes 0 for an ID")
        .seen_on("Tyan S2882 M3289").flag("idzero"),
    Row::new(Quirk::CodesThoughOff, LoginV15, &[4], "§6.12.4",
        "authentication of each message is said to be off, and answers carry codes",
        "verifies every code that there is")
        .seen_on("Dell 2850, SC1425").flag("unexpectedauth"),
    Row::new(Quirk::DropsWithoutCode, LoginV15, &[5], "§6.12.4",
        "authentication of each message is said to be off, and requests without a code are dropped",
        "authenticates every request")
        .seen_on("IBM eServer 325").flag("forcepermsg"),
    Row::new(Quirk::SequenceByteSwapped, LoginV15, &[6], "§13.6",
        "session sequence numbers go with the high byte first",
        "sees it by the answer to Activate Session, and swaps the bytes in both directions")
        .noticed().seen_on("Sun ILOM 1.0/2.0").flag("endianseq"),
    Row::new(Quirk::MessageChecksumWrong, Session, &[8], "§13.8",
        "answers have a wrong checksum inside an authenticated packet",
        "takes the packet's own code for proof; without one the answer is dropped")
        .noticed().seen_on("Supermicro X9SCM-iiF, X9DRi-F, X9DRFR").flag("nochecksumcheck"),
    Row::new(Quirk::ActivationSequenceOff, LoginV15, &[10], "§22.17",
        "the answer to Activate Session is one ahead of the number that the console chose",
        "takes a window of numbers, not one")
        .seen_on("Intel SE7520JR2, SE7520AF2"),
    Row::new(Quirk::HighestPrivilegeRefused, Login, &[11], "§13.17",
        "\"the highest privilege that fits\" is refused", "asks for the login's level by its number")
        .seen_on("Xyratex, early Tyan"),
    Row::new(Quirk::V15SessionsMissing, Login, &[12], "§22.16",
        "IPMI 1.5 is offered, and Get Session Challenge is not answered",
        "logs in by RMCP+; IPMI 1.5 is only by explicit choice")
        .seen_on("HP DL145, Supermicro X11/H11/H12"),
    Row::new(Quirk::OpenSessionRoleHashed, Login, &[15], "§13.31",
        "the codes are made with the level of Open Session, not with that of RAKP Message 1",
        "asks for the same level in both")
        .seen_on("Sun 4100/4200/4500, Supermicro X8DTH, Intel S5500WBV, Dell C5220, OpenIPMI's simulator").flag("opensesspriv"),
    Row::new(Quirk::RakpNamePadded, Login, &[16], "§13.31",
        "the user's name goes into the codes with zeros up to 16 bytes",
        "compares the code with that too, and goes on so")
        .noticed().seen_on("Intel SE7520AF2 with Server Management Module").flag("intel20"),
    Row::new(Quirk::NameOnlyLookupRefused, Login, &[16], "§13.20",
        "users can't be looked up by name alone: RAKP Message 1 is refused by \"invalid role\"",
        "asks once more by name and level")
        .noticed().seen_on("Intel SE7520AF2 with Server Management Module"),
    Row::new(Quirk::Rakp2LengthOff, Login, &[17], "§13.6",
        "the packet of RAKP Message 2 claims one byte more than it has",
        "takes the bytes that there are; the code in them decides")
        .noticed().seen_on("Supermicro H8QME").flag("supermicro20"),
    Row::new(Quirk::Rakp4CodeWhole, Login, &[18], "§13.23",
        "the check value of RAKP Message 4 is not truncated",
        "compares all of it")
        .noticed().seen_on("Sun Fire 4100/4200/4500").flag("sun20"),
    Row::new(Quirk::SuiteRecordsBroken, Login, &[18], "§22.15",
        "the list of cipher suites holds no records",
        "tries the login's suites one after the other")
        .noticed().seen_on("Sun Fire 4100/4200/4500"),
    Row::new(Quirk::Suite0Code, Login, &[19], "§13.28.4",
        "RAKP Message 4 of a log-in without authentication has a check value",
        "ignores it: there is no key to check it with")
        .noticed().seen_on("Supermicro X8DTG, Intel S5500WBV, S2600JF").flag("integritycheckvalue"),
    Row::new(Quirk::RakpLookupBitLeftOut, Login, &[20], "§13.31",
        "the bit \"look up by name only\" is left out of the codes",
        "compares the code with that too, and goes on so")
        .noticed().seen_on("Intel 82571"),
    Row::new(Quirk::OneSuiteOnly, Login, &[21], "§13.17",
        "one cipher suite is offered and taken, and not the best",
        "proposes what is offered, and the next suite where one is refused by 01h, 0Ah, 11h or 12h")
        .seen_on("Intel M50CYP, Lenovo, MSI"),
    Row::new(Quirk::AlgorithmListWrong, Login, &[22], "§22.15",
        "the list of algorithms is no use; that of suites is right", "asks for the list of suites"),
    Row::new(Quirk::SuitesCountedFrom1, Login, &[23], "§22.15",
        "the records number the suites from 1, with the algorithms of the one before",
        "goes by the algorithms of a record as well as by its number")
        .noticed().seen_on("Intel S2600JF"),
    Row::new(Quirk::Sha256Refused, Login, &[24], "§13.28",
        "no list of suites, and SHA-256 is refused", "proposes the login's next suite, where it has one")
        .seen_on("BMCs before 2013"),
    Row::new(Quirk::Rakp2SessionForgotten, Login, &[26], "§13.21",
        "the half-open session is unknown at RAKP Message 1 (02h)",
        "begins again at Open Session, under a new tag, a bounded number of times"),
    Row::new(Quirk::Rakp4SessionForgotten, Login, &[27], "§13.23",
        "the half-open session is unknown at RAKP Message 3 (02h)", "logs in again from the start"),
    Row::new(Quirk::RakpParameterRefusedOnce, Login, &[28], "§13.24",
        "RAKP Message 1 is refused by \"illegal parameter\" and taken at the next try", "tries again")
        .noticed(),
    Row::new(Quirk::OpenSessionErrorShort, Login, &[29], "§13.18",
        "a refusal of Open Session has two bytes", "reads the status from them")
        .seen_on("Supermicro"),
    Row::new(Quirk::CompletionCodeAsStatus, Login, &[30], "§13.24",
        "a status is a completion code", "reads it as that").noticed(),
    Row::new(Quirk::Rakp2GuidZero, Login, &[31], "§13.21",
        "the GUID in RAKP Message 2 is zero", "uses it as it is").seen_on("Supermicro X10"),
    Row::new(Quirk::PasswordCutAt16, Login, &[33, 91], "§13.33",
        "only the first 16 of a password's 20 bytes count",
        "compares the code with that too; says so, because the password is weaker than it looks")
        .noticed().seen_on("Supermicro X8DTG, MSI, Windmill, Winterfell"),
    Row::new(Quirk::SuiteOfferedUnusable, Login, &[34], "§22.15",
        "a suite is offered and refused", "proposes the next one")
        .noticed().seen_on("Supermicro X8DTG, Intel S2600JF"),
    Row::new(Quirk::SuiteTiedToPrivilege, Login, &[35], "§13.17",
        "a suite is good for one level only", "proposes the next one for the login's level")
        .seen_on("early Tyan"),
    Row::new(Quirk::SequenceSkips, Session, &[38], "§6.12.11",
        "session sequence numbers leave out every other number", "takes a window of numbers")
        .seen_on("ASRock C224 with a shared network port"),
    Row::new(Quirk::CloseSessionUnanswered, Session, &[39], "§22.19",
        "Close Session is not answered", "asks twice and counts the session as closed"),
    Row::new(Quirk::OneSessionSlot, Session, &[40], "§6.12.6",
        "there is room for one session",
        "has one session with a BMC, closes it at the end, and waits for room")
        .seen_on("OpenBMC, old BMCs"),
    Row::new(Quirk::SessionDroppedSilently, Session, &[41], "§6.12.15",
        "a session in use ends without a word", "logs in again when answers stay away"),
    Row::new(Quirk::PresencePongMissing, Login, &[43], "§13.2.4",
        "no answer to RMCP's presence ping", "needs none for a log-in")
        .seen_on("Intel M50FCP, Windmill, Winterfell, Supermicro").flag("ipmiping"),
    Row::new(Quirk::StaleAnswerFirst, Session, &[44], "§6.12.10",
        "a request is answered by what answered the one before",
        "matches function, command, number and addresses, and asks again"),
    Row::new(Quirk::DuplicateRefused, Session, &[45], "§5.2",
        "a repeated request is refused by CFh while the first is being carried out",
        "waits for the first one's answer; where that stays away, asks under another number what may be done twice"),
    Row::new(Quirk::RequestNumbersNarrow, Session, &[46], "§13.8",
        "a request whose number is more than 7 ahead of the last one's is dropped",
        "counts by one and has one request in flight"),
    Row::new(Quirk::OftenBusy, Session, &[47], "§5.2",
        "requests are refused by \"node busy\" (C0h)", "waits and asks again"),
    Row::new(Quirk::NeedsGap, Session, &[47], "§5.2",
        "a request that comes too soon after the last answer is dropped in place of being refused as \"node busy\", or hangs the BMC",
        "leaves it alone for 100 ms after each answer, or for as long as the operator says (gap_ms)")
        .configured(),
];
