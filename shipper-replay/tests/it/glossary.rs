//! Each entry of docs/glossary.md names the file that defines it, so that a reader finds the term in the code.

use std::path::Path;

/// The file of each entry exists and defines the type that the entry names.
#[test]
fn entries_name_the_files_that_define_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let glossary = std::fs::read_to_string(root.join("docs/glossary.md")).expect("the glossary");
    let mut entries = 0;
    for row in glossary.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| term")) {
        let defined_in = row.split('|').nth(3).expect("a third column");
        entries += 1;
        let code: Vec<&str> = defined_in.split('`').skip(1).step_by(2).collect();
        let Some((path, names)) = code.split_last() else {
            assert!(defined_in.contains("]("), "no file in {row}");
            continue;
        };
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_else(|_| panic!("no file {path}: {row}"));
        for name in names {
            let defines = |kind: &str| source.contains(&format!("{kind} {name}"));
            let defined = ["struct", "enum", "trait", "fn", "const"].into_iter().any(defines);
            assert!(defined || source.contains(&format!("    {name};")), "{path} does not define {name}: {row}");
        }
    }
    assert!(entries >= 60, "{entries} entries");
}
