use toml::Value;

use super::problem::Origin;
use super::setting::{Form, Setting};
use super::settings::SETTINGS;
use super::{Config, Loaded};

/// Where origins stand, if the value leaves room.
const ORIGIN_COLUMN: usize = 52;

pub(super) fn document(loaded: &Loaded) -> String {
    let line = |setting: &Setting| {
        let mut pair = format!("{} = {}", setting.key, value(setting, &loaded.config));
        if setting.is_secret && !setting.text(&loaded.config).is_empty() {
            // A comment: who reads this file again must find the secret somewhere else.
            pair.insert_str(0, "# ");
        }
        let origin = comment(&loaded.origin(setting.key).to_string());
        format!("{pair:<ORIGIN_COLUMN$}   # {origin}\n")
    };
    SETTINGS.iter().map(line).collect::<Vec<_>>().concat()
}

pub(super) fn summary(loaded: &Loaded) -> String {
    let from = |wanted: fn(&Origin) -> bool| {
        SETTINGS
            .iter()
            .filter(|setting| wanted(loaded.origin(setting.key)))
            .count()
    };
    let file = loaded.file.as_ref().map_or_else(
        || "no configuration file".to_owned(),
        |path| {
            format!(
                "{} from {}",
                from(is_file),
                comment(&path.display().to_string())
            )
        },
    );
    format!(
        "{} settings: {file}, {} from the environment, {} from flags, {} with their default",
        SETTINGS.len(),
        from(is_environment),
        from(is_flag),
        from(is_default),
    )
}

fn is_file(origin: &Origin) -> bool {
    matches!(origin, Origin::File { .. })
}

fn is_environment(origin: &Origin) -> bool {
    matches!(origin, Origin::Environment(_))
}

fn is_flag(origin: &Origin) -> bool {
    matches!(origin, Origin::Flag(_))
}

fn is_default(origin: &Origin) -> bool {
    matches!(origin, Origin::Default | Origin::Because(_))
}

/// The value as TOML writes it.
fn value(setting: &Setting, config: &Config) -> String {
    let text = setting.text(config);
    match setting.form() {
        Form::Count | Form::Ratio | Form::Switch => text,
        Form::Size if text.bytes().all(|byte| byte.is_ascii_digit()) => text,
        Form::Text | Form::Duration | Form::Size => Value::String(text).to_string(),
        Form::Texts if !text.contains(',') => Value::String(text).to_string(),
        Form::List | Form::Texts => {
            let items = text.split(',').filter(|item| !item.is_empty());
            Value::from(items.collect::<Vec<_>>()).to_string()
        }
    }
}

/// A text that stays on its line.
fn comment(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}
