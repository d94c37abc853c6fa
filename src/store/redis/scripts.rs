//! The scripts: each does one write, or one read, as one step of the server.

use ::redis::Script;

use crate::mutant::{self, Mutant};

/// What a mutant takes out of which script: the text that protects, and what stands there without it.
const TAKEN_OUT: [(Mutant, &str, &str); 7] = [
    (
        Mutant::NoFence,
        "if not (row[2] == turn and row[4] == '1' and row[5] == holder) then -- fence",
        "if false then",
    ),
    (
        Mutant::NoDedupe,
        "if message ~= '' then -- dedupe",
        "if false then",
    ),
    (
        Mutant::NoEventIndex,
        "local fresh = count - math.max(there - index, 0) -- repeated",
        "local fresh = count",
    ),
    (
        Mutant::NoLeaseCheck,
        "return tonumber(lease or '0') <= now",
        "return true",
    ),
    (
        Mutant::NoReaping,
        "return tonumber(lease or '0') <= now",
        "return false",
    ),
    (
        Mutant::NoTextOffset,
        "if offset > length then -- offset",
        "if false then",
    ),
    (
        Mutant::NoTextOffset,
        "local new = string.sub(delta, length - offset + 1)",
        "local new = delta",
    ),
];

/// Every script, ready to be called by its hash.
pub(super) struct Scripts {
    pub(super) begin: Script,
    pub(super) write: Script,
    pub(super) seal: Script,
    pub(super) snapshot: Script,
    pub(super) read: Script,
    pub(super) stop: Script,
    pub(super) release: Script,
    pub(super) claim: Script,
    pub(super) erase: Script,
    pub(super) seen: Script,
    pub(super) decide: Script,
}

// === impl Scripts ===

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            begin: script(include_str!("scripts/begin.lua")),
            write: script(include_str!("scripts/write.lua")),
            seal: script(include_str!("scripts/seal.lua")),
            snapshot: script(include_str!("scripts/snapshot.lua")),
            read: script(include_str!("scripts/read.lua")),
            stop: script(include_str!("scripts/stop.lua")),
            release: script(include_str!("scripts/release.lua")),
            claim: script(include_str!("scripts/claim.lua")),
            erase: script(include_str!("scripts/erase.lua")),
            seen: script(include_str!("scripts/seen.lua")),
            decide: script(include_str!("scripts/decide.lua")),
        }
    }
}

fn script(body: &str) -> Script {
    let mut code = format!("{}\n{body}", include_str!("scripts/prelude.lua"));
    for (mutant, protection, without) in TAKEN_OUT {
        if mutant::is(mutant) {
            code = code.replace(protection, without);
        }
    }
    Script::new(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mutants_take_out_is_there() {
        let all = [
            include_str!("scripts/prelude.lua"),
            include_str!("scripts/begin.lua"),
            include_str!("scripts/write.lua"),
        ]
        .concat();
        for (mutant, protection, _) in TAKEN_OUT {
            assert_eq!(all.matches(protection).count(), 1, "{mutant:?}");
        }
    }
}
