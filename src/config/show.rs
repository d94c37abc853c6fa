use toml::Value;

use super::Loaded;
use super::problem::Origin;
use super::servers::full_key;
use super::setting::{Form, Setting};
use super::settings::SETTINGS;
use super::settings::mcp::MCP_SETTINGS;

/// Where origins stand, if the value leaves room.
const ORIGIN_COLUMN: usize = 52;

pub(super) fn document(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let own = SETTINGS
        .iter()
        .map(|setting| line(setting, config, setting.key, loaded));
    let servers = config.mcp.servers.iter().flat_map(|(name, server)| {
        MCP_SETTINGS
            .iter()
            .map(move |setting| line(setting, server, &full_key(name, setting.key), loaded))
    });
    own.chain(servers).collect()
}

fn line<C: Clone + Default>(
    setting: &Setting<C>,
    config: &C,
    key: &str,
    loaded: &Loaded,
) -> String {
    let mut pair = format!("{key} = {}", value(setting, config));
    if setting.is_secret && !setting.text(config).is_empty() {
        // A comment: who reads this file again must find the secret somewhere else.
        pair.insert_str(0, "# ");
    }
    let origin = comment(&loaded.origin(key).to_string());
    format!("{pair:<ORIGIN_COLUMN$}   # {origin}\n")
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
fn value<C: Clone + Default>(setting: &Setting<C>, config: &C) -> String {
    let text = setting.text(config);
    match setting.form() {
        Form::Count | Form::Ratio | Form::Switch => text,
        Form::Size if text.bytes().all(|byte| byte.is_ascii_digit()) => text,
        Form::Text | Form::Duration | Form::Size => Value::String(text).to_string(),
        Form::TextOrList if !text.contains(',') => Value::String(text).to_string(),
        Form::Texts => {
            let items: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
            Value::from(items).to_string()
        }
        Form::List | Form::TextOrList => {
            let items = text.split(',').filter(|item| !item.is_empty());
            Value::from(items.collect::<Vec<_>>()).to_string()
        }
    }
}

/// A text that stays on its line.
fn comment(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}
