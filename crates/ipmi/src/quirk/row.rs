//! What is known about each quirk.

use super::{Quirk, record, session, setting};

/// Who deals with a quirk, and from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// Nobody needs to know of it: what a console does is right for this BMC and for any other.
    Tolerated,
    /// A console notices it, goes on in another way, remembers it and reports it.
    Noticed,
    /// It can't be told from a BMC that is right: the operator names it.
    Configured,
}

impl Handling {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tolerated => "tolerated",
            Self::Noticed => "noticed",
            Self::Configured => "configured",
        }
    }
}

/// What a quirk is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Logging in by IPMI 1.5.
    LoginV15,
    /// Logging in by RMCP+.
    Login,
    /// Requests and answers in a session.
    Session,
    /// Sensor data records.
    Records,
    /// Readings of sensors.
    Readings,
    /// The system event log.
    Log,
    /// FRU inventories.
    Inventory,
    /// Settings, power and boot.
    Settings,
    /// Users.
    Users,
    /// Serial over LAN.
    Sol,
}

impl Area {
    /// In a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoginV15 => "log-in by IPMI 1.5",
            Self::Login => "log-in",
            Self::Session => "session",
            Self::Records => "sensor records",
            Self::Readings => "readings",
            Self::Log => "event log",
            Self::Inventory => "inventory",
            Self::Settings => "settings",
            Self::Users => "users",
            Self::Sol => "serial over LAN",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The quirk.
    pub quirk: Quirk,
    /// What it is about.
    pub area: Area,
    /// Which of the [`DEVIATIONS`](super::DEVIATIONS) known in the field it covers.
    pub covers: &'static [u8],
    /// Section of the specification that says otherwise.
    pub section: &'static str,
    /// What the BMC does.
    pub deviates: &'static str,
    /// What a console does about it.
    pub remedy: &'static str,
    /// Who deals with it.
    pub handling: Handling,
    /// Where it was met; empty for "several makers".
    pub seen_on: &'static str,
    /// The workaround flag by which FreeIPMI's users know it.
    pub freeipmi: Option<&'static str>,
}

impl Row {
    /// A row that is tolerated and was met on several makers' BMCs.
    pub(super) const fn new(
        quirk: Quirk,
        area: Area,
        covers: &'static [u8],
        section: &'static str,
        deviates: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            quirk,
            area,
            covers,
            section,
            deviates,
            remedy,
            handling: Handling::Tolerated,
            seen_on: "",
            freeipmi: None,
        }
    }

    /// Stands in for a row that nobody wrote; a test finds it.
    pub(super) const MISSING: Self =
        Self::new(Quirk::AuthCapabilitiesWrong, Area::Login, &[], "", "", "");

    pub(super) const fn noticed(mut self) -> Self {
        self.handling = Handling::Noticed;
        self
    }

    pub(super) const fn configured(mut self) -> Self {
        self.handling = Handling::Configured;
        self
    }

    pub(super) const fn seen_on(mut self, seen_on: &'static str) -> Self {
        self.seen_on = seen_on;
        self
    }

    pub(super) const fn flag(mut self, freeipmi: &'static str) -> Self {
        self.freeipmi = Some(freeipmi);
        self
    }
}

/// All rows, by area.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    session::ROWS
        .iter()
        .chain(record::ROWS)
        .chain(setting::ROWS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::string::ToString;

    use super::super::{DEVIATIONS, OPEN};
    use super::*;

    #[test]
    fn every_quirk_has_one_row_and_a_name_of_its_own() {
        let mut names = HashSet::new();
        for quirk in Quirk::ALL {
            assert_eq!(
                rows().filter(|row| row.quirk == *quirk).count(),
                1,
                "{quirk}"
            );
            let row = quirk.row();
            assert_eq!(row.quirk, *quirk);
            assert!(
                !row.deviates.is_empty() && !row.remedy.is_empty(),
                "{quirk}"
            );
            assert!(
                row.section.starts_with('§') || row.section.contains(' '),
                "{quirk}"
            );
            assert!(names.insert(quirk.name()), "{quirk}");
            assert!(
                row.freeipmi.is_none_or(|flag| names.insert(flag)),
                "{quirk}"
            );
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(quirk.name().bytes().all(plain), "{quirk}");
            assert_eq!(quirk.name().parse(), Ok(*quirk));
        }
        assert_eq!(rows().count(), Quirk::ALL.len());
    }

    #[test]
    fn each_deviation_of_the_field_is_covered_or_has_a_reason_why_not() {
        let covered: HashSet<u8> = rows().flat_map(|row| row.covers).copied().collect();
        for number in 1..=DEVIATIONS {
            let open = OPEN.iter().filter(|(open, _)| *open == number).count();
            let is_covered = covered.contains(&number);
            assert_eq!(open + usize::from(is_covered), 1, "deviation {number}");
        }
        assert!(
            covered
                .iter()
                .all(|number| (1..=DEVIATIONS).contains(number))
        );
    }

    #[test]
    fn an_unknown_name_is_told_with_what_is_like_it() {
        let unknown = |name: &str| name.parse::<Quirk>().unwrap_err().to_string();
        assert!(unknown("sequence-byteswapped").contains("did you mean \"sequence-byte-swapped\""));
        assert!(unknown("qqqq").contains("reddrum ipmi quirks"));
    }
}
