//! The plan: what would be published, named by its content.
//!
//! A plan's name is the BLAKE3 of its canonical form, which is text, so that a person can make it:
//!
//! ```text
//! shipper.plan.v1
//! package zq-a 0.1.0
//! 5d41…  Cargo.toml
//! 9e10…  src/lib.rs
//! locked itoa 1.0.15 4a5f…
//! package zq-b 0.1.0
//! …
//! ```
//!
//! Every line ends with LF. Packages stand in the order of their names, then of their versions; the files of each, all
//! that would be in its package, in the byte order of their paths, each as `b3sum` prints it: hash, two spaces, path. Then,
//! in their order, the packages from elsewhere that its `Cargo.lock` names, with their checksums. Nothing else is in it:
//! not the order of members or dependencies, the place of the checkout, a time or a registry.

use shipper_events::PlanId;
use thiserror::Error;

use super::registry::Registry;

/// What would be published, and where: packages, in the order in which they must be, and the live registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    plan_id: PlanId,
    live: Registry,
    packages: Vec<PlannedPackage>,
}

/// A package of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The files that would be in its package, but for `Cargo.lock`.
    pub files: Vec<PlannedFile>,
    /// What its `Cargo.lock` would name, but for packages of the plan.
    pub locked: Vec<Locked>,
    /// Whether it installs a program.
    pub has_program: bool,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its path in the package, with `/` between its parts.
    pub path: String,
    /// The BLAKE3 of its bytes.
    pub blake3: blake3::Hash,
}

/// A package from elsewhere, as a `Cargo.lock` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its checksum; of one that has none, where it is from.
    pub checksum: String,
}

/// Packages that make no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Nothing would be published.
    #[error("no package of this workspace may be published; look at `publish` in their manifests")]
    Nothing,
    /// Two packages, or two files of a package, have the same name.
    #[error("{what} stands twice in the plan")]
    Twice {
        /// The package or file.
        what: String,
    },
    /// A name that would make two plans look alike.
    #[error("{what} cannot stand in a plan: its name is empty or holds a space or a control character; rename it")]
    Unfit {
        /// The package or file, made safe to show.
        what: String,
    },
}

impl PlannedPackage {
    /// What events call it: `name@version`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl Plan {
    /// The plan that publishes these packages to that registry in this order: each after those that it depends on.
    ///
    /// ```
    /// use shipper_core::release::{Plan, PlannedPackage, PlannedFile, Registry};
    /// let live = || Registry { name: "live".parse().unwrap(), index: "sparse+https://registry.example/index/".to_owned() };
    /// let file = |path: &str, text: &str| PlannedFile { path: path.to_owned(), blake3: blake3::hash(text.as_bytes()) };
    /// let package = |name: &str, text: &str| PlannedPackage {
    ///     name: name.to_owned(),
    ///     version: "0.1.0".to_owned(),
    ///     files: vec![file("Cargo.toml", "[package]"), file("src/lib.rs", text)],
    ///     locked: Vec::new(),
    ///     has_program: false,
    /// };
    /// let plan = Plan::new(live(), vec![package("a", "// a"), package("b", "// b")])?;
    /// let reordered = Plan::new(live(), vec![package("b", "// b"), package("a", "// a")])?;
    /// let changed = Plan::new(live(), vec![package("a", "// a"), package("b", "// B")])?;
    /// assert_eq!(plan.plan_id(), reordered.plan_id());
    /// assert_ne!(plan.plan_id(), changed.plan_id());
    /// # Ok::<(), shipper_core::release::PlanError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When there are none, or their names do not tell them apart.
    pub fn new(live: Registry, packages: Vec<PlannedPackage>) -> Result<Self, PlanError> {
        if packages.is_empty() {
            return Err(PlanError::Nothing);
        }
        let form = canonical_form(&packages)?;
        let plan_id = blake3::hash(form.as_bytes()).to_string().parse().map_err(|_| PlanError::Nothing)?;
        Ok(Self { plan_id, live, packages })
    }

    /// Its name: 64 lower-case hexadecimal digits.
    pub fn plan_id(&self) -> &PlanId {
        &self.plan_id
    }

    /// The registry that it is to be published to. It is no part of its name.
    pub fn live(&self) -> &Registry {
        &self.live
    }

    /// Its packages, in the order in which they are published.
    pub fn packages(&self) -> &[PlannedPackage] {
        &self.packages
    }

    /// The text of which its name is the BLAKE3.
    pub fn canonical_form(&self) -> String {
        // It was made once, so its names fit.
        canonical_form(&self.packages).unwrap_or_default()
    }
}

fn canonical_form(packages: &[PlannedPackage]) -> Result<String, PlanError> {
    let word = |text: &str| -> Result<(), PlanError> {
        let unfit = text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ');
        if unfit { Err(PlanError::Unfit { what: shown(text) }) } else { Ok(()) }
    };
    let mut sorted: Vec<&PlannedPackage> = packages.iter().collect();
    sorted.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    let mut form = "shipper.plan.v1\n".to_owned();
    let mut before = None;
    for package in sorted {
        word(&package.name)?;
        word(&package.version)?;
        if before.replace((&package.name, &package.version)) == Some((&package.name, &package.version)) {
            return Err(PlanError::Twice { what: shown(&package.id()) });
        }
        form += &format!("package {} {}\n", package.name, package.version);
        let mut files: Vec<&PlannedFile> = package.files.iter().collect();
        files.sort_by(|one, other| one.path.as_bytes().cmp(other.path.as_bytes()));
        let mut before = None;
        for file in files {
            if file.path.is_empty() || file.path.chars().any(char::is_control) {
                return Err(PlanError::Unfit { what: shown(&file.path) });
            }
            if before.replace(&file.path) == Some(&file.path) {
                return Err(PlanError::Twice { what: shown(&file.path) });
            }
            form += &format!("{}  {}\n", file.blake3, file.path);
        }
        let mut locked: Vec<&Locked> = package.locked.iter().collect();
        locked.sort();
        for Locked { name, version, checksum } in locked {
            [name, version, checksum].into_iter().try_for_each(|text| word(text))?;
            form += &format!("locked {name} {version} {checksum}\n");
        }
    }
    Ok(form)
}

fn shown(text: &str) -> String {
    shipper_events::display_safe(text).quoted().to_string()
}
