//! A registry on this machine must be recognized by every address of the machine.

use super::*;

/// Names and addresses of this machine are recognized, and addresses for documentation are not.
#[test]
fn addresses_of_this_machine_are_recognized() {
    let reserved = ("203.0.113.1", 9);
    for host in ["localhost", "127.0.0.1", "127.0.0.9", "0.0.0.0", "[::1]"] {
        assert!(is_this_machine(host), "{host}");
    }
    for host in ["", reserved.0, "[2001:db8::1]"] {
        assert!(!is_this_machine(host), "{host}");
    }
    // The address from which this machine would send to another network, if it has one.
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if socket.connect(reserved).is_ok() {
        let own = socket.local_addr().expect("an address").ip();
        assert!(is_this_machine(&own.to_string()), "{own}");
    }
}
