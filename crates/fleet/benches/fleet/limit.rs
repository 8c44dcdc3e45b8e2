//! The limit: what this machine's UDP path and these ciphers allow without any protocol.
//!
//! A client and a server, each on its own core, exchange datagrams of the sizes of a suite-3 Get Sensor Reading
//! (64 bytes each way) with as many destinations as the fleet has. Each side does, per round trip, just the work that
//! cipher suite 3 demands: one AES block encrypted and one decrypted, and two HMAC-SHA1-96 over 48 bytes with the key
//! blocks absorbed beforehand, under keys of their own for each destination. There is no session, no
//! sequence number, no timer and no decoding; the one check is that the code is right.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::{Duration, Instant};

use aes::Aes128;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use udp::{Options, ReceiveBatch, SendBatch, Socket};

/// Bytes of a datagram, either way: 16 of headers, 16 of vector, 16 of ciphertext, 4 of trailer, 12 of code.
const DATAGRAM_LEN: usize = 64;
/// Where the vector starts.
const IV: usize = 16;
/// Where the ciphertext starts.
const CIPHERTEXT: usize = 32;
/// What the code covers: everything between the RMCP header and the code.
const COVERED: std::ops::Range<usize> = 4..52;
/// Round trips in flight; between 128 and 1,024 the rate hardly depends on it.
const WINDOW: usize = 512;
/// After so long without a reply, what is missing is lost.
const LOST_AFTER: Duration = Duration::from_millis(100);
/// Kernel buffers, so that a window never overflows them.
const BUFFER_BYTES: usize = 8 << 20;

/// The keys of one destination, ready for packets.
struct Keys {
    cipher: Aes128,
    inner: [u32; 5],
    outer: [u32; 5],
}

impl Keys {
    fn new(index: u32) -> Self {
        let mut block = [0x36; 64];
        block[..4].copy_from_slice(&index.to_le_bytes());
        let mut key = [0x5a; 16];
        key[..4].copy_from_slice(&index.to_be_bytes());
        let absorb = |block: &[u8; 64]| {
            let mut state = SHA1_INITIAL;
            sha1::block_api::compress(&mut state, std::slice::from_ref(block));
            state
        };
        let inner = absorb(&block);
        Self {
            cipher: Aes128::new(&Array(key)),
            inner,
            outer: absorb(&block.map(|b| b ^ 0x6a)),
        }
    }

    /// HMAC-SHA1-96: one compression for the message, one for the outer key.
    fn code(&self, message: &[u8]) -> [u8; 12] {
        let mut block = padded(message);
        let mut state = self.inner;
        sha1::block_api::compress(&mut state, std::slice::from_ref(&block));
        let mut digest = [0; 20];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        block = padded(&digest);
        state = self.outer;
        sha1::block_api::compress(&mut state, std::slice::from_ref(&block));
        let mut code = [0; 12];
        for (bytes, word) in code.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        code
    }

    fn seal(&self, datagram: &mut [u8; DATAGRAM_LEN], counter: u64) {
        datagram[IV..IV + 8].copy_from_slice(&counter.to_le_bytes());
        for i in 0..16 {
            datagram[CIPHERTEXT + i] = datagram[IV + i] ^ 0x11;
        }
        let (block, _) = datagram[CIPHERTEXT..].as_chunks_mut::<16>();
        self.cipher
            .encrypt_block(Array::cast_from_core_mut(&mut block[0]));
        let code = self.code(&datagram[COVERED]);
        datagram[COVERED.end..].copy_from_slice(&code);
    }

    fn open(&self, datagram: &mut [u8]) -> bool {
        if datagram.len() != DATAGRAM_LEN
            || self.code(&datagram[COVERED]) != datagram[COVERED.end..]
        {
            return false;
        }
        let (block, _) = datagram[CIPHERTEXT..].as_chunks_mut::<16>();
        self.cipher
            .decrypt_block(Array::cast_from_core_mut(&mut block[0]));
        datagram[CIPHERTEXT] ^ datagram[IV] == 0x11
    }
}

const SHA1_INITIAL: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

/// The last block of a message of fewer than 56 bytes that follows one key block.
fn padded(message: &[u8]) -> [u8; 64] {
    let mut block = [0; 64];
    block[..message.len()].copy_from_slice(message);
    block[message.len()] = 0x80;
    let bits = (64 + message.len() as u64) * 8;
    block[56..].copy_from_slice(&bits.to_be_bytes());
    block
}

/// The address of destination `index`: 127.16.0.1 and up.
fn address(index: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 16, 0, 1)) + index)
}

fn index(address: Ipv4Addr) -> usize {
    (u32::from(address) - u32::from(Ipv4Addr::new(127, 16, 0, 1))) as usize
}

fn socket(port: u16, pktinfo: bool) -> io::Result<Socket> {
    let options = Options {
        pktinfo,
        receive_buffer_bytes: Some(BUFFER_BYTES),
        send_buffer_bytes: Some(BUFFER_BYTES),
    };
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    Socket::bind(address, options)
}

/// Answers until the process is killed.
pub(crate) fn serve(port: u16, destinations: u32) -> io::Result<()> {
    let keys: Vec<Keys> = (0..destinations).map(Keys::new).collect();
    let socket = socket(port, true)?;
    let (mut received, mut replies) = (ReceiveBatch::new(), SendBatch::new());
    let mut counter = 0;
    super::process::say("ready")?;
    loop {
        if socket.recv(&mut received)? == 0 {
            socket.wait(false, None, Some(Duration::from_secs(1)))?;
            continue;
        }
        for datagram in received.datagrams_mut() {
            let Some(local) = datagram.local else {
                continue;
            };
            let Some(keys) = keys.get(index(local)) else {
                continue;
            };
            if keys.open(datagram.bytes) {
                counter += 1;
                push(&mut replies, datagram.peer, Some(local), keys, counter);
            }
        }
        flush(&socket, &mut replies)?;
    }
}

fn push(out: &mut SendBatch, peer: SocketAddr, local: Option<Ipv4Addr>, keys: &Keys, counter: u64) {
    let pushed = out.push(peer, local, |buffer| {
        let mut datagram = [0; DATAGRAM_LEN];
        keys.seal(&mut datagram, counter);
        buffer[..DATAGRAM_LEN].copy_from_slice(&datagram);
        DATAGRAM_LEN
    });
    // A reply batch is flushed after every receive batch of the same size.
    pushed.expect("a send batch holds as many datagrams as a receive batch");
}

fn flush(socket: &Socket, out: &mut SendBatch) -> io::Result<()> {
    while !out.is_empty() {
        if socket.send(out)?.blocked {
            socket.wait(true, None, Some(Duration::from_millis(10)))?;
        }
    }
    Ok(())
}

/// The client of a limit's server: round trips with all destinations in turn, for as long as it is told to.
pub(crate) struct Client {
    keys: Vec<Keys>,
    socket: Socket,
    received: ReceiveBatch,
    requests: SendBatch,
    port: u16,
    /// The next destination.
    next: u32,
    in_flight: usize,
    /// Makes every datagram another one.
    counter: u64,
}

impl Client {
    pub(crate) fn new(port: u16, destinations: u32) -> io::Result<Self> {
        Ok(Self {
            keys: (0..destinations).map(Keys::new).collect(),
            socket: socket(0, false)?,
            received: ReceiveBatch::new(),
            requests: SendBatch::new(),
            port,
            next: 0,
            in_flight: 0,
            counter: 0,
        })
    }

    /// Round trips a second over this time and until the last answer to what was begun in it.
    pub(crate) fn rate(&mut self, span: Duration) -> io::Result<f64> {
        let start = Instant::now();
        let mut done = 0;
        while start.elapsed() < span {
            self.ask()?;
            done += self.listen()?;
        }
        let mut spent = start.elapsed();
        while self.in_flight > 0 {
            match self.listen()? {
                0 => {}
                more => (done, spent) = (done + more, start.elapsed()),
            }
        }
        Ok(done as f64 / spent.as_secs_f64())
    }

    /// Fills the window.
    fn ask(&mut self) -> io::Result<()> {
        let window = WINDOW.min(self.keys.len());
        while self.in_flight < window && !self.requests.is_full() {
            self.counter += 1;
            let peer = SocketAddrV4::new(address(self.next), self.port).into();
            let keys = &self.keys[self.next as usize];
            push(&mut self.requests, peer, None, keys, self.counter);
            self.next = (self.next + 1) % self.keys.len() as u32;
            self.in_flight += 1;
        }
        flush(&self.socket, &mut self.requests)
    }

    /// Takes what has come, and waits for it where nothing has; how many replies it was.
    fn listen(&mut self) -> io::Result<u64> {
        if self.socket.recv(&mut self.received)? == 0 {
            let waited = self.socket.wait(false, None, Some(LOST_AFTER))?;
            if !waited.readable {
                // What the kernel dropped never comes back: start over with an empty window.
                self.in_flight = 0;
            }
            return Ok(0);
        }
        let mut done = 0;
        for datagram in self.received.datagrams_mut() {
            let SocketAddr::V4(peer) = datagram.peer else {
                continue;
            };
            let keys = self.keys.get(index(*peer.ip()));
            if keys.is_some_and(|keys| keys.open(datagram.bytes)) {
                done += 1;
                self.in_flight = self.in_flight.saturating_sub(1);
            }
        }
        Ok(done)
    }
}
