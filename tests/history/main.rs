//! The history: what is stored, what survives. Faults bear their number of the catalogue.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

mod disk;
mod faults;
mod hanging;
mod index;
mod legacy;
mod process;
mod recording;
mod round_trips;
mod snapshot;
mod store;
mod support;
