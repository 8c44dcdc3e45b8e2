//! Requests to controllers behind the BMC.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may, their helpers too"
)]

mod support;

use ipmi::bmc::Config;
use ipmi::command::app::GetDeviceId;
use ipmi::console::{Bridge, Event, Hop, RequestRefused, RequestTarget};
use ipmi::number::{AuthType, CipherSuiteId, CompletionCode, NetFn, PayloadType};
use ipmi::wire::message::{LanMessage, MessageHeader};
use ipmi::wire::session::{RmcpPlusHeader, SessionHeader};
use ipmi::wire::{Reader, Writer, rmcp};
use support::{Happened, Pair, SATELLITE_ID, SATELLITES, config, login};

fn hop(address: u8) -> Hop {
    Hop::new(0, address).unwrap()
}

fn satellite() -> Happened {
    Happened::Response(CompletionCode::OK, SATELLITE_ID.to_vec())
}

#[test]
fn an_answer_inside_send_messages_is_the_targets() {
    let direct = Bridge::to(hop(SATELLITES[0]));
    let twice = Bridge::over(hop(SATELLITES[0]), hop(SATELLITES[1]));
    for suite in [3, 17] {
        for bridge in [direct, twice] {
            let mut pair = Pair::new(login(&[suite]), config());
            pair.establish();
            let asked = pair
                .session
                .request_over(pair.now, Some(bridge), &GetDeviceId);
            asked.unwrap();
            assert_eq!(pair.run(), satellite());
            // The next request goes to the BMC again.
            pair.session.request(pair.now, &GetDeviceId).unwrap();
            let own = Happened::Response(CompletionCode::OK, support::DEVICE_ID.to_vec());
            assert_eq!(pair.run(), own);
        }
    }
}

#[test]
fn who_refused_is_told_by_the_commands_numbers() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    let mut refused_by = |bridge, cmd| {
        let target = RequestTarget {
            netfn: NetFn::APP,
            cmd,
            lun: 0,
        };
        let asked = pair
            .session
            .request_bridged(pair.now, Some(bridge), target, &[], true);
        asked.unwrap();
        let request = pair.transmit().unwrap();
        let mut reply = pair.at_bmc(&request).unwrap();
        match pair.session.handle_datagram(pair.now, &mut reply) {
            Ok(Event::Response(response)) => (response.netfn, response.cmd, response.completion.0),
            other => panic!("{other:?}"),
        }
    };
    let nobody = hop(0x52);
    assert_eq!(refused_by(Bridge::to(nobody), 1), (NetFn::APP, 0x34, 0x83));
    let [first, second] = SATELLITES.map(hop);
    let over = Bridge::over(first, nobody);
    assert_eq!(refused_by(over, 1), (NetFn::APP, 0x34, 0x83));
    let over = Bridge::over(first, second);
    assert_eq!(refused_by(over, 7), (NetFn::APP, 7, 0xc1));
}

/// A BMC's message in a session that protects nothing.
fn from_bmc(session_id: u32, sequence: u32, header: MessageHeader, body: &[u8]) -> Vec<u8> {
    let mut buffer = [0; 128];
    let mut w = Writer::new(&mut buffer);
    rmcp::encode(rmcp::Class::Ipmi, &mut w);
    let payload_len = u16::try_from(7 + body.len()).unwrap();
    RmcpPlusHeader {
        session_id,
        sequence,
        payload_len,
        ..RmcpPlusHeader::sessionless(PayloadType::IPMI)
    }
    .encode(&mut w);
    header.encode(&mut w, |w| w.bytes(body));
    w.written().to_vec()
}

#[test]
fn an_answer_after_send_messages_is_waited_for() {
    let open = Config {
        suites: vec![CipherSuiteId(0)],
        ..config()
    };
    let mut pair = Pair::new(login(&[0]), open);
    pair.establish();
    let bridge = Bridge::over(hop(SATELLITES[0]), hop(SATELLITES[1]));
    let asked = pair
        .session
        .request_over(pair.now, Some(bridge), &GetDeviceId);
    asked.unwrap();
    let request = pair.transmit().unwrap();
    let mut r = Reader::new(&request[4..]);
    let header = SessionHeader::decode(&mut r).unwrap();
    assert_eq!(request[4], AuthType::RMCP_PLUS.0);
    let message = LanMessage::decode(r.take("payload", header.payload_len()).unwrap()).unwrap();
    let rq_seq = message.header.rq_seq;
    assert_eq!(
        (message.header.netfn, message.header.cmd),
        (NetFn::APP, 0x34)
    );
    let id = pair.session.console_session_id();
    let answer = |sequence, cmd, rq_seq, body: &[u8]| {
        let header = MessageHeader {
            from: SATELLITES[0],
            ..MessageHeader::request(NetFn::APP, 0, cmd, rq_seq).response()
        };
        from_bmc(id, sequence, header, body)
    };
    // The BMC's own answer, that of the controller on the way, one to another request, and the target's.
    assert_eq!(pair.at_console(&answer(10, 0x34, rq_seq, &[0])), None);
    assert_eq!(pair.at_console(&answer(11, 0x34, rq_seq, &[0])), None);
    assert_eq!(pair.ignored, []);
    assert_eq!(pair.at_console(&answer(12, 1, rq_seq ^ 1, &[0])), None);
    assert_eq!(pair.ignored.len(), 1);
    let device_id = [&[0][..], &SATELLITE_ID].concat();
    let answered = pair.at_console(&answer(13, 1, rq_seq, &device_id));
    assert_eq!(answered, Some(satellite()));
}

#[test]
fn a_request_that_no_answer_follows_is_repeated_and_given_up() {
    let mut pair = Pair::new(login(&[17]), config());
    pair.establish();
    pair.trace.clear();
    let bridge = Some(Bridge::to(hop(SATELLITES[0])));
    let asked = pair.session.request_over(pair.now, bridge, &GetDeviceId);
    asked.unwrap();
    let maybe_executed = false;
    let given_up = Happened::TimedOut { maybe_executed };
    assert_eq!(pair.run_over(|console, _| usize::from(console)), given_up);
    let sent = pair.trace.iter().filter(|(console, _)| *console).count();
    assert_eq!(sent, 4);
    let long = RequestTarget {
        netfn: NetFn(0x30),
        cmd: 1,
        lun: 0,
    };
    let mut fits = |bridge, len| {
        let data = vec![0; len];
        let asked = pair
            .session
            .request_bridged(pair.now, bridge, long, &data, true);
        let fits = asked != Err(RequestRefused::TooLong);
        if fits {
            pair.transmit().expect("what is taken can be sent");
            pair.establish();
        }
        fits
    };
    let longest = (0..1_000).rev().find(|len| fits(bridge, *len)).unwrap();
    assert!(fits(None, longest + 8) && !fits(None, longest + 9));
}
