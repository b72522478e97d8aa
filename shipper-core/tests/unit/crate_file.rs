//! The compared files of a package are those that cargo unpacks: anything else in the package is an error.

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::*;

/// Returns a package with a library, and another entry after it.
fn package(entry_type: EntryType, path: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (entry_type, path, content) in
        [(EntryType::Regular, "p-1.0.0/src/lib.rs", &b"//! p\n"[..]), (entry_type, path, content)]
    {
        let mut header = Header::new_gnu();
        header.set_entry_type(entry_type);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_link_name("../Cargo.toml").expect("a short name");
        archive.append_data(&mut header, path, content).expect("memory");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("memory")
}

/// Cargo unpacks links, and any unknown entry as a file. Each could replace the library.
#[test]
fn unusual_entries_are_errors() {
    for entry_type in [
        EntryType::Link,
        EntryType::Symlink,
        EntryType::Continuous,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::new(b'Z'),
    ] {
        let error = unpack(&package(entry_type, "p-1.0.0/src/lib.rs", b"")[..]).expect_err("not a file");
        assert_eq!(error.to_string(), "the package contains a link or a special file", "{entry_type:?}");
    }
    let twice = unpack(&package(EntryType::Regular, "p-1.0.0/src/lib.rs", b"")[..]).expect_err("two files");
    assert_eq!(twice.to_string(), "the package contains two entries for src/lib.rs");
    let elsewhere = unpack(&package(EntryType::Regular, "q-1.0.0/src/lib.rs", b"")[..]).expect_err("two directories");
    assert_eq!(elsewhere.to_string(), "the package contains files in two directories");
    let files = unpack(&package(EntryType::Directory, "p-1.0.0/src", b"")[..]).expect("a package");
    assert_eq!(files.keys().collect::<Vec<_>>(), ["src/lib.rs"]);
}

/// The files after the limit are not left out silently.
#[test]
fn too_long_package_is_an_error() {
    let package = package(EntryType::Regular, "p-1.0.0/build.rs", b"fn main() {}\n");
    // Two entries of two blocks, and the block at the end.
    assert_eq!(unpack_at_most(&package[..], 2561).expect("a package").len(), 2);
    for limit in (0..=2560).step_by(256) {
        let error = unpack_at_most(&package[..], limit).expect_err("too long").to_string();
        let is_between_entries = [1024, 2048].contains(&limit);
        assert!(!is_between_entries || error == format!("the unpacked package has {limit} bytes or more"), "{error}");
    }
}
