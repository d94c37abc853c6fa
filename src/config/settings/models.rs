use std::time::Duration;

use super::seconds;
use crate::config::setting::{Form, Setting, Special, duration, special};
use crate::config::values;
use crate::model;

pub(super) const MODEL: Setting = special(
    "model",
    "What answers; if this is not set, openai where there is an `openai.api_key`, else anthropic where there is an \
     `anthropic.api_key`",
    Special {
        form: Form::Text,
        accepts: "guide, openai, openai:NAME, anthropic, anthropic:NAME, or scripted:FILE",
        default: None,
        set: |config, text, folder| {
            values::model(text, folder).map(|value| config.model.kind = value)
        },
        get: |config| match &config.model.kind {
            model::Kind::Guide => "guide".to_owned(),
            model::Kind::Anthropic(name) => format!("anthropic:{name}"),
            model::Kind::OpenAi(name) => format!("openai:{name}"),
            model::Kind::Scripted(path) => format!("scripted:{}", path.display()),
        },
    },
);
pub(super) const GUIDE_PACE: Setting = duration(
    "guide_pace",
    "How long the guide waits between two pieces of text",
    |config| &mut config.model.guide_pace,
    Duration::ZERO..=seconds(1),
);
