//! Capture files: pcap (libpcap's format) and pcapng; what of them is a UDP datagram.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The largest packet that a file may hold, in bytes.
const PACKET_MAX: usize = 1 << 18;

/// A UDP datagram of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Datagram {
    /// When it was seen, in microseconds since 1970, as far as the file says so.
    pub(super) at_us: u64,
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// To whom.
    pub(super) to: SocketAddr,
    /// What it carries.
    pub(super) payload: Vec<u8>,
}

/// The UDP datagrams of a capture, in its order. Other packets, and pieces of packets, are left out.
///
/// # Errors
/// It is no capture, or ends in the middle.
pub(super) fn datagrams(file: &[u8]) -> Result<Vec<Datagram>, String> {
    let packets = match Order::of(file) {
        Some((order, nanoseconds)) => pcap(file, order, nanoseconds),
        None if file.starts_with(&SECTION_HEADER) => pcapng(file),
        None => return Err("it is neither pcap nor pcapng".to_owned()),
    };
    let read = packets.ok_or("it ends in the middle of a packet, or is damaged")?;
    Ok(read.iter().filter_map(Packet::udp).collect())
}

/// A packet as it was captured.
struct Packet<'a> {
    at_us: u64,
    link: u32,
    bytes: &'a [u8],
}

/// The order of bytes in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    /// By the number that a pcap file begins with; whether its times are in nanoseconds.
    fn of(file: &[u8]) -> Option<(Self, bool)> {
        Some(match file.get(..4)? {
            [0xd4, 0xc3, 0xb2, 0xa1] => (Self::Little, false),
            [0x4d, 0x3c, 0xb2, 0xa1] => (Self::Little, true),
            [0xa1, 0xb2, 0xc3, 0xd4] => (Self::Big, false),
            [0xa1, 0xb2, 0x3c, 0x4d] => (Self::Big, true),
            _ => return None,
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(four),
            Self::Big => u32::from_be_bytes(four),
        })
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(two),
            Self::Big => u16::from_be_bytes(two),
        })
    }

    fn len(self, bytes: &[u8], at: usize) -> Option<usize> {
        let len = usize::try_from(self.u32(bytes, at)?).ok()?;
        (len <= PACKET_MAX).then_some(len)
    }
}

/// A file header of 24 bytes, then packets with headers of 16.
fn pcap(file: &[u8], order: Order, nanoseconds: bool) -> Option<Vec<Packet<'_>>> {
    let link = order.u32(file, 20)? & 0x0fff_ffff;
    let scale = if nanoseconds { 1_000 } else { 1 };
    let (mut packets, mut at) = (Vec::new(), 24);
    while at < file.len() {
        let seconds = u64::from(order.u32(file, at)?);
        let fraction = u64::from(order.u32(file, at + 4)?) / scale;
        let len = order.len(file, at + 8)?;
        let bytes = file.get(at + 16..at + 16 + len)?;
        packets.push(Packet {
            at_us: seconds * 1_000_000 + fraction,
            link,
            bytes,
        });
        at += 16 + len;
    }
    Some(packets)
}

/// How a section of pcapng begins.
const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Option of an interface: the resolution of its times.
const RESOLUTION: u16 = 9;

/// Blocks: type, length, body, length again.
fn pcapng(file: &[u8]) -> Option<Vec<Packet<'_>>> {
    let mut order = Order::Little;
    // Link type and units of time in a second, of each interface.
    let mut interfaces: Vec<(u32, u64)> = Vec::new();
    let (mut packets, mut at) = (Vec::new(), 0);
    while at < file.len() {
        if file.get(at..at + 4)? == SECTION_HEADER {
            interfaces.clear();
            order = match file.get(at + 8..at + 12)? {
                [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                _ => return None,
            };
        }
        let len = usize::try_from(order.u32(file, at + 4)?).ok()?;
        if len < 12 || len % 4 != 0 {
            return None;
        }
        let body = file.get(at + 8..at.checked_add(len)? - 4)?;
        match order.u32(file, at)? {
            INTERFACE => {
                let link = u32::from(order.u16(body, 0)?);
                interfaces.push((link, resolution(order, body.get(8..)?)));
            }
            ENHANCED_PACKET => {
                let interface = usize::try_from(order.u32(body, 0)?).ok()?;
                let &(link, units) = interfaces.get(interface)?;
                let high = u64::from(order.u32(body, 4)?);
                let units_at = high << 32 | u64::from(order.u32(body, 8)?);
                let captured = order.len(body, 12)?;
                let micro = u128::from(units_at) * 1_000_000 / u128::from(units);
                packets.push(Packet {
                    at_us: u64::try_from(micro).ok()?,
                    link,
                    bytes: body.get(20..20 + captured)?,
                });
            }
            SIMPLE_PACKET => {
                let &(link, _) = interfaces.first()?;
                let bytes = body.get(4..)?;
                let original = order.len(body, 0)?;
                packets.push(Packet {
                    at_us: 0,
                    link,
                    bytes: &bytes[..bytes.len().min(original)],
                });
            }
            _ => {}
        }
        at += len;
    }
    Some(packets)
}

/// Units of time in a second, from the options of an interface; microseconds where they don't say.
fn resolution(order: Order, mut options: &[u8]) -> u64 {
    while let (Some(code), Some(len)) = (order.u16(options, 0), order.u16(options, 2)) {
        let len = usize::from(len);
        if code == RESOLUTION
            && let Some(value) = options.get(4)
        {
            let exponent = u32::from(value & 0x7f);
            let base: u64 = if value & 0x80 == 0 { 10 } else { 2 };
            return base.checked_pow(exponent).unwrap_or(1_000_000);
        }
        options = options.get(4 + len.next_multiple_of(4)..).unwrap_or(&[]);
    }
    1_000_000
}

impl Packet<'_> {
    /// The IP packet in it.
    fn ip(&self) -> Option<&[u8]> {
        let skip = match self.link {
            // BSD loopback.
            0 => 4,
            // Ethernet, with VLAN tags.
            1 => {
                let mut at = 12;
                while matches!(Order::Big.u16(self.bytes, at)?, 0x8100 | 0x88a8) {
                    at += 4;
                }
                at + 2
            }
            // Raw IP, of both families or one.
            12 | 101 | 228 | 229 => 0,
            // Linux, any interface.
            113 => 16,
            276 => 20,
            _ => return None,
        };
        self.bytes.get(skip..)
    }

    fn udp(&self) -> Option<Datagram> {
        const UDP: u8 = 17;
        let ip = self.ip()?;
        let (from, to, rest): (IpAddr, IpAddr, &[u8]) = match ip.first()? >> 4 {
            4 => {
                let header = usize::from(ip[0] & 0x0f) * 4;
                // Pieces behind the first have no ports.
                if *ip.get(9)? != UDP || Order::Big.u16(ip, 6)? & 0x1fff != 0 {
                    return None;
                }
                let address = |at: usize| -> Option<Ipv4Addr> {
                    let octets: [u8; 4] = ip.get(at..at + 4)?.try_into().ok()?;
                    Some(octets.into())
                };
                (address(12)?.into(), address(16)?.into(), ip.get(header..)?)
            }
            6 => {
                if *ip.get(6)? != UDP {
                    return None;
                }
                let address = |at: usize| -> Option<Ipv6Addr> {
                    let octets: [u8; 16] = ip.get(at..at + 16)?.try_into().ok()?;
                    Some(octets.into())
                };
                (address(8)?.into(), address(24)?.into(), ip.get(40..)?)
            }
            _ => return None,
        };
        let port = |at: usize| Order::Big.u16(rest, at);
        let len = usize::from(port(4)?);
        Some(Datagram {
            at_us: self.at_us,
            from: (from, port(0)?).into(),
            to: (to, port(2)?).into(),
            payload: rest.get(8..len)?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ethernet frame with an ASF ping from 10.0.0.1:1234 to 10.0.0.2:623.
    fn frame() -> Vec<u8> {
        let payload = [6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0];
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0]);
        frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend([0x04, 0xd2, 0x02, 0x6f, 0, 20, 0, 0]);
        frame.extend(payload);
        frame
    }

    fn pcap_file(order: Order) -> Vec<u8> {
        let word = |value: u32| match order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        };
        let frame = frame();
        let len = frame.len() as u32;
        let header = [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1, 5, 7, len, len];
        let mut file: Vec<u8> = header.into_iter().flat_map(word).collect();
        file.extend(&frame);
        file
    }

    fn pcapng_file() -> Vec<u8> {
        let mut frame = frame();
        let len = frame.len() as u32;
        frame.resize(frame.len().next_multiple_of(4), 0);
        let padded = frame.len() as u32;
        let mut file = SECTION_HEADER.to_vec();
        let words = |file: &mut Vec<u8>, words: &[u32]| {
            file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        };
        words(&mut file, &[28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
        words(&mut file, &[INTERFACE, 20, 1, 65_535, 20]);
        words(
            &mut file,
            &[ENHANCED_PACKET, 32 + padded, 0, 0, 5_000_007, len, len],
        );
        file.extend(&frame);
        words(&mut file, &[32 + padded]);
        file
    }

    #[test]
    fn datagrams_are_found_in_every_kind_of_file() {
        for file in [
            pcap_file(Order::Little),
            pcap_file(Order::Big),
            pcapng_file(),
        ] {
            let found = datagrams(&file).unwrap();
            let [datagram] = found.as_slice() else {
                panic!("{found:?}")
            };
            assert_eq!(datagram.at_us, 5_000_007);
            assert_eq!(datagram.from.to_string(), "10.0.0.1:1234");
            assert_eq!(datagram.to.to_string(), "10.0.0.2:623");
            assert_eq!(datagram.payload.len(), 12);
        }
        assert!(datagrams(b"0600ff06").is_err());
    }

    #[test]
    fn files_that_end_early_or_are_damaged_never_panic() {
        for whole in [pcap_file(Order::Little), pcapng_file()] {
            for len in 0..whole.len() {
                let _ = datagrams(&whole[..len]);
            }
            for at in 0..whole.len() {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut damaged = whole.clone();
                    damaged[at] = value;
                    let _ = datagrams(&damaged);
                }
            }
        }
    }
}
