use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::store::redis::Unusable;
use crate::store::sqlite::schema;

/// Why the file cannot be used. Every message says what to do. The operator's business.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The Redis server cannot be used.
    #[error(transparent)]
    Redis(#[from] Unusable),
    /// The path is a folder.
    #[error(
        "{path} is a folder: name a file in it, such as {path}/sessions.db",
        path = .path.display()
    )]
    Folder {
        /// The path.
        path: PathBuf,
    },
    /// The folder of the file is missing and cannot be made.
    #[error(
        "cannot make the folder {path}: {cause}; make it, or name a file somewhere else",
        path = .path.display()
    )]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The file, or one of those SQLite needs beside it, cannot be written.
    #[error(
        "cannot write {path}: {cause}; allow this user to write to it and its folder, or name \
         a file somewhere else",
        path = .path.display()
    )]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// Another process has it.
    #[error(
        "{path} is in use by another dragoman: stop that one, or name another file",
        path = .path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A program that is not dragoman keeps a lock on it.
    #[error(
        "{path} is locked by another program, perhaps a database shell with an open \
         transaction: end that one, then start again",
        path = .path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Something else is in the file.
    #[error(
        "{path} is not a SQLite file and was left as it is: name another file, or move this \
         one away",
        path = .path.display()
    )]
    NotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to another application.
    #[error(
        "{path} is a SQLite file of another application and was left as it is: name another \
         file",
        path = .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer dragoman wrote it.
    #[error(
        "{path} has schema version {found}, this build knows up to {supported}: start a newer \
         dragoman, or name another file",
        path = .path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version this build knows.
        supported: usize,
    },
    /// The place cannot hold a write-ahead log.
    #[error(
        "{path} cannot keep a write-ahead log (journal mode is `{mode}`): name a file on a \
         local disk",
        path = .path.display()
    )]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// What SQLite uses instead.
        mode: String,
    },
    /// SQLite found damage.
    #[error(
        "{path} is damaged ({cause}): restore a backup, or move it away and save what is left \
         with `sqlite3 FILE .recover`",
        path = .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// Anything else SQLite refused.
    #[error(
        "cannot open {path}: {cause}; look at its disk, or name a file somewhere else",
        path = .path.display()
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// The system gives us no thread.
    #[error("cannot start the thread of the session store: {0}; raise the limit on threads")]
    Thread(io::Error),
}

/// What went wrong, before the path the operator knows is put to it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Obstacle {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("in use")]
    InUse,
    #[error("not SQLite")]
    NotSqlite,
    #[error("foreign")]
    Foreign,
    #[error("version {0}")]
    TooNew(i64),
    #[error("journal mode {0}")]
    NoWriteAheadLog(String),
    #[error("opened for reading only")]
    ReadOnly,
}

// === impl OpenError ===

impl OpenError {
    /// What a failure of SQLite on the file at `path` means to the operator.
    pub(in crate::store::sqlite) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotSqlite { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, cause },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DiskFull,
            ) => Self::NotWritable { path, cause },
            _ => Self::Failed { path, cause },
        }
    }
}

// === impl Obstacle ===

impl Obstacle {
    pub(super) fn at(self, path: &Path) -> OpenError {
        let known = path;
        let path = known.to_owned();
        match self {
            Self::File(_) | Self::ReadOnly => OpenError::NotWritable {
                path,
                cause: self.to_string(),
            },
            Self::Sqlite(error) => OpenError::sqlite(known, &error),
            Self::InUse => OpenError::InUse { path },
            Self::NotSqlite => OpenError::NotSqlite { path },
            Self::Foreign => OpenError::Foreign { path },
            Self::TooNew(found) => OpenError::TooNew {
                path,
                found,
                supported: schema::VERSION,
            },
            Self::NoWriteAheadLog(mode) => OpenError::NoWriteAheadLog { path, mode },
        }
    }
}
