//! The settings that all models behind HTTP have.

/// Those of the section `$section`, which is the field `$api` of the configuration of models; `$names` is what is particular
/// to it. Keys and fields are constants, which only a macro can put together.
macro_rules! settings {
    ($section:literal, $api:ident, $names:expr) => {
        pub(super) const HEADERS: $crate::config::setting::Setting =
            $crate::config::setting::secret(
                concat!($section, ".headers"),
                "More headers for every request; never shown, as they may hold keys",
                $crate::config::setting::Special {
                    form: $crate::config::setting::Form::List,
                    accepts: "up to 50, such as `x-team: data`",
                    default: None,
                    set: |config, text, _| {
                        $crate::config::values::headers(text, $names.headers)
                            .map(|value| config.model.$api.headers = value)
                    },
                    get: |config| {
                        $crate::config::values::hidden(!config.model.$api.headers.is_empty())
                    },
                },
            );
        pub(super) const BODY: $crate::config::setting::Setting =
            $crate::config::setting::special(
                concat!($section, ".body"),
                "More fields for the body of every request; `null` takes one of ours out",
                $crate::config::setting::Special {
                    form: $crate::config::setting::Form::Text,
                    accepts: "a JSON object, such as `{\"temperature\": 0.2}`",
                    default: None,
                    set: |config, text, _| {
                        $crate::config::values::body(text, $names)
                            .map(|value| config.model.$api.body = value)
                    },
                    get: |config| $crate::config::values::body_text(&config.model.$api.body),
                },
            );
        pub(super) const CONNECT_TIMEOUT: $crate::config::setting::Setting =
            $crate::config::setting::duration(
                concat!($section, ".connect_timeout"),
                "Longest time until there is a connection to the model",
                |config| &mut config.model.$api.connect_timeout,
                super::ms(100)..=super::seconds(60),
            );
        pub(super) const HEADER_TIMEOUT: $crate::config::setting::Setting =
            $crate::config::setting::duration(
                concat!($section, ".header_timeout"),
                "Longest time until the model's answer begins; `agent.model_idle_timeout` bounds it too",
                |config| &mut config.model.$api.header_timeout,
                super::ms(100)..=super::seconds(600),
            );
        pub(super) const IDLE_TIMEOUT: $crate::config::setting::Setting =
            $crate::config::setting::duration(
                concat!($section, ".idle_timeout"),
                "Longest time in which the model sends nothing, not even a sign of life",
                |config| &mut config.model.$api.idle_timeout,
                super::ms(100)..=super::seconds(600),
            );
        pub(super) const TOTAL_TIMEOUT: $crate::config::setting::Setting =
            $crate::config::setting::duration(
                concat!($section, ".total_timeout"),
                "Longest time for one request to the model, with its retries",
                |config| &mut config.model.$api.total_timeout,
                super::ms(100)..=super::seconds(3_600),
            );
        pub(super) const RETRIES: $crate::config::setting::Setting =
            $crate::config::setting::count(
                concat!($section, ".retries"),
                "How often a request is sent again that failed before anything was answered, for a reason that passes",
                |config| &mut config.model.$api.retries,
                0..=10,
            );
        pub(super) const RETRY_PAUSE: $crate::config::setting::Setting =
            $crate::config::setting::duration(
                concat!($section, ".retry_pause"),
                "Longest pause before that; a server that asks for a longer one is not asked again",
                |config| &mut config.model.$api.retry_pause,
                super::ms(1)..=super::seconds(300),
            );
    };
}

pub(super) use settings;
