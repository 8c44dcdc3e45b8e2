//! Deviations met in the field that no quirk covers, each with its reason.

/// How many deviations of BMCs are written down, by FreeIPMI, ipmitool and their like: they are numbered from 1.
pub const DEVIATIONS: u8 = 122;

/// Those that no quirk covers, with the reason.
pub const OPEN: &[(u8, &str)] = &[
    (
        7,
        "an answer with a wrong authentication code may be anybody's: it is never believed",
    ),
    (
        9,
        "needs a new UDP port for each try, and one socket serves all BMCs; met on Intel Tiger 4 only",
    ),
    (13, "a maker's own hash of the password, nowhere published"),
    (
        14,
        "needs a datagram of junk after each request; met on one board of 2003",
    ),
    (
        25,
        "the level to work at is the operator's word: log-in fails and names the level",
    ),
    (
        32,
        "nothing a BMC does: consoles must tell it of a wrong proof (§13.22), and this one does",
    ),
    (
        37,
        "a user's setting: a log-in over LAN is refused, and the refusal is told",
    ),
    (42, "going without K_g would give up what K_g is for"),
    (49, "a bridged answer without a code may be anybody's"),
    (50, "one maker's second way of bridging, nowhere described"),
    (
        51,
        "what a BMC does slowly is waited for: a request that is not answered in time is told as such",
    ),
    (
        52,
        "nothing a BMC does: names with FFh bytes are never sent",
    ),
    (
        68,
        "what an analogue value of a discrete sensor means only the maker knows",
    ),
    (
        72,
        "a unit without a base has no name: the reading is shown without a unit",
    ),
    (
        73,
        "which states are good is the makers' knowledge; states are shown as they are",
    ),
    (
        78,
        "what a record of an illegal type holds can't be told; it is kept as it is",
    ),
    (
        82,
        "nothing to get around: the log is read once and then what is new",
    ),
    (
        85,
        "trailing zeros and FFh bytes of a text are cut in every inventory; no virtual BMC writes them",
    ),
    (
        87,
        "a BMC that loses settings written fast can't be told from one that doesn't; scripts can wait",
    ),
    (
        88,
        "each setting's fields go in one command, as IPMI has them; no combination is known to be needed",
    ),
    (
        89,
        "the order in which a user is set up is the operator's: name, password, level, enable",
    ),
    (
        93,
        "both copies are written and shown as the BMC tells them",
    ),
    (
        94,
        "can't be seen: the BMC shows the new setting and goes by the old",
    ),
    (
        95,
        "the list of the suites' levels is shown as long as the BMC tells it",
    ),
    (
        96,
        "channels that carry nothing are told as such, command by command",
    ),
    (
        98,
        "nothing wrong: flags are forgotten after 60 s (§28.13), and what keeps them is set first",
    ),
    (
        99,
        "a maker's own boot device numbers; the number can be sent as it is",
    ),
    (100, "the same"),
    (
        102,
        "nothing wrong: settings follow the code 80h (DCMI 1.5 §6.6.2), and every virtual BMC sends them",
    ),
    (
        106,
        "what the auxiliary bytes of a version mean only the maker knows; they are shown",
    ),
    (107, "alerts are not received, so none is acknowledged"),
    (
        111,
        "serial alerts at activation, of two boards; SOL works with repetitions",
    ),
    (
        112,
        "a line that stays silent is given up and opened again by the operator",
    ),
    (114, "the channel of serial over LAN is that of the session"),
    (
        115,
        "nothing wrong: who has the console is asked every 15 s, and a virtual BMC takes it without a word",
    ),
    (
        116,
        "a session that can't free its console ends, and the console with it",
    ),
    (
        117,
        "a silent host can't be told from one that has nothing to say",
    ),
    (119, "a byte of Intel's activation answer that nobody needs"),
    (
        120,
        "nothing a BMC does: one library had the wrong command number",
    ),
    (121, "not over a network"),
    (122, "not over a network"),
];
