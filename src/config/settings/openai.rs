use super::{ms, seconds};
use crate::config::setting::{Form, Setting, Special, count, count32, duration, secret, special};
use crate::config::values;

pub(super) const BASE_URL: Setting = special(
    "openai.base_url",
    "Where a model over chat completions is; the Azure resource, with `openai.api_version`",
    Special {
        form: Form::Text,
        accepts: "a URL that `/chat/completions` is added to",
        default: None,
        set: |config, text, _| {
            values::base_url(text).map(|value| config.model.openai.base_url = value)
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
            values::api_version(text).map(|value| config.model.openai.api_version = value)
        },
        get: |config| config.model.openai.api_version.clone().unwrap_or_default(),
    },
);
pub(super) const AUTH: Setting = special(
    "openai.auth",
    "How the key is sent: as `Authorization: Bearer`, or in the header `api-key`; auto is that one on Azure",
    Special {
        form: Form::Text,
        accepts: "auto, bearer or api-key",
        default: None,
        set: |config, text, _| values::auth(text).map(|value| config.model.openai.auth = value),
        get: |config| values::auth_text(config.model.openai.auth),
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
            values::token_field(text).map(|value| config.model.openai.token_field = value)
        },
        get: |config| values::token_field_text(config.model.openai.token_field),
    },
);
pub(super) const MAX_OUTPUT_TOKENS: Setting = count32(
    "openai.max_output_tokens",
    "Most tokens of one answer, those of its reasoning included; 0: not sent",
    |config| &mut config.model.openai.max_output_tokens,
    0..=1_000_000,
);
pub(super) const HEADERS: Setting = secret(
    "openai.headers",
    "More headers for every request; never shown, as they may hold keys",
    Special {
        form: Form::List,
        accepts: "up to 50, such as `x-team: data`",
        default: None,
        set: |config, text, _| {
            values::headers(text).map(|value| config.model.openai.headers = value)
        },
        get: |config| values::hidden(!config.model.openai.headers.is_empty()),
    },
);
pub(super) const BODY: Setting = special(
    "openai.body",
    "More fields for the body of every request; `null` takes one of ours out",
    Special {
        form: Form::Text,
        accepts: "a JSON object, such as `{\"temperature\": 0.2}`",
        default: None,
        set: |config, text, _| values::body(text).map(|value| config.model.openai.body = value),
        get: |config| values::body_text(&config.model.openai.body),
    },
);
pub(super) const CONNECT_TIMEOUT: Setting = duration(
    "openai.connect_timeout",
    "Longest time until there is a connection to the model",
    |config| &mut config.model.openai.connect_timeout,
    ms(100)..=seconds(60),
);
pub(super) const HEADER_TIMEOUT: Setting = duration(
    "openai.header_timeout",
    "Longest time until the model's answer begins; `agent.model_idle_timeout` bounds it too",
    |config| &mut config.model.openai.header_timeout,
    ms(100)..=seconds(600),
);
pub(super) const IDLE_TIMEOUT: Setting = duration(
    "openai.idle_timeout",
    "Longest time in which the model sends nothing, not even a sign of life",
    |config| &mut config.model.openai.idle_timeout,
    ms(100)..=seconds(600),
);
pub(super) const TOTAL_TIMEOUT: Setting = duration(
    "openai.total_timeout",
    "Longest time for one request to the model, with its retries",
    |config| &mut config.model.openai.total_timeout,
    ms(100)..=seconds(3_600),
);
pub(super) const RETRIES: Setting = count(
    "openai.retries",
    "How often a request is sent again that failed before anything was answered, for a reason that passes",
    |config| &mut config.model.openai.retries,
    0..=10,
);
pub(super) const RETRY_PAUSE: Setting = duration(
    "openai.retry_pause",
    "Longest pause before that; a server that asks for a longer one is not asked again",
    |config| &mut config.model.openai.retry_pause,
    ms(1)..=seconds(300),
);
