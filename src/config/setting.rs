use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::Config;
use super::environment::PREFIX;
use super::values;

/// One thing that can be set in a `C`: in all of the configuration, or in a section that there may be several of.
#[derive(Debug)]
pub struct Setting<C: 'static = Config> {
    /// Its key in the TOML file, with its section: `gateway.ping_interval`.
    pub key: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// Standard variables that set it too, the stronger first. Ours is stronger than any of them.
    pub also: &'static [&'static str],
    /// True if its value is never shown, nor repeated in a message.
    pub is_secret: bool,
    kind: Kind<C>,
}

/// How TOML writes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A string.
    Text,
    /// A string with a unit.
    Duration,
    /// An integer, or a string with a unit.
    Size,
    /// An integer.
    Count,
    /// A float or an integer.
    Ratio,
    /// A boolean.
    Switch,
    /// An array of strings; elsewhere separated by commas.
    List,
    /// The same, or a string if there is only one.
    TextOrList,
    /// An array of strings; elsewhere a JSON array, as the strings may hold anything.
    Texts,
}

/// Where the field is. Reached mutably, so that one function serves reading and writing.
type Field<C, T> = fn(&mut C) -> &mut T;

/// What a value is made of, and where it goes.
#[derive(Debug)]
pub(super) enum Kind<C: 'static> {
    Duration(Field<C, Duration>, RangeInclusive<Duration>),
    Size(Field<C, usize>, RangeInclusive<usize>),
    Count(Field<C, usize>, RangeInclusive<usize>),
    Count32(Field<C, u32>, RangeInclusive<u32>),
    Switch(Field<C, bool>),
    Special(Special<C>),
}

/// A value with a grammar of its own.
#[derive(Debug)]
pub(super) struct Special<C: 'static = Config> {
    /// How TOML writes it.
    pub(super) form: Form,
    /// What is accepted, for people.
    pub(super) accepts: &'static str,
    /// The default, where it is not one value.
    pub(super) default: Option<&'static str>,
    /// Checks a text and stores it; a relative path is relative to the folder given.
    pub(super) set: fn(&mut C, &str, &Path) -> Result<(), String>,
    /// The value as a text that `set` takes.
    pub(super) get: fn(&C) -> String,
}

pub(super) const fn duration(
    key: &'static str,
    help: &'static str,
    field: Field<Config, Duration>,
    range: RangeInclusive<Duration>,
) -> Setting {
    Setting::new(key, help, Kind::Duration(field, range))
}

pub(super) const fn size(
    key: &'static str,
    help: &'static str,
    field: Field<Config, usize>,
    range: RangeInclusive<usize>,
) -> Setting {
    Setting::new(key, help, Kind::Size(field, range))
}

pub(super) const fn count(
    key: &'static str,
    help: &'static str,
    field: Field<Config, usize>,
    range: RangeInclusive<usize>,
) -> Setting {
    Setting::new(key, help, Kind::Count(field, range))
}

pub(super) const fn count32(
    key: &'static str,
    help: &'static str,
    field: Field<Config, u32>,
    range: RangeInclusive<u32>,
) -> Setting {
    Setting::new(key, help, Kind::Count32(field, range))
}

pub(super) const fn switch(
    key: &'static str,
    help: &'static str,
    field: Field<Config, bool>,
) -> Setting {
    Setting::new(key, help, Kind::Switch(field))
}

pub(super) const fn special(key: &'static str, help: &'static str, special: Special) -> Setting {
    Setting::new(key, help, Kind::Special(special))
}

/// A value that is never shown: its `get` only says whether there is one.
pub(super) const fn secret(key: &'static str, help: &'static str, secret: Special) -> Setting {
    Setting::new(key, help, Kind::Special(secret)).secret()
}

// === impl Setting ===

impl<C: Clone + Default> Setting<C> {
    /// Its variable: `DRAGOMAN_GATEWAY_PING_INTERVAL`.
    pub fn variable(&self) -> String {
        variable(self.key)
    }

    /// What is accepted, for people: `1s to 10m`.
    pub fn accepts(&self) -> String {
        match &self.kind {
            Kind::Duration(_, range) => format!(
                "{} to {}",
                values::duration_text(*range.start()),
                values::duration_text(*range.end())
            ),
            Kind::Size(_, range) => format!(
                "{} to {}",
                values::size_text(*range.start()),
                values::size_text(*range.end())
            ),
            Kind::Count(_, range) => format!("{} to {}", range.start(), range.end()),
            Kind::Count32(_, range) => format!("{} to {}", range.start(), range.end()),
            Kind::Switch(_) => "true or false".to_owned(),
            Kind::Special(special) => special.accepts.to_owned(),
        }
    }

    /// Its value when nobody sets it.
    pub fn default_text(&self) -> String {
        match &self.kind {
            Kind::Special(Special {
                default: Some(text),
                ..
            }) => (*text).to_owned(),
            _ => self.text(&C::default()),
        }
    }

    /// Its value in `config`, as its variable would have it; of a secret only whether there is one.
    pub fn text(&self, config: &C) -> String {
        let copy = &mut config.clone();
        match &self.kind {
            Kind::Duration(field, _) => values::duration_text(*field(copy)),
            Kind::Size(field, _) => values::size_text(*field(copy)),
            Kind::Count(field, _) => field(copy).to_string(),
            Kind::Count32(field, _) => field(copy).to_string(),
            Kind::Switch(field) => field(copy).to_string(),
            Kind::Special(special) => (special.get)(copy),
        }
    }

    /// Puts a value into `config`, if it is accepted; a relative path is relative to `folder`.
    pub(super) fn set(&self, config: &mut C, text: &str, folder: &Path) -> Result<(), String> {
        match &self.kind {
            Kind::Duration(field, range) => {
                *field(config) = self.within(range, values::duration(text)?)?;
            }
            Kind::Size(field, range) => {
                *field(config) = self.within(range, values::size(text)?)?;
            }
            Kind::Count(field, range) => {
                *field(config) = self.within(range, values::count(text)?)?;
            }
            Kind::Count32(field, range) => {
                // What does not even fit is out of any range.
                let number = u32::try_from(values::count(text)?).unwrap_or(u32::MAX);
                *field(config) = self.within(range, number)?;
            }
            Kind::Switch(field) => *field(config) = values::switch(text)?,
            Kind::Special(special) => (special.set)(config, text, folder)?,
        }
        Ok(())
    }

    pub(super) fn form(&self) -> Form {
        match &self.kind {
            Kind::Duration(..) => Form::Duration,
            Kind::Size(..) => Form::Size,
            Kind::Count(..) | Kind::Count32(..) => Form::Count,
            Kind::Switch(_) => Form::Switch,
            Kind::Special(special) => special.form,
        }
    }

    /// A value as messages repeat it.
    pub(super) fn told(&self, value: &str) -> String {
        if self.is_secret {
            "(not repeated)".to_owned()
        } else {
            values::without_passwords(value)
        }
    }

    fn within<T: PartialOrd>(&self, range: &RangeInclusive<T>, value: T) -> Result<T, String> {
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(format!("out of range, accepted: {}", self.accepts()))
        }
    }
}

impl<C> Setting<C> {
    /// This setting, which standard variables set too.
    pub(super) const fn also(self, also: &'static [&'static str]) -> Self {
        Self {
            key: self.key,
            help: self.help,
            also,
            is_secret: self.is_secret,
            kind: self.kind,
        }
    }

    /// This setting, whose value is never shown: its `get` only says whether there is one.
    pub(super) const fn secret(self) -> Self {
        Self {
            key: self.key,
            help: self.help,
            also: self.also,
            is_secret: true,
            kind: self.kind,
        }
    }

    pub(super) const fn new(key: &'static str, help: &'static str, kind: Kind<C>) -> Self {
        Self {
            key,
            help,
            also: &[],
            is_secret: false,
            kind,
        }
    }
}

/// The variable of a key.
pub(super) fn variable(key: &str) -> String {
    let key = key.to_ascii_uppercase().replace(['.', '-'], "_");
    format!("{PREFIX}{key}")
}
