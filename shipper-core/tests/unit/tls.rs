//! A registry with a self-signed certificate works as with cargo, and no other server is accepted for it.

use std::time::Duration;

use ureq::tls::{PemItem, parse_pem};

use super::*;

/// A certificate that may sign others, for the host `registry.example` from November 2026 on for a hundred years.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBvTCCAWKgAwIBAgIUDdGismCf1mwVJhq1kvqPC/l1XAIwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQcmVnaXN0cnkuZXhhbXBsZTAgFw0yNjExMjcxMDAzNTJaGA8y
MTI2MTEwMzEwMDM1MlowGzEZMBcGA1UEAwwQcmVnaXN0cnkuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABLdcdFrWC2GfJ45xJl9immGwXuziPu5NMuHR
qGTSbV1vSbz8qO8eOGPaDRl1vdiPRJfiQcg5kfaxcc5SU5eXs6GjgYEwfzAdBgNV
HQ4EFgQUBk+YNk+kq+Ts+OvQQL6zLm/+Gi4wHwYDVR0jBBgwFoAUBk+YNk+kq+Ts
+OvQQL6zLm/+Gi4wDwYDVR0TAQH/BAUwAwEB/zAsBgNVHREEJTAjghByZWdpc3Ry
eS5leGFtcGxlgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSQAwRgIhAIga
aEEqe/oN2cqofCFe4pJSREXADSo12Nb3fiwPvotEAiEA8RW2DouI9V1gkWtmrGp3
DTvrbIjbzTIWlsrruagQqKs=
-----END CERTIFICATE-----
";

fn certificate() -> CertificateDer<'static> {
    let item = parse_pem(CERTIFICATE.as_bytes()).next().expect("an item").expect("it is valid");
    let PemItem::Certificate(certificate) = item else { panic!("no certificate") };
    certificate.der().to_vec().into()
}

/// The server's certificate must be exactly the trusted one, for its name and in its time.
#[test]
fn self_signed_server_certificate_is_accepted() {
    let trusted = TrustedCertificates::new(vec![certificate()]).expect("it is readable");
    let mut changed = certificate().to_vec();
    *changed.last_mut().expect("bytes") ^= 1;
    let in_year = |year: u64| Duration::from_secs((year - 1970) * 31_557_600);
    for (server, name, year, accepted) in [
        (certificate(), "registry.example", 2030, true),
        (certificate(), "other.example", 2030, false),
        (certificate(), "registry.example", 2020, false),
        (certificate(), "registry.example", 2130, false),
        (changed.into(), "registry.example", 2030, false),
    ] {
        let server_name = name.try_into().expect("a name");
        let time = UnixTime::since_unix_epoch(in_year(year));
        let result = trusted.verify_server_cert(&server, &[], &server_name, &[], time);
        assert_eq!(result.is_ok(), accepted, "{name} {year}: {result:?}");
    }
}
