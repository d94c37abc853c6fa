//! A real Redis server for one test, and what the store's tests do to it.

mod process;

use std::path::Path;
use std::process::Command;

use crate::store::{Config, RedisAddress};

use self::process::free_port;

pub(crate) use self::process::Server;

// === impl Server ===

impl Server {
    /// Stops it from doing anything, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// One that also speaks TLS, with `cert.pem` and `key.pem` of the folder.
    pub(crate) fn with_tls(folder: &Path) -> Self {
        let port = free_port().to_string();
        let arguments = ["--tls-port", &port, "--tls-auth-clients", "no"];
        let files = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"];
        Self::with(folder, &[&arguments[..], &files[..]].concat())
    }

    pub(crate) fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.arguments[1])
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The keys in which `part` stands, and how long each is kept in ms; -1 for ever.
    pub(crate) fn times(&self, part: &str) -> Vec<(String, i64)> {
        let mut connection = self.connection();
        let mut ask = |command: &str, word: &str| {
            ::redis::cmd(command)
                .arg(word)
                .query::<::redis::Value>(&mut connection)
                .unwrap()
        };
        let keys: Vec<String> =
            ::redis::from_redis_value(ask("KEYS", &format!("*{part}*"))).unwrap();
        keys.into_iter()
            .map(|key| {
                let left = ::redis::from_redis_value(ask("PTTL", &key)).unwrap();
                (key, left)
            })
            .collect()
    }

    pub(crate) fn config(&self) -> Config {
        Config::Redis(RedisAddress::parse(&self.url("")).unwrap())
    }

    /// Sends a command, as an operator would.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let mut connection = self.connection();
        let mut command = ::redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(word);
        }
        let answer: ::redis::Value = command.query(&mut connection).unwrap();
        format!("{answer:?}")
    }

    fn connection(&self) -> ::redis::Connection {
        let client = ::redis::Client::open(self.url("")).unwrap();
        client.get_connection().unwrap()
    }
}
