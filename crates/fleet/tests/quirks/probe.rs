//! Questions that a fleet never asks, to see defects that it therefore never meets.

use ipmi::command::Command;
use ipmi::command::app::get_channel_authentication_capabilities::CHANNEL_CURRENT;
use ipmi::command::app::{
    GetChannelAuthenticationCapabilities, GetChannelCipherSuites, GetDeviceId, GetSessionChallenge,
    SetUserPassword,
};
use ipmi::command::chassis::{ChassisControl, ChassisIdentify, GetChassisStatus};
use ipmi::command::storage::ReserveSel;
use ipmi::crypto::{Algorithms, Exchange, UserKey};
use ipmi::number::{
    AuthType, CipherListMode, CipherSuiteId, NetFn, PasswordOperation, PayloadType, PrivilegeLevel,
    RequestedPrivilege,
};
use ipmi::wire::asf::Asf;
use ipmi::wire::message::MessageHeader;
use ipmi::wire::rakp::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Role, UserName};
use ipmi::wire::session::{SessionHeader, encode_sessionless, encode_v15_sessionless};
use ipmi::wire::{DATAGRAM_MAX, Reader, Writer, rmcp};

use crate::stand::{Stand, Told};

fn written(encode: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0; DATAGRAM_MAX];
    let mut w = Writer::new(&mut buffer);
    encode(&mut w);
    w.written().to_vec()
}

fn request<C: Command>(command: &C) -> Vec<u8> {
    let header = MessageHeader::request(C::NETFN, 0, C::CMD, 1);
    written(|w| encode_v15_sessionless(w, |w| header.encode(w, |w| command.encode(w))))
}

pub(crate) fn ping(stand: &mut Stand) -> Vec<Vec<u8>> {
    stand.exchange(&written(|w| Asf::Ping { tag: 7 }.encode(w)))
}

pub(crate) fn capabilities(stand: &mut Stand) -> Vec<Vec<u8>> {
    stand.exchange(&request(&GetChannelAuthenticationCapabilities {
        channel: CHANNEL_CURRENT,
        rmcp_plus: true,
        privilege: PrivilegeLevel::ADMINISTRATOR,
    }))
}

pub(crate) fn algorithm_list(stand: &mut Stand) -> Vec<Vec<u8>> {
    stand.exchange(&request(&GetChannelCipherSuites {
        channel: CHANNEL_CURRENT,
        payload_type: PayloadType::IPMI,
        mode: CipherListMode(0),
        index: 0,
    }))
}

pub(crate) fn challenge(stand: &mut Stand) -> Vec<Vec<u8>> {
    let mut user_name = [0; 16];
    user_name[..5].copy_from_slice(b"admin");
    stand.exchange(&request(&GetSessionChallenge {
        auth_type: AuthType::MD5,
        user_name,
    }))
}

fn open(level: RequestedPrivilege) -> Vec<u8> {
    let request = OpenSessionRequest {
        tag: 3,
        privilege: level,
        console_session_id: 77,
        algorithms: Algorithms::of(CipherSuiteId::SUITE_3).unwrap().into(),
    };
    written(|w| encode_sessionless(PayloadType::OPEN_SESSION_REQUEST, w, |w| request.encode(w)))
}

pub(crate) fn open_at_the_highest_level(stand: &mut Stand) -> Vec<Vec<u8>> {
    stand.exchange(&open(RequestedPrivilege::HIGHEST))
}

fn payload(answers: &[Vec<u8>]) -> Vec<u8> {
    let mut r = Reader::new(answers.first().expect("an answer"));
    rmcp::decode(&mut r).unwrap();
    SessionHeader::decode(&mut r).unwrap();
    r.rest().to_vec()
}

/// Asks for one level in Open Session and for another in RAKP Message 1: whose code it is, as one byte.
pub(crate) fn codes_of_two_levels(stand: &mut Stand) -> Vec<Vec<u8>> {
    let opened = payload(&stand.exchange(&open(PrivilegeLevel::OPERATOR.into())));
    let opened = OpenSessionResponse::decode(&mut Reader::new(&opened)).unwrap();
    let bmc_session_id = opened.outcome.unwrap().bmc_session_id;
    let rakp1 = Rakp1 {
        tag: 4,
        bmc_session_id,
        console_random: [9; 16],
        role: Role::name_only(PrivilegeLevel::ADMINISTRATOR),
        user_name: UserName::new(b"admin").unwrap(),
    };
    let packet = written(|w| encode_sessionless(PayloadType::RAKP_1, w, |w| rakp1.encode(w)));
    let rakp2 = payload(&stand.exchange(&packet));
    let proof = Rakp2::decode(&mut Reader::new(&rakp2))
        .unwrap()
        .outcome
        .unwrap();
    let exchange = Exchange {
        algorithm: Algorithms::of(CipherSuiteId::SUITE_3).unwrap().auth,
        console_session_id: 77,
        bmc_session_id,
        console_random: rakp1.console_random,
        bmc_random: proof.bmc_random,
        guid: proof.guid,
        role: rakp1.role,
        user_name: rakp1.user_name,
    };
    let as_specified = exchange.rakp2_code(&UserKey::new(b"secret").unwrap()) == proof.code;
    vec![vec![as_specified.into()]]
}

/// Two consoles log in beside each other, and the first one goes on.
pub(crate) fn two_sessions(stand: &mut Stand) -> Vec<Vec<u8>> {
    let mut first = stand.console(50_001);
    assert_eq!(stand.wait(&mut first), Told::Established);
    let mut second = stand.console(50_002);
    let logged_in = stand.wait(&mut second) == Told::Established;
    let asked = stand.ask(&mut first, (GetDeviceId::NETFN, GetDeviceId::CMD), &[]);
    vec![vec![
        logged_in.into(),
        matches!(asked, Told::Answer(..)).into(),
    ]]
}

/// A console logs in and out.
pub(crate) fn close(stand: &mut Stand) -> Vec<Vec<u8>> {
    let mut console = stand.console(50_001);
    stand.wait(&mut console);
    console.session.close(stand.now);
    stand.wait(&mut console);
    stand.sent.iter().map(|(_, bytes)| bytes.clone()).collect()
}

/// What a console is answered.
fn asked(stand: &mut Stand, numbers: &[((NetFn, u8), &[u8])]) -> Vec<Vec<u8>> {
    let mut console = stand.console(50_001);
    assert_eq!(stand.wait(&mut console), Told::Established);
    let answers = numbers.iter().map(|(numbers, data)| {
        let told = stand.ask(&mut console, *numbers, data);
        format!("{told:?}").into_bytes()
    });
    answers.collect()
}

pub(crate) fn reserve_log(stand: &mut Stand) -> Vec<Vec<u8>> {
    asked(stand, &[((ReserveSel::NETFN, ReserveSel::CMD), &[])])
}

pub(crate) fn identify(stand: &mut Stand) -> Vec<Vec<u8>> {
    asked(
        stand,
        &[((ChassisIdentify::NETFN, ChassisIdentify::CMD), &[0, 1])],
    )
}

pub(crate) fn power_down(stand: &mut Stand) -> Vec<Vec<u8>> {
    let control = (ChassisControl::NETFN, ChassisControl::CMD);
    let status = (GetChassisStatus::NETFN, GetChassisStatus::CMD);
    asked(stand, &[(control, &[0]), (status, &[])])
}

const PASSWORD: (NetFn, u8) = (SetUserPassword::NETFN, SetUserPassword::CMD);

/// User 1, enabled without any byte of a password.
pub(crate) fn enable_without_password(stand: &mut Stand) -> Vec<Vec<u8>> {
    asked(stand, &[(PASSWORD, &[1, 1])])
}

/// A password in the form of 20 bytes.
pub(crate) fn long_password(stand: &mut Stand) -> Vec<Vec<u8>> {
    let mut data = [b'x'; 22];
    (data[0], data[1]) = (0x81, 2);
    asked(stand, &[(PASSWORD, &data)])
}

/// What the library makes of it is taken.
pub(crate) fn set_password(stand: &mut Stand, operation: PasswordOperation, password: &[u8]) {
    let command = SetUserPassword::new(1, operation, password).unwrap();
    let data = written(|w| command.encode(w));
    let mut console = stand.console(50_001);
    assert_eq!(stand.wait(&mut console), Told::Established);
    let told = stand.ask(&mut console, PASSWORD, &data);
    assert_eq!(told, Told::Answer(0, vec![]));
}
