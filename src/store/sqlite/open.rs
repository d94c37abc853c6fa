//! Opens the file: ours alone, writable, of a version this build knows.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;

/// How long a statement waits for a lock that another program, such as a shell, holds. Less than
/// the deadline of the callers, so that they learn the cause.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// What every SQLite file starts with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Why the file cannot be used. Every message says what to do. The operator's business.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path is a folder.
    #[error("{path} is a folder: name a file in it, such as {path}/sessions.db", path = .path.display())]
    Folder {
        /// The path.
        path: PathBuf,
    },
    /// The folder of the file is missing and cannot be made.
    #[error("cannot make the folder {path}: {source}; make it, or name a file somewhere else", path = .path.display())]
    MakeFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file, or one of those SQLite needs beside it, cannot be written.
    #[error(
        "cannot write {path}: {cause}; allow this user to write to it and its folder, or name a file somewhere else",
        path = .path.display()
    )]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// Another process has it.
    #[error("{path} is in use by another dragoman: stop that one, or name another file", path = .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A program that is not dragoman keeps a lock on it.
    #[error(
        "{path} is locked by another program, perhaps a database shell with an open transaction: end that one, then start again",
        path = .path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Something else is in the file.
    #[error("{path} is not a SQLite file and was left as it is: name another file, or move this one away", path = .path.display())]
    NotSqlite {
        /// The file.
        path: PathBuf,
    },
    /// It belongs to another application.
    #[error(
        "{path} is a SQLite file of another application and was left as it is: name another file",
        path = .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer dragoman wrote it.
    #[error(
        "{path} has schema version {found}, this build knows up to {supported}: start a newer dragoman, or name another file",
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
        "{path} cannot keep a write-ahead log (journal mode is `{mode}`): name a file on a local disk",
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
        "{path} is damaged ({cause}): restore a backup, or move it away and save what is left with `sqlite3 FILE .recover`",
        path = .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// Anything else SQLite refused.
    #[error("cannot open {path}: {cause}; look at its disk, or name a file somewhere else", path = .path.display())]
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

/// A file that is open and ours.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) db: Connection,
    /// Held as long as the file is open. The lock goes with the process, however it ends.
    pub(super) lock: File,
}

/// Opens `path`, makes it if there is none, and brings it to the newest version.
pub(super) fn open(path: &Path) -> Result<OpenFile, OpenError> {
    let real = place(path)?;
    let lock = lock(&real).map_err(|error| error.at(path))?;
    look_inside(&real).map_err(|error| error.at(path))?;
    let db = connect(&real).map_err(|error| error.at(path))?;
    Ok(OpenFile { db, lock })
}

/// What went wrong, before the path the operator knows is put to it.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
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

/// The one name of the file, so that two ways to it meet at the same lock. Makes the folder.
fn place(path: &Path) -> Result<PathBuf, OpenError> {
    if path.is_dir() || path.file_name().is_none() {
        let path = path.to_owned();
        return Err(OpenError::Folder { path });
    }
    if let Ok(real) = fs::canonicalize(path) {
        return Ok(real);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let made = fs::create_dir_all(folder).and_then(|()| fs::canonicalize(folder));
    let real = made.map_err(|source| OpenError::MakeFolder {
        path: folder.to_owned(),
        source,
    })?;
    Ok(real.join(path.file_name().unwrap_or_default()))
}

/// SQLite's own exclusive mode would also lock out an operator's shell and its `.backup`, so a
/// second dragoman is kept away by a lock on a file of its own.
fn lock(path: &Path) -> Result<File, Obstacle> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = OpenOptions::new().create(true).append(true).open(name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Obstacle::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Refuses a file that is not SQLite before SQLite touches it, and one that cannot be written.
fn look_inside(path: &Path) -> Result<(), Obstacle> {
    if !path.exists() {
        return Ok(());
    }
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(());
    }
    let mut start = [0; MAGIC.len()];
    match file.read_exact(&mut start) {
        Ok(()) if start == *MAGIC => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error.into()),
        _ => Err(Obstacle::NotSqlite),
    }
}

fn connect(path: &Path) -> Result<Connection, Obstacle> {
    // Without SQLITE_OPEN_URI, so that no name of a file means anything else.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    if db.is_readonly("main")? {
        return Err(Obstacle::ReadOnly);
    }
    let found = version(&db)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Obstacle::NoWriteAheadLog(mode));
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.set_prepared_statement_cache_capacity(64);
    if found < schema::VERSION {
        schema::migrate(&mut db, found)?;
        tracing::info!(
            from = found,
            to = schema::VERSION,
            "session store: schema brought up to date"
        );
    }
    Ok(db)
}

/// The schema version of a file that is ours, or empty.
fn version(db: &Connection) -> Result<usize, Obstacle> {
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = application == 0 && found == 0 && tables == 0;
    if application != schema::APPLICATION_ID && !empty {
        return Err(Obstacle::Foreign);
    }
    match usize::try_from(found) {
        Ok(found) if found <= schema::VERSION => Ok(found),
        _ => Err(Obstacle::TooNew(found)),
    }
}

// === impl OpenError ===

impl OpenError {
    /// What a failure of SQLite on the file at `path` means to the operator.
    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
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
    fn at(self, path: &Path) -> OpenError {
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
