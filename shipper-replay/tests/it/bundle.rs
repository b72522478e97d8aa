//! A bundle carries an audit to the next auditor without a loss: standard programs check its files, any change is noticed,
//! and the options of the receiver decide, never those of the sender.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use shipper_testkit::program::installed;
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

use crate::support::json_schema::Validator;
use crate::support::{cases, fixtures, program, replay, replay_stdin, seen};

const LOG: &str = "packets/pass-3crate/events.jsonl";
const TIME: [&str; 2] = ["--time", "2026-11-23T12:00:00Z"];

/// The name and the content of a file in a bundle.
type File = (String, Vec<u8>);

/// A directory for bundles and what is made of them.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).expect("it can be written");
        self.path(name)
    }

    /// Writes a bundle with these options, and returns its path.
    fn bundle(&self, name: &str, args: &[&str]) -> String {
        let path = self.path(name);
        let output = replay(&[&["--bundle", &path], &TIME[..], args].concat());
        assert!(Path::new(&path).exists(), "{}", seen(&output));
        path
    }

    fn run(&self, command: &str) -> Output {
        let bin = PathBuf::from(env!("CARGO_BIN_EXE_shipper-replay"));
        let path =
            format!("{}:{}", bin.parent().expect("a directory").display(), std::env::var("PATH").expect("a path"));
        let output = Command::new("bash").args(["-euc", command]).env("PATH", path).current_dir(&self.0).output();
        output.expect("bash")
    }
}

/// Returns the names and the contents of the files in a bundle.
fn files(bundle: &str) -> Vec<File> {
    let mut archive = tar::Archive::new(fs::File::open(bundle).expect("a bundle"));
    let entries = archive.entries().expect("entries").map(|entry| {
        let mut entry = entry.expect("an entry");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("its bytes");
        (entry.path().expect("a name").to_str().expect("UTF-8").to_owned(), bytes)
    });
    entries.collect()
}

fn file(bundle: &str, name: &str) -> Vec<u8> {
    let wanted = format!("shipper-bundle/{name}");
    files(bundle).into_iter().find(|(name, _)| *name == wanted).expect("the file").1
}

/// Returns the header that the program writes.
fn header(name: &str, len: usize) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(len as u64);
    header.set_cksum();
    header
}

/// Returns an archive of these files.
fn archive(files: &[File]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in files {
        builder.append(&header(name, bytes.len()), &bytes[..]).expect("memory");
    }
    builder.into_inner().expect("memory")
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The report and the statement are those that the formats print. Other programs read the archive, and the command in
/// README repeats the audit.
#[test]
fn other_programs_read_a_bundle() {
    if !installed(&["bash", "tar", "sha256sum", "ssh-keygen"]) {
        return;
    }
    let folder = Folder::new();
    folder.write("policy.toml", "registry = \"rehearsal\"\n");
    let setup = "ssh-keygen -q -t ed25519 -N '' -C sender -f key
        shipper-replay --head LOG | tail -n 1 > sealed
        ssh-keygen -q -Y sign -n shipper-head -f key sealed
        printf 'sender namespaces=\"shipper-head\" %s\\n' \"$(cat key.pub)\" > signers";
    let log = fixtures().join(LOG);
    let set_up = folder.run(&setup.replace("LOG", log.to_str().expect("UTF-8")));
    assert!(set_up.status.success(), "{set_up:?}");
    let (policy, head, signers) = (folder.path("policy.toml"), folder.path("sealed"), folder.path("signers"));
    let args = ["--policy", &policy, "--signed-head", &head, "--allowed-signers", &signers, LOG];
    let bundle = folder.bundle("audit.tar", &args);
    let printed = |format: &str| replay(&[&["--format", format], &args[..]].concat()).stdout;
    assert_eq!(file(&bundle, "report.json"), printed("json"));
    let statement = replay(&[&["--format", "vsa"], &TIME[..], &args].concat()).stdout;
    assert_eq!(file(&bundle, "statement.json"), statement);
    for (name, path) in [("events.jsonl", log.to_str().expect("UTF-8")), ("policy.toml", &policy), ("head", &head)] {
        assert_eq!(file(&bundle, name), fs::read(path).expect("the file"), "{name}");
    }
    // The order of the options, the path and the format do not matter.
    let mut turned = args[4..].to_vec();
    turned.extend(&args[..4]);
    let again = folder.bundle("again.tar", &[&["--format", "html"], &turned[..]].concat());
    assert_eq!(fs::read(&bundle).expect("bytes"), fs::read(again).expect("bytes"));

    let checked = folder.run("tar xf audit.tar && cd shipper-bundle && sha256sum -c --strict SHA256SUMS && ls");
    let text = seen(&checked);
    let names = "README\nSHA256SUMS\nallowed_signers\nevents.jsonl\nhead\nhead.sig\npolicy.toml\nrehearsal.json\nreport.json\nstate.json\nstatement.json\n";
    assert!(checked.status.success() && text.matches(": OK").count() == 10 && text.contains(names), "{text}");
    let verified = "cd shipper-bundle && ssh-keygen -Y verify -f allowed_signers -I sender -n shipper-head -s head.sig < head \
        && head -c $(cut -d : -f 2 head) events.jsonl | sha256sum | grep -q $(cut -d : -f 4 head)";
    assert!(folder.run(verified).status.success());
    let readme = String::from_utf8(file(&bundle, "README")).expect("UTF-8");
    let command = readme.lines().find(|line| line.ends_with(" events.jsonl") && line.starts_with("  shipper-replay"));
    let command = command.unwrap_or_else(|| panic!("a command: {readme}"));
    let repeated = folder.run(&format!("cd shipper-bundle && {command} --format json"));
    let (mut repeated, sent) = (json_of(&repeated), json_of(&replay(&[&["--format", "json"], &args[..]].concat())));
    for (member, path) in [("sidecar", "rehearsal.json"), ("packet", "state.json")] {
        assert!(repeated["logs"][0][member].to_string().contains(path), "{repeated}");
        repeated["logs"][0][member] = sent["logs"][0][member].clone();
    }
    repeated["logs"][0]["path"] = LOG.into();
    assert_eq!(repeated, sent);
}

/// `jq` selects from the report and the statement of a bundle.
#[test]
fn jq_reads_the_report_of_a_bundle() {
    if !installed(&["bash", "tar", "jq"]) {
        return;
    }
    let folder = Folder::new();
    folder.bundle("audit.tar", &["--registry", "rehearsal", LOG]);
    let output = folder.run(
        "tar xf audit.tar
        jq -r '.logs[] | \"\\(.conclusion) \\(.path)\"' shipper-bundle/report.json
        jq -r '.subject[0].digest.sha256' shipper-bundle/statement.json
        sha256sum < shipper-bundle/events.jsonl
        jq -c '.predicate.policy.annotations.shipper_policy' shipper-bundle/statement.json | tr -d '\\n' | sha256sum
        jq -r '.predicate.policy.digest.sha256' shipper-bundle/statement.json",
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("verified {LOG}"), "{text}");
    assert_eq!(format!("{}  -", lines[1]), lines[2]);
    assert_eq!(lines[3], format!("{}  -", lines[4]), "the digest of the policy is that of its compact JSON");
}

/// A log gives the same result from a bundle as from its folder, apart from paths.
#[test]
fn bundle_loses_nothing() {
    let folder = Folder::new();
    let mut bundled = 0;
    let packets = fs::read_dir(fixtures().join("packets")).expect("packets");
    let packets =
        packets.map(|entry| format!("packets/{}", entry.expect("an entry").file_name().to_str().expect("UTF-8")));
    // By default a third of the logs, because each needs two runs of the program.
    let step = if std::env::var_os("SHIPPER_FULL").is_some() { 1 } else { 3 };
    for (case, number) in cases().into_iter().step_by(step).chain(packets).zip(0..) {
        let log = format!("{case}/events.jsonl");
        let path = folder.path(&format!("{number}.tar"));
        let sent = replay(&[&["--format", "json", "--bundle", &path], &TIME[..], &[&log]].concat());
        let received = replay(&["--format", "json", &path]);
        assert_eq!(sent.status.code(), received.status.code(), "{case}");
        let (sent, received) = (json_of(&sent), json_of(&received));
        let (sent, received) = (&sent["logs"][0], &received["logs"][0]);
        for member in ["conclusion", "lines", "blake3", "integrity", "tail", "receipt", "gate", "decisions"] {
            assert_eq!(sent[member], received[member], "{case}: {member}");
        }
        let codes = |log: &Value| {
            let codes = log["findings"].as_array().expect("findings").iter();
            codes.map(|finding| finding["code"].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(codes(sent), codes(received), "{case}");
        assert_eq!(received["bundle"]["sender_conclusion"], sent["conclusion"], "{case}");
        bundled += 1;
    }
    assert!(bundled > 25, "{bundled} logs");
}

/// Every format reads a bundle. The schema has its member.
#[test]
fn every_format_reads_a_bundle() {
    let folder = Folder::new();
    let bundle = folder.bundle("audit.tar", &["real/tampered-sidecar/events.jsonl"]);
    for format in ["human", "json", "ndjson", "sarif", "github", "markdown", "html", "vsa"] {
        let output = replay(&["--format", format, &bundle]);
        assert_eq!(output.status.code(), Some(1), "{format}: {}", seen(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains("publish-not-authorized"), "{format}: {text}");
        if ["human", "markdown", "html"].contains(&format) {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains("the sender concluded: violated"), "{format}: {text}");
            let has_excerpt = text.contains("\"passed\":false");
            assert!(has_excerpt || format != "human", "{text}");
        }
    }
    let statement = json_of(&replay(&["--format", "vsa", &bundle]));
    let of_log = json_of(&replay(&["--format", "vsa", "real/tampered-sidecar/events.jsonl"]));
    let subject = &statement["subject"][0];
    assert_eq!(subject["name"], format!("{bundle}/events.jsonl"));
    assert_eq!(subject["digest"], of_log["subject"][0]["digest"], "the subject is the log, not the bundle");
    assert_eq!(
        statement["predicate"]["inputAttestations"].as_array().map(Vec::len),
        Some(2),
        "the log and the sidecar"
    );
    let schema = fixtures().join("../docs/report.schema.json");
    let validator = Validator::new(serde_json::from_slice(&fs::read(schema).expect("the schema")).expect("JSON"));
    let report = json_of(&replay(&["--format", "json", &bundle]));
    assert_eq!(validator.check(&report), Ok(()));
    for (member, value) in
        [("log", json!("other.jsonl")), ("files", json!("7")), ("sender_conclusion", json!("good")), ("new", json!(1))]
    {
        let mut report = report.clone();
        report["logs"][0]["bundle"][member] = value;
        assert!(!validator.is_valid(&report), "{member}");
    }
    let ndjson = replay(&["--format", "ndjson", &bundle]).stdout;
    let merged = replay(&["--merge", "--format", "json", &folder.write("report", ndjson)]);
    assert_eq!(json_of(&merged)["logs"][0]["bundle"], report["logs"][0]["bundle"]);
}

/// Registry, policy, signers and position are those of the receiver. A different conclusion is shown.
#[test]
fn receiver_decides() {
    let folder = Folder::new();
    let lenient = folder.write("lenient.toml", "registry = \"rehearsal\"\n");
    let strict = folder.write("strict.toml", "require-chained = true\n");
    let bundle = folder.bundle("audit.tar", &["--policy", &lenient, "real/pass-3crate/events.jsonl"]);
    let conclusion = |args: &[&str]| {
        let output = replay(&[args, &[&bundle]].concat());
        (output.status.code(), seen(&output).split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (status, text) = conclusion(&[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("the sender concluded with a policy: verified") && text.contains("self-declared"), "{text}");
    assert!(!text.contains("concluded otherwise"), "{text}");
    let (status, text) = conclusion(&["--policy", &strict]);
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("policy-unchained") && text.contains("why the sender of the bundle concluded otherwise"),
        "{text}"
    );
    assert_eq!(conclusion(&["--registry", "another"]).0, Some(1));
    assert_eq!(conclusion(&["--require", "sealed"]).0, Some(1));
    assert!(conclusion(&["--no-sidecar"]).1.contains("sidecar not checked"));
    assert!(conclusion(&["--at", "6"]).1.contains("sidecar not checked"), "as beside a log");
    let (_, text) = conclusion(&["--sidecar", "real/fail-2of3/rehearsal.json"]);
    assert!(text.contains("real/fail-2of3/rehearsal.json differs"), "{text}");
    // A bundle of a bundle has the options of the second auditor.
    let second = folder.bundle("second.tar", &["--policy", &strict, &bundle]);
    assert_eq!(file(&second, "policy.toml"), b"require-chained = true\n");
    assert_eq!(file(&second, "events.jsonl"), file(&bundle, "events.jsonl"));
    assert!(seen(&replay(&[&second])).contains("the sender concluded with a policy: violated"));
}

/// The index of the sender is used unless the receiver has another one.
#[test]
fn index_of_a_bundle_is_the_default() {
    let folder = Folder::new();
    let line = |version: &str| {
        format!(
            "{{\"name\":\"zq-a\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"{}\",\"yanked\":false}}\n",
            "0".repeat(64)
        )
    };
    let index = folder.write("zq-a", line("9.9.9"));
    let bundle = folder.bundle("audit.tar", &["--index", &index, "real/pass-3crate/events.jsonl"]);
    assert_eq!(file(&bundle, "index/0001"), line("9.9.9").as_bytes());
    let codes =
        |args: &[&str]| json_of(&replay(&[&["--format", "json"], args, &[&bundle]].concat()))["logs"][0].clone();
    assert!(codes(&[])["findings"].to_string().contains("index-missing"));
    let own = folder.write("own", line("8.8.8"));
    let found = codes(&["--index", &own]);
    assert!(found["index"].to_string().contains("own") || found["findings"].to_string().contains("index-missing"));
    assert!(!found.to_string().contains("index/0001"), "{found}");
}

/// A marker beside the log makes the log doubtful for the receiver, too.
#[test]
fn markers_are_in_the_bundle() {
    let folder = Folder::new();
    let log = folder.write("events.jsonl", fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("a log"));
    for (suffix, code) in [("repairing", "repair-interrupted"), ("unsynced", "sync-failed")] {
        let marker = folder.write(&format!("events.jsonl.{suffix}"), "a marker\n");
        let bundle = folder.bundle(&format!("{suffix}.tar"), &[&log]);
        fs::remove_file(marker).expect("it was there");
        assert_eq!(file(&bundle, &format!("events.jsonl.{suffix}")), b"");
        let output = replay(&[&bundle]);
        assert_eq!(output.status.code(), Some(3), "{}", seen(&output));
        assert!(seen(&output).contains(code), "{}", seen(&output));
    }
}

/// A compressed log and a stream are in the bundle with the bytes that were read.
#[test]
fn compressed_logs_and_streams_keep_their_bytes() {
    let folder = Folder::new();
    let plain = fs::read(fixtures().join("real/pass-3crate/events.jsonl")).expect("a log");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &plain).expect("memory");
    let gzip = gzip.finish().expect("memory");
    for (input, name) in [(&gzip, "events.jsonl.gz"), (&plain, "events.jsonl")] {
        let bundle = folder.path(&format!("{name}.tar"));
        let output = replay_stdin(&["--bundle", &bundle, "-"], input);
        assert_eq!(output.status.code(), Some(0), "{}", seen(&output));
        assert_eq!(&file(&bundle, name), input);
        let head = replay(&["--head", &bundle]);
        assert_eq!(head.stdout, replay(&["--head", "real/pass-3crate/events.jsonl"]).stdout);
        let compared = replay(&["--compare", &bundle, "real/pass-3crate/events.jsonl"]);
        assert_eq!(compared.status.code(), Some(0), "{}", seen(&compared));
    }
}

/// Each kind of damage has status 2 and a message that names the file, and is never judged.
#[test]
fn damaged_bundle_is_not_judged() {
    let folder = Folder::new();
    let bundle = folder.bundle("audit.tar", &["--registry", "rehearsal", LOG]);
    let files = files(&bundle);
    let mut cases: Vec<(Vec<u8>, String)> = Vec::new();
    for (position, (path, _)) in files.iter().enumerate() {
        let name = path.strip_prefix("shipper-bundle/").expect("the directory");
        let changed = |change: &dyn Fn(&mut Vec<File>)| {
            let mut files = files.clone();
            change(&mut files);
            archive(&files)
        };
        let is_sums = name == "SHA256SUMS";
        let expected = if is_sums { "README" } else { "does not match its sum" };
        cases.push((changed(&|files| files[position].1[0] ^= 1), expected.to_owned()));
        if !is_sums {
            cases
                .push((changed(&|files| files[position].1.push(b' ')), format!("{name} in the bundle does not match")));
        }
        // README is the first file: a file that begins otherwise is no bundle, but a corrupt log.
        if position > 0 {
            let missing = if name == "events.jsonl" { "does not contain a log" } else { name };
            cases.push((changed(&|files| drop(files.remove(position))), missing.to_owned()));
        }
        cases.push((
            changed(&|files| files.insert(position, files[position].clone())),
            format!("contains {name} twice"),
        ));
        cases.push((changed(&|files| files[position].0 = "shipper-bundle/other".to_owned()), "other".to_owned()));
        cases.push((
            changed(&|files| files[position].0 = format!("shipper-bundle/../{name}")),
            "is not one of a bundle".to_owned(),
        ));
    }
    cases.retain(|(bytes, _)| bytes.starts_with(b"shipper-bundle/"));
    let last = files.len() - 1;
    let with = |files: &[File], header: &Header, bytes: &[u8]| {
        let mut builder = Builder::new(Vec::new());
        for (name, bytes) in files {
            builder.append(&self::header(name, bytes.len()), &bytes[..]).expect("memory");
        }
        builder.append(header, bytes).expect("memory");
        builder.into_inner().expect("memory")
    };
    for (kind, letter) in [
        (EntryType::Symlink, "2"),
        (EntryType::Link, "1"),
        (EntryType::Directory, "5"),
        (EntryType::XHeader, "x"),
        (EntryType::XGlobalHeader, "g"),
        (EntryType::GNUSparse, "S"),
        (EntryType::GNULongName, "L"),
        (EntryType::Fifo, "6"),
    ] {
        let mut special = header("shipper-bundle/statement.json", 0);
        special.set_entry_type(kind);
        special.set_cksum();
        cases.push((with(&files[..last], &special, b""), format!("not a plain file (\"{letter}\")")));
    }
    for (name, text) in [("/etc/passwd", "/etc/passwd"), ("shipper-bundle/index/0001", "does not list index/0001")] {
        cases.push((with(&files, &header(name, 0), b""), text.to_owned()));
    }
    let mut huge = header("shipper-bundle/report.json", 0);
    huge.set_size(8 * 1024 * 1024 * 1024);
    huge.set_cksum();
    cases.push((with(&files[..last - 1], &huge, b""), "has other fields".to_owned()));
    cases.push((
        with(&files[..last - 1], &header("shipper-bundle/report.json", 1 << 29), b""),
        "longer than".to_owned(),
    ));
    let mut owned = header("shipper-bundle/statement.json", 0);
    owned.set_mtime(1);
    owned.set_cksum();
    cases.push((with(&files[..last], &owned, b""), "has other fields".to_owned()));
    let whole = fs::read(&bundle).expect("bytes");
    cases.push((whole[..whole.len() - 512].to_vec(), "truncated".to_owned()));
    cases.push((whole[..5000].to_vec(), "truncated".to_owned()));
    cases.push(([&whole[..], b"\n"].concat(), "bytes follow the end".to_owned()));
    cases.push(([&whole[..], &whole].concat(), "bytes follow the end".to_owned()));
    assert!(cases.len() > 40, "{}", cases.len());
    for (bytes, text) in cases {
        let output = replay(&[&folder.write("damaged.tar", bytes)]);
        let shown = seen(&output);
        let joined = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(2), "{text}: {shown}");
        assert!(joined.contains(text.trim()), "expected {text}: {shown}");
    }
    // Other sums for a report that is none.
    let mut files = files;
    files[5].1 = b"{}\n".to_vec();
    let sums = String::from_utf8(files[1].1.clone()).expect("UTF-8");
    let sums: String = sums
        .lines()
        .map(|line| match line.ends_with("report.json") {
            true => "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356  report.json\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    files[1].1 = sums.into_bytes();
    let output = replay(&[&folder.write("damaged.tar", archive(&files))]);
    assert!(seen(&output).contains("report.json in the bundle is not a report"), "{}", seen(&output));
    let tar = replay(&[&folder.write("other.tar", [&b"X"[..], &whole[1..]].concat())]);
    assert_eq!(tar.status.code(), Some(1), "another archive is a corrupt log: {}", seen(&tar));
}

/// Errors of usage and of the file system leave no file.
#[test]
fn no_bundle_without_an_audit_of_one_log() {
    let folder = Folder::new();
    let out = folder.path("out.tar");
    let (exists, index) = (folder.write("exists.tar", ""), folder.path("index"));
    fs::create_dir(&index).expect("a directory");
    let in_index = folder.path("index/out.tar");
    let (nowhere, zip) = (folder.path("no/out.tar"), folder.write("a.zip", b"PK\x03\x04"));
    let bundle = folder.bundle("audit.tar", &[LOG]);
    let other = "real/skip/events.jsonl";
    for (args, text) in [
        (&["--bundle", &out, LOG, other][..], "--bundle requires exactly one log"),
        (&["--bundle", &out, "real"], "--bundle requires exactly one log"),
        (&["--bundle", &exists, LOG], "exists.tar\" exists"),
        (&["--bundle", &in_index, "--index", &index, LOG], "would be in the directory"),
        (&["--bundle", &nowhere, LOG], "cannot write the bundle"),
        (&["--bundle", &out, &zip], "zip archive"),
        (&["--bundle", &out, "nowhere.jsonl"], "cannot make a statement"),
        (&["--bundle", &out, "--require", "sealed", LOG], "cannot be used with"),
        (&["--bundle", &out, "--follow", LOG], "cannot be used with"),
        (&["--bundle", &out, "--merge", LOG], "cannot be used with"),
        (&["--bundle", &out, "--compare", LOG, LOG], "cannot be used with"),
        (&["--bundle", &out, "--head", LOG], "cannot be used with"),
        (&["--follow", &bundle], "--follow cannot read a bundle"),
        (&["--time", "2026-11-23T12:00:00Z", LOG], "--time requires --format vsa or --bundle"),
    ] {
        let output = replay(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", seen(&output));
        assert!(output.stdout.is_empty() && seen(&output).contains(text), "{args:?}: {}", seen(&output));
    }
    let mut left: Vec<String> = fs::read_dir(&folder.0)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_str().expect("UTF-8").to_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["a.zip", "audit.tar", "exists.tar", "index"]);
    let walked = program(&[folder.0.path().to_str().expect("UTF-8")]).output().expect("it starts");
    assert_eq!(walked.status.code(), Some(3), "a directory has no bundles: {}", seen(&walked));
}
