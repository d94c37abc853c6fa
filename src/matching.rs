//! Matches the words people use to identifiers: `suplier` to `dimv_bs_supplier`, `objednávka` to
//! whatever names it.
//!
//! Nothing here knows a catalog. [`Names`] is built once over any number of names and then only
//! read.

mod fold;
mod names;
mod vocabulary;
mod wildcard;
mod words;

pub use fold::{contains_folded, fold, singular, tokens};
pub use names::{Matches, Names};
pub use wildcard::{InvalidWildcard, Wildcard};
pub use words::Words;
