//! What a client has of a text, without the text.

/// The length and a hash of what was sent.
#[derive(Debug)]
pub(super) struct Sent {
    length: usize,
    hash: u64,
}

// FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/. It does not matter how the text was cut, which the standard
// library's hashers do not promise.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

// === impl Sent ===

impl Sent {
    /// In bytes.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn add(&mut self, text: &str) {
        self.length += text.len();
        self.hash = hash(self.hash, text.as_bytes());
    }

    /// True if `text` is what was sent.
    pub(super) fn is(&self, text: &[u8]) -> bool {
        text.len() == self.length && hash(OFFSET, text) == self.hash
    }
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            length: 0,
            hash: OFFSET,
        }
    }
}

fn hash(from: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(from, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
    })
}
