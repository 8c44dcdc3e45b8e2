//! Ends another thread's wait.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::sys;

/// Ends [`crate::Socket::wait`] from another thread (an `eventfd`).
///
/// Wakes add up to one: who is woken looks at everything there is to do.
#[derive(Debug)]
pub struct Waker {
    event: File,
}

impl Waker {
    /// A waker that nobody has woken.
    ///
    /// # Errors
    /// The process or the system is out of file descriptors.
    pub fn new() -> io::Result<Self> {
        sys::eventfd().map(|fd| Self {
            event: File::from(fd),
        })
    }

    /// Ends the present or else the next wait. Never blocks.
    pub fn wake(&self) {
        // The only failure of an eventfd is a counter at its end, and then a wake is pending anyway.
        let _ = (&self.event).write(&1_u64.to_ne_bytes());
    }

    /// Sleeps until woken or until `timeout` is over, whatever arrives on any socket. Takes the wakes back; whether there was one.
    ///
    /// # Errors
    /// As the operating system says; a signal is no error but ends the wait.
    pub fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let polled = sys::poll(None, false, Some(self.as_fd()), Some(timeout))?;
        Ok(polled.woken && self.clear())
    }

    /// Takes back all wakes so far; whether there was one.
    pub(crate) fn clear(&self) -> bool {
        (&self.event).read(&mut [0; 8]).is_ok()
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
