//! Names of plans and registries, each a type of its own, so that the two cannot be swapped.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::members::{JsonType, json};
use crate::line::strict_json::Value;

/// The error for an empty plan or registry name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected a non-empty name")]
#[non_exhaustive]
pub struct EmptyNameError;

macro_rules! names {
    ($($(#[$doc:meta])* $Name:ident;)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "Cow<'_, str>")]
        pub struct $Name(Arc<str>);

        impl $Name {
            /// Returns the text as a name.
            ///
            /// # Errors
            ///
            /// [`EmptyNameError`] if the text is empty.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, EmptyNameError> {
                let text = text.into();
                if text.is_empty() { Err(EmptyNameError) } else { Ok(Self(text)) }
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<Cow<'_, str>> for $Name {
            type Error = EmptyNameError;

            fn try_from(text: Cow<'_, str>) -> Result<Self, EmptyNameError> {
                Self::new(text)
            }
        }

        impl FromStr for $Name {
            type Err = EmptyNameError;

            fn from_str(text: &str) -> Result<Self, EmptyNameError> {
                Self::new(text)
            }
        }

        impl Serialize for $Name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl JsonType for $Name {
            const EXPECTED: &'static str = "a non-empty string";

            fn from_value(value: Value<'_>) -> Option<Self> {
                Self::new(&*value.as_str()?).ok()
            }

            fn to_json(&self) -> String {
                json(self)
            }
        }
    )+ };
}

names! {
    /// Name of a plan, the set of packages that would be published. Any text except the empty one, compared byte for
    /// byte. A clone shares the text.
    PlanId;
    /// Name of a registry in the configuration of the release tool. Any text except the empty one, compared byte for
    /// byte. A clone shares the text.
    RegistryName;
}
