use super::{ms, seconds};
use crate::config::setting::{Form, Setting, Special, count, duration, secret, special};
use crate::config::values;

pub(super) const CLIENT_ID: Setting = special(
    "collibra.client_id",
    "Who dragoman is to Collibra: an OAuth client, registered there",
    Special {
        form: Form::Text,
        accepts: "an id",
        default: None,
        set: |config, text, _| {
            values::account(text).map(|value| config.catalog.collibra.client_id = value)
        },
        get: |config| config.catalog.collibra.client_id.clone(),
    },
);
pub(super) const CLIENT_SECRET: Setting = secret(
    "collibra.client_secret",
    "Its secret; never shown",
    Special {
        form: Form::Text,
        accepts: "letters, digits and punctuation",
        default: None,
        set: |config, text, _| {
            values::api_key(text).map(|value| config.catalog.collibra.client_secret = value)
        },
        get: |config| values::hidden(config.catalog.collibra.client_secret.is_some()),
    },
);
pub(super) const USERNAME: Setting = special(
    "collibra.username",
    "Who dragoman is where there is no OAuth client: a user, with HTTP Basic",
    Special {
        form: Form::Text,
        accepts: "a name without a colon",
        default: None,
        set: |config, text, _| {
            values::account(text).map(|value| config.catalog.collibra.username = value)
        },
        get: |config| config.catalog.collibra.username.clone(),
    },
);
pub(super) const PASSWORD: Setting = secret(
    "collibra.password",
    "The user's password; never shown",
    Special {
        form: Form::Text,
        accepts: "any text",
        default: None,
        set: |config, text, _| {
            values::password(text).map(|value| config.catalog.collibra.password = value)
        },
        get: |config| values::hidden(config.catalog.collibra.password.is_some()),
    },
);
pub(super) const TYPES: Setting = special(
    "collibra.types",
    "Types of assets that are read; what is named for a word replaces its default",
    Special {
        form: Form::List,
        accepts: "up to 50 of table=, view= and column=, each with an id or a public id",
        default: None,
        set: |config, text, _| {
            values::types(text).map(|value| config.catalog.collibra.types = value)
        },
        get: |config| values::types_text(&config.catalog.collibra.types),
    },
);
pub(super) const RELATIONS: Setting = special(
    "collibra.relations",
    "Types of relations that are read: a column is part of a table; a column refers to one; data flows from source to target",
    Special {
        form: Form::List,
        accepts: "up to 50 of column=, key= and lineage=, each with an id or a public id",
        default: None,
        set: |config, text, _| {
            values::relations(text).map(|value| config.catalog.collibra.relations = value)
        },
        get: |config| values::relations_text(&config.catalog.collibra.relations),
    },
);
pub(super) const ATTRIBUTES: Setting = special(
    "collibra.attributes",
    "Attributes that are read, by name; of several for one word the first that is filled counts",
    Special {
        form: Form::List,
        accepts: "up to 50 of description=, grain=, owner=, refresh=, synonyms=, table_type=, data_type=, position=, \
                  nullable= and key=, each with a name",
        default: None,
        set: |config, text, _| {
            values::attributes(text).map(|value| config.catalog.collibra.attributes = value)
        },
        get: |config| values::attributes_text(&config.catalog.collibra.attributes),
    },
);
pub(super) const DOMAINS: Setting = special(
    "collibra.domains",
    "Domains that are read; none, and no community: all",
    Special {
        form: Form::List,
        accepts: "up to 50 ids",
        default: None,
        set: |config, text, _| {
            values::ids(text).map(|value| config.catalog.collibra.domains = value)
        },
        get: |config| config.catalog.collibra.domains.join(","),
    },
);
pub(super) const COMMUNITIES: Setting = special(
    "collibra.communities",
    "Communities whose domains are read too",
    Special {
        form: Form::List,
        accepts: "up to 50 ids",
        default: None,
        set: |config, text, _| {
            values::ids(text).map(|value| config.catalog.collibra.communities = value)
        },
        get: |config| config.catalog.collibra.communities.join(","),
    },
);
pub(super) const TECHNICAL_LINEAGE: Setting = count(
    "collibra.technical_lineage",
    "Of how many tables, those whose lineage no relation tells, the technical lineage is asked for, with a few requests each",
    |config| &mut config.catalog.collibra.technical_lineage,
    0..=10_000,
);
pub(super) const PAGE_SIZE: Setting = count(
    "collibra.page_size",
    "Most assets, attributes or relations of one answer",
    |config| &mut config.catalog.collibra.page_size,
    1..=1_000,
);
pub(super) const REQUEST_TIMEOUT: Setting = duration(
    "collibra.request_timeout",
    "Longest time for one request to Collibra; `catalog_timeout` bounds all of them together",
    |config| &mut config.catalog.collibra.request_timeout,
    ms(100)..=seconds(600),
);
pub(super) const RETRIES: Setting = count(
    "collibra.retries",
    "How often a request to Collibra that failed for a reason that passes is sent again",
    |config| &mut config.catalog.collibra.retries,
    0..=10,
);
pub(super) const RETRY_PAUSE: Setting = duration(
    "collibra.retry_pause",
    "Longest pause before that; a server that asks for a longer one is not asked again",
    |config| &mut config.catalog.collibra.retry_pause,
    ms(1)..=seconds(300),
);
