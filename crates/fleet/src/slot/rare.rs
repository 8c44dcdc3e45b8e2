//! What a slot knows that no reading needs.

use std::sync::Arc;

use ipmi::console::Login;
use ipmi::quirk::Quirks;
use ipmi::time::Instant;

use super::mute::Mute;
use super::pass::{Answering, Pass};
use super::{Pacing, Setup, round};
use crate::contact::Known;
use crate::contact::log::Since;
use crate::memory::OpenSession;
use crate::schedule::Breaker;

/// What a slot knows that no reading needs: it lies apart, so that the rest takes fewer cache lines.
#[derive(Debug)]
pub(super) struct Rare {
    pub(super) pacing: Pacing,
    /// Classes of sensors that have intervals of their own.
    pub(super) passes: Box<[Pass]>,
    pub(super) login: Arc<Login>,
    /// The login is newer than the session: the next one is opened with it.
    pub(super) login_is_new: bool,
    /// Deviations that the operator knows of; the session has those that showed, too.
    pub(super) quirks: Quirks,
    pub(super) breaker: Breaker,
    /// The BMC has answered something of the log-in under way, or of the last one.
    pub(super) heard: bool,
    /// When the last session ended, or the search for the first one began.
    pub(super) no_session_since: Instant,
    pub(super) contact_at: Instant,
    /// When the present round began.
    pub(super) round_began_at: Instant,
    /// How the sensors answered that are read in it.
    pub(super) round_answering: Answering,
    /// When records that could not be read are tried again.
    pub(super) records_again_at: Instant,
    pub(super) known: Option<Known>,
    /// What is known is from an earlier run, and was not confirmed yet.
    pub(super) recalled: bool,
    /// What is shown of its records are not all: the next run is not to take them for that.
    pub(super) is_partial: bool,
    /// How often in a row it did not say who it is or what it has, though it may later: it is asked again in this session.
    pub(super) put_off: u8,
    /// How often since the last contact it did not show whose board it is: after some times it is taken for another one's.
    pub(super) unmet: u8,
    /// Its records are to be read although they are known: they were read with other deviations in mind, or its firmware is
    /// another one now.
    pub(super) read_anew: bool,
    /// The session that an earlier run left open at the BMC, until it is seen to.
    pub(super) left_open: Option<OpenSession>,
    /// How far the clock of its log was ahead when last looked at, in seconds.
    pub(super) log_clock_offset_s: i32,
    pub(super) log: Since,
    /// How often in a row it could not be read.
    pub(super) log_failures: u8,
    /// When it is read again, where it could not be; else when it is looked behind its last entry though no stamp says so.
    pub(super) log_again_at: Instant,
    /// It was told that there is no time for all that is to be read.
    pub(super) is_tight: bool,
    /// Sensors that stayed silent while others answered.
    pub(super) mutes: Vec<Mute>,
}

impl Rare {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let remembered = setup.remembered.as_deref();
        let log = remembered.and_then(|remembered| remembered.log);
        Self {
            pacing: setup.pacing.clone(),
            passes: Box::default(),
            login: Arc::clone(setup.login),
            login_is_new: false,
            quirks: setup.quirks,
            breaker: Breaker::default(),
            heard: false,
            no_session_since: setup.connect_at,
            contact_at: setup.connect_at,
            round_began_at: setup.connect_at,
            round_answering: Answering::new(setup.connect_at),
            records_again_at: setup.connect_at + round::RECORDS_AGAIN,
            known: remembered.map(|remembered| remembered.known),
            recalled: remembered.is_some(),
            is_partial: false,
            put_off: 0,
            unmet: 0,
            read_anew: remembered.is_some_and(|remembered| remembered.read_anew),
            left_open: remembered.and_then(|remembered| remembered.session),
            log_clock_offset_s: 0,
            log: log.map_or(Since::Never, Since::Earlier),
            log_failures: 0,
            log_again_at: setup.connect_at,
            is_tight: false,
            mutes: Vec::new(),
        }
    }
}
