//! Every input of the committed corpus passes the check of its target, so what fuzzing has reached stays correct.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use shipper_fuzz_checks::CHECKS;
use shipper_testkit::settings::print_figure;

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    entries.map(|entry| name(entry.expect("a directory entry"))).collect()
}

#[test]
fn committed_corpus_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let targets: BTreeSet<String> = CHECKS.map(|(target, _)| target.to_owned()).into();
    assert_eq!(names(&corpus), targets, "the directories of the corpus");
    let programs: BTreeSet<String> = targets.iter().map(|target| format!("{target}.rs")).collect();
    assert_eq!(names(&corpus.with_file_name("fuzz_targets")), programs);
    let mut inputs = 0;
    for (target, check) in CHECKS {
        for name in names(&corpus.join(target)) {
            let input = fs::read(corpus.join(target).join(&name)).expect("an input");
            let result = std::panic::catch_unwind(|| check(&input));
            assert!(result.is_ok(), "{target} fails with the input shipper-core/fuzz/corpus/{target}/{name}");
            inputs += 1;
        }
    }
    print_figure(&format!("{inputs} inputs of the fuzz corpus, {} targets", CHECKS.len()));
}
