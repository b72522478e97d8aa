//! Requests must reach a registry through the proxies that cargo uses, and give its token to no other host.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::proxy::ProxySetting;
use super::*;

/// A certificate for `localhost` and `127.0.0.1` until 2120, which signed itself.
const CERTIFICATE: &str = "\
    MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx\
    MDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA6bfIGEmrwDAlN0JjccA9OX\
    4bEcIXhID/f/QJY1cG2UKGdVyjM1821G2gPXVtCxvVXNzXZ67j6vzZ4n+o8MJUmjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0R\
    BBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1UdDgQWBBR1m9r0ZDQj/DqcvGloyc/NAWUODDAKBggqhkjOPQQDAgNHADBEAiB49Wu9\
    mxfeG8zlvs1d5RduJzbF6+aFe0dBWrydsyAnjgIgYFgb8v/W3YC2bFjVwa6g1xccRNz5gfGmVBf3sxAD130=";

/// The key of the certificate, only for this test.
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRl8kiDLk1Dqd9Q18eA33MGuRErJsFzhVFKmkVHNWIfKhRANCAAQO\
    m3yBhJq8AwJTdCY3HAPTl+GxHCF4SA/3/0CWNXBtlChnVcozNfNtRtoD11bQsb1Vzc12eu4+r82eJ/qPDCVJ";

/// A certificate with the same names and another key.
const OTHER_CERTIFICATE: &str = "\
    MIIBZjCCAQ2gAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx\
    MDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH4+NPOzBYBx9Xusz/k3Blns\
    cDjkIywKkn5uvirVZxuR/U+sD257Rd0g+6ZeQR+ycEdhAYgzro2Z9gobcMbMbZ+jTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0R\
    BBMwEYIJbG9jYWxob3N0hwR/AAABMB0GA1UdDgQWBBSVGJMK3U+KfJtsEgVzb2TxwjOCZDAKBggqhkjOPQQDAgNHADBEAiBvW+qp\
    pJNLzj7CJ0cFX7NS66DzYtOy2JLdUvqjIm54ogIgByvxuyRThK5X2H9tNF6HkchHkfCES7GFdS/YmI8U01U=";

/// The text `compressed`, by gzip.
const GZIP: [u8; 30] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xce, 0xcf, 0x2d, 0x28, 0x4a, 0x2d, 0x2e, 0x4e,
    0x4d, 0x01, 0x00, 0x1e, 0x4b, 0x56, 0x97, 0x0a, 0x00, 0x00, 0x00,
];

/// Reads the head of a request.
fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n").to_ascii_lowercase()
}

fn answer(mut stream: &TcpStream, lines: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {lines}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).expect("written");
}

/// Sends a request through the proxy `SCHEME://ADDRESS` of a server, if there is a scheme. Returns the answer, and the heads
/// that the server received.
fn get(scheme: &str, url: &str, serve: impl Fn(TcpStream) -> Vec<String> + Send + 'static) -> (String, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || serve(listener.accept().expect("a connection").0));
    let directory = tempfile::tempdir().expect("a directory");
    let config = CargoConfig::read(Utf8Path::from_path(directory.path()).expect("UTF-8")).expect("it is valid");
    let mut client = HttpClient::new(&config).expect("it is valid");
    let proxy = (!scheme.is_empty())
        .then(|| ProxySetting { name: "http.proxy", address: format!("{scheme}://user:word@{address}") });
    client.proxies = ProxySettings::new(proxy, |_| None);
    let url = url.replace("SERVER", &address.to_string()).parse().expect("an address");
    let (status, body) =
        client.get(&url, Some("the-token"), Instant::now() + Duration::from_secs(20)).expect("an answer");
    let body = String::from_utf8(body).expect("UTF-8");
    (format!("{} {body}", status.as_u16()), server.join().expect("no panic"))
}

/// A proxy gets the name of the host, and a compressed answer is decompressed.
#[test]
fn proxies_are_used() {
    let (found, heads) = get("http", "http://registry.example/index/a", |stream| {
        let connect = head(&stream);
        (&stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("written");
        let request = head(&stream);
        answer(&stream, "200 OK\r\nContent-Encoding: gzip", &GZIP);
        vec![connect, request]
    });
    assert_eq!(found, "200 compressed");
    assert!(
        heads[0].starts_with("connect registry.example:80") && heads[0].contains("basic dxnlcjp3b3jk"),
        "{heads:?}"
    );
    assert!(heads[1].starts_with("get /index/a ") && heads[1].contains("authorization: the-token"), "{heads:?}");

    let (found, heads) = get("socks5h", "http://registry.example/a", |mut stream| {
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).expect("methods");
        stream.write_all(&[5, 2]).expect("written");
        let mut login = [0; 11];
        stream.read_exact(&mut login).expect("a login");
        stream.write_all(&[1, 0]).expect("written");
        let mut connect = [0; 22];
        stream.read_exact(&mut connect).expect("a request");
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("written");
        let request = head(&stream);
        answer(&stream, "410 Gone", b"");
        vec![String::from_utf8_lossy(&connect).into_owned(), request]
    });
    assert_eq!(found, "410 ");
    assert!(heads[0].contains("registry.example") && heads[1].contains("host: registry.example"), "{heads:?}");
}

/// A redirection to another origin is followed without the token.
#[test]
fn redirected_request_has_no_token() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("an address");
    let redirected = std::thread::spawn(move || {
        let stream = other.accept().expect("a connection").0;
        let request = head(&stream);
        answer(&stream, "200 OK", b"there");
        request
    });
    let (found, heads) = get("", "http://SERVER/index/a", move |stream| {
        let request = head(&stream);
        answer(&stream, &format!("302 Found\r\nLocation: http://{address}/b"), b"");
        vec![request]
    });
    assert_eq!(found, "200 there");
    let redirected = redirected.join().expect("no panic");
    assert!(heads[0].contains("the-token") && redirected.starts_with("get /b "), "{heads:?} {redirected}");
    assert!(!redirected.contains("the-token"), "{redirected}");
}

/// Answers one request with encryption, and returns its head; `None` if the client ends the handshake.
fn serve_encrypted(listener: &TcpListener) -> Option<String> {
    let bytes = |base64: &str| BASE64_STANDARD.decode(base64).expect("base64");
    let config = ServerConfig::builder_with_provider(default_provider().into());
    let config = config.with_safe_default_protocol_versions().expect("versions").with_no_client_auth();
    let key = PrivatePkcs8KeyDer::from(bytes(KEY));
    let config = config.with_single_cert(vec![bytes(CERTIFICATE).into()], key.into()).expect("its key");
    let connection = ServerConnection::new(Arc::new(config)).expect("a connection");
    let mut stream = StreamOwned::new(connection, listener.accept().expect("a client").0);
    let mut head = String::new();
    let mut lines = BufReader::new(&mut stream);
    while !head.ends_with("\r\n\r\n") {
        lines.read_line(&mut head).ok().filter(|length| *length > 0)?;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret").expect("written");
    stream.conn.send_close_notify();
    stream.flush().expect("written");
    Some(head)
}

/// With `http.cainfo`, a server with that certificate gets the request. One with another certificate does not, not even
/// the token.
#[test]
fn only_the_server_of_the_configured_certificate_gets_the_token() {
    for (trusted, accepted) in [(CERTIFICATE, true), (OTHER_CERTIFICATE, false)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = std::thread::spawn(move || serve_encrypted(&listener));
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
        let pem = format!("-----BEGIN CERTIFICATE-----\n{trusted}\n-----END CERTIFICATE-----\n");
        fs_err::write(root.join("ca.pem"), pem).expect("written");
        fs_err::create_dir(root.join(".cargo")).expect("created");
        fs_err::write(root.join(".cargo/config.toml"), "[http]\ncainfo = \"ca.pem\"\n").expect("written");
        let mut client = HttpClient::new(&CargoConfig::read(root).expect("it is valid")).expect("it is valid");
        client.proxies = ProxySettings::new(None, |_| None);
        let url = format!("https://localhost:{port}/index/a").parse().expect("an address");
        let answer = client.get(&url, Some("the-token"), Instant::now() + Duration::from_secs(20));
        let head = server.join().expect("no panic");
        if accepted {
            let (status, body) = answer.expect("an answer");
            assert_eq!((status.as_u16(), &body[..]), (200, &b"secret"[..]));
            let head = head.expect("a request").to_ascii_lowercase();
            assert!(head.starts_with("get /index/a ") && head.contains("authorization: the-token"), "{head}");
        } else {
            let error = answer.expect_err("another certificate").to_string();
            assert!(error.contains("certificate") && head.is_none(), "{error} {head:?}");
        }
    }
}
