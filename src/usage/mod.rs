//! What turns use, and what that costs.
//!
//! An agent tells tokens, by model where it can, and at times US dollars. What it does not tell in dollars is priced
//! from a dated table ([`PriceTable`]); a model that is not in it stays unknown, and a sum with an unknown part says
//! so. Agents that tell cumulative figures are read through a [`Meter`]. Every turn of a session that is kept leaves
//! one line in the project's [`Ledger`], which outlives the conversation.
//!
//! - `usage.rs`: the figures, how they add up and how they are subtracted.
//! - `meter.rs`: totals that grow, as differences.
//! - `prices.rs`, `prices.json`: the table, and what a project puts in its place.
//! - `ledger.rs`: what every turn used, on disk.

mod ledger;
mod meter;
mod prices;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod usage;

pub use ledger::{Entry, Ledger, Reading};
pub use meter::Meter;
pub use prices::{Price, PriceTable};
pub(crate) use usage::rounded;
pub use usage::{CostSource, Usage};
