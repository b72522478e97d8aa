//! No damage to the files of a signed head gives a trusted head, or a panic.

use super::verify::{Evidence, EvidenceFile, verify};

const HEAD: &str = "38:6928:c7321c0a3d4dea1faf2368d7efa116a35d5734deed37d0073e9e3bd5d6a72114\n";

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILWi9ALnC9FS6Sc9twhgMemNrvYdqoVgeisP9i2KMkas";

/// The output of `ssh-keygen -Y sign -n shipper-head` with the key.
const SIGNATURE: &str = "\
-----BEGIN SSH SIGNATURE-----\n\
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgtaL0AucL0VLpJz23CGAx6Y2u9h\n\
2qhWB6Kw/2LYoyRqwAAAAMc2hpcHBlci1oZWFkAAAAAAAAAAZzaGE1MTIAAABTAAAAC3Nz\n\
aC1lZDI1NTE5AAAAQB7Pp7SJThSXraPfP9Qmw29F3bZJRfYj+aj+zKfHK3ZTn5NMuooxwV\n\
be5EfblGYoIcx2lcY+JXipRapp/nTNeQY=\n\
-----END SSH SIGNATURE-----\n\
";

fn evidence() -> Evidence {
    let file = |path: &str, text: &str| EvidenceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
    Evidence {
        head: file("head", HEAD),
        signature: file("head.sig", SIGNATURE),
        signers: file("signers", &format!("a@x,b@x {KEY}\n")),
    }
}

#[test]
fn untouched_files_give_the_head_and_its_signer() {
    let (head, signer) = verify(&evidence(), None).expect("a signed head");
    assert_eq!((head.lines, head.bytes), (38, 6928));
    assert_eq!(signer.principals, ["a@x", "b@x"]);
}

/// Every third byte is changed, removed or doubled. White space around the base64 of a signature does not count.
#[test]
fn damaged_files_give_no_other_head() {
    let (head, signer) = verify(&evidence(), None).expect("a signed head");
    let (mut refused, mut accepted) = (0, 0);
    let files: [fn(&mut Evidence) -> &mut Vec<u8>; 3] =
        [|files| &mut files.head.bytes, |files| &mut files.signature.bytes, |files| &mut files.signers.bytes];
    for (number, file) in files.into_iter().enumerate() {
        for at in (0..file(&mut evidence()).len()).step_by(3) {
            let mut evidence = evidence();
            let bytes = file(&mut evidence);
            match at % 4 {
                0 => bytes[at] ^= 1,
                1 => bytes[at] = 0xff,
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, bytes[at]),
            }
            match verify(&evidence, None) {
                Err(_) => refused += 1,
                Ok((other, by)) => {
                    assert!(number > 0, "the head was changed at {at}");
                    assert_eq!((other, &by.key), (head, &signer.key));
                    accepted += 1;
                }
            }
        }
        for len in 0..file(&mut evidence()).len().saturating_sub(1) {
            let mut evidence = evidence();
            file(&mut evidence).truncate(len);
            assert!(verify(&evidence, None).is_err(), "file {number} with {len} bytes");
        }
    }
    // The names of the signer, and white space.
    assert!(refused > 100 && accepted < 15, "{refused} {accepted}");
}
