//! Prints which IPMI commands the library reads and writes, and which the virtual BMC answers.
//!
//! ```text
//! cargo run -p vbmc --example coverage            the table
//! cargo run -p vbmc --example coverage -- --brief only the counts
//! ```
//!
//! Nothing is claimed: the first column comes from the command types, the second from asking virtual BMCs, each command
//! over a session with data that is too long to be carried out. What they don't know they answer with C1h. Then come the
//! enumerations of the specifications, each with the type that carries it or the reason why none does.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ipmi::bmc::{Config, User, V15};
use ipmi::command::app::Guid;
use ipmi::command::oem::OEM_COMMANDS;
use ipmi::command::table::{COMMANDS, CommandRow};
use ipmi::console::{Event, Login, Policy, RequestTarget, Session};
use ipmi::number::catalogue::{
    BEYOND, Carrier, ENUMERATIONS, EnumerationRow, read_only_bytes, types,
};
use ipmi::number::{AuthType, CompletionCode, NetFn, PrivilegeLevel};
use ipmi::quirk::{self, DEVIATIONS, OPEN, Quirk};
use ipmi::time::Instant;
use ipmi::wire::DATAGRAM_MAX;
use vbmc::bmcs::Bmcs;
use vbmc::machine::Form;
use vbmc::net::SeededEntropy;
use vbmc::site::{Site, SiteOptions};

/// How the machines are built that are asked.
const FORMS: [Form; 3] = [Form::Server, Form::AdvancedTca, Form::Vpx];
/// Data of a question: longer than any command's own.
const QUESTION: [u8; 220] = [0xff; 220];
const PASSWORD: &[u8] = b"coverage";

/// A console and a virtual BMC without a network between them.
struct Pair {
    bmcs: Bmcs,
    session: Session,
    entropy: SeededEntropy,
    address: Ipv4Addr,
    now: Instant,
}

impl Pair {
    fn new(form: Form, v15: bool) -> Result<Self, Box<dyn std::error::Error>> {
        let options = SiteOptions {
            nodes: 1,
            seed: 1,
            epoch_s: 1_795_000_000,
        };
        let site = Arc::new(Site::new(options)?);
        let now = Instant::ORIGIN + Duration::from_secs(1);
        let index = (0..site.len())
            .find(|index| site.machine(*index, now).profile().product.contains("Node"))
            .ok_or("the site has no node")?;
        site.machine(index, now).set_form(form);
        let admin = User::new("admin", PASSWORD, PrivilegeLevel::ADMINISTRATOR)?;
        let mut config = Config::new(vec![admin], Guid::default());
        config.v15 = Some(V15::default());
        let address = site.address(index);
        let mut login = Login::new("admin", PASSWORD)?;
        if v15 {
            login = login.with_v15(&[AuthType::MD5])?;
            config.suites.clear();
        }
        let mut pair = Self {
            bmcs: Bmcs::new(site, &config),
            session: Session::new(Arc::new(login), Arc::new(Policy::default())),
            entropy: SeededEntropy::new(1),
            address,
            now,
        };
        let id = NonZeroU32::new(1).ok_or("zero")?;
        pair.session.connect(now, id);
        pair.run()?;
        Ok(pair)
    }

    /// Carries datagrams until something has happened, and gives the completion code of a response.
    fn run(&mut self) -> Result<CompletionCode, Box<dyn std::error::Error>> {
        let from: SocketAddr = "192.0.2.1:623".parse()?;
        for _ in 0..100 {
            let mut datagram = [0; DATAGRAM_MAX];
            while let Some(len) =
                self.session
                    .poll_transmit(self.now, &mut self.entropy, &mut datagram)
            {
                let mut reply = [0; DATAGRAM_MAX];
                let sent = self.bmcs.handle(
                    self.now,
                    &mut self.entropy,
                    self.address,
                    from,
                    &mut datagram[..len],
                    &mut reply,
                );
                let Some(sent) = sent else { continue };
                match self
                    .session
                    .handle_datagram(self.now, &mut reply[..sent.len])
                {
                    Ok(Event::Response(response)) => return Ok(response.completion),
                    Ok(Event::Established) => return Ok(CompletionCode::OK),
                    Ok(Event::LoginFailed(failure)) => return Err(format!("{failure:?}").into()),
                    _ => {}
                }
            }
            self.now = self.now + Duration::from_millis(100);
            self.session.handle_timeout(self.now);
        }
        Err("no answer".into())
    }

    /// Whether the BMC knows a command.
    fn answers(&mut self, row: &CommandRow) -> Result<bool, Box<dyn std::error::Error>> {
        let target = RequestTarget {
            netfn: row.netfn,
            cmd: row.cmd,
            lun: 0,
        };
        let mut data = QUESTION;
        if let Some(group) = row.group {
            data[0] = group;
        }
        self.session
            .request_raw(self.now, target, &data, false)
            .map_err(|busy| format!("{busy:?}"))?;
        Ok(self.run()? != CompletionCode::INVALID_COMMAND)
    }
}

#[expect(clippy::print_stdout, reason = "it is a program for the terminal")]
fn makers(brief: bool) {
    for row in OEM_COMMANDS.iter().filter(|_| !brief) {
        let number = format!("{:02X}/{:02X}", row.netfn.0, row.cmd);
        println!(
            "  {:20} {number:6} {:02X?} {}",
            row.family, row.prefix, row.name
        );
    }
    println!("\nmakers' own commands {}", OEM_COMMANDS.len());
}

#[expect(clippy::print_stdout, reason = "it is a program for the terminal")]
fn enumerations(brief: bool) {
    let mut family = "";
    for row in ENUMERATIONS.iter().filter(|_| !brief) {
        if row.family != family {
            family = row.family;
            println!("\n{family}");
        }
        let what = match row.carrier {
            Carrier::Number(facts) => facts.name.to_owned(),
            Carrier::Type(path) => path.replace(' ', ""),
            Carrier::None(reason) => format!("- {reason}"),
        };
        println!(
            "  {:3}  {:28} {:20} {what}",
            row.number, row.name, row.reference
        );
    }
    if !brief {
        println!("\nBeyond the list");
        for facts in BEYOND {
            println!("       {}", facts.name);
        }
    }
    let without = |row: &&_| {
        matches!(
            row,
            &&EnumerationRow {
                carrier: Carrier::None(_),
                ..
            }
        )
    };
    let missing = ENUMERATIONS.iter().filter(without).count();
    println!(
        "\nenumerations {} of {}, {} beyond them; {} types with {} names, {} bytes of read-only data",
        ENUMERATIONS.len() - missing,
        ENUMERATIONS.len(),
        BEYOND.len(),
        types().count(),
        types().map(|facts| facts.texts.len()).sum::<usize>(),
        read_only_bytes(),
    );
}

#[expect(clippy::print_stdout, reason = "it is a program for the terminal")]
fn quirks(brief: bool) {
    if !brief {
        println!("\nDeviations");
        for row in quirk::rows() {
            println!(
                "  {:31} {:10} {:?}",
                row.quirk.name(),
                row.handling.name(),
                row.covers
            );
        }
        for (number, reason) in OPEN {
            println!("  - {number:3} {reason}");
        }
    }
    let open = OPEN.len();
    println!(
        "\nquirks {}: they cover {} of {DEVIATIONS} deviations known in the field, {open} have a reason why not",
        Quirk::ALL.len(),
        usize::from(DEVIATIONS) - open,
    );
}

#[expect(clippy::print_stdout, reason = "it is a program for the terminal")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let brief = std::env::args().any(|argument| argument == "--brief");
    let pairs = FORMS.map(|form| Pair::new(form, false)).into_iter();
    let mut pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    // Challenge and activation have no place in a session; a log-in of IPMI 1.5 shows them.
    let v15 = Pair::new(Form::Server, true).is_ok();
    let (mut codecs, mut answered) = (0, 0);
    let mut family = "";
    for row in COMMANDS {
        let mut answers = v15 && row.netfn == NetFn::APP && matches!(row.cmd, 0x39 | 0x3a);
        for pair in &mut pairs {
            answers = answers || pair.answers(row)?;
        }
        codecs += usize::from(row.codec.is_ok());
        answered += usize::from(answers);
        if brief {
            continue;
        }
        if row.family != family {
            family = row.family;
            println!("\n{family}\n  NetFn/Cmd  codec  BMC  Command");
        }
        let group = row
            .group
            .map_or(String::new(), |group| format!("/{group:02X}"));
        let mark = |has: bool| if has { "yes" } else { "-" };
        let number = format!("{:02X}{group}/{:02X}", row.netfn.0, row.cmd);
        let name = format!("{} ({})", row.name, row.section);
        println!(
            "  {number:9}  {:5}  {:3}  {name}",
            mark(row.codec.is_ok()),
            mark(answers)
        );
        if let Err(reason) = row.codec {
            println!("  {:22}{reason}", "");
        }
    }
    let all = COMMANDS.len();
    println!("\ncodec {codecs} of {all}, virtual BMC {answered} of {all}");
    makers(brief);
    enumerations(brief);
    quirks(brief);
    Ok(())
}
