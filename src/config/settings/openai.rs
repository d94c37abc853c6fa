use super::http;
use crate::config::setting::{Form, Setting, Special, count32, secret, special};
use crate::config::values;

pub(super) const BASE_URL: Setting = special(
    "openai.base_url",
    "Where a model over chat completions is; the Azure resource, with `openai.api_version`",
    Special {
        form: Form::Text,
        accepts: "a URL that `/chat/completions` is added to",
        default: None,
        set: |config, text, _| {
            values::base_url(text, &values::OPENAI)
                .map(|value| config.model.openai.base_url = value)
        },
        get: |config| config.model.openai.base_url.clone(),
    },
)
.also(&["OPENAI_BASE_URL"]);
pub(super) const API_KEY: Setting = secret(
    "openai.api_key",
    "Its key, or an Entra ID token; never shown",
    Special {
        form: Form::Text,
        accepts: "letters, digits and punctuation",
        default: None,
        set: |config, text, _| {
            values::api_key(text).map(|value| config.model.openai.api_key = value)
        },
        get: |config| values::hidden(config.model.openai.api_key.is_some()),
    },
)
.also(&["OPENAI_API_KEY"]);
pub(super) const API_VERSION: Setting = special(
    "openai.api_version",
    "`api-version` of Azure's dated API; empty: the API has no versions, as OpenAI's and Azure's `/openai/v1`",
    Special {
        form: Form::Text,
        accepts: "such as 2024-10-21",
        default: None,
        set: |config, text, _| {
            values::api_version(text).map(|value| config.model.openai.dialect.api_version = value)
        },
        get: |config| {
            config
                .model
                .openai
                .dialect
                .api_version
                .clone()
                .unwrap_or_default()
        },
    },
);
pub(super) const AUTH: Setting = special(
    "openai.auth",
    "How the key is sent: as `Authorization: Bearer`, or in the header `api-key`; auto is that one on Azure",
    Special {
        form: Form::Text,
        accepts: "auto, bearer or api-key",
        default: None,
        set: |config, text, _| {
            values::auth(text).map(|value| config.model.openai.dialect.auth = value)
        },
        get: |config| values::auth_text(config.model.openai.dialect.auth),
    },
);
pub(super) const TOKEN_FIELD: Setting = special(
    "openai.token_field",
    "What `openai.max_output_tokens` is called in a request; older models and many compatible servers know only `max_tokens`",
    Special {
        form: Form::Text,
        accepts: "max_completion_tokens or max_tokens",
        default: None,
        set: |config, text, _| {
            values::token_field(text).map(|value| config.model.openai.dialect.token_field = value)
        },
        get: |config| values::token_field_text(config.model.openai.dialect.token_field),
    },
);
pub(super) const MAX_OUTPUT_TOKENS: Setting = count32(
    "openai.max_output_tokens",
    "Most tokens of one answer, those of its reasoning included; 0: not sent",
    |config| &mut config.model.openai.max_output_tokens,
    0..=1_000_000,
);

http::settings!("openai", openai, &values::OPENAI);
