//! The real programs are killed at system calls on the real file system. What they acknowledged is in the log, and the
//! gate authorizes nothing early: see [`ProgramCase::check`].

use shipper_testkit::program::installed;
use shipper_testkit::settings::print_figure;
use shipper_testkit::syscall_killer::kill_at_syscalls;

use crate::program_cases::{APPEND, FAILURE, GATE, ProgramCase, REHEARSAL, REPAIR};

fn assert_kills_lose_nothing(case: &ProgramCase) {
    if !installed(&["strace"]) {
        return;
    }
    let kills = kill_at_syscalls(&case.program(), case.args, case.input, case.prepare, case.check);
    print_figure(&format!("{} was killed at {kills} system calls: nothing acknowledged was lost", case.what));
    assert!(kills > 20);
}

#[test]
fn killed_rehearsal_authorizes_nothing_early() {
    assert_kills_lose_nothing(&REHEARSAL);
}

#[test]
fn killed_repair_authorizes_nothing_early() {
    assert_kills_lose_nothing(&REPAIR);
}

#[test]
fn killed_failing_rehearsal_revokes_once_recorded() {
    assert_kills_lose_nothing(&FAILURE);
}

#[test]
fn killed_gate_has_recorded_what_it_printed() {
    assert_kills_lose_nothing(&GATE);
}

#[test]
fn killed_append_loses_nothing_acknowledged() {
    assert_kills_lose_nothing(&APPEND);
}
