//! The system calls: all `unsafe` code of the workspace but a hint to the caches.

#![expect(
    unsafe_code,
    reason = "recvmmsg, sendmmsg and their control messages have no safe binding in std"
)]

use std::fmt;
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use crate::{BATCH_LEN, DATAGRAM_LEN_MAX, Readiness};

/// Room for control messages, in 8-byte words: one `IP_PKTINFO` takes 32 bytes, the rest is slack so that a
/// message that we did not ask for can't push it out.
const CONTROL_WORDS: usize = 8;

/// A socket address as the kernel reads and writes it: IPv4 or IPv6.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// One datagram with everything the kernel fills in or reads. In this order address, length and a short datagram lie in two
/// cache lines.
#[repr(C, align(64))]
pub(crate) struct Slot {
    pub(crate) name: NameSlot,
    pub(crate) local: Option<Ipv4Addr>,
    pub(crate) truncated: bool,
    pub(crate) len: usize,
    pub(crate) bytes: [u8; DATAGRAM_LEN_MAX],
    control: [u64; CONTROL_WORDS],
}

/// An address and how many bytes of it hold.
pub(crate) struct NameSlot {
    name: Name,
    len: libc::socklen_t,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Slot {
    /// `len` empty slots.
    pub(crate) fn array(len: usize) -> Box<[Self]> {
        (0..len).map(|_| Self::empty()).collect()
    }

    const fn empty() -> Self {
        Self {
            name: NameSlot::empty(),
            local: None,
            truncated: false,
            len: 0,
            bytes: [0; DATAGRAM_LEN_MAX],
            control: [0; CONTROL_WORDS],
        }
    }
}

impl NameSlot {
    const fn empty() -> Self {
        // SAFETY: both members are plain integers and byte arrays, for which all-zero is a value.
        Self {
            name: unsafe { mem::zeroed() },
            len: 0,
        }
    }

    /// The address; `None` where the kernel gave none of a family that we know.
    pub(crate) fn get(&self) -> Option<SocketAddr> {
        let len = self.len as usize;
        // SAFETY: both members start with the family at the same offset, and every byte of the union is initialised
        // (zeroed when made, only ever overwritten by whole addresses).
        let family = i32::from(unsafe { self.name.v4.sin_family });
        if family == libc::AF_INET && len >= size_of::<libc::sockaddr_in>() {
            // SAFETY: the family says that this is the member that was written; any bytes are a value of it.
            let v4 = unsafe { self.name.v4 };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
        } else if family == libc::AF_INET6 && len >= size_of::<libc::sockaddr_in6>() {
            // SAFETY: as above, for the other member.
            let v6 = unsafe { self.name.v6 };
            let (ip, port) = (
                Ipv6Addr::from(v6.sin6_addr.s6_addr),
                u16::from_be(v6.sin6_port),
            );
            Some(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
        } else {
            None
        }
    }

    /// Sets the address.
    pub(crate) fn set(&mut self, address: SocketAddr) {
        *self = Self::empty();
        match address {
            SocketAddr::V4(v4) => {
                self.name.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: v4.port().to_be(),
                    sin_addr: in_addr(*v4.ip()),
                    sin_zero: [0; 8],
                };
                self.len = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            }
            SocketAddr::V6(v6) => {
                self.name.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: libc::in6_addr {
                        s6_addr: v6.ip().octets(),
                    },
                    sin6_scope_id: v6.scope_id(),
                };
                self.len = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            }
        }
    }
}

const fn in_addr(address: Ipv4Addr) -> libc::in_addr {
    libc::in_addr {
        s_addr: address.to_bits().to_be(),
    }
}

/// What one `recvmmsg` brought.
pub(crate) enum RecvOutcome {
    Received(usize),
    Empty,
    /// An error that a peer or a signal left behind; there may be datagrams after it.
    PeerError,
}

/// What one `sendmmsg` did.
pub(crate) enum SendOutcome {
    Sent(usize),
    NoRoom,
    /// The first datagram can't be sent.
    Refused,
    /// An error that a peer or a signal left behind; the first datagram was not tried.
    PeerError,
}

/// The kernel's view of a batch, made anew for each call: pointers into the slots live no longer than it.
struct Headers {
    messages: [MaybeUninit<libc::mmsghdr>; BATCH_LEN],
    vectors: [MaybeUninit<libc::iovec>; BATCH_LEN],
}

impl Headers {
    const fn new() -> Self {
        Self {
            messages: [const { MaybeUninit::uninit() }; BATCH_LEN],
            vectors: [const { MaybeUninit::uninit() }; BATCH_LEN],
        }
    }

    /// Describes slot number `at`: its address, `len` of its bytes, `control_len` of its control bytes.
    fn describe(
        &mut self,
        at: usize,
        slot: &mut Slot,
        name_len: libc::socklen_t,
        len: usize,
        control_len: usize,
    ) {
        let vector = self.vectors[at].write(libc::iovec {
            iov_base: slot.bytes.as_mut_ptr().cast(),
            iov_len: len,
        });
        // SAFETY: `mmsghdr` is plain integers and pointers; all-zero is a value. Zeroing covers the padding members
        // that some C libraries have.
        let message = self.messages[at].write(unsafe { mem::zeroed() });
        message.msg_hdr.msg_name = (&raw mut slot.name.name).cast();
        message.msg_hdr.msg_namelen = name_len;
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
        if control_len > 0 {
            message.msg_hdr.msg_control = slot.control.as_mut_ptr().cast();
            message.msg_hdr.msg_controllen = control_len as _;
        }
    }

    fn as_mut_ptr(&mut self) -> *mut libc::mmsghdr {
        self.messages.as_mut_ptr().cast()
    }
}

/// Receives into `slots`, at most [`BATCH_LEN`]. Where the kernel tells how many datagrams it dropped, that goes to
/// `overflows`.
pub(crate) fn recvmmsg(
    socket: BorrowedFd<'_>,
    slots: &mut [Slot],
    overflows: &mut u32,
) -> io::Result<RecvOutcome> {
    let mut headers = Headers::new();
    let count = slots.len().min(BATCH_LEN);
    for (at, slot) in slots[..count].iter_mut().enumerate() {
        let name_len = size_of::<Name>() as libc::socklen_t;
        headers.describe(
            at,
            slot,
            name_len,
            DATAGRAM_LEN_MAX,
            size_of_val(&slot.control),
        );
    }
    // SAFETY: the first `count` headers are initialised, each with pointers to memory of the lengths given, borrowed
    // mutably by us until the call returns; the timeout may be null.
    let received = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as libc::c_uint,
            libc::MSG_DONTWAIT as _,
            ptr::null_mut(),
        )
    };
    let Ok(received) = usize::try_from(received) else {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::EAGAIN) => Ok(RecvOutcome::Empty),
            Some(errno) if is_peer_error(errno) => Ok(RecvOutcome::PeerError),
            _ => Err(error),
        };
    };
    for (slot, message) in slots[..count]
        .iter_mut()
        .zip(&headers.messages)
        .take(received)
    {
        // SAFETY: the first `count` headers were initialised above, and `received <= count`.
        let message = unsafe { message.assume_init_ref() };
        slot.name.len = message.msg_hdr.msg_namelen;
        slot.len = (message.msg_len as usize).min(DATAGRAM_LEN_MAX);
        slot.truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
        let told = Told::of(&message.msg_hdr);
        slot.local = told.local;
        *overflows = told.overflows.unwrap_or(*overflows);
    }
    Ok(RecvOutcome::Received(received))
}

/// What the kernel tells beside a datagram.
#[derive(Default)]
struct Told {
    /// To which of our addresses it was sent, from its `IP_PKTINFO`.
    local: Option<Ipv4Addr>,
    /// How many datagrams were dropped before it, from its `SO_RXQ_OVFL`; told only once there was one.
    overflows: Option<u32>,
}

impl Told {
    fn of(header: &libc::msghdr) -> Self {
        let mut told = Self::default();
        // SAFETY: the header was filled by the kernel, so control pointer and length describe whole control messages
        // in memory that is still borrowed by the caller; CMSG_NXTHDR stays inside them.
        unsafe {
            let mut control = libc::CMSG_FIRSTHDR(header);
            while !control.is_null() {
                match ((*control).cmsg_level, (*control).cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                        let info: libc::in_pktinfo = libc::CMSG_DATA(control)
                            .cast::<libc::in_pktinfo>()
                            .read_unaligned();
                        // The address to answer from; for a broadcast that is not the one it was sent to.
                        told.local = Some(Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr)));
                    }
                    (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                        told.overflows =
                            Some(libc::CMSG_DATA(control).cast::<u32>().read_unaligned());
                    }
                    _ => {}
                }
                control = libc::CMSG_NXTHDR(header, control);
            }
        }
        told
    }
}

/// Sends `slots` in order, at most [`BATCH_LEN`].
pub(crate) fn sendmmsg(
    socket: BorrowedFd<'_>,
    slots: &mut [Slot],
    pktinfo: bool,
) -> io::Result<SendOutcome> {
    let mut headers = Headers::new();
    let count = slots.len().min(BATCH_LEN);
    for (at, slot) in slots[..count].iter_mut().enumerate() {
        let control_len = match slot.local {
            Some(local) if pktinfo => write_source(&mut slot.control, local),
            _ => 0,
        };
        headers.describe(at, slot, slot.name.len, slot.len, control_len);
    }
    // SAFETY: the first `count` headers are initialised, each with pointers to memory of the lengths given, borrowed
    // by us until the call returns.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as libc::c_uint,
            libc::MSG_DONTWAIT as _,
        )
    };
    if let Ok(sent) = usize::try_from(sent) {
        return Ok(SendOutcome::Sent(sent));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOBUFS) => Ok(SendOutcome::NoRoom),
        Some(errno) if is_peer_error(errno) => Ok(SendOutcome::PeerError),
        Some(
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::EHOSTDOWN
            | libc::EADDRNOTAVAIL
            | libc::EACCES
            | libc::EPERM
            | libc::EINVAL
            | libc::EMSGSIZE
            | libc::EAFNOSUPPORT,
        ) => Ok(SendOutcome::Refused),
        _ => Err(error),
    }
}

/// Writes an `IP_PKTINFO` that makes `local` the source address; returns how many bytes it takes.
fn write_source(control: &mut [u64; CONTROL_WORDS], local: Ipv4Addr) -> usize {
    let info = libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: in_addr(local),
        ipi_addr: in_addr(Ipv4Addr::UNSPECIFIED),
    };
    let info_len = size_of::<libc::in_pktinfo>() as libc::c_uint;
    // SAFETY: CMSG_SPACE is pure arithmetic.
    let space = unsafe { libc::CMSG_SPACE(info_len) } as usize;
    debug_assert!(
        space <= size_of_val(control),
        "CONTROL_WORDS holds one IP_PKTINFO"
    );
    let header = control.as_mut_ptr().cast::<libc::cmsghdr>();
    // SAFETY: `control` is aligned for a control header (8 bytes) and longer than CMSG_SPACE of the one message, so
    // header and data lie inside.
    unsafe {
        (*header).cmsg_level = libc::IPPROTO_IP;
        (*header).cmsg_type = libc::IP_PKTINFO;
        (*header).cmsg_len = libc::CMSG_LEN(info_len) as _;
        libc::CMSG_DATA(header)
            .cast::<libc::in_pktinfo>()
            .write_unaligned(info);
    }
    space
}

/// Errors that an earlier datagram to some peer left on the socket, or a signal: they say nothing about this call.
const fn is_peer_error(errno: i32) -> bool {
    matches!(
        errno,
        libc::ECONNREFUSED | libc::EINTR | libc::ECONNRESET | libc::EPROTO
    )
}

/// Asks for `IP_PKTINFO` with each datagram.
pub(crate) fn enable_pktinfo(socket: BorrowedFd<'_>) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
}

/// Asks to be told how many datagrams were dropped because the receive buffer was full.
pub(crate) fn enable_overflow_count(socket: BorrowedFd<'_>) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)
}

/// Sends whole datagrams only (the "don't fragment" bit of IPv4): what is too long for the way is refused. Saves the kernel the
/// search for an identification number for each datagram, which takes some 3 % of the way to fifty thousand peers.
pub(crate) fn forbid_fragments(socket: BorrowedFd<'_>) -> io::Result<()> {
    set_option(
        socket,
        libc::IPPROTO_IP,
        libc::IP_MTU_DISCOVER,
        libc::IP_PMTUDISC_DO,
    )
}

/// Sizes the receive buffer; beyond the system's limit where the process may.
pub(crate) fn set_receive_buffer(socket: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
        .or_else(|_| set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes))
}

/// Sizes the send buffer; beyond the system's limit where the process may.
pub(crate) fn set_send_buffer(socket: BorrowedFd<'_>, bytes: usize) -> io::Result<()> {
    let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    set_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, bytes)
        .or_else(|_| set_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes))
}

fn set_option(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the value is an int that lives through the call, and its size is given.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The receive buffer's size in bytes.
pub(crate) fn receive_buffer(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let mut value: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: value and length live through the call, and the length is that of the value.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            (&raw mut value).cast(),
            &raw mut len,
        )
    };
    if done == 0 {
        Ok(usize::try_from(value).unwrap_or(0))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// A non-blocking eventfd that is closed on exec.
pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sleeps until something is ready.
pub(crate) fn poll(
    socket: Option<BorrowedFd<'_>>,
    for_room: bool,
    waker: Option<BorrowedFd<'_>>,
    timeout: Option<Duration>,
) -> io::Result<Readiness> {
    let events = if for_room {
        libc::POLLIN | libc::POLLOUT
    } else {
        libc::POLLIN
    };
    let mut polled = [
        // A negative descriptor is ignored by poll.
        libc::pollfd {
            fd: socket.map_or(-1, |fd| fd.as_raw_fd()),
            events,
            revents: 0,
        },
        libc::pollfd {
            fd: waker.map_or(-1, |fd| fd.as_raw_fd()),
            events: libc::POLLIN,
            revents: 0,
        },
    ];
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: two descriptions are given and two are there; the timeout is null or lives through the call; a null
    // signal mask leaves the mask as it is.
    let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), 2, timeout, ptr::null()) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted {
            Ok(Readiness::default())
        } else {
            Err(error)
        };
    }
    let [socket, waker] = polled;
    Ok(Readiness {
        // An error on the socket is fetched by receiving.
        readable: socket.revents & (libc::POLLIN | libc::POLLERR) != 0,
        writable: socket.revents & libc::POLLOUT != 0,
        woken: waker.revents & libc::POLLIN != 0,
    })
}
