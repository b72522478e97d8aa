//! The network of a registry has the word of the shipper tool, because that tool reads only its own words.

use super::*;

#[test]
fn networks_have_their_words() {
    for (origin, posture) in [
        ("https://registry.example", Posture::Public),
        ("https://8.8.8.8:443", Posture::Public),
        ("http://10.1.2.3:8000", Posture::Private),
        ("http://192.168.0.7", Posture::Private),
        ("http://[fd00::1]:8000", Posture::Private),
        ("http://127.0.0.1:40005", Posture::Loopback),
        ("http://[::1]:8000", Posture::Loopback),
        ("http://[::1]", Posture::Loopback),
        ("http://localhost:8000", Posture::Loopback),
        ("https://localhost.example", Posture::Public),
        ("", Posture::Public),
    ] {
        assert_eq!(Posture::of(origin), posture, "{origin}");
    }
}
