//! Macro for the enums whose variants have names in JSON.

/// Defines enums with the JSON name of each variant, for serde, `as_str` and `Display`.
macro_rules! word_enums {
    ($(
        $(#[$meta:meta])*
        pub enum $Enum:ident { $($(#[$variant_meta:meta])* $Variant:ident = $word:literal,)* }
    )+) => { $(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $Enum {
            $($(#[$variant_meta])* #[serde(rename = $word)] $Variant,)*
        }

        impl $Enum {
            /// Returns the name that the JSON report uses.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $word,)*
                }
            }
        }

        impl ::std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+ };
}

pub(crate) use word_enums;
