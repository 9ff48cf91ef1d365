//! What one connection costs before any gateway: waking, the loopback, and the load program.
//!
//! The other end is a thread that knows nothing of HTTP: for each head it sends the bytes of one answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::failure::{During, Outcome};

/// Heads that are longer than this are none of wrk's.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Answers whoever connects with a body of so many bytes, until this process ends, and returns where.
pub(super) fn echo(body_bytes: usize) -> Outcome<SocketAddr> {
    let during = "making the bare echo";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(during)?;
    let address = listener.local_addr().during(during)?;
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {body_bytes}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + body_bytes, 0);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is the end of its connection, and of nothing else.
            let _ = serve(stream, &answer);
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut head, mut read) = (vec![0; HEAD_BYTES_MAX], 0);
    loop {
        match stream.read(&mut head[read..])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => read += count,
        }
        if head[..read].ends_with(b"\r\n\r\n") {
            stream.write_all(answer)?;
            read = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_answers_each_head_with_as_many_bytes() {
        let mut stream = TcpStream::connect(echo(1000).unwrap()).unwrap();
        let mut answer = vec![0; "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".len() + 1000];
        for _ in 0..2 {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            stream.read_exact(&mut answer).unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
        }
    }
}
