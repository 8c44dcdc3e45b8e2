//! Behaviour over the loopback interface.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use udp::{BATCH_LEN, DATAGRAM_LEN_MAX, Full, Options, ReceiveBatch, SendBatch, Socket, Waker};

/// Long enough never to be the reason for a failure, short enough to end a hung test.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

fn loopback() -> Socket {
    Socket::bind((Ipv4Addr::LOCALHOST, 0).into(), Options::default())
        .expect("loopback can be bound")
}

/// Receives until `count` datagrams have come.
fn collect(socket: &Socket, count: usize) -> Vec<(SocketAddr, Option<Ipv4Addr>, Vec<u8>)> {
    let mut batch = ReceiveBatch::new();
    let mut all = Vec::new();
    while all.len() < count {
        if socket.recv(&mut batch).expect("received") == 0 {
            assert!(
                socket.wait(false, None, PATIENCE).expect("waited").readable,
                "got {} of {count}",
                all.len()
            );
        }
        all.extend(
            batch
                .datagrams_mut()
                .map(|d| (d.peer, d.local, d.bytes.to_vec())),
        );
    }
    all
}

#[test]
fn a_batch_arrives_whole_and_in_order_from_the_senders_address() {
    let (a, b) = (loopback(), loopback());
    let mut batch = SendBatch::new();
    for i in 0..BATCH_LEN {
        let write = |buffer: &mut [u8]| {
            buffer[..i + 1].fill(u8::try_from(i).unwrap());
            i + 1
        };
        batch.push(b.local_addr().unwrap(), None, write).unwrap();
    }
    assert_eq!(batch.push(b.local_addr().unwrap(), None, |_| 1), Err(Full));
    let sent = a.send(&mut batch).unwrap();
    assert_eq!(
        (sent.sent, sent.refused, sent.blocked),
        (BATCH_LEN, 0, false)
    );
    assert!(batch.is_empty() && !batch.is_full());
    for (i, (peer, local, bytes)) in collect(&b, BATCH_LEN).into_iter().enumerate() {
        assert_eq!(peer, a.local_addr().unwrap());
        assert_eq!(local, None);
        assert_eq!(bytes, vec![u8::try_from(i).unwrap(); i + 1]);
    }
}

#[test]
fn a_wildcard_socket_answers_each_peer_from_the_address_that_was_asked() {
    let options = Options {
        pktinfo: true,
        ..Options::default()
    };
    let server = Socket::bind((Ipv4Addr::UNSPECIFIED, 0).into(), options).unwrap();
    let port = server.local_addr().unwrap().port();
    let client = loopback();
    let mut out = SendBatch::new();
    let asked: Vec<_> = (1..=40_u8)
        .map(|i| Ipv4Addr::new(127, 16, i / 8, i))
        .collect();
    for address in &asked {
        let write = |buffer: &mut [u8]| {
            buffer[..4].copy_from_slice(&address.octets());
            4
        };
        out.push((*address, port).into(), None, write).unwrap();
    }
    client.send(&mut out).unwrap();

    for (peer, local, bytes) in collect(&server, asked.len()) {
        let local = local.expect("pktinfo is on");
        assert_eq!(
            local.octets().as_slice(),
            bytes,
            "the destination is the address the client asked"
        );
        let write = |buffer: &mut [u8]| {
            buffer[..4].copy_from_slice(&bytes);
            4
        };
        out.push(peer, Some(local), write).unwrap();
    }
    assert_eq!(server.send(&mut out).unwrap().sent, asked.len());

    let answers: BTreeMap<_, _> = collect(&client, asked.len())
        .into_iter()
        .map(|(peer, _, bytes)| (peer, bytes))
        .collect();
    assert_eq!(answers.len(), asked.len());
    for address in asked {
        let bytes = &answers[&SocketAddr::from((address, port))];
        assert_eq!(bytes.as_slice(), address.octets());
    }
}

#[test]
fn a_datagram_that_is_too_long_is_marked_truncated_and_the_next_one_is_not() {
    let b = loopback();
    let a = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    a.send_to(&[7; DATAGRAM_LEN_MAX + 1], b.local_addr().unwrap())
        .unwrap();
    a.send_to(&[8; DATAGRAM_LEN_MAX], b.local_addr().unwrap())
        .unwrap();
    let mut batch = ReceiveBatch::new();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        b.wait(false, None, PATIENCE).unwrap();
        b.recv(&mut batch).unwrap();
        seen.extend(
            batch
                .datagrams_mut()
                .map(|d| (d.bytes[0], d.bytes.len(), d.truncated)),
        );
    }
    assert_eq!(
        seen,
        [(7, DATAGRAM_LEN_MAX, true), (8, DATAGRAM_LEN_MAX, false)]
    );
}

#[test]
fn one_datagram_that_cannot_be_sent_does_not_hold_up_the_others() {
    let (a, b) = (loopback(), loopback());
    let b_address = b.local_addr().unwrap();
    let mut batch = SendBatch::new();
    let write = |byte: u8| {
        move |buffer: &mut [u8]| {
            buffer[0] = byte;
            1
        }
    };
    batch.push(b_address, None, write(1)).unwrap();
    // Port 0 is no destination (EINVAL); an IPv6 peer can't be reached from an IPv4 socket (EAFNOSUPPORT).
    batch
        .push((Ipv4Addr::LOCALHOST, 0).into(), None, write(2))
        .unwrap();
    batch
        .push((Ipv6Addr::LOCALHOST, 9).into(), None, write(3))
        .unwrap();
    batch.push(b_address, None, write(4)).unwrap();
    let sent = a.send(&mut batch).unwrap();
    assert_eq!((sent.sent, sent.refused, sent.blocked), (2, 2, false));
    let bytes: Vec<_> = collect(&b, 2)
        .into_iter()
        .map(|(_, _, bytes)| bytes)
        .collect();
    assert_eq!(bytes, [[1], [4]]);
}

#[test]
fn a_peer_whose_port_is_closed_is_no_error() {
    let a = loopback();
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let mut out = SendBatch::new();
    for _ in 0..3 {
        out.push(closed, None, |_| 1).unwrap();
        a.send(&mut out).unwrap();
        assert_eq!(a.recv(&mut ReceiveBatch::new()).unwrap(), 0);
    }
}

#[test]
fn nothing_there_is_zero_datagrams_and_an_old_batch_is_not_shown_again() {
    let (a, b) = (loopback(), loopback());
    let mut out = SendBatch::new();
    out.push(b.local_addr().unwrap(), None, |_| 3).unwrap();
    a.send(&mut out).unwrap();
    let mut batch = ReceiveBatch::new();
    assert!(b.wait(false, None, PATIENCE).unwrap().readable);
    assert_eq!(b.recv(&mut batch).unwrap(), 1);
    assert_eq!(b.recv(&mut batch).unwrap(), 0);
    assert!(batch.is_empty() && batch.datagrams_mut().next().is_none());
}

#[test]
fn a_wake_ends_the_present_or_the_next_wait_once() {
    let socket = loopback();
    let waker = Waker::new().unwrap();
    waker.wake();
    waker.wake();
    assert!(socket.wait(false, Some(&waker), PATIENCE).unwrap().woken);
    let instantly = Some(Duration::ZERO);
    assert!(!socket.wait(false, Some(&waker), instantly).unwrap().woken);
    std::thread::scope(|scope| {
        scope.spawn(|| waker.wake());
        assert!(socket.wait(false, Some(&waker), PATIENCE).unwrap().woken);
    });
}

#[test]
fn a_wait_for_room_ends_at_once_when_there_is_room() {
    let ready = loopback().wait(true, None, PATIENCE).unwrap();
    assert!(ready.writable && !ready.readable);
}

#[test]
fn the_receive_buffer_can_be_sized() {
    let small = Options {
        receive_buffer_bytes: Some(16 * 1024),
        ..Options::default()
    };
    let large = Options {
        receive_buffer_bytes: Some(128 * 1024),
        ..Options::default()
    };
    let size = |options| {
        Socket::bind((Ipv4Addr::LOCALHOST, 0).into(), options)
            .unwrap()
            .receive_buffer_bytes()
            .unwrap()
    };
    assert!(size(small) < size(large));
}

#[test]
fn what_a_full_receive_buffer_drops_is_told_with_the_next_datagram() {
    let options = Options {
        receive_buffer_bytes: Some(4_096),
        ..Options::default()
    };
    let socket = Socket::bind((Ipv4Addr::LOCALHOST, 0).into(), options).unwrap();
    let sender = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut batch = ReceiveBatch::new();
    let send = |count: u32| {
        for _ in 0..count {
            sender
                .send_to(&[1; 512], socket.local_addr().unwrap())
                .unwrap();
        }
    };
    send(1);
    socket.wait(false, None, PATIENCE).unwrap();
    assert_eq!(socket.recv(&mut batch).unwrap(), 1);
    assert_eq!(batch.overflows(), 0);
    // Far more than fit; over loopback they are there, or dropped, when they are sent.
    send(200);
    let mut received = 0;
    while socket.recv(&mut batch).unwrap() > 0 {
        received += u32::try_from(batch.len()).unwrap();
    }
    send(1);
    socket.wait(false, None, PATIENCE).unwrap();
    assert_eq!(socket.recv(&mut batch).unwrap(), 1);
    assert!(received < 200);
    assert_eq!(batch.overflows(), 200 - received);
}

#[test]
fn ipv6_works_without_pktinfo_and_is_refused_with_it() {
    let pktinfo = Options {
        pktinfo: true,
        ..Options::default()
    };
    let refused = Socket::bind((Ipv6Addr::LOCALHOST, 0).into(), pktinfo).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    // A machine without IPv6 has no ::1 to bind to.
    let Ok(socket) = Socket::bind((Ipv6Addr::LOCALHOST, 0).into(), Options::default()) else {
        return;
    };
    let address = socket.local_addr().unwrap();
    let mut out = SendBatch::new();
    out.push(address, None, |_| 5).unwrap();
    socket.send(&mut out).unwrap();
    let got = collect(&socket, 1);
    assert_eq!((got[0].0, got[0].2.len()), (address, 5));
}
