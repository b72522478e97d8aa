//! Model of two registries, a workspace with build scripts, and a clock, all of which may be hostile. It records which
//! bytes were built in which rehearsal, and compares each upload to the live registry with that record, without any code
//! of the release engine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use shipper_core::release::{
    Failure, FailureClass, Limits, Plan, PlannedFile, PlannedPackage, PublishedState, Publisher, RateLimit, Registry,
    RegistryRole, StepContext, StepTarget, Upload,
};

use crate::fake_publisher::{LIVE, PATIENT, registry};
use crate::sim_storage::SimStorage;

/// The effect of the build script of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildTrick {
    None,
    /// It changes the package in the workspace.
    ChangesPackage,
    /// It changes all packages in the workspace.
    ChangesWorkspace,
    /// It leaves a process that changes all packages in the workspace during the next upload to the live registry.
    ChangesLater,
    /// It changes the packed file that is uploaded after the build.
    ChangesPack,
    /// The build fails.
    Fails,
}

/// The effect of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadTrick {
    None,
    /// Nothing is built or uploaded, and another attempt may succeed.
    NotBegun,
    /// The same, and another publisher uploads the content of the plan at that moment.
    NotBegunAndOvertaken,
    /// The registry keeps other bytes than it got.
    KeepsOther,
    /// The registry accepts the upload, and keeps nothing.
    Drops,
    /// The registry keeps the upload, and its answer is lost.
    LosesAnswer,
    /// The registry keeps nothing, and its answer is lost.
    LosesUpload,
    /// Another publisher uploads other content first, and the answer is lost.
    Overtaken,
    /// The registry shows the upload after that many lookups.
    ShowsLate(u8),
    /// The registry refuses the upload because of its rate.
    RateLimited,
    /// Another program changes the package between its comparison with the plan and its upload to the live registry.
    ChangedBetween,
    /// The same, and the answer of the registry is lost.
    ChangedAndLost,
}

/// The answer of a registry to a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupTrick {
    None,
    Unanswered,
    Refused,
    /// It shows nothing.
    Absent,
    /// It shows another package.
    Other,
    /// It shows the content of the plan, also if it has nothing or something else.
    Planned,
}

/// The change of the clock at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTrick {
    None,
    /// It is set to that many seconds after 1970.
    Jumps(u64),
    /// It goes back by that many seconds.
    GoesBack(u64),
}

/// The effects that the next steps have, in order; after them, there is none.
#[derive(Debug, Clone, Default)]
pub struct Adversary {
    pub builds: VecDeque<BuildTrick>,
    /// The uploads to the rehearsal registry.
    pub rehearsal_uploads: VecDeque<UploadTrick>,
    /// The uploads to the live registry.
    pub uploads: VecDeque<UploadTrick>,
    pub lookups: VecDeque<LookupTrick>,
    pub clock: VecDeque<ClockTrick>,
}

/// The names of the packages in the workspace.
pub const NAMES: [&str; 2] = ["a", "b"];

/// A package in the workspace. Its content is one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub byte: u8,
    pub version: u8,
}

/// A version on a registry.
struct Kept {
    byte: u8,
    /// The number of lookups that do not show it.
    hidden: u8,
}

/// The workspace and the registries.
pub struct World {
    pub disk: SimStorage,
    pub adversary: Adversary,
    pub source: [Source; 2],
    pub limits: Limits,
    now: SystemTime,
    /// `true` if a process of a build script is still running.
    changes_later: bool,
    /// The packages of the plan, by `name@version`, as the publisher read them.
    planned: BTreeMap<String, u8>,
    plan_id: String,
    kept: BTreeMap<(bool, String), Kept>,
    /// The bytes that were compared with the plan before an upload to the live registry.
    approved: BTreeMap<String, u8>,
    /// The packages with the bytes that were built since the beginning of the rehearsal.
    built: BTreeSet<(String, u8)>,
    /// The packages that were built in the latest passed rehearsal of each plan.
    rehearsed: BTreeMap<String, BTreeSet<(String, u8)>>,
    /// The number of uploads that reached the live registry.
    pub uploads: usize,
    /// The uploads to the live registry whose bytes were not built in the rehearsal.
    pub unlawful: Vec<String>,
}

/// Returns the checksum of a packed file.
fn cksum(byte: u8) -> String {
    blake3::hash(&[byte]).to_string()
}

fn package(name: &str, source: Source) -> PlannedPackage {
    let files = vec![PlannedFile::new("src/lib.rs", &[source.byte])];
    PlannedPackage::new(name, format!("0.{}.0", source.version), files)
}

fn failure<T>(class: FailureClass) -> Result<T, Failure> {
    Err(Failure::new(class, "it failed"))
}

impl World {
    pub fn new(adversary: Adversary) -> Self {
        Self {
            disk: SimStorage::default(),
            adversary,
            source: [Source { byte: 1, version: 1 }; 2],
            limits: PATIENT,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            changes_later: false,
            planned: BTreeMap::new(),
            plan_id: String::new(),
            kept: BTreeMap::new(),
            approved: BTreeMap::new(),
            built: BTreeSet::new(),
            rehearsed: BTreeMap::new(),
            uploads: 0,
            unlawful: Vec::new(),
        }
    }

    /// Reads the workspace as a new process does: the plan has its packages, and no pack is approved.
    pub fn read(&mut self) -> Plan {
        let packages: Vec<_> = NAMES.iter().zip(self.source).map(|(name, source)| package(name, source)).collect();
        self.planned = packages.iter().zip(self.source).map(|(one, source)| (one.id(), source.byte)).collect();
        self.approved.clear();
        self.built.clear();
        let plan = Plan::new(registry(LIVE), packages).expect("a plan");
        self.plan_id = plan.plan_id().to_string();
        plan
    }

    /// Takes the end of a rehearsal into the record.
    pub fn rehearsal_ended(&mut self, passed: bool) {
        let built = std::mem::take(&mut self.built);
        if passed {
            self.rehearsed.insert(self.plan_id.clone(), built);
        } else {
            self.rehearsed.remove(&self.plan_id);
        }
    }

    fn tick(&mut self) {
        match self.adversary.clock.pop_front().unwrap_or(ClockTrick::None) {
            ClockTrick::None => self.now += Duration::from_secs(1),
            ClockTrick::Jumps(seconds) => self.now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
            ClockTrick::GoesBack(seconds) => {
                self.now = self.now.checked_sub(Duration::from_secs(seconds)).unwrap_or(SystemTime::UNIX_EPOCH);
            }
        }
        self.disk.set_clock(self.now);
    }

    /// Builds a package of the plan, and returns the packed bytes after the build.
    fn build(&mut self, id: &str) -> Result<u8, Failure> {
        let byte = self.planned[id];
        let trick = self.adversary.builds.pop_front().unwrap_or(BuildTrick::None);
        let is_this = |name: &str| id.split_once('@').is_some_and(|(found, _)| found == name);
        for (name, source) in NAMES.iter().zip(&mut self.source) {
            if trick == BuildTrick::ChangesWorkspace || (trick == BuildTrick::ChangesPackage && is_this(name)) {
                source.byte ^= 0x10;
            }
        }
        self.changes_later |= trick == BuildTrick::ChangesLater;
        if trick == BuildTrick::Fails {
            return failure(FailureClass::Permanent);
        }
        self.built.insert((id.to_owned(), byte));
        Ok(if trick == BuildTrick::ChangesPack { byte ^ 0x20 } else { byte })
    }

    /// Returns the bytes of an upload, and the effect that it has, or the failure before it.
    fn prepare(&mut self, target: StepTarget<'_>) -> Result<(u8, UploadTrick), Failure> {
        let (id, is_live) = (target.package.id(), matches!(target.role, RegistryRole::Live(_)));
        let Adversary { uploads, rehearsal_uploads, .. } = &mut self.adversary;
        let tricks = if is_live { uploads } else { rehearsal_uploads };
        let trick = tricks.pop_front().unwrap_or(UploadTrick::None);
        match trick {
            UploadTrick::NotBegun => return failure(FailureClass::Retryable),
            UploadTrick::NotBegunAndOvertaken => {
                let byte = self.planned[&id];
                self.kept.entry((is_live, id)).or_insert(Kept { byte, hidden: 0 });
                return failure(FailureClass::Retryable);
            }
            _ => {}
        }
        if !is_live {
            return Ok((self.build(&id)?, trick));
        }
        if std::mem::take(&mut self.changes_later) {
            self.source.iter_mut().for_each(|source| source.byte ^= 0x10);
        }
        // The pack has the files of the workspace at this moment, and must equal the plan.
        let position = NAMES.iter().position(|name| *name == target.package.name).expect("a member");
        let packed = package(&target.package.name, self.source[position]);
        if packed.content() != target.package.content() {
            return failure(FailureClass::Permanent);
        }
        let byte = self.source[position].byte;
        self.approved.insert(id, byte);
        let is_changed = matches!(trick, UploadTrick::ChangedBetween | UploadTrick::ChangedAndLost);
        Ok((if is_changed { byte ^ 0x40 } else { byte }, trick))
    }

    /// Compares an upload to the live registry with the record.
    fn judge(&mut self, id: &str, byte: u8) {
        self.uploads += 1;
        let is_lawful = self.rehearsed.get(&self.plan_id).is_some_and(|built| built.contains(&(id.to_owned(), byte)));
        if !is_lawful {
            self.unlawful.push(format!("{id} with the byte {byte:#x}"));
        }
    }
}

impl Publisher for World {
    fn upload_endpoint(&mut self, role: RegistryRole<'_>, _: &mut StepContext<'_>) -> Result<String, Failure> {
        Ok(format!("https://{}.example/api", role.registry().name))
    }

    fn preflight(&mut self, _: &Plan, _: &mut StepContext<'_>) -> Result<(), Failure> {
        self.tick();
        Ok(())
    }

    fn lookup(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<PublishedState, Failure> {
        self.tick();
        let (id, is_live) = (target.package.id(), matches!(target.role, RegistryRole::Live(_)));
        let planned = self.planned[&id];
        let different = |expected: u8, found: u8| {
            Ok(PublishedState::DifferentContent { expected: cksum(expected), found: cksum(found) })
        };
        let kept = match self.adversary.lookups.pop_front().unwrap_or(LookupTrick::None) {
            LookupTrick::None => self.kept.get_mut(&(is_live, id.clone())),
            LookupTrick::Unanswered => return failure(FailureClass::Retryable),
            LookupTrick::Refused => return failure(FailureClass::Permanent),
            LookupTrick::Absent => None,
            LookupTrick::Other => return different(planned, 0xee),
            LookupTrick::Planned => return Ok(PublishedState::SameContent { cksum: Some(cksum(planned)) }),
        };
        let Some(kept) = kept else { return Ok(PublishedState::Absent) };
        if kept.hidden > 0 {
            kept.hidden -= 1;
            return Ok(PublishedState::Absent);
        }
        let expected = self.approved.get(&id).filter(|_| is_live).copied().unwrap_or(planned);
        if kept.byte == expected {
            return Ok(PublishedState::SameContent { cksum: Some(cksum(kept.byte)) });
        }
        different(expected, kept.byte)
    }

    fn publish(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<Upload, Failure> {
        self.tick();
        let (id, is_live) = (target.package.id(), matches!(target.role, RegistryRole::Live(_)));
        let (byte, trick) = self.prepare(target)?;
        let place = (is_live, id.clone());
        match trick {
            UploadTrick::RateLimited => {
                let rate_limit = Some(RateLimit { retry_after: Some(Duration::from_millis(1)) });
                return Err(Failure { rate_limit, ..Failure::new(FailureClass::Retryable, "too many requests") });
            }
            UploadTrick::LosesUpload => return failure(FailureClass::Ambiguous),
            UploadTrick::Overtaken => {
                self.kept.entry(place).or_insert(Kept { byte: 0xdd, hidden: 0 });
                return failure(FailureClass::Ambiguous);
            }
            _ => {}
        }
        if self.kept.contains_key(&place) {
            return failure(FailureClass::Permanent);
        }
        if is_live {
            self.judge(&id, byte);
        }
        let hidden = if let UploadTrick::ShowsLate(lookups) = trick { lookups } else { 0 };
        let kept = if trick == UploadTrick::KeepsOther { byte ^ 0x80 } else { byte };
        if trick != UploadTrick::Drops {
            self.kept.insert(place, Kept { byte: kept, hidden });
        }
        if matches!(trick, UploadTrick::LosesAnswer | UploadTrick::ChangedAndLost) {
            return failure(FailureClass::Ambiguous);
        }
        let approved = self.approved.get(&id).filter(|_| is_live).copied();
        Ok(Upload { cksum: approved.map(|_| cksum(byte)), approved: approved.map(cksum), ..Upload::default() })
    }

    fn verify_build(&mut self, target: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        self.tick();
        self.build(&target.package.id()).map(drop)
    }

    fn install(&mut self, _: StepTarget<'_>, _: &mut StepContext<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn describe_command(&self, package: &PlannedPackage, live: &Registry) -> String {
        format!("upload {} to {}", package.id(), live.name)
    }
}
