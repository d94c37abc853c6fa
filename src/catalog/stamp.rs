use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What tells that files changed, without reading them: for each its inode, length and the times of its contents and of
/// itself (permissions); nothing for one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp(Vec<Option<[i128; 6]>>);

// === impl Stamp ===

impl Stamp {
    pub(super) fn of<P: AsRef<Path>>(paths: &[P]) -> Self {
        let one = |path: &P| {
            let metadata = fs::metadata(path).ok()?;
            Some([
                metadata.ino().into(),
                metadata.len().into(),
                metadata.mtime().into(),
                metadata.mtime_nsec().into(),
                metadata.ctime().into(),
                metadata.ctime_nsec().into(),
            ])
        };
        Self(paths.iter().map(one).collect())
    }
}
