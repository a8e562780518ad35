//! The terminal's sanitizer across the border.

use locus_exec::terminal::Sanitizer;
use napi_derive::napi;

/// Cleans a stream of text of everything that a terminal would obey, piece by piece.
#[napi]
#[derive(Default)]
pub struct NativeSanitizer(Sanitizer);

#[napi]
impl NativeSanitizer {
    /// A sanitizer at the beginning of a text.
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// What of the next piece of the text may be shown.
    #[napi]
    pub fn push(&mut self, piece: String) -> String {
        self.0.push(&piece)
    }
}
