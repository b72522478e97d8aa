//! A lookup must use the proxy that cargo uses: without it, a lookup fails where cargo works, and the reverse.

use super::*;

fn settings(configured: Option<&str>, variables: &[(&str, &str)]) -> ProxySettings {
    let configured = configured.map(|address| ProxySetting { name: "http.proxy", address: address.to_owned() });
    let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
    ProxySettings::new(configured, variable)
}

/// Returns the address of the proxy, `direct` without one, or the error.
fn proxy_for(settings: &ProxySettings, url: &str) -> String {
    match settings.for_url(&url.parse().expect("an address")) {
        Ok(Some(proxy)) => proxy.uri().to_string(),
        Ok(None) => "direct".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The configured proxy precedes the environment, where the scheme of the registry decides. Empty text is no proxy.
#[test]
fn proxy_is_selected_as_by_cargo() {
    let environment = [("http_proxy", "plain:1"), ("HTTPS_PROXY", "tls:2"), ("all_proxy", "all:3")];
    for (configured, variables, https, http) in [
        (None, &[][..], "direct", "direct"),
        (None, &environment, "http://tls:2/", "http://plain:1/"),
        (None, &[("HTTP_PROXY", "x:1"), ("ALL_PROXY", "all:3")], "http://all:3/", "http://all:3/"),
        (None, &[("https_proxy", ""), ("HTTPS_PROXY", "tls:2")], "http://tls:2/", "direct"),
        (Some("cargo:4"), &environment, "http://cargo:4/", "http://cargo:4/"),
        (Some(""), &environment, "direct", "direct"),
        (Some("cargo:4"), &[("no_proxy", "registry.example")], "direct", "direct"),
        (Some("cargo:4"), &[("no_proxy", ""), ("NO_PROXY", "*")], "direct", "direct"),
    ] {
        let settings = settings(configured, variables);
        assert_eq!(proxy_for(&settings, "https://registry.example/index/"), https, "{configured:?} {variables:?}");
        assert_eq!(proxy_for(&settings, "http://registry.example/index/"), http, "{configured:?} {variables:?}");
    }
}

/// Every scheme that curl knows is accepted, with its default port. Other text is an error that names the setting, and not
/// the password.
#[test]
fn proxy_address_is_parsed_as_by_curl() {
    for (address, parsed) in [
        ("proxy.example", "http://proxy.example:1080"),
        ("http://proxy.example:80/", "http://proxy.example:80"),
        ("HTTPS://proxy.example", "https://proxy.example:443"),
        ("socks://proxy.example", "socks4://proxy.example:1080"),
        ("socks5h://user:p%40ss@proxy.example:9", "socks5h://user:p%40ss@proxy.example:9"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ] {
        let found = proxy_for(&settings(Some(address), &[]), "https://registry.example/");
        assert_eq!(found.trim_end_matches('/'), parsed, "{address}");
    }
    for (address, error) in [
        ("ftp://user:secret@proxy.example", "http.proxy has the unknown scheme \"ftp\""),
        ("http://user:secret@", "http.proxy is not the address of a proxy"),
        ("http://user:secret@x:99999", "http.proxy is not the address of a proxy"),
    ] {
        let found = proxy_for(&settings(Some(address), &[]), "https://registry.example/");
        assert!(found.contains(error) && !found.contains("secret"), "{address}: {found}");
    }
}

/// Hosts, domains, addresses and networks are excluded as by curl.
#[test]
fn excluded_hosts_are_those_of_curl() {
    for (url, list, excluded) in [
        ("https://a.example/", "a.example", true),
        ("https://A.example./", "a.EXAMPLE.", true),
        ("https://b.a.example/", "x, a.example", true),
        ("https://b.a.example/", ".a.example", true),
        ("https://a.example/", ".a.example", true),
        ("https://na.example/", "a.example", false),
        ("https://a.example/", "*", true),
        ("https://a.example/", "*.example", false),
        ("https://a.example:8443/", "a.example", true),
        ("https://a.example:8443/", "a.example:8443", false),
        ("https://a.example/", "x a.example", false),
        ("https://a.example/", "", false),
        ("https://a.example/", ",.,", false),
        ("http://127.0.0.1:80/", "127.0.0.1", true),
        ("http://127.0.0.1/", "127.0.0.0/8", true),
        ("http://128.0.0.1/", "127.0.0.0/8", false),
        ("http://10.1.2.3/", "10.1.2.0/31", false),
        ("http://10.1.2.3/", "10.1.2.3/33", false),
        ("http://10.1.2.3/", "10.0.0.0/0", false),
        ("http://10.1.2.3/", "2.3", false),
        ("http://[::1]/", "::1", true),
        ("http://[fd00::1:2]/", "[fd00::]/64", true),
        ("http://[fd00:0:0:1::2]/", "[fd00::]/64", false),
        ("http://[fd00::1:2]/", "fd00::/8", true),
        ("http://[fd00::1:2]/", "fe00::/8", false),
    ] {
        let url: Url = url.parse().expect("an address");
        assert_eq!(is_excluded(&url.host().expect("a host"), list), excluded, "{url} {list}");
    }
}
