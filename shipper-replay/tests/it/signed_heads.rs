//! A head can be checked and signed by programs that everyone has, and a signed head is never weaker than `--extends`: if
//! its signature proves nothing, there is no report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use shipper_testkit::program::installed;
use tempfile::TempDir;

use crate::support::json_schema::Validator;
use crate::support::{fixtures, program, replay, seen};

const LOG: &str = "real/pass-3crate/events.jsonl";
const OTHER: &str = "real/fail-fix-pass/events.jsonl";

/// The head of `LOG`.
const HEAD: &str = "38:6928:c7321c0a3d4dea1faf2368d7efa116a35d5734deed37d0073e9e3bd5d6a72114";

/// A security key, and its signature of [`HEAD`]. A program made both; `ssh-keygen` needs the hardware for that.
const SK_ED25519: [&str; 2] = [
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIdQLjMPyJsfPtBaviMS13sxXCSFZtHbb17TeP4zOKWlAAAABHNzaDo=",
    "\
-----BEGIN SSH SIGNATURE-----\n\
U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgh1AuMw\n\
/Imx8+0Fq+IxLXezFcJIVm0dtvXtN4/jM4paUAAAAEc3NoOgAAAAxzaGlwcGVyLWhlYWQA\n\
AAAAAAAABnNoYTUxMgAAAGcAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAABAak\n\
4Q7EMR01vrFM3/h/x02WIIbUFlLbpUTAOccFV3IXnomBFAo7knFIrcF/UPxJZXj96ywVnL\n\
1wCCbHIl4oYFAwEAAAAH\n\
-----END SSH SIGNATURE-----\n\
",
];

/// A security key, and its signature of [`HEAD`]. A program made both; `ssh-keygen` needs the hardware for that.
const SK_ECDSA: [&str; 2] = [
    "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBITgI97dUpiblbtlGkVSvKDHAEAqQJEQtTcmzNvbDaH5SA2UOX1t+IfNgWuafo2Nf8qK6tY1uaCDdmKvI0q4l/UAAAAEc3NoOg==",
    "\
-----BEGIN SSH SIGNATURE-----\n\
U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ\n\
AAAAhuaXN0cDI1NgAAAEEEhOAj3t1SmJuVu2UaRVK8oMcAQCpAkRC1NybM29sNoflIDZQ5\n\
fW34h82Ba5p+jY1/yorq1jW5oIN2Yq8jSriX9QAAAARzc2g6AAAADHNoaXBwZXItaGVhZA\n\
AAAAAAAAAGc2hhNTEyAAAAeQAAACJzay1lY2RzYS1zaGEyLW5pc3RwMjU2QG9wZW5zc2gu\n\
Y29tAAAASgAAACEA0aI8yLWpseNS9ERaV3aJtVo/TT8GtypiXCgfchHfNwkAAAAhAKc0U0\n\
BPFcaZ16cmJ9QG9FirwYCdc2qWc9EFB4afZtelAQAAAAc=\n\
-----END SSH SIGNATURE-----\n\
",
];

/// A directory with keys, a list of allowed signers, and a signed head.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a directory"));
        files.make_key("key", "ed25519", "256");
        files.allow("release@example.com", "key");
        files.sign(&head_of(LOG)[0], "key", "shipper-head");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("it can be written");
    }

    /// Runs a program in the directory.
    fn run(&self, command: &str, args: &[&str]) -> Output {
        let output = Command::new(command).args(args).current_dir(&self.0).output().expect("it starts");
        assert!(output.status.success(), "{command} {args:?}: {output:?}");
        output
    }

    fn make_key(&self, name: &str, kind: &str, bits: &str) {
        self.run("ssh-keygen", &["-q", "-t", kind, "-b", bits, "-N", "", "-C", "comment", "-f", name]);
    }

    /// Lists one signer; `signer` contains its options.
    fn allow(&self, signer: &str, key: &str) {
        let key = fs::read_to_string(self.path(&format!("{key}.pub"))).expect("a key");
        self.write("signers", format!("# allowed\n{signer} {key}"));
    }

    /// Writes a head to a file and signs it.
    fn sign(&self, head: &str, key: &str, namespace: &str) {
        self.write("head", format!("{head}\n"));
        let _ = fs::remove_file(self.path("head.sig"));
        self.run("ssh-keygen", &["-q", "-Y", "sign", "-n", namespace, "-f", key, "head"]);
    }

    /// Audits with the signed head.
    fn audit(&self, args: &[&str]) -> Output {
        let (head, signers) = (self.path("head"), self.path("signers"));
        let args = [&["--signed-head", utf8(&head), "--allowed-signers", utf8(&signers)], args].concat();
        replay(&args)
    }

    /// Asserts that there is no report, but an error with these texts.
    fn assert_untrusted(&self, args: &[&str], texts: &[&str]) {
        let output = self.audit(&[args, &[LOG]].concat());
        let text = seen(&output);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]), "{text}");
        assert!(texts.iter().all(|expected| text.contains(expected)), "expected {texts:?}: {text}");
    }
}

fn utf8(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Returns both forms of the head of a log.
fn head_of(log: &str) -> [String; 2] {
    let output = replay(&["--head", log]);
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    <[&str; 2]>::try_from(lines).expect("two lines").map(str::to_owned)
}

fn codes(output: &Output) -> Vec<String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let findings = report["logs"][0]["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code").to_owned()).collect()
}

/// `head -c BYTES LOG | sha256sum` gives the SHA-256 form, and the other form is the head of the report.
#[test]
fn other_programs_compute_the_same_head() {
    if !installed(&["bash", "head", "sha256sum"]) {
        return;
    }
    for log in [LOG, OTHER, "recorded/edited-line/events.jsonl"] {
        let [blake3, sha256] = head_of(log);
        let bytes = blake3.split(':').nth(1).expect("bytes");
        let script = format!("head -c {bytes} {log} | sha256sum | cut -d ' ' -f 1");
        let sum = Command::new("bash").args(["-c", &script]).current_dir(fixtures()).output().expect("bash");
        let sum = String::from_utf8(sum.stdout).expect("UTF-8");
        let (numbers, _) = blake3.rsplit_once(':').expect("a hash");
        assert_eq!(sha256, format!("{numbers}:sha256:{}", sum.trim_end()));
        assert!(seen(&replay(&["-v", log])).contains(&blake3));
    }
}

/// The heads do not cover a torn tail, and a warning says so. A corrupt line and a compressed log have a head, too.
#[test]
fn head_of_any_file_is_printed() {
    let files = tempfile::tempdir().expect("a directory");
    let log = fs::read(fixtures().join(LOG)).expect("a log");
    let torn = files.path().join("torn");
    fs::write(&torn, [&log[..], b"{\"half"].concat()).expect("a log");
    let output = replay(&["--head", utf8(&torn)]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), head_of(LOG).join("\n") + "\n");
    let warning = "warning: the heads do not cover an incomplete line of 6 bytes after line 38\n";
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), warning));
    let corrupt = files.path().join("corrupt");
    fs::write(&corrupt, [&b"no event\n"[..], &log].concat()).expect("a log");
    assert!(head_of(utf8(&corrupt))[0].starts_with("39:6937:"));
    let archive = fs::File::create(files.path().join("log.gz")).expect("a file");
    if installed(&["gzip"]) {
        let log = fs::File::open(fixtures().join(LOG)).expect("a log");
        assert!(Command::new("gzip").arg("-c").stdin(log).stdout(archive).status().expect("gzip").success());
        assert_eq!(head_of(utf8(&files.path().join("log.gz"))), head_of(LOG), "of the decompressed bytes");
    }
    for (log, text) in [("nowhere", "cannot read \"nowhere\""), ("real", "--head requires exactly one log")] {
        let output = replay(&["--head", log]);
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(2), &b""[..]));
        assert!(seen(&output).contains(text), "{}", seen(&output));
    }
    assert_eq!(replay(&["--head", "--strict", LOG]).status.code(), Some(2), "it is no audit");
}

/// A kept head in either form has the same result, for `--extends` and for `--since`.
#[test]
fn both_forms_of_a_head_have_the_same_effect() {
    let forms = head_of(LOG);
    let others = head_of(OTHER);
    for option in ["--extends", "--since"] {
        for (forms, expected) in
            [(&forms, None), (&others, Some(if option == "--since" { "head-mismatch" } else { "log-truncated" }))]
        {
            let [blake3, sha256] = forms.each_ref().map(|head| {
                let output = replay(&["--format", "json", option, head, LOG]);
                let codes = codes(&output);
                let report = String::from_utf8(output.stdout).expect("UTF-8").replace(head.as_str(), "HEAD");
                let given = codes.into_iter().find(|code| code.starts_with("head-") || code.starts_with("log-"));
                (given, output.status.code(), report.replace("sha256:", ""))
            });
            assert_eq!(blake3.0.as_deref(), expected);
            assert_eq!((&blake3.0, blake3.1), (&sha256.0, sha256.1));
            if expected.is_none() {
                assert_eq!(blake3.2, sha256.2);
            }
        }
    }
    let [_, sha256] = &forms;
    let digits = sha256.rsplit_once(':').expect("a hash").1;
    for wrong in [
        format!("38:6928:sha256:{}", "0".repeat(64)),
        format!("38:6927:sha256:{digits}"),
        format!("37:6928:sha256:{digits}"),
    ] {
        let output = replay(&["--format", "json", "--extends", &wrong, LOG]);
        assert_eq!(
            (output.status.code(), codes(&output).contains(&"head-mismatch".to_owned())),
            (Some(1), true),
            "{wrong}"
        );
        assert!(seen(&replay(&["--extends", &wrong, LOG])).contains("| sha256sum"), "{wrong}");
    }
    for wrong in [
        format!("38:6928:sha512:{digits}"),
        format!("38:6928:sha256:{}", digits.to_uppercase()),
        format!("38:6928:sha256:{digits}0"),
    ] {
        assert_eq!(replay(&["--extends", &wrong, LOG]).status.code(), Some(2), "{wrong}");
    }
    let acknowledged = replay(&["--acknowledge-earlier", sha256, LOG]);
    assert_eq!(acknowledged.status.code(), Some(2), "an earlier log is named by its recorded head");
}

/// The signatures of each supported type of key are accepted, and `ssh-keygen` accepts the same.
#[test]
fn signature_of_ssh_keygen_is_accepted() {
    if !installed(&["ssh-keygen", "bash"]) {
        return;
    }
    let schema = fs::read(fixtures().join("../docs/report.schema.json")).expect("the schema");
    let schema = Validator::new(serde_json::from_slice(&schema).expect("JSON"));
    let files = Files::new();
    for (kind, bits) in [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384")] {
        let key = format!("{kind}-{bits}");
        files.make_key(&key, kind, bits);
        files.allow("a@x,b@x namespaces=\"shipper-head\"", &key);
        for head in head_of(LOG) {
            files.sign(&head, &key, "shipper-head");
            let verify = "ssh-keygen -Y verify -f signers -I b@x -n shipper-head -s head.sig < head";
            files.run("bash", &["-c", verify]);
            let output = files.audit(&["--format", "json", "--require", "sealed", LOG]);
            assert_eq!(output.status.code(), Some(0), "{key}: {}", seen(&output));
            let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
            assert_eq!(schema.check(&report), Ok(()), "{key}");
            let fingerprint = files.run("ssh-keygen", &["-l", "-f", &key]).stdout;
            let fingerprint = String::from_utf8(fingerprint).expect("UTF-8");
            let expected = serde_json::json!({"principals": ["a@x", "b@x"], "key": fingerprint.split(' ').nth(1)});
            assert_eq!((&report["demand"]["head_signer"], &report["demand"]["extends"]), (&expected, &head.into()));
        }
    }
}

/// The signatures of both types of security keys are accepted, by `ssh-keygen`, too. A changed counter is not.
#[test]
fn signature_of_a_security_key_is_accepted() {
    if !installed(&["ssh-keygen", "bash"]) {
        return;
    }
    let files = Files::new();
    for [key, signature] in [SK_ED25519, SK_ECDSA] {
        files.write("signers", format!("a@x {key}\n"));
        files.write("head", format!("{HEAD}\n"));
        files.write("head.sig", signature);
        files.run("bash", &["-c", "ssh-keygen -Y verify -f signers -I a@x -n shipper-head -s head.sig < head"]);
        let output = files.audit(&["--require", "sealed", LOG]);
        assert_eq!(output.status.code(), Some(0), "{}", seen(&output));
        // The last bytes are the counter.
        let (start, _) = signature.split_once("\n-----END").expect("an end");
        let base64 = start.trim_end_matches('=');
        let changed = signature.replacen(base64, &format!("{}A", &base64[..base64.len() - 1]), 1);
        assert_ne!(changed, signature);
        files.write("head.sig", changed);
        files.write("signers", format!("# a list\na@x {key}\n"));
        files.assert_untrusted(&[], &["is not a signature of"]);
    }
}

/// A signature that does not prove that an allowed signer signed this head gives an error, not a report.
#[test]
fn head_without_a_valid_signature_is_an_error() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let files = Files::new();
    let [head, sha256] = head_of(LOG);
    // Forged: another head with the same signature. The log begins with it, but no signature covers it.
    files.write("head", format!("{sha256}\n"));
    files.assert_untrusted(&[], &["head.sig\" is not a signature of", "help: trust neither file"]);
    // Signed again by another key.
    files.make_key("other", "ed25519", "256");
    files.sign(&sha256, "other", "shipper-head");
    files.assert_untrusted(&[], &["is not allowed", "does not contain the key SHA256:", "help: add the key"]);
    // Another namespace, of the signature or of the signer.
    files.sign(&head, "key", "git");
    files.assert_untrusted(
        &[],
        &["in the namespace \"git\", not in shipper-head", "ssh-keygen -Y sign -n shipper-head"],
    );
    files.sign(&head, "key", "shipper-head");
    files.allow("a@x namespaces=\"git,file\"", "key");
    files.assert_untrusted(&[], &["by line 2 of", "its namespaces do not include shipper-head"]);
    // Lists that mean more than the program reads.
    files.allow("a@x cert-authority", "key");
    files.assert_untrusted(&[], &["cannot read line 2 of", "unsupported option"]);
    files.allow("*@x", "key");
    files.assert_untrusted(&[], &["cannot read line 2 of", "patterns"]);
    files.allow("a@x", "key");
    // Types of keys.
    for (name, kind, bits, shown) in
        [("rsa", "rsa", "2048", "ssh-rsa"), ("p521", "ecdsa", "521", "ecdsa-sha2-nistp521")]
    {
        files.make_key(name, kind, bits);
        files.sign(&head, name, "shipper-head");
        files.assert_untrusted(&[], &["unsupported type of key", shown, "supported: Ed25519"]);
    }
    // Files of other kinds.
    files.sign(&head, "key", "shipper-head");
    files.write("head", format!("{head}\n{sha256}\n"));
    files.assert_untrusted(&[], &["is not a head", "shipper-replay --head LOG"]);
    files.write("head", &head);
    files.assert_untrusted(&[], &["is not a head", "line feed"]);
    files.write("head", "0".repeat(300));
    files.assert_untrusted(&[], &["longer than 256 bytes"]);
    files.write("head", format!("{head}\n"));
    files.write("head.sig", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n");
    files.assert_untrusted(&[], &["is not an SSH signature"]);
    fs::remove_file(files.path("head.sig")).expect("it was there");
    files.assert_untrusted(&[], &["cannot read", "head.sig"]);
}

/// A validity date needs the time of the verification, and means what it means to `ssh-keygen`.
#[test]
fn validity_dates_are_those_of_ssh_keygen() {
    if !installed(&["ssh-keygen", "bash"]) {
        return;
    }
    let files = Files::new();
    files.allow("a@x valid-after=\"20260101Z\",valid-before=\"20260201123000Z\"", "key");
    files.assert_untrusted(&[], &["line 2 of", "has a validity date", "--verify-time"]);
    for (time, option, problem) in [
        ("2025-12-31T23:59:59Z", "20251231235959Z", Some("not valid yet")),
        ("2026-01-01T00:00:00Z", "20260101Z", None),
        ("2026-02-01T13:30:00+01:00", "20260201123000Z", None),
        ("2026-02-01T12:30:01Z", "20260201123001Z", Some("not valid any more")),
    ] {
        let verify = format!(
            "ssh-keygen -Y verify -f signers -I a@x -n shipper-head -s head.sig -O verify-time={option} < head"
        );
        let theirs = Command::new("bash").args(["-c", &verify]).current_dir(&files.0).output().expect("it starts");
        assert_eq!(theirs.status.success(), problem.is_none(), "{time}: {theirs:?}");
        match problem {
            Some(problem) => files.assert_untrusted(&["--verify-time", time], &[problem]),
            None => assert_eq!(files.audit(&["--verify-time", time, LOG]).status.code(), Some(0), "{time}"),
        }
    }
}

/// A signed head of another log, of a cut one or of an edited one is a finding, as with `--extends`. A stale head covers
/// only the first lines.
#[test]
fn signed_head_is_compared_as_extends_is() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let files = Files::new();
    let log = fs::read_to_string(fixtures().join(LOG)).expect("a log");
    let grown: String = log.clone() + log.lines().last().expect("a line") + "\n";
    let (cut, _) = log.trim_end().rsplit_once('\n').expect("lines");
    files.write("grown", grown);
    files.write("cut", format!("{cut}\n"));
    files.write("torn", format!("{log}{{"));
    files.write("edited", log.replacen("3 packages", "4 packages", 1));
    let [grown, cut, torn, edited] = ["grown", "cut", "torn", "edited"].map(|name| files.path(name));
    let [grown, cut, torn, edited] = [&grown, &cut, &torn, &edited].map(|path| utf8(path));
    let edited_code = &["head-mismatch"][..];
    for (log, status, sealed, found, text) in [
        (LOG, 0, 0, &[][..], "Sealed by release@example.com with the key SHA256:"),
        (grown, 0, 1, &[], "Not sealed: 1 line follows those of the signed head."),
        (torn, 3, 1, &["torn-tail"], "Not sealed: an incomplete line follows those of the signed head."),
        (cut, 1, 1, &["log-truncated"], "the head of --signed-head is 38:6928:"),
        (edited, 1, 1, edited_code, "do not match the head given by --signed-head"),
        (OTHER, 1, 1, edited_code, "Not sealed: the log does not begin with the bytes of the signed head."),
    ] {
        let log = &["--no-sidecar", log][..];
        let output = files.audit(&[&["--format", "json"], log].concat());
        let codes = codes(&output);
        assert_eq!(output.status.code(), Some(status), "{log:?}: {codes:?}");
        assert!(found.iter().all(|code| codes.iter().any(|given| given == code)), "{log:?}: {codes:?}");
        let output = files.audit(&[&["--require", "sealed"], log].concat());
        assert_eq!(output.status.code(), Some(sealed), "{log:?}: {}", seen(&output));
        let wrapped = seen(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(wrapped.contains(text), "{log:?}: {wrapped}");
    }
    let output = replay(&["-q", "--require", "sealed", "--extends", &head_of(LOG)[0], LOG]);
    assert_eq!(output.status.code(), Some(1), "a head without a signer is no seal");
    assert!(seen(&output).contains("not sealed: no signed head was given; verified: "), "{}", seen(&output));
}

/// Every format names the signer, and shows that a log is not sealed.
#[test]
fn every_format_names_the_signer() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let files = Files::new();
    let named = |format: &str, args: &[&str]| {
        let output = files.audit(&[&["--format", format], args].concat());
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let key = String::from_utf8(files.run("ssh-keygen", &["-l", "-f", "key"]).stdout).expect("UTF-8");
    let key = key.split(' ').nth(1).expect("a fingerprint");
    for format in ["human", "json", "ndjson", "sarif", "markdown", "html", "vsa"] {
        let (status, text) = named(format, &[LOG]);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(status, Some(0), "{format}");
        assert!(text.contains("release@example.com") && text.contains(key), "{format}: {text}");
    }
    for format in ["human", "sarif", "markdown", "html", "github"] {
        let (status, text) = named(format, &["--require", "sealed", OTHER]);
        assert_eq!(status, Some(1), "{format}");
        assert!(text.to_lowercase().contains("not sealed: the log does not begin"), "{format}: {text}");
    }
    let (_, vsa) = named("vsa", &[LOG]);
    let vsa: Value = serde_json::from_str(&vsa).expect("a statement");
    let predicate = &vsa["predicate"];
    let levels = predicate["verifiedLevels"].as_array().expect("levels");
    assert!(levels.contains(&"SHIPPER_LOG_SEALED".into()) && levels.contains(&"SHIPPER_HEAD_EXTENDED".into()));
    let inputs: Vec<&str> = predicate["inputAttestations"]
        .as_array()
        .expect("inputs")
        .iter()
        .filter_map(|input| input["uri"].as_str())
        .collect();
    let expected = ["head", "head.sig", "signers"].map(|name| files.path(name));
    assert_eq!(inputs[2..], expected.each_ref().map(|path| utf8(path)));
    // A merged report keeps the signer and the seal.
    let (_, ndjson) = named("ndjson", &["--require", "sealed", LOG]);
    files.write("report", ndjson);
    let merged = program(&["--merge", "--format", "json", utf8(&files.path("report"))]).output().expect("it starts");
    let merged: Value = serde_json::from_slice(&merged.stdout).expect("a report");
    assert_eq!((&merged["exit_code"], &merged["demand"]["head_signer"]["key"]), (&0.into(), &key.into()));
}

/// `--require` takes both conditions, and each fails alone. Options that contradict a seal are usage errors.
#[test]
fn conditions_can_be_combined() {
    if !installed(&["ssh-keygen"]) {
        return;
    }
    let files = Files::new();
    let plan = "4f6e939d0470c7d75a6f992888a6728cbc872a2bd5f424ae73aad6e567fc902a";
    let both = |registry, log| {
        let args = ["--plan-id", plan, "--registry", registry, "--require", "authorized,sealed", "-q", log];
        let output = files.audit(&args);
        (output.status.code(), seen(&output))
    };
    assert_eq!(both("rehearsal", LOG).0, Some(0));
    assert!(both("rehearsal", LOG).1.contains(": authorized: plan 4f6e939d0470"), "{}", both("rehearsal", LOG).1);
    assert_eq!(both("another", LOG).0, Some(1), "sealed, but not authorized");
    files.sign(&head_of(OTHER)[0], "key", "shipper-head");
    assert!(both("rehearsal", LOG).1.contains("not sealed"), "{}", both("rehearsal", LOG).1);
    assert_eq!(both("rehearsal", LOG).0, Some(1));
    for (args, text) in [
        (&["--require", "sealed", "--at", "3"][..], "--at cannot be used with --require sealed"),
        (&["--extends", &head_of(LOG)[0]], "cannot be used with"),
        (
            &["--require", "authorized", "--plan-id", plan, "--registry", "r", "--accept", "dormant"],
            "--accept cannot be used",
        ),
        (&["--require", "authorized,sealed"], "--plan-id <ID>"),
        (&["real/skip/events.jsonl"], "--signed-head requires exactly one log"),
    ] {
        files.assert_untrusted(args, &[text]);
    }
    assert_eq!(replay(&["--signed-head", "head", LOG]).status.code(), Some(2), "without a list");
    assert_eq!(replay(&["--require", "sealed", "--accept", "unrecorded", LOG]).status.code(), Some(1), "no seal");
    let accepted = ["--require", "sealed", "--accept", "unrecorded", "real/skip/events.jsonl"];
    files.sign(&head_of("real/skip/events.jsonl")[0], "key", "shipper-head");
    assert_eq!(files.audit(&accepted).status.code(), Some(0), "sealed, and only accepted causes");
}
