//! A rehearsal must not reach the live registry by another spelling of an address, and registries that only look alike
//! must be usable.

use super::*;

fn endpoint(used_for: EndpointUse, address: &str) -> Endpoint {
    Endpoint::new(used_for, address)
}

/// Spellings of one endpoint are the same, and other ports, paths and hosts are not.
#[test]
fn spellings_of_one_endpoint_are_the_same() {
    let (same, shared, separate) = (2, 1, 0);
    for (one, other, expected) in [
        ("sparse+https://a.example/index/", "https://A.example:443/index", same),
        ("https://a.example./index", "http://user:pw@a.example:80//index/?x#y", same),
        ("http://a.example:443/index", "https://a.example/index", same),
        ("https://a.example/%69ndex", "https://a.example/x/../index", same),
        ("https://index.a.example/i", "https://a.example/i", same),
        ("http://localhost:80/i", "http://127.0.0.9/i", same),
        ("http://0.0.0.0:8000/i", "http://[::1]:8000/i", same),
        ("http://live.localhost.:8000/i", "http://[::ffff:127.0.0.1]:8000/i", same),
        ("https://index.crates.io/", "https://static.crates.io/crates", same),
        ("https://crates.io", "http://x.crates.io:8080", same),
        ("no address", "no address", same),
        ("https://a.example/index", "https://a.example/INDEX", shared),
        ("https://a.example/index", "https://a.example:8443/index", shared),
        ("http://127.0.0.1:8000/i", "http://localhost:8001/i", shared),
        ("https://a.example/i", "https://staging.a.example/i", separate),
        ("https://crates.io", "https://crates.io.example", separate),
        ("https://crates.io", "https://mycrates.io", separate),
        ("http://localhost/i", "http://mylocalhost/i", separate),
        ("no address", "another", separate),
    ] {
        let endpoints = [one, other].map(|address| endpoint(EndpointUse::Index, address));
        let found = match isolation(&endpoints[..1], &endpoints[1..]) {
            Isolation::Separate => separate,
            Isolation::SharedHost(_) => shared,
            Isolation::SharedEndpoint(_) => same,
        };
        assert_eq!(found, expected, "{one} {other}");
    }
}

/// Every pair of uses is compared, text from a marker is ignored, and messages have no password.
#[test]
fn every_pair_of_addresses_is_compared() {
    let uses = [EndpointUse::Index, EndpointUse::IndexRedirect, EndpointUse::Uploads, EndpointUse::Downloads];
    let other = |name: &str| endpoint(EndpointUse::Index, &format!("https://{name}.example/"));
    for one in uses {
        for two in uses {
            let rehearsal = [other("rehearsal"), endpoint(one, "https://user:password@x.example:8000/crates")];
            let live = [other("live"), endpoint(two, "https://x.example:8000/crates/")];
            let Isolation::SharedEndpoint(message) = isolation(&rehearsal, &live) else {
                panic!("{one:?} {two:?}");
            };
            assert!(message.ends_with("are the same, x.example:8000/crates"), "{message}");
        }
    }
    let template = endpoint(EndpointUse::Downloads, "https://x.example/crates/{crate}/{version}");
    assert!(template.is_same(&endpoint(EndpointUse::Uploads, "https://x.example/crates")));
    let own = endpoint(EndpointUse::Index, "http://me.example:8000/i").on_this_machine();
    assert!(own.is_same(&endpoint(EndpointUse::Index, "http://127.0.0.1:8000/i")));
}

/// A redirect belongs to the registry whose address is the longest beginning of it.
#[test]
fn redirect_belongs_to_the_longest_address() {
    let own = [endpoint(EndpointUse::Index, "https://a.example/rehearsal/index")];
    let live = ["https://a.example", "https://live.example/index"].map(|text| endpoint(EndpointUse::Index, text));
    for (address, expected) in [
        ("https://a.example/rehearsal/index/se/rd/serde", false),
        ("https://a.example/rehearsal/indexes", true),
        ("https://live.example/index/se/rd/serde", true),
        ("https://live.example/other", false),
        ("https://storage.example/serde", false),
    ] {
        let address = endpoint(EndpointUse::IndexRedirect, address);
        assert_eq!(leads_away(&address, &own, &live), expected, "{address}");
    }
}
