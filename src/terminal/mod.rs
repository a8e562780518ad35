//! What may reach a person's terminal.

mod sanitizer;

pub use sanitizer::Sanitizer;
