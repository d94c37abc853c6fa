use super::http;
use crate::config::setting::{Form, Setting, Special, count32, secret, special, switch};
use crate::config::values;

pub(super) const BASE_URL: Setting = special(
    "anthropic.base_url",
    "Where a model over Anthropic's messages is",
    Special {
        form: Form::Text,
        accepts: "a URL that `/v1/messages` is added to",
        default: None,
        set: |config, text, _| {
            values::base_url(text, &values::ANTHROPIC)
                .map(|value| config.model.anthropic.base_url = value)
        },
        get: |config| config.model.anthropic.base_url.clone(),
    },
)
.also(&["ANTHROPIC_BASE_URL"]);
pub(super) const API_KEY: Setting = secret(
    "anthropic.api_key",
    "Its key; never shown",
    Special {
        form: Form::Text,
        accepts: "letters, digits and punctuation",
        default: None,
        set: |config, text, _| {
            values::api_key(text).map(|value| config.model.anthropic.api_key = value)
        },
        get: |config| values::hidden(config.model.anthropic.api_key.is_some()),
    },
)
.also(&["ANTHROPIC_API_KEY"]);
pub(super) const MAX_OUTPUT_TOKENS: Setting = count32(
    "anthropic.max_output_tokens",
    "Most tokens of one answer, those of its thoughts included; the API wants a limit, and no model takes more than its own",
    |config| &mut config.model.anthropic.max_output_tokens,
    1..=1_000_000,
);
pub(super) const PROMPT_CACHE: Setting = switch(
    "anthropic.prompt_cache",
    "Whether the provider keeps what requests have in common for some minutes, which makes the next ones cheaper and quicker",
    |config| &mut config.model.anthropic.dialect.prompt_cache,
);

http::settings!("anthropic", anthropic, &values::ANTHROPIC);
