//! `cargo xtask bench ipmi`: what one request and one sensor response cost a console, beside what the hash and the cipher
//! alone cost in the same run.
//!
//! - **send**: Get Sensor Reading is built, encrypted and signed into a datagram.
//! - **receive**: the response is checked, decrypted, decoded, and its raw byte converted to degrees.
//! - **crypto**: one AES-128-CBC block and one HMAC over as many bytes as the datagram's code covers, with prepared keys.
//!
//! Each is measured for a batch of BMCs, as a driver of very many works them off, in turns, with the clock's own cost taken off; the
//! median of many batches counts, divided by the BMCs of one.

use std::hint::black_box;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant as Clock;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use ipmi::bmc::{Bmc, Config, Handler, Request, User, serve};
use ipmi::command::app::Guid;
use ipmi::command::sensor::{GetSensorReading, SensorReading};
use ipmi::console::{Event, Login, Policy, Session};
use ipmi::entropy::Entropy;
use ipmi::number::catalogue::{read_only_bytes, types};
use ipmi::number::{
    CipherSuiteId, CompletionCode, FruAddress, Linearization, PrivilegeLevel, ReadingFlags,
    SensorType,
};
use ipmi::record::{AnalogFormat, Conversion, Factors};
use ipmi::time::Instant;
use ipmi::wire::{DATAGRAM_MAX, Writer};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// BMCs that are worked off between two looks at the clock: as many as one system call brings datagrams.
const BATCH: usize = 64;
/// Batches measured of each kind.
const ROUNDS: usize = 4_000;
/// So many of one kind, and then of the next: the machine's speed changes with time, and what is compared is measured side by
/// side.
const TURN: usize = 20;
/// Our own work on a datagram, besides hash and cipher.
const OWN_WORK_GOAL_NS: u64 = 150;
/// Bytes that the code of a Get Sensor Reading covers, padded to whole blocks of the hash.
const COVERED_BLOCKS: usize = 1;

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for bytes in bytes.chunks_mut(size_of::<u64>()) {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            bytes.copy_from_slice(&self.0.to_be_bytes()[..bytes.len()]);
        }
    }
}

struct Thermometer;

impl Handler for Thermometer {
    fn handle(&mut self, request: &Request<'_>, response: &mut Writer<'_>) -> CompletionCode {
        serve(request, response, |_: GetSensorReading| {
            Ok(SensorReading {
                raw: 46,
                flags: ReadingFlags::EVENTS | ReadingFlags::SCANNING,
                states: 0xc0,
            })
        })
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Pair {
    session: Session,
    bmc: Bmc,
    entropy: Counting,
    peer: SocketAddr,
    out: [u8; DATAGRAM_MAX],
    back: [u8; DATAGRAM_MAX],
    /// Bytes of the datagram in `out`, then of the one in `back`.
    len: usize,
}

impl Pair {
    fn new(suite: CipherSuiteId) -> Outcome<Self> {
        let user = User::new("admin", b"password", PrivilegeLevel::ADMINISTRATOR)?;
        let login = Login::new("admin", b"password")?.with_suites(&[suite])?;
        let config = Config::new(vec![user], Guid::default());
        let mut pair = Self {
            session: Session::new(Arc::new(login), Arc::new(Policy::default())),
            bmc: Bmc::new(Arc::new(config)),
            entropy: Counting(1),
            peer: "127.0.0.1:623".parse()?,
            out: [0; DATAGRAM_MAX],
            back: [0; DATAGRAM_MAX],
            len: 0,
        };
        let id = NonZeroU32::new(1).ok_or("zero")?;
        pair.session.connect(Instant::ORIGIN, id);
        for _ in 0..20 {
            let Some(len) = pair.transmit() else { break };
            let Some(len) = pair.answer(len) else {
                continue;
            };
            let event = pair
                .session
                .handle_datagram(Instant::ORIGIN, &mut pair.back[..len]);
            if event == Ok(Event::Established) {
                return Ok(pair);
            }
        }
        Err("no session".into())
    }

    fn transmit(&mut self) -> Option<usize> {
        let (entropy, out) = (&mut self.entropy, &mut self.out);
        self.session.poll_transmit(Instant::ORIGIN, entropy, out)
    }

    fn answer(&mut self, len: usize) -> Option<usize> {
        let (entropy, datagram) = (&mut self.entropy, &mut self.out[..len]);
        let now = Instant::ORIGIN;
        self.bmc.handle_datagram(
            now,
            entropy,
            self.peer,
            datagram,
            &mut Thermometer,
            &mut self.back,
        )
    }
}

/// Median of nanoseconds.
fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

fn since(start: Clock) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The hash of a suite at the level of its compression function.
trait Hash {
    const STATE: Self;
    fn compress(&mut self, block: &[u8; 64]);
    /// The digest where an outer block has it.
    fn write(&self, block: &mut [u8; 64]);
}

impl Hash for [u32; 5] {
    const STATE: Self = [1; 5];

    fn compress(&mut self, block: &[u8; 64]) {
        sha1::block_api::compress(self, std::slice::from_ref(block));
    }

    fn write(&self, block: &mut [u8; 64]) {
        big_endian(self, block);
    }
}

impl Hash for [u32; 8] {
    const STATE: Self = [1; 8];

    fn compress(&mut self, block: &[u8; 64]) {
        sha2::block_api::compress256(self, std::slice::from_ref(block));
    }

    fn write(&self, block: &mut [u8; 64]) {
        big_endian(self, block);
    }
}

fn big_endian(words: &[u32], block: &mut [u8; 64]) {
    for (bytes, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
}

/// One block of AES-128-CBC and one HMAC a BMC, keys prepared: in a hash's compressions the message and the outer block. Each
/// works on what the one before it made, as it is in a datagram: the code covers the ciphertext, and the outer block the digest.
/// Times of batches with the clock's own.
fn crypto<H: Hash>(times: &mut Vec<u64>) {
    let ciphers: [Aes128; BATCH] =
        std::array::from_fn(|bmc| Aes128::new(&Array([bmc.to_le_bytes()[0]; 16])));
    for round in 0..TURN {
        let start = Clock::now();
        for cipher in &ciphers {
            let mut data = Array([0x33; 16]);
            data[0] = round.to_le_bytes()[0];
            cipher.encrypt_block(&mut data);
            let mut block = [0x5a; 64];
            block[16..32].copy_from_slice(&data);
            for _ in 0..=COVERED_BLOCKS {
                let mut state = black_box(H::STATE);
                state.compress(&block);
                state.write(&mut block);
            }
            black_box(&block);
        }
        times.push(since(start));
    }
}

/// The clock's own times.
fn clock(times: &mut Vec<u64>) {
    for _ in 0..TURN {
        let start = Clock::now();
        black_box(());
        times.push(since(start));
    }
}

/// What was measured of one suite.
#[derive(Default)]
struct Times {
    sends: Vec<u64>,
    receives: Vec<u64>,
    alone: Vec<u64>,
    clock: Vec<u64>,
    allocations: usize,
}

impl Times {
    /// Some round trips with each BMC.
    fn round_trips(&mut self, pairs: &mut [Pair], conversion: Conversion) -> Outcome<()> {
        let command = GetSensorReading { sensor_number: 1 };
        for _ in 0..TURN {
            let region = Region::new(ALLOCATOR);
            let start = Clock::now();
            for pair in &mut *pairs {
                pair.session
                    .request(Instant::ORIGIN, &command)
                    .map_err(|busy| format!("{busy:?}"))?;
                pair.len = pair.transmit().ok_or("nothing to send")?;
            }
            self.sends.push(since(start));
            self.allocations += region.change().allocations;
            for pair in &mut *pairs {
                pair.len = pair.answer(pair.len).ok_or("no answer")?;
            }
            let region = Region::new(ALLOCATOR);
            let start = Clock::now();
            for pair in &mut *pairs {
                let event = pair
                    .session
                    .handle_datagram(Instant::ORIGIN, &mut pair.back[..pair.len]);
                let Ok(Event::Response(response)) = event else {
                    return Err("another event".into());
                };
                let reading = response.decode::<GetSensorReading>()?;
                black_box(conversion.value(reading.raw));
            }
            self.receives.push(since(start));
            self.allocations += region.change().allocations;
        }
        Ok(())
    }
}

fn measure(suite: CipherSuiteId) -> Outcome<()> {
    let pairs: Outcome<Vec<Pair>> = (0..BATCH).map(|_| Pair::new(suite)).collect();
    let mut pairs = pairs?;
    let factors = Factors {
        m: 5,
        r_exponent: -1,
        ..Factors::default()
    };
    let conversion = Conversion::new(
        AnalogFormat::TwosComplement,
        Linearization::LINEAR,
        &factors,
    );
    let conversion = conversion.ok_or("no conversion")?;
    let room = || Vec::with_capacity(ROUNDS);
    let mut times = Times {
        sends: room(),
        receives: room(),
        alone: room(),
        clock: room(),
        allocations: 0,
    };
    for _ in 0..ROUNDS / TURN {
        times.round_trips(&mut pairs, conversion)?;
        match suite {
            CipherSuiteId::SUITE_17 => crypto::<[u32; 8]>(&mut times.alone),
            _ => crypto::<[u32; 5]>(&mut times.alone),
        }
        clock(&mut times.clock);
    }
    let clock = median(times.clock);
    let [send, receive, alone] = [times.sends, times.receives, times.alone]
        .map(|all| median(all).saturating_sub(clock) / BATCH as u64);
    writeln!(
        io::stdout(),
        "suite {:2}: send {send} ns, receive {receive} ns; hash and cipher alone {alone} ns: our own work {} and {} ns (goal {OWN_WORK_GOAL_NS}); \
         allocations {} in {} round trips",
        suite.0,
        send.saturating_sub(alone),
        receive.saturating_sub(alone),
        times.allocations,
        ROUNDS * BATCH,
    )?;
    Ok(())
}

/// FRU addresses that are made: as many as the peer's own count.
const ADDRESSES: usize = 204_000;

/// What enumerations and addresses take of memory and time.
fn enumerations() -> Outcome<()> {
    let region = Region::new(ALLOCATOR);
    let start = Clock::now();
    let mut names = 0;
    for facts in types() {
        names += facts.texts.len();
        for value in 0..=0xff {
            black_box((facts.round_trip)(black_box(value)));
        }
    }
    for code in 0..=0xff {
        black_box(SensorType(black_box(code)).name());
        black_box(CompletionCode(black_box(code)).name());
    }
    let taken = start.elapsed();
    let allocations = region.change().allocations;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "enumerations: {} types, {names} names: {} bytes of read-only data, {allocations} allocations, {taken:?} to walk all \
         values (Hemi: 94 types, 1,070,212 bytes on the heap, 263 ms)",
        types().count(),
        read_only_bytes(),
    )?;
    let region = Region::new(ALLOCATOR);
    let mut sum = 0;
    for number in 0..ADDRESSES {
        let id = u8::try_from(number % 255)?;
        let address = black_box(FruAddress::of_bmc(id));
        sum += usize::from(address.controller.get());
    }
    black_box(sum);
    writeln!(
        out,
        "FRU addresses: {ADDRESSES} of {} bytes, {} allocations (Hemi: 6.5 MB for as many)",
        size_of::<FruAddress>(),
        region.change().allocations,
    )?;
    Ok(())
}

fn main() -> Outcome<()> {
    for suite in [CipherSuiteId::SUITE_3, CipherSuiteId::SUITE_17] {
        measure(suite)?;
    }
    enumerations()
}
