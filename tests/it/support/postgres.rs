//! A real PostgreSQL server for one test, ended with it.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_postgres::NoTls;

use super::redis::free_port;

/// Where Debian has the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";
const START_TIME: Duration = Duration::from_secs(30);
/// The superuser, who needs no password on the Unix socket. Everybody else has to show one.
const OWNER: &str = "owner";

/// A server, which runs unless it was stopped.
pub(crate) struct Postgres {
    pub(crate) port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Postgres {
    /// Starts an empty one.
    pub(crate) async fn start() -> Self {
        Self::with(|_| Vec::new()).await
    }

    /// Starts one with `arguments` for its folder, of which the server is the owner.
    pub(crate) async fn with(arguments: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, "not-to-be-seen\n").unwrap();
        let arguments = arguments(folder.path());
        give_away(folder.path());
        let mut server = Self {
            port: free_port(),
            folder,
            arguments,
            child: None,
        };
        let made = server
            .program("initdb")
            .args(["--username", OWNER, "--encoding", "UTF8", "--locale", "C"])
            .args(["--auth-local", "trust", "--auth-host", "scram-sha-256"])
            .args(["--no-sync", "--pwfile"])
            .arg(&password)
            .arg(server.data())
            .output()
            .expect("PostgreSQL is needed: apt-get install postgresql");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        server.restart().await;
        server
    }

    /// Starts it, again if it was stopped, on the same port and files.
    pub(crate) async fn restart(&mut self) {
        let child = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-c", "fsync=off"])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(&self.arguments)
            .spawn();
        self.child = Some(child.unwrap());
        let began = Instant::now();
        while self.client("postgres").await.is_err() {
            assert!(began.elapsed() < START_TIME, "PostgreSQL does not answer");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it and every connection, as an operator would who is in a hurry.
    pub(crate) fn stop(&mut self) {
        self.end("INT");
    }

    /// Runs statements as the superuser.
    pub(crate) async fn run(&self, database: &str, statements: &str) {
        let client = self.client(database).await.unwrap();
        if let Err(error) = client.batch_execute(statements).await {
            panic!("{:?} in: {statements}", error.as_db_error());
        }
    }

    /// The first column of the first row.
    pub(crate) async fn ask(&self, database: &str, query: &str) -> String {
        let client = self.client(database).await.unwrap();
        client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// A role called `reader` with the password `not-to-be-seen`, and no rights.
    pub(crate) async fn add_reader(&self) {
        self.run(
            "postgres",
            "CREATE ROLE reader LOGIN PASSWORD 'not-to-be-seen'",
        )
        .await;
    }

    /// The demo mart in the database `postgres`, which `reader` may read and nothing else.
    pub(crate) async fn add_demo(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/demo_ddl.py");
        let made = Command::new("python3").arg(script).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        self.run("postgres", &String::from_utf8(made.stdout).unwrap())
            .await;
        self.add_reader().await;
        for schema in ["dm_bs_purchase", "dm_ba_purchase"] {
            let grants = format!(
                "GRANT USAGE ON SCHEMA {schema} TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader"
            );
            self.run("postgres", &grants).await;
        }
    }

    /// The address over TCP, for a user such as `reader:not-to-be-seen`.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// The address over the Unix socket.
    pub(crate) fn socket_url(&self, user: &str, database: &str) -> String {
        let folder = self.folder.path().display().to_string();
        let folder = folder.replace('/', "%2F");
        format!("postgres://{user}@{folder}:{}/{database}", self.port)
    }

    /// A superuser's connection over the Unix socket. It ends with the client.
    pub(crate) async fn client(
        &self,
        database: &str,
    ) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let mut settings = tokio_postgres::Config::new();
        settings.host_path(self.folder.path()).port(self.port);
        let connecting = settings.user(OWNER).dbname(database).connect(NoTls);
        let (client, connection) = connecting.await?;
        #[expect(clippy::disallowed_methods, reason = "ends with the client")]
        tokio::spawn(connection);
        Ok(client)
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets in whom these lines of `pg_hba.conf` let in.
    pub(crate) async fn admit(&self, lines: &str) {
        let file = self.data().join("pg_hba.conf");
        std::fs::write(file, lines).unwrap();
        let loaded = "SELECT pg_conf_load_time()::text";
        let before = self.ask("postgres", loaded).await;
        self.run("postgres", "SELECT pg_reload_conf()").await;
        while self.ask("postgres", loaded).await == before {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// What its collector of log lines has written.
    pub(crate) fn log(&self) -> String {
        let files = std::fs::read_dir(self.data().join("log")).unwrap();
        let text = |entry: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_to_string(entry.unwrap().path()).unwrap()
        };
        files.map(text).collect()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server. Root may not run it: somebody else does then.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(programs().join(name));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if name == "postgres" {
            command.stderr(Stdio::null());
        }
        if let Some((user, group)) = somebody() {
            command.uid(user).gid(group);
        }
        command
    }

    fn end(&mut self, signal: &str) {
        if let Some(mut child) = self.child.take() {
            let pid = child.id().to_string();
            let _ = Command::new("kill").args(["-s", signal, &pid]).status();
            let _ = child.wait();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, and without leaving its children and its shared memory behind.
        self.end("QUIT");
    }
}

/// Makes whoever runs the server the owner of all files in `folder`.
fn give_away(folder: &Path) {
    let Some((user, group)) = somebody() else {
        return;
    };
    chown(folder, Some(user), Some(group)).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        chown(entry.unwrap().path(), Some(user), Some(group)).unwrap();
    }
}

/// User and group for the server, if this is root.
fn somebody() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse().unwrap()
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "nobody"]), id(&["-g", "nobody"])))
}

/// The programs of the newest version there is.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .expect("PostgreSQL is needed: apt-get install postgresql");
    Path::new(VERSIONS).join(newest.to_string()).join("bin")
}
