#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shipper_fuzz_checks::audit::check(bytes));
