//! Which files are opened, what is found in them, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

async fn open(path: impl AsRef<Path>) -> Result<Store, OpenError> {
    let path = path.as_ref().to_owned();
    Store::open(&Config::Sqlite(path), generous(), &Sessions::default()).await
}

#[tokio::test]
async fn the_folder_is_made_and_the_log_survives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/sessions.db");
    let session = SessionId::random();
    let store = open(&path).await.unwrap();
    let begin = message(&session, "m", "?");
    store.begin_turn(begin.clone()).await.unwrap();
    let mut turn = store.turn_writer(session.clone(), begin.turn, begin.trace);
    turn.finish(answer("!")).await.unwrap();
    let log = store.read_before(&session, u64::MAX, 10).await.unwrap();
    store.close().await;
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others can read conversations");
    // Everything is in the one file.
    let wal = folder.path().join("a/b/sessions.db-wal");
    assert!(!wal.exists(), "the write-ahead log is left");

    let store = open(&path).await.unwrap();
    assert_eq!(
        store.read_before(&session, u64::MAX, 10).await.unwrap(),
        log
    );
    let again = store.begin_turn(message(&session, "m", "?")).await.unwrap();
    assert!(
        matches!(again, Begin::Duplicate { seq: 1, .. }),
        "{again:?}"
    );
    let next = store.begin_turn(question(&session, "next")).await;
    assert_eq!(next, Ok(Begin::Started { seq: 3 }));
}

#[tokio::test]
async fn the_rate_limit_survives() {
    let limits = Limits {
        rate_questions: 1,
        ..Limits::default()
    };
    let place = Place::with(limits.clone()).await;
    let session = SessionId::random();
    place.turn(&session, "?").await;
    place.store.close().await;
    let store = Store::open(&Config::Sqlite(place.path()), limits, &Sessions::default())
        .await
        .unwrap();
    let second = store.begin_turn(question(&session, "?")).await;
    assert!(
        matches!(second, Err(StoreError::RateLimited { .. })),
        "{second:?}"
    );
}

/// The files as they would be found after the process was killed.
fn copy_of(place: &Place) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for file in ["sessions.db", "sessions.db-wal"] {
        fs::copy(place.folder.path().join(file), folder.path().join(file)).unwrap();
    }
    let path = folder.path().join("sessions.db");
    (folder, path)
}

#[tokio::test]
async fn a_turn_that_a_crash_interrupted_is_sealed() {
    let place = Place::new().await;
    let (interrupted, done) = (SessionId::random(), SessionId::random());
    let begin = BeginTurn {
        trace: TraceId(5),
        ..question(&interrupted, "?")
    };
    let mut turn = place.start_turn(begin.clone()).await;
    turn.text("The answer").unwrap();
    turn.append(vec![tool_call("a", 10)]).await.unwrap();
    place.turn(&done, "?").await;

    let (_folder, path) = copy_of(&place);
    let store = open(&path).await.unwrap();
    let log = store.read_before(&interrupted, u64::MAX, 10).await.unwrap();
    assert_eq!(kinds(&log), "user call error");
    let last = &log[2];
    assert_eq!((last.turn, last.trace), (begin.turn, TraceId(5)));
    let EventBody::Error {
        reason, message, ..
    } = &last.body
    else {
        unreachable!();
    };
    assert_eq!(*reason, TurnErrorReason::Interrupted);
    assert!(message.contains("ask again"), "{message}");
    let log = store.read_before(&done, u64::MAX, 10).await.unwrap();
    assert_eq!(kinds(&log), "user agent");

    // A client that comes back with its cursor is told, and the session goes on.
    let cursor = place.log(&interrupted).await[1].cursor();
    let mut follower = store
        .follow(interrupted.clone(), Start::After(cursor))
        .await
        .unwrap();
    assert_eq!(follower.opened().running, None);
    assert_eq!(&next_event(&mut follower).await, last);
    let next = store.begin_turn(question(&interrupted, "again")).await;
    assert_eq!(next, Ok(Begin::Started { seq: 4 }));
    // Sealed once, not at every start.
    store.close().await;
    let store = open(&path).await.unwrap();
    let log = store.read_before(&interrupted, u64::MAX, 10).await.unwrap();
    assert_eq!(kinds(&log), "user call error user error");
}

#[tokio::test]
async fn a_file_is_opened_once() {
    let place = Place::new().await;
    let refused = open(place.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    // Nor by another name.
    let link = place.folder.path().join("link.db");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    let refused = open(&link).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    // The first one is not disturbed, and leaves the file to the next.
    place.store.check().await.unwrap();
    place.store.close().await;
    open(&link).await.unwrap();
}

#[tokio::test]
async fn an_operator_can_look_into_the_file_while_it_is_in_use() {
    let place = Place::new().await;
    let mut turn = place.start(&SessionId::random(), "?").await;
    let shell = place.shell();
    let count: i64 = shell
        .query_row("SELECT count(*) FROM event", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 1);
    let backup = place.folder.path().join("backup.db");
    shell
        .execute("VACUUM INTO ?", [backup.to_str().unwrap()])
        .unwrap();
    turn.finish(answer("!")).await.unwrap();
    open(backup).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let place = Place::new().await;
    place.store.close().await;
    place
        .shell()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let refused = open(place.path()).await.unwrap_err();
    let OpenError::TooNew {
        found, supported, ..
    } = refused
    else {
        panic!("{refused}");
    };
    assert_eq!((found, supported), (7, 3));
    let text = refused.to_string();
    assert!(
        text.contains("version 7") && text.contains("up to 3"),
        "{text}"
    );
    let version: i64 = place
        .shell()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 7);
}

#[tokio::test]
async fn a_file_of_another_application_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let create = "CREATE TABLE customer (id INTEGER PRIMARY KEY)";
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(create)
        .unwrap();
    let before = fs::read(&path).unwrap();
    let refused = open(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);

    // Marked as another one's, though empty.
    let path = folder.path().join("marked.db");
    let marked = rusqlite::Connection::open(&path).unwrap();
    marked.pragma_update(None, "application_id", 1_234).unwrap();
    drop(marked);
    let refused = open(&path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
}

#[tokio::test]
async fn what_is_not_sqlite_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for content in ["x", "This is a letter to my aunt, and a long one."] {
        let path = folder.path().join("letter.txt");
        fs::write(&path, content).unwrap();
        let refused = open(&path).await.unwrap_err();
        assert!(matches!(refused, OpenError::NotSqlite { .. }), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn an_empty_file_is_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    fs::write(&path, "").unwrap();
    open(&path).await.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_path_that_cannot_hold_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = open(folder.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Folder { .. }), "{refused}");

    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let refused = open(file.join("sessions.db")).await.unwrap_err();
    assert!(matches!(refused, OpenError::MakeFolder { .. }), "{refused}");

    // Where not even the administrator can write.
    for path in ["/proc/sessions.db", "/proc/version"] {
        let refused = open(path).await.unwrap_err();
        assert!(
            matches!(refused, OpenError::NotWritable { .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("allow this user"), "{refused}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let place = Place::new().await;
    place.turn(&SessionId::random(), "?").await;
    place.store.close().await;
    let mut bytes = fs::read(place.path()).unwrap();
    bytes[100..4096].fill(0x5a);
    fs::write(place.path(), bytes).unwrap();
    let refused = open(place.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
}

#[tokio::test]
async fn a_file_that_another_program_locks_is_refused() {
    let place = Place::new().await;
    place.store.close().await;
    let shell = place.shell();
    shell.pragma_update(None, "journal_mode", "DELETE").unwrap();
    shell.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let refused = open(place.path()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
}
