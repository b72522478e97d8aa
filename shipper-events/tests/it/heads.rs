//! A head and a link are read back from their text, and no other text is one: two texts must not mean the same bytes.

use shipper_events::{ChainLink, ClaimedHead, Head, HeadHasher};

/// Bytes beside the lowercase hex digits in ASCII.
const NO_DIGITS: [u8; 7] = [b'/', b':', b'`', b'g', b'A', b'F', b' '];

fn head() -> Head {
    let mut hasher = HeadHasher::new();
    hasher.push_line(b"{}\n");
    hasher.head()
}

/// Returns the hash that each reader finds in a text of 64 bytes: in a head, and in a link.
fn read(hash: &[u8]) -> [Option<blake3::Hash>; 2] {
    let hash = std::str::from_utf8(hash).expect("ASCII");
    let link = ChainLink::from_line(format!(r#"{{"seq":0,"prev":"{hash}","x":1}}"#).as_bytes());
    [format!("1:3:{hash}").parse::<Head>().ok().map(|head| head.blake3), link.map(|link| link.prev())]
}

/// Each pair of digits is a byte of the hash.
#[test]
fn every_byte_of_a_hash_is_read() {
    for byte in 0..=u8::MAX {
        let hash = blake3::Hash::from_bytes([byte; 32]);
        assert_eq!(read(hash.to_hex().as_bytes()), [Some(hash); 2], "{hash}");
    }
}

/// A hash with another byte at any place, or with two of them, is none. Neither is one of another length.
#[test]
fn other_bytes_are_no_hash() {
    let hash = head().blake3.to_hex();
    let digits = hash.as_bytes();
    for byte in NO_DIGITS {
        for at in 0..64 {
            let mut other = digits.to_vec();
            other[at] = byte;
            assert_eq!(read(&other), [None; 2], "{} at {at}", byte as char);
            other[at ^ 1] = byte;
            assert_eq!(read(&other), [None; 2], "{} at {at} and beside it", byte as char);
        }
    }
    assert_eq!(read(&digits[1..]), [None; 2]);
    assert_eq!(read(&[digits, b"0"].concat()), [None; 2]);
}

/// The `seq` of a link has no leading zeros, and the `prev` follows it directly.
#[test]
fn links_have_one_form() {
    let prev = head().blake3;
    let seq = |seq: &str| {
        let line = format!(r#"{{"seq":{seq},"prev":"{prev}","x":1}}"#);
        ChainLink::from_line(line.as_bytes()).map(|link| link.seq().to_string())
    };
    for valid in ["0", "7", "10", "100", "18446744073709551616"] {
        assert_eq!(seq(valid).as_deref(), Some(valid));
    }
    for other in ["", "00", "01", "-1", "1.0", " 1", "1 "] {
        assert_eq!(seq(other), None, "{other}");
    }
}

/// A claimed head matches a head only if all three values do.
#[test]
fn claimed_heads_match_in_every_value() {
    let head = head();
    let other = [
        head,
        Head { lines: 2, ..head },
        Head { bytes: 4, ..head },
        Head { blake3: blake3::hash(b"another"), ..head },
        Head { lines: 2, bytes: 4, ..head },
    ];
    for (position, claimed) in other.into_iter().map(ClaimedHead::from).enumerate() {
        assert_eq!(claimed.matches(&head), position == 0, "{claimed}");
        assert_eq!(claimed.to_string() == head.to_string(), position == 0, "{claimed}");
    }
    assert_eq!(head.to_string(), format!("1:3:{}", blake3::hash(b"{}\n")));
}
