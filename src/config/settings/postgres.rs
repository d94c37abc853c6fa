use super::{ms, seconds};
use crate::config::setting::{Form, Setting, Special, duration, secret, special};
use crate::config::values;

pub(super) const PASSWORD: Setting = secret(
    "postgres.password",
    "The password of PostgreSQL catalogs that have none in their address; never shown",
    Special {
        form: Form::Text,
        accepts: "any text",
        default: None,
        set: |config, text, _| {
            values::password(text).map(|value| config.catalog.postgres.password = value)
        },
        get: |config| values::hidden(config.catalog.postgres.password.is_some()),
    },
)
.also(&["PGPASSWORD"]);
pub(super) const SCHEMAS: Setting = special(
    "postgres.schemas",
    "The schemas of PostgreSQL catalogs that are read; none: all but the server's own",
    Special {
        form: Form::List,
        accepts: "up to 100 names, in which `*` and `?` stand for any characters, such as `dm_*`",
        default: None,
        set: |config, text, _| {
            values::schemas(text).map(|value| config.catalog.postgres.schemas = value)
        },
        get: |config| {
            let schemas = config.catalog.postgres.schemas.iter();
            let texts: Vec<String> = schemas.map(ToString::to_string).collect();
            texts.join(",")
        },
    },
);
pub(super) const CA_FILE: Setting = special(
    "postgres.ca_file",
    "The authorities that may have signed a PostgreSQL server's certificate, instead of the system's; `sslmode` is then \
     verify-full unless the address has another",
    Special {
        form: Form::Text,
        accepts: "a FILE of certificates as PEM",
        default: None,
        set: |config, text, folder| {
            values::ca_file(text, folder).map(|value| config.catalog.postgres.ca_file = value)
        },
        get: |config| {
            let file = config.catalog.postgres.ca_file.as_ref();
            file.map_or_else(String::new, |path| path.display().to_string())
        },
    },
);
pub(super) const CONNECT_TIMEOUT: Setting = duration(
    "postgres.connect_timeout",
    "How long a PostgreSQL server may take to let dragoman in",
    |config| &mut config.catalog.postgres.connect_timeout,
    ms(100)..=seconds(600),
);
pub(super) const STATEMENT_TIMEOUT: Setting = duration(
    "postgres.statement_timeout",
    "How long a PostgreSQL server may work on one of the six queries",
    |config| &mut config.catalog.postgres.statement_timeout,
    ms(100)..=seconds(600),
);
