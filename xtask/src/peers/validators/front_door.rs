//! One TCP port for both ways in, as where a service has the ports 443 and 80 of its own: a validator makes an http
//! address out of an https one and keeps the port.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// What a TLS connection begins with: the content type of a handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// Hands on connections until it is dropped.
pub(super) struct FrontDoor {
    address: Option<SocketAddr>,
    closes: Arc<AtomicBool>,
}

impl FrontDoor {
    /// Hands on what comes to `listener`: TLS to `https`, all else to `http`.
    pub(super) fn open(listener: TcpListener, https: SocketAddr, http: SocketAddr) -> Self {
        let address = listener.local_addr().ok();
        let closes = Arc::new(AtomicBool::new(false));
        let is_closed = Arc::clone(&closes);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if is_closed.load(Ordering::Relaxed) {
                    break;
                }
                // A connection that ends early is the client's to judge.
                thread::spawn(move || hand_on(&client, https, http));
            }
        });
        Self { address, closes }
    }
}

impl Drop for FrontDoor {
    fn drop(&mut self) {
        self.closes.store(true, Ordering::Relaxed);
        // One last connection wakes the thread that waits for one.
        let _ = self.address.map(TcpStream::connect);
    }
}

fn hand_on(client: &TcpStream, https: SocketAddr, http: SocketAddr) -> io::Result<()> {
    let mut first = [0];
    client.peek(&mut first)?;
    let server = TcpStream::connect(if first == [HANDSHAKE] { https } else { http })?;
    thread::scope(|scope| {
        scope.spawn(|| copy(&server, client));
        copy(client, &server);
    });
    Ok(())
}

/// Copies one direction to its end, then ends the other side of it.
fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    // Whichever side fails, the other one sees the connection end.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn tls_and_clear_text_go_to_different_servers() {
        let server = |answer: &'static [u8]| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            thread::spawn(move || {
                let (mut client, _) = listener.accept().unwrap();
                client.read_exact(&mut [0]).unwrap();
                client.write_all(answer).unwrap();
            });
            address
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let _door = FrontDoor::open(listener, server(b"tls"), server(b"http"));
        for (first, expected) in [(HANDSHAKE, "tls"), (b'G', "http")] {
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(&[first]).unwrap();
            let mut said = String::new();
            client.read_to_string(&mut said).unwrap();
            assert_eq!(said, expected);
        }
    }
}
