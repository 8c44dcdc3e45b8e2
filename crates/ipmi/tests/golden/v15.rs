//! IPMI 1.5 sessions as other projects' ends hold them: ipmitool with MD5 and FreeIPMI with MD2, each with ipmi_sim.

use ipmi::command::app::{
    ActivateSession, ActivatedSession, GetSessionChallenge, SessionChallenge,
};
use ipmi::command::{Command, Message};
use ipmi::crypto::v15::End;
use ipmi::crypto::{UserKey, V15Channel, V15Key};
use ipmi::number::AuthType;
use ipmi::wire::message::LanMessage;
use ipmi::wire::session::{SessionHeader, V15Header};
use ipmi::wire::{Reader, rmcp};

/// From Get Session Challenge to Close Session, by turns from console and BMC.
const IPMITOOL_MD5: &str = "
0600ff07000000000000000000182018c88108390261646d696e000000000000000000000033
0600ff070000000000000000001c811c632008390005010000ce353bb3fb55ba72b6b564ff41533a3e52
0600ff07020000000005010000bbb82f0b357c9431cd6d76c96cc3b57b1d2018c8810c3a0204ce353bb3fb55ba72b6b564ff41533a3e7263252cc6
0600ff07027263252c050100002704a337921bfce73ee91cbbe16eceb812811c63200c3a0002820300008657c46b0403
0600ff07028657c46b820300002ce1b227b2b6f3380701655179329352082018c881103b0430
0600ff07027263252c820300008e0038b140ccb63238cf40107175606b09811c6320103b000491
0600ff07028757c46b82030000e56e9aa8238e99aadfcf452a321975230920b03081143e00022b
0600ff07027363252c820300001d3a78c776b9bc8a4a63f4cb9b4730df0881b4cb20143ec1cd
0600ff07028857c46b820300003a7d0450fe25fc8a179ed26047a1320b072018c881180166
0600ff07027463252c820300006549707138c0af84e85f938e7e6f3b0e17811c632018010000030908029f911200020f000000005e
";

/// The same, with a session ID that the BMC changes on activation, as the one above.
const FREEIPMI_MD2: &str = "
0600ff07000000000000000000182018c881c8390161646d696e000000000000000000000074
0600ff070000000000000000001c811c6320c839008501000080585d5fa9a8b62aff44ddfa456a251e88
0600ff0701000000008501000024d4999709bd5aa13cda8b4af7c3f5701d2018c881cc3a010480585d5fa9a8b62aff44ddfa456a251e839f2e292a
0600ff0701839f2e298501000072569226032b6c8fb0da144c9ad8cfc612811c6320cc3a0001020400002c5f1aba0470
0600ff07012c5f1aba02040000baee2ed88b0c3bb34ec4316a557c391e082018c881d03b0470
0600ff0701839f2e2902040000185e36a88dac6e9e5f2964d3d4dcb5cf09811c6320d03b0004d1
0600ff07012d5f1aba02040000483d5af602e3dc0b93c3b4f9401ef6f7082018c881d43b046c
0600ff0701849f2e290204000013d89d85df9f755d6aaec6e3009f0def09811c6320d43b0004cd
0600ff07012f5f1aba0204000062337b28bf9f30ca8490efbf1401054d0b2018c881dc3c0204000061
0600ff0701869f2e2902040000d2d5483db9b7115487ae4c8b2e42dd7808811c6320dc3c00c8
";

fn datagrams(text: &str) -> Vec<Vec<u8>> {
    let hex = |line: &str| {
        let digits = (0..line.len()).step_by(2);
        digits
            .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
            .collect()
    };
    text.split_whitespace().map(hex).collect()
}

/// Header and message.
fn parts(datagram: &[u8]) -> (V15Header, &[u8]) {
    let mut r = Reader::new(datagram);
    assert_eq!(rmcp::decode(&mut r), Ok(rmcp::Class::Ipmi));
    let SessionHeader::V15(header) = SessionHeader::decode(&mut r).unwrap() else {
        panic!("RMCP+")
    };
    (
        header,
        r.take("message", header.payload_len.into()).unwrap(),
    )
}

fn body(datagram: &[u8]) -> &[u8] {
    LanMessage::decode(parts(datagram).1).unwrap().body
}

#[test]
fn what_others_seal_we_open_and_seal_alike() {
    for (auth_type, text) in [(AuthType::MD5, IPMITOOL_MD5), (AuthType::MD2, FREEIPMI_MD2)] {
        let datagrams = datagrams(text);
        let asked = GetSessionChallenge::decode(&mut Reader::new(body(&datagrams[0]))).unwrap();
        assert_eq!(
            (asked.auth_type, &asked.user_name[..6]),
            (auth_type, &b"admin\0"[..])
        );
        let challenge = SessionChallenge::decode(&mut Reader::new(&body(&datagrams[1])[1..]));
        let challenge = challenge.unwrap();
        let activate = ActivateSession::decode(&mut Reader::new(body(&datagrams[2]))).unwrap();
        assert_eq!(activate.challenge, challenge.challenge);
        assert_eq!(
            parts(&datagrams[2]).0.session_id,
            challenge.temporary_session_id
        );
        let activated = ActivatedSession::decode(&mut Reader::new(&body(&datagrams[3])[1..]));
        let activated = activated.unwrap();
        let key = V15Key::new(auth_type, &UserKey::new(b"password").unwrap()).unwrap();
        for datagram in &datagrams[2..] {
            let (header, message) = parts(datagram);
            assert!(key.verify(&header, message));
            let mut out = [0; 256];
            let sealed = key.seal(header.session_id, header.sequence, &mut out, |w| {
                w.bytes(message);
            });
            assert_eq!(&out[..sealed.unwrap()], datagram);
        }
        let end = |end, ours, peers| {
            V15Channel::new(end, key.clone(), activated.session_id, ours, peers, false)
        };
        let (to_bmc, to_console) = (activated.inbound_sequence, activate.outbound_sequence);
        let mut console = end(End::Console, to_bmc, to_console);
        let mut bmc = end(End::Bmc, to_console, to_bmc);
        for (number, datagram) in datagrams.iter().enumerate().skip(4) {
            let receiver = if number % 2 == 0 {
                &mut bmc
            } else {
                &mut console
            };
            let opened = receiver.open(&mut datagram.clone()).map(drop);
            assert_eq!(opened, Ok(()), "{auth_type}, datagram {number}");
        }
    }
}
