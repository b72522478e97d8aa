//! The part of HTTP that cargo needs: one request, one answer, then the connection is closed.
//!
//! The `httparse` crate reads the heads. This module keeps the sockets, since most faults of a registry concern a socket.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The maximum length of a head, in bytes. Those of cargo are far shorter.
const HEAD_LIMIT: usize = 64 << 10;
/// The maximum length of a body, in bytes. crates-io accepts ten million bytes and the metadata.
const BODY_LIMIT: usize = 64 << 20;
/// The time for the rest of a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request that arrived completely.
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) token: Option<String>,
    pub(super) known_etag: Option<String>,
    pub(super) body: Vec<u8>,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, etag: None, body: body.into() }
    }

    /// An error in the form whose `detail` cargo shows.
    pub(super) fn error(status: u16, detail: &str) -> Self {
        Self::new(status, serde_json::json!({ "errors": [{ "detail": detail }] }).to_string())
    }

    fn head(&self) -> String {
        let etag = self.etag.as_ref().map(|etag| format!("ETag: {etag}\r\n")).unwrap_or_default();
        let (status, length) = (self.status, self.body.len());
        format!(
            "HTTP/1.1 {status} Loopback\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n{etag}\
             Connection: close\r\n\r\n"
        )
    }

    pub(super) fn send(&self, mut stream: &TcpStream) -> Result<()> {
        stream.write_all(&[self.head().as_bytes(), &self.body].concat())
    }

    /// Announces the length of the whole answer, sends half of its body and stops.
    pub(super) fn send_half(&self, mut stream: &TcpStream) -> Result<()> {
        stream.write_all(&[self.head().as_bytes(), &self.body[..self.body.len() / 2]].concat())
    }
}

/// Reads one request to its end.
pub(super) fn receive(mut stream: &TcpStream) -> Result<Incoming> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = Vec::new();
    let (mut incoming, length) = loop {
        if let Some(found) = head(&bytes)? {
            break found;
        }
        if bytes.len() > HEAD_LIMIT {
            return Err(Error::new(ErrorKind::InvalidData, "the request's head is too long"));
        }
        more(stream, &mut bytes)?;
    };
    if length > BODY_LIMIT {
        return Err(Error::new(ErrorKind::InvalidData, "the request's body is too long"));
    }
    if incoming.expects {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    bytes.drain(..incoming.head_length);
    while bytes.len() < length {
        more(stream, &mut bytes)?;
    }
    bytes.truncate(length);
    incoming.request.body = bytes;
    Ok(incoming.request)
}

struct Head {
    request: Incoming,
    head_length: usize,
    expects: bool,
}

/// The head and the length of the body, once all of the head is there.
fn head(bytes: &[u8]) -> Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    let invalid = |error| Error::new(ErrorKind::InvalidData, error);
    let head_length = match parsed.parse(bytes).map_err(invalid)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let header = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).into_owned())
    };
    if header("transfer-encoding").is_some() {
        return Err(Error::new(ErrorKind::Unsupported, "cargo is expected to send the length of a body"));
    }
    let length = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let request = Incoming {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: parsed.path.unwrap_or_default().to_owned(),
        token: header("authorization"),
        known_etag: header("if-none-match"),
        body: Vec::new(),
    };
    Ok(Some((Head { request, head_length, expects: header("expect").is_some() }, length)))
}

fn more(mut stream: &TcpStream, bytes: &mut Vec<u8>) -> Result<()> {
    let mut piece = [0; 16 << 10];
    match stream.read(&mut piece)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        length => {
            bytes.extend_from_slice(&piece[..length]);
            Ok(())
        }
    }
}
