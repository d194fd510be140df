//! Enums whose variants have names: one line gives a variant its name.

/// Declares an enum with `ALL`, its variants in this order, and `name`.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $Enum:ident {
            $($(#[$doc:meta])* $Variant:ident $(= $number:literal)? => $name:literal,)*
        }
    ) => {
        $(#[$meta])*
        pub enum $Enum {
            $($(#[$doc])* $Variant $(= $number)?,)*
        }

        impl $Enum {
            /// Every variant, in this order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$Variant),*];

            /// Returns the name in the output and in filters.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)*
                }
            }
        }
    };
}

pub(crate) use named;
