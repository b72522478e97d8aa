//! A list of allowed signers means exactly what `ssh-keygen` reads in it, or it is an error with its line.

use super::*;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILWi9ALnC9FS6Sc9twhgMemNrvYdqoVgeisP9i2KMkas";

fn problem(line: &str) -> String {
    let list = format!("# a comment\n\n{}\n", line.replace("KEY", KEY));
    let (line, problem) = parse(list.as_bytes()).expect_err(line);
    assert_eq!(line, 3);
    problem.to_string()
}

#[test]
fn names_options_and_keys_are_read() {
    let options = r#"Namespaces="git,shipper-head",valid-after="20260101Z",valid-before="202612312359Z""#;
    let list = format!("a@x,b\t{options}  {KEY} a comment\r\n  c {KEY}");
    let signers = parse(list.as_bytes()).expect("two signers");
    assert_eq!(signers.iter().map(|signer| signer.line).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        (&signers[0].principals[..], &signers[1].principals[..]),
        (&["a@x".into(), "b".into()][..], &["c".into()][..])
    );
    assert_eq!(signers.iter().map(AllowedSigner::has_dates).collect::<Vec<_>>(), [true, false]);
    let date = |text| parse_date(text).expect("a date");
    let checked = |namespace, at| signers[0].check(namespace, Some(at)).map_err(|problem| problem.to_string());
    assert_eq!(checked("shipper-head", date("20260101Z")), Ok(()));
    assert_eq!(checked("shipper-head", date("202612312359Z")), Ok(()));
    assert!(checked("shipper-head", date("20251231235959Z")).is_err_and(|problem| problem.contains("not valid yet")));
    assert!(checked("shipper-head", date("20261231235901Z")).is_err_and(|problem| problem.contains("any more")));
    assert!(checked("other", date("20260101Z")).is_err_and(|problem| problem.contains("namespaces")));
    assert!(signers[0].check("git", None).is_err(), "without a time, a key with dates is never valid");
    assert!(signers[1].check("any", None).is_ok());
}

#[test]
fn unsupported_lines_are_errors() {
    for (line, expected) in [
        ("a", "expected names"),
        ("a KEY_", "not a public key"),
        ("a ssh-ed25519 AAAA", "not a public key"),
        ("a ssh-ed25519-cert-v01@openssh.com AAAA", "not a public key"),
        ("*@x KEY", "patterns"),
        ("a,!b KEY", "patterns"),
        ("a,,b KEY", "patterns"),
        (r#""a b" KEY"#, "patterns"),
        ("a cert-authority KEY", "unsupported option"),
        (r#"a namespaces="shipper-head",cert-authority KEY"#, "unsupported option"),
        (r#"a no-touch-required KEY"#, "unsupported option"),
        (r#"a cert-authority ssh-unknown AAAA"#, "unsupported option"),
        (r#"a namespaces="x",namespaces="y" KEY"#, "twice"),
        ("a namespaces=x KEY", "double quotes"),
        (r#"a namespaces="x KEY"#, "expected names"),
        (r#"a namespaces="*" KEY"#, "patterns"),
        (r#"a namespaces="" KEY"#, "patterns"),
        (r#"a valid-after="20260101" KEY"#, "in UTC"),
        (r#"a valid-after="2026010Z" KEY"#, "in UTC"),
        (r#"a valid-after="20260230Z" KEY"#, "in UTC"),
        (r#"a valid-after="202601012460Z" KEY"#, "in UTC"),
        (r#"a valid-after="20260102Z",valid-before="20260101Z" KEY"#, "later"),
    ] {
        let problem = problem(line);
        assert!(problem.contains(expected), "{line}: {problem}");
    }
    let (line, problem) = parse(b"# \n\xff").expect_err("not UTF-8");
    assert_eq!((line, problem.to_string()), (2, "not valid UTF-8".to_owned()));
}
