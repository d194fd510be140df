//! The ss tokens from the table of fields, as arrays: copying a constant number of bytes takes a store or two, and a
//! row has dozens of tokens.

/// The token of a field preceded by a blank, or by `before`: `token!(RtoUs)` is `b" rto:"`.
macro_rules! token {
    ($field:ident) => {
        token!(" " $field)
    };
    ($before:literal $field:ident) => {
        const {
            const TOKEN: &str = $crate::query::field::Field::$field.token();
            &$crate::render::token::joined::<{ $before.len() + TOKEN.len() }>($before, TOKEN)
        }
    };
}

pub(crate) use token;

/// Concatenates two texts whose total length is `LENGTH`.
pub(crate) const fn joined<const LENGTH: usize>(before: &str, token: &str) -> [u8; LENGTH] {
    assert!(!token.is_empty(), "ss has no token for this field");
    let (before, token) = (before.as_bytes(), token.as_bytes());
    let mut bytes = [0; LENGTH];
    let mut index = 0;
    while index < LENGTH {
        bytes[index] = if index < before.len() {
            before[index]
        } else {
            token[index - before.len()]
        };
        index += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    #[test]
    fn tokens_come_from_the_table_with_a_prefix() {
        assert_eq!(token!(RtoUs), b" rto:");
        assert_eq!(token!("," DctcpAlpha), b",alpha:");
        assert_eq!(token!("" RttvarUs), b"/");
    }
}
