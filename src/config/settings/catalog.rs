use super::seconds;
use crate::config::setting::{Form, Setting, Special, duration, special};
use crate::config::values;

pub(super) const CATALOG: Setting = special(
    "catalog",
    "What questions are answered from; several sources are one catalog",
    Special {
        form: Form::TextOrList,
        accepts: "up to 20 of [NAME=]SOURCE, which is demo, a JSON FILE, dbt:FOLDER, \
                  postgres://USER:PASSWORD@HOST:PORT/DATABASE, or collibra:https://HOST",
        default: None,
        set: |config, text, folder| {
            values::catalog(text, folder).map(|value| config.catalog.sources = value)
        },
        get: |config| values::catalog_text(&config.catalog.sources),
    },
);
pub(super) const CATALOG_REFRESH: Setting = duration(
    "catalog_refresh",
    "How often a source on the network is read again; files are read when they change",
    |config| &mut config.catalog.refresh,
    seconds(1)..=seconds(86_400),
);
pub(super) const CATALOG_TIMEOUT: Setting = duration(
    "catalog_timeout",
    "Longest time a source of the catalog may take to be read",
    |config| &mut config.catalog.timeout,
    seconds(1)..=seconds(600),
);
