//! Reads the TOML file into settings with lines, and says what in it is none.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Origin, Problem, nearest_key, nearest_server_key};
use super::servers::{self, ServerValue};
use super::setting::{Form, Setting};
use super::settings::{SETTINGS, mcp};
use super::values;

/// Largest file that is read.
const FILE_BYTES: u64 = 1024 * 1024;

/// A value of the file.
#[derive(Debug)]
pub(super) enum Entry {
    Own(Value),
    Server(ServerValue),
}

/// A value for one of [`SETTINGS`].
#[derive(Debug)]
pub(super) struct Value {
    pub(super) setting: &'static Setting,
    pub(super) origin: Origin,
    /// The value as its variable would have it.
    pub(super) text: String,
}

/// The text of a configuration file.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// The settings in `text`, which came from `path`, and what in it is none, in the order of the
/// lines.
pub(super) fn entries(path: &Path, text: &str) -> Vec<Result<Entry, Problem>> {
    let mut reader = Reader {
        path,
        text,
        entries: Vec::new(),
    };
    match DeTable::parse(text) {
        Ok(table) => reader.table("", table.get_ref()),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let reason = error.message().lines().collect::<Vec<_>>().join(", ");
            let origin = reader.origin(start);
            reader.entries.push(Err(Problem::Syntax { origin, reason }));
        }
    }
    reader.entries
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    entries: Vec<Result<Entry, Problem>>,
}

// === impl Reader ===

impl Reader<'_> {
    fn table(&mut self, section: &str, table: &DeTable<'_>) {
        // The table is sorted by key; people read by line.
        let mut pairs: Vec<_> = table.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let name = key.get_ref();
            let whole = if section.is_empty() {
                name.to_string()
            } else {
                format!("{section}.{name}")
            };
            self.pair(&whole, self.origin(key.span().start), value);
        }
    }

    fn pair(&mut self, key: &str, origin: Origin, value: &Spanned<DeValue<'_>>) {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        let entry = match (setting, value.get_ref()) {
            (Some(setting), _) => {
                let text = self.text_of(setting, setting.key, &origin, value);
                text.map(|text| {
                    Entry::Own(Value {
                        setting,
                        origin,
                        text,
                    })
                })
            }
            (None, DeValue::Table(table)) if key == mcp::SECTION => return self.servers(table),
            (None, DeValue::Table(table)) if is_section(key) || !table.is_empty() => {
                return self.table(key, table);
            }
            (None, _) => Err(Problem::UnknownKey {
                origin,
                key: key.escape_debug().take(100).collect(),
                nearest: nearest_key(key),
            }),
        };
        self.entries.push(entry);
    }

    /// The sections of MCP servers.
    fn servers(&mut self, servers: &DeTable<'_>) {
        let mut servers: Vec<_> = servers.iter().collect();
        servers.sort_by_key(|(name, _)| name.span().start);
        for (name, section) in servers {
            let origin = self.origin(name.span().start);
            let written = name.get_ref();
            let DeValue::Table(section) = section.get_ref() else {
                let nearest = servers::setting(written).map(|_| servers::full_key("NAME", written));
                self.unknown(origin, &format!("{}.{written}", mcp::SECTION), nearest);
                continue;
            };
            match values::server_name(written) {
                Ok(name) => self.server(&name, section),
                Err(reason) => self.entries.push(Err(Problem::BadValue {
                    origin,
                    key: mcp::SECTION.into(),
                    value: written.to_string(),
                    reason,
                })),
            }
        }
    }

    fn server(&mut self, name: &str, section: &DeTable<'_>) {
        let mut pairs: Vec<_> = section.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in pairs {
            let origin = self.origin(key.span().start);
            let key = key.get_ref();
            let Some(setting) = servers::setting(key) else {
                let nearest = nearest_server_key(name, key);
                self.unknown(origin, &servers::full_key(name, key), nearest);
                continue;
            };
            let full = servers::full_key(name, key);
            let entry = self.text_of(setting, full, &origin, value).map(|text| {
                Entry::Server(ServerValue {
                    name: name.to_owned(),
                    setting,
                    origin,
                    text,
                })
            });
            self.entries.push(entry);
        }
    }

    fn unknown(&mut self, origin: Origin, key: &str, nearest: Option<String>) {
        self.entries.push(Err(Problem::UnknownKey {
            origin,
            key: key.escape_debug().take(100).collect(),
            nearest,
        }));
    }

    fn text_of<C: Clone + Default>(
        &self,
        setting: &Setting<C>,
        key: impl Into<Cow<'static, str>>,
        origin: &Origin,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<String, Problem> {
        text_of(setting.form(), value.get_ref()).map_err(|reason| Problem::BadValue {
            origin: origin.clone(),
            key: key.into(),
            value: setting.told(self.text.get(value.span()).unwrap_or_default()),
            reason,
        })
    }

    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or_default();
        Origin::File {
            path: self.path.to_owned(),
            line: 1 + before.matches('\n').count(),
        }
    }
}

fn is_section(key: &str) -> bool {
    SETTINGS.iter().any(|setting| {
        setting
            .key
            .strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// A TOML value as text, if its type is one of those the form has.
fn text_of(form: Form, value: &DeValue<'_>) -> Result<String, String> {
    match (form, value) {
        (Form::Text | Form::TextOrList | Form::Duration | Form::Size, DeValue::String(text)) => {
            Ok(text.to_string())
        }
        (Form::Size | Form::Count | Form::Ratio, DeValue::Integer(number)) => {
            i64::from_str_radix(number.as_str(), number.radix())
                .map(|number| number.to_string())
                .map_err(|_| "the number is too large".to_owned())
        }
        (Form::Ratio, DeValue::Float(number)) => Ok(number.as_str().to_owned()),
        (Form::Switch, DeValue::Boolean(on)) => Ok(on.to_string()),
        (Form::List | Form::TextOrList, DeValue::Array(items)) => {
            let texts: Option<Vec<&str>> = items
                .iter()
                .map(|item| item.get_ref().as_str().filter(|text| !text.contains(',')))
                .collect();
            texts
                .map(|texts| texts.join(","))
                .ok_or_else(|| "write an array of strings without commas".to_owned())
        }
        (Form::Texts, DeValue::Array(items)) => {
            let texts: Option<Vec<&str>> =
                items.iter().map(|item| item.get_ref().as_str()).collect();
            texts
                .map(|texts| serde_json::json!(texts).to_string())
                .ok_or_else(|| "write an array of strings".to_owned())
        }
        (form, value) => Err(format!(
            "write {}, not a TOML {}",
            form.in_toml(),
            value.type_str()
        )),
    }
}

// === impl Form ===

impl Form {
    fn in_toml(self) -> &'static str {
        match self {
            Self::Text => "a string in quotes",
            Self::Duration => "a duration in quotes, such as \"30s\"",
            Self::Size => "bytes as an integer, or a size in quotes, such as \"64KiB\"",
            Self::Count => "an integer",
            Self::Ratio => "a number from 0 to 1",
            Self::Switch => "true or false, without quotes",
            Self::TextOrList => "a string in quotes, or an array of them",
            Self::List | Self::Texts => "an array of strings",
        }
    }
}
