//! Figures of the engine: what it did and what it dropped, and why.

/// Declares the counters once: fields, sum and the list of names.
macro_rules! counters {
    ($( $(#[$meta:meta])* $name:ident, )*) => {
        /// What an engine did since it started. Every figure only grows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $( $(#[$meta])* pub $name: u64, )*
        }

        impl Counters {
            /// Every figure with its name, in a fixed order.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$( (stringify!($name), self.$name) ),*].into_iter()
            }

            /// What was counted since `before`, an earlier state of the same counters.
            #[must_use]
            pub const fn since(&self, before: &Self) -> Self {
                Self { $( $name: self.$name.saturating_sub(before.$name) ),* }
            }
        }

        impl std::ops::AddAssign for Counters {
            fn add_assign(&mut self, other: Self) {
                $( self.$name += other.$name; )*
            }
        }
    };
}

impl Counters {
    /// The figures that count what went wrong: repetitions, failures and everything that was dropped.
    pub fn troubles(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        const TROUBLES: [&str; 15] = [
            "restarts",
            "readings_failed",
            "rounds_skipped",
            "retransmits",
            "timeouts",
            "sessions_lost",
            "connects_unanswered",
            "connects_unfinished",
            "connects_refused",
            "contacts_failed",
            "log_entries_unreadable",
            "logs_failed",
            "jobs_failed",
            "jobs_refused",
            "sends_refused",
        ];
        self.iter()
            .filter(|(name, _)| name.starts_with("dropped_") || TROUBLES.contains(name))
    }
}

counters! {
    /// How often the thread began anew with all its BMCs, because this program failed while it dealt with one.
    restarts,
    /// Sensor readings that brought a value or states.
    readings,
    /// Sensor readings that brought none because the sensor has none now: its part is absent, the host is off, it is not scanned.
    readings_unavailable,
    /// Sensor readings that the BMC refused to give, or gave no answer to.
    readings_failed,
    /// Rounds over all sensors of a node, or over those of the classes with one interval, that were finished.
    rounds,
    /// Rounds left out because the one before took longer than their interval.
    rounds_skipped,
    /// Snapshots published.
    snapshots,
    /// Commands sent, without retransmissions.
    commands,
    /// Datagrams sent again because no answer came in time.
    retransmits,
    /// Commands given up without an answer.
    timeouts,
    /// Sessions opened.
    sessions_opened,
    /// Sessions lost: the BMC stopped answering or forgot the session.
    sessions_lost,
    /// Sessions given up by us without a word: their BMC has another address, or restarts because it was told to.
    sessions_left,
    /// Sessions closed by us.
    sessions_closed,
    /// Attempts to open a session that got no answer.
    connects_unanswered,
    /// Attempts to open a session that got answers, but came to no end.
    connects_unfinished,
    /// Attempts to open a session that the BMC refused.
    connects_refused,
    /// First contacts finished: inventory read.
    contacts,
    /// Sensor data records that were of no use: garbled, too many, or of sensors behind other controllers.
    records_ignored,
    /// Sensor data repositories that did not end by themselves and were cut.
    repositories_cut,
    /// First contacts that failed, or found a BMC that does not tell all it has yet; they are tried again.
    contacts_failed,
    /// Event log entries received.
    log_entries,
    /// Event log entries that the BMC has and can't give: stepped over.
    log_entries_unreadable,
    /// Readings of an event log that failed and are tried again.
    logs_failed,
    /// Operator commands carried out.
    jobs_done,
    /// Operator commands that failed.
    jobs_failed,
    /// Operator commands that were not begun because too many wait, firmware is being installed, or their BMC was on its way from one
    /// thread to another.
    jobs_refused,
    /// Datagrams received.
    datagrams_received,
    /// Datagrams handed to the driver to be sent.
    datagrams_sent,
    /// Datagrams that the operating system refused to send (no route, forbidden), and those that were dropped because its socket
    /// failed.
    sends_refused,
    /// Dropped by the kernel: the socket's receive buffer was full.
    dropped_by_kernel,
    /// Dropped: longer than any datagram of IPMI.
    dropped_truncated,
    /// Dropped: not IPMI, or damaged before its session could be told.
    dropped_unparsable,
    /// Dropped: for a session that we do not have (any more).
    dropped_unknown_session,
    /// Dropped: came from another address than the session's BMC.
    dropped_wrong_peer,
    /// Dropped: wrong integrity code, forged or damaged.
    dropped_bad_integrity,
    /// Dropped: session sequence number seen before.
    dropped_duplicate,
    /// Dropped: session sequence number outside the window.
    dropped_out_of_window,
    /// Dropped: answer to a request that is no longer waited for.
    dropped_late,
    /// Dropped: nothing in the present state of the session.
    dropped_unexpected,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_among_the_troubles_is_a_figure() {
        let all_one = Counters::default().iter().map(|(name, _)| name);
        let dropped = all_one.filter(|name| name.starts_with("dropped_")).count();
        assert_eq!(Counters::default().troubles().count(), dropped + 15);
    }

    #[test]
    fn figures_of_several_engines_add_up_by_name() {
        let mut sum = Counters {
            readings: 3,
            timeouts: 1,
            ..Counters::default()
        };
        sum += Counters {
            readings: 4,
            dropped_late: 2,
            ..Counters::default()
        };
        let named: Vec<_> = sum.iter().filter(|(_, value)| *value > 0).collect();
        assert_eq!(
            named,
            [("readings", 7), ("timeouts", 1), ("dropped_late", 2)]
        );
    }
}
