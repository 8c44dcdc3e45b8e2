//! Logs in to a BMC, asks who it is, and logs out: the whole driver of a session, with one socket and the clock.
//!
//! ```text
//! IPMI_PASSWORD=... cargo run -p ipmi --example ask -- 10.0.0.1:623 admin 17
//! ```
//!
//! The last argument is a cipher suite, 0 to 19, or an authentication type of IPMI 1.5, `none`, `md2`, `md5` or
//! `password`; without it suite 17 and then 3 are tried. One more, such as `0x72`, is the address of a controller on the
//! IPMB behind the BMC, which is asked in its place.

use std::error::Error;
use std::net::UdpSocket;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::command::app::GetDeviceId;
use ipmi::console::{Bridge, Event, Hop, Login, Policy, Session};
use ipmi::entropy::Entropy;
use ipmi::number::{AuthType, CipherSuiteId};
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;

/// The operating system's random numbers.
struct Os;

impl Entropy for Os {
    fn fill(&mut self, out: &mut [u8]) {
        getrandom::fill(out).expect("the operating system has random numbers");
    }
}

#[expect(clippy::print_stdout, reason = "it is a program for the terminal")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, user, suite @ ..] = &arguments[..] else {
        return Err(
            "arguments: ADDRESS:PORT USER [SUITE [CONTROLLER]]; the password is in IPMI_PASSWORD"
                .into(),
        );
    };
    let password = std::env::var("IPMI_PASSWORD").unwrap_or_default();
    let mut login = Login::new(user, password.as_bytes())?;
    login = match suite {
        [] => login,
        [suite, ..] => match &suite[..] {
            "none" => login.with_v15(&[AuthType::NONE])?,
            "md2" => login.with_v15(&[AuthType::MD2])?,
            "md5" => login.with_v15(&[AuthType::MD5])?,
            "password" => login.with_v15(&[AuthType::PASSWORD])?,
            number => login.with_suites(&[CipherSuiteId(number.parse()?)])?,
        },
    };
    let bridge = match suite {
        [_, address] => {
            let address = u8::from_str_radix(address.trim_start_matches("0x"), 16)?;
            Some(Bridge::to(Hop::new(0, address)?))
        }
        _ => None,
    };
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(address)?;
    let start = std::time::Instant::now();
    let now = || Instant::from_nanos(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));

    let mut session = Session::new(Arc::new(login), Arc::new(Policy::default()));
    session.connect(
        now(),
        NonZeroU32::new(Os.next_u32()).unwrap_or(NonZeroU32::MIN),
    );
    let mut buffer = [0; DATAGRAM_MAX];
    loop {
        while let Some(len) = session.poll_transmit(now(), &mut Os, &mut buffer) {
            socket.send(&buffer[..len])?;
        }
        let Some(deadline) = session.poll_timeout() else {
            return Ok(());
        };
        let wait = deadline.since(now()).max(Duration::from_millis(1));
        socket.set_read_timeout(Some(wait))?;
        let event = match socket.recv(&mut buffer) {
            Ok(len) => match session.handle_datagram(now(), &mut buffer[..len]) {
                Ok(event) => event,
                Err(ignored) => {
                    println!("ignored a datagram: {ignored}");
                    continue;
                }
            },
            // Time-outs, and what ICMP says of the port.
            Err(_) => session.handle_timeout(now()),
        };
        match event {
            Event::None | Event::Payload(..) => {}
            Event::Established => session.request_over(now(), bridge, &GetDeviceId)?,
            Event::Response(response) => {
                println!("{:?}", response.decode::<GetDeviceId>()?);
                session.close(now());
            }
            Event::Closed => return Ok(()),
            Event::LoginFailed(failure) => return Err(failure.into()),
            Event::RequestTimedOut(_) | Event::SessionLost(_) => return Err("no answer".into()),
        }
    }
}
