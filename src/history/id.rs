//! The id of a session, which is also the name of its file.

use std::fmt::{Display, Formatter};

use uuid::Uuid;

use crate::error::{Error, Result};

/// The longest id, in characters.
pub const ID_LIMIT: usize = 64;

/// 1 to 64 letters, digits, `-` and `_` of ASCII: nothing that a path could be made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// An id that nobody has.
    #[expect(clippy::new_without_default, reason = "two of them differ; a default would be always the same")]
    pub fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// `text` as an id; anything else is [`Error::InvalidInput`].
    pub fn parse(text: &str) -> Result<Self> {
        if (1..=ID_LIMIT).contains(&text.len()) && text.bytes().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(ID_LIMIT).collect();
        Err(Error::InvalidInput(
            format!("{shown:?} is no session id: 1 to {ID_LIMIT} letters, digits, '-' and '_' are").into(),
        ))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for SessionId {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_ids() {
        let (one, other) = (SessionId::new(), SessionId::new());
        assert_ne!(one, other);
        assert_eq!(SessionId::parse(one.as_str()).unwrap(), one);
    }
}
