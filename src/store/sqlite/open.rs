//! Opens the file: ours alone, writable, of a version this build knows.

mod error;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema;

use self::error::Obstacle;

pub use self::error::OpenError;

/// How long a statement waits for a lock that another program, such as a shell, holds. Less than
/// the deadline of the callers, so that they learn the cause.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// What every SQLite file starts with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

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
    let real = made.map_err(|cause| OpenError::MakeFolder {
        path: folder.to_owned(),
        cause,
    })?;
    Ok(real.join(path.file_name().unwrap_or_default()))
}

/// SQLite's own exclusive mode would also lock out an operator's shell and its `.backup`, so a
/// second dragoman is kept away by a lock on a file of its own. That file stays: who removes it
/// may remove it from under a process that has just locked it.
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
/// Makes a new one for this user only: it holds conversations, and ids that open them.
fn look_inside(path: &Path) -> Result<(), Obstacle> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options.open(path)?;
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
    // What is erased is to be in no file.
    db.pragma_update(None, "secure_delete", true)?;
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
