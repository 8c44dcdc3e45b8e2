//! The socket.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use crate::sys::{self, RecvOutcome, SendOutcome};
use crate::{BATCH_LEN, ReceiveBatch, SendBatch, Waker};

/// How a socket is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Learn to which of our addresses each datagram was sent, and choose the address to answer from
    /// (IPv4 only).
    pub pktinfo: bool,
    /// Wanted size of the kernel's receive buffer, in bytes; `None` = as the system is set up. The kernel may
    /// give less: see [`Socket::receive_buffer_bytes`].
    pub receive_buffer_bytes: Option<usize>,
    /// Wanted size of the kernel's send buffer, in bytes; `None` = as the system is set up.
    pub send_buffer_bytes: Option<usize>,
}

/// A UDP socket that talks with very many peers and never blocks but in [`Self::wait`].
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    pktinfo: bool,
}

/// What one [`Socket::send`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// Datagrams that can't be sent at all (no route, forbidden, too long) and were dropped from the batch.
    pub refused: usize,
    /// The kernel has no room now; the rest is still in the batch. Wait for [`Readiness::writable`] and send again.
    pub blocked: bool,
}

/// What ended a wait; all false = the timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A datagram waits to be received.
    pub readable: bool,
    /// There is room to send (only where asked for).
    pub writable: bool,
    /// The [`Waker`] was woken.
    pub woken: bool,
}

impl Socket {
    /// Binds to `address`; port 0 = any free port. Over IPv4 datagrams are sent whole or not at all: many BMCs can't put
    /// fragments together.
    ///
    /// # Errors
    /// As the operating system says: address in use, not ours, or an unprivileged process below port 1024;
    /// [`io::ErrorKind::InvalidInput`] for `pktinfo` with an IPv6 address.
    pub fn bind(address: SocketAddr, options: Options) -> io::Result<Self> {
        if options.pktinfo && !address.is_ipv4() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "pktinfo is for IPv4 sockets only: bind to an IPv4 address",
            ));
        }
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        sys::enable_overflow_count(socket.as_fd())?;
        if address.is_ipv4() {
            sys::forbid_fragments(socket.as_fd())?;
        }
        if options.pktinfo {
            sys::enable_pktinfo(socket.as_fd())?;
        }
        if let Some(bytes) = options.receive_buffer_bytes {
            sys::set_receive_buffer(socket.as_fd(), bytes)?;
        }
        if let Some(bytes) = options.send_buffer_bytes {
            sys::set_send_buffer(socket.as_fd(), bytes)?;
        }
        Ok(Self {
            socket,
            pktinfo: options.pktinfo,
        })
    }

    /// The address and port it is bound to.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The size of the kernel's receive buffer, in bytes, as it is; Linux counts its own bookkeeping in.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn receive_buffer_bytes(&self) -> io::Result<usize> {
        sys::receive_buffer(self.socket.as_fd())
    }

    /// Receives what has arrived, up to [`BATCH_LEN`] datagrams, in place of what the batch held. Returns how many;
    /// 0 = nothing there. A full batch means that there may be more.
    ///
    /// # Errors
    /// As the operating system says; never for "nothing there" and never for what a peer caused.
    pub fn recv(&self, batch: &mut ReceiveBatch) -> io::Result<usize> {
        batch.filled = 0;
        // Each peer that refused a datagram of ours (ICMP port unreachable) may leave an error to be fetched first;
        // the bound keeps a flood of them from holding us here.
        for _ in 0..BATCH_LEN {
            match sys::recvmmsg(self.socket.as_fd(), &mut batch.slots, &mut batch.overflows)? {
                RecvOutcome::Received(count) => {
                    batch.filled = count;
                    return Ok(count);
                }
                RecvOutcome::Empty => return Ok(0),
                RecvOutcome::PeerError => {}
            }
        }
        Ok(0)
    }

    /// Sends the batch in order. What the kernel has no room for stays in the batch.
    ///
    /// # Errors
    /// As the operating system says; never for what concerns one datagram or peer only.
    pub fn send(&self, batch: &mut SendBatch) -> io::Result<Sent> {
        let mut outcome = Sent::default();
        // Peers' errors and interruptions are retried; together they can't be more than this without progress.
        let mut retries = BATCH_LEN;
        while !batch.is_empty() {
            let waiting = &mut batch.slots[batch.head..batch.tail];
            match sys::sendmmsg(self.socket.as_fd(), waiting, self.pktinfo)? {
                SendOutcome::Sent(count) => {
                    outcome.sent += count;
                    batch.head += count;
                }
                SendOutcome::PeerError if retries > 0 => retries -= 1,
                SendOutcome::Refused | SendOutcome::PeerError => {
                    outcome.refused += 1;
                    batch.head += 1;
                }
                SendOutcome::NoRoom => {
                    outcome.blocked = true;
                    return Ok(outcome);
                }
            }
        }
        batch.clear();
        Ok(outcome)
    }

    /// Sleeps until a datagram waits, `waker` is woken, or `timeout` is over (`None` = as long as it takes);
    /// with `for_room` also until there is room to send. Takes the waker's wakes back.
    ///
    /// # Errors
    /// As the operating system says; a signal is no error but ends the wait.
    pub fn wait(
        &self,
        for_room: bool,
        waker: Option<&Waker>,
        timeout: Option<Duration>,
    ) -> io::Result<Readiness> {
        let polled = sys::poll(
            Some(self.socket.as_fd()),
            for_room,
            waker.map(Waker::as_fd),
            timeout,
        )?;
        let woken = polled.woken && waker.is_some_and(Waker::clear);
        Ok(Readiness { woken, ..polled })
    }
}
