//! Protections that tests can switch off, to see that something notices.
//!
//! Only in builds with debug assertions: elsewhere every answer is the constant `false`, and the variable that names a
//! mutant is refused like any unknown one.

use std::str::FromStr;
use std::sync::OnceLock;

/// A protection that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::enum_variant_names,
    reason = "each is something that is missing"
)]
pub enum Mutant {
    /// Writes of a turn that is not the running one are taken.
    NoFence,
    /// A message id that was used before runs a turn again.
    NoDedupe,
    /// A repeated append is written again.
    NoEventIndex,
    /// A running turn is sealed by any reader, whether its lease has ended or not.
    NoLeaseCheck,
    /// A turn whose lease has ended is left running.
    NoReaping,
    /// Readers seal at once after an outage of the store.
    NoReapGrace,
    /// A follower believes what is published, without looking at position and predecessor.
    NoGapCheck,
    /// A cursor is taken for good without its fingerprint.
    NoFingerprint,
    /// A gateway that opens a conversation again does so without its cursor.
    NoRedialCursor,
    /// A gateway does not open a conversation again.
    NoRedial,
    /// Questions that were not answered are not asked again on another agent.
    NoAskAgain,
    /// What nobody has confirmed is not delivered to clients without a cursor.
    NoDelivered,
    /// A turn that was told to stop goes on.
    NoCancel,
    /// A drain neither waits for running turns nor hands them over.
    NoDrain,
    /// Text is taken wherever it says it belongs.
    NoTextOffset,
}

/// Every mutant, by the name tests call it.
pub const MUTANTS: [(&str, Mutant); 15] = [
    ("no-fence", Mutant::NoFence),
    ("no-dedupe", Mutant::NoDedupe),
    ("no-event-index", Mutant::NoEventIndex),
    ("no-lease-check", Mutant::NoLeaseCheck),
    ("no-reaping", Mutant::NoReaping),
    ("no-reap-grace", Mutant::NoReapGrace),
    ("no-gap-check", Mutant::NoGapCheck),
    ("no-fingerprint", Mutant::NoFingerprint),
    ("no-redial-cursor", Mutant::NoRedialCursor),
    ("no-redial", Mutant::NoRedial),
    ("no-ask-again", Mutant::NoAskAgain),
    ("no-delivered", Mutant::NoDelivered),
    ("no-cancel", Mutant::NoCancel),
    ("no-drain", Mutant::NoDrain),
    ("no-text-offset", Mutant::NoTextOffset),
];

/// No such mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such mutant")]
pub struct UnknownMutant;

static CHOSEN: OnceLock<Mutant> = OnceLock::new();

/// Switches one protection off, for the rest of the process.
pub fn choose(mutant: Mutant) {
    // The first choice holds.
    let _ = CHOSEN.set(mutant);
}

/// True if this protection is switched off.
pub fn is(mutant: Mutant) -> bool {
    cfg!(debug_assertions) && CHOSEN.get() == Some(&mutant)
}

impl FromStr for Mutant {
    type Err = UnknownMutant;

    fn from_str(name: &str) -> Result<Self, UnknownMutant> {
        let known = MUTANTS.iter().find(|(known, _)| *known == name);
        known.map(|(_, mutant)| *mutant).ok_or(UnknownMutant)
    }
}
