//! Unsigned integers of any size.

use std::fmt;

use crate::line::strict_json::Value;

/// An unsigned integer of any size: digits only. Real logs contain integers that exceed 64 bits.
///
/// ```
/// use shipper_events::JsonUint;
/// let count = JsonUint::from(3);
/// assert_eq!(count, 3);
/// assert_eq!(count.as_u64(), Some(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonUint(
    /// The digits of a number that exceeds 64 bits. JSON allows no leading zeros, so equal numbers have equal digits.
    Result<u64, Box<str>>,
);

impl JsonUint {
    /// Returns the number; `None` if the value does not consist of digits only.
    pub fn from_value(value: Value<'_>) -> Option<Self> {
        Some(value.raw()).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).map(Self::parse)
    }

    /// Returns the number of these digits, which have no leading zeros.
    pub(crate) fn parse(digits: &str) -> Self {
        Self(digits.parse().map_err(|_| digits.into()))
    }

    /// Returns the number; `None` if it exceeds 64 bits.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.as_ref().ok().copied()
    }
}

impl From<u64> for JsonUint {
    fn from(number: u64) -> Self {
        Self(Ok(number))
    }
}

impl PartialEq<u64> for JsonUint {
    fn eq(&self, other: &u64) -> bool {
        self.as_u64() == Some(*other)
    }
}

impl fmt::Display for JsonUint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(number) => number.fmt(f),
            Err(digits) => digits.fmt(f),
        }
    }
}
