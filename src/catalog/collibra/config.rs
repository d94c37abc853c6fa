use std::time::Duration;

use crate::secret::Secret;

/// How Collibra sources are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Who dragoman is, for OAuth.
    pub client_id: String,
    /// What proves it.
    pub client_secret: Option<Secret>,
    /// Who dragoman is, where there is no OAuth client.
    pub username: String,
    /// What proves it.
    pub password: Option<Secret>,
    /// Which types of assets are read, by what they are to us.
    pub types: Vec<(TypeOf, String)>,
    /// Which types of relations are read, by what they say.
    pub relations: Vec<(RelationOf, String)>,
    /// Which attributes are read, by the field they fill. Of several for one field the first that has a value counts.
    pub attributes: Vec<(Field, String)>,
    /// Ids of the domains that are read. With `communities`, assets of either are. None of both: all.
    pub domains: Vec<String>,
    /// Ids of the communities whose domains are read; those of communities in them are not.
    pub communities: Vec<String>,
    /// Of how many tables, those without a relation that tells their lineage, the technical lineage is asked for. 0: of none.
    pub technical_lineage: usize,
    /// Most assets, attributes or relations of one answer.
    pub page_size: usize,
    /// Longest time for one request.
    pub request_timeout: Duration,
    /// How often a request that failed for a reason that passes is sent again.
    pub retries: usize,
    /// Longest pause before that.
    pub retry_pause: Duration,
}

/// What a type of assets is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypeOf {
    /// A table.
    Table,
    /// A view.
    View,
    /// A column of either.
    Column,
}

/// What a type of relations says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RelationOf {
    /// The source is a column of the target.
    Column,
    /// The source, a column, refers to the target, a column of the same or another table.
    Key,
    /// The target is made from the source; both are tables or columns.
    Lineage,
}

/// What an attribute fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// What a table or a column holds.
    Description,
    /// What a row of a table stands for.
    Grain,
    /// Whom to ask about a table.
    Owner,
    /// When a table is renewed.
    Refresh,
    /// Other names of a table, separated by commas.
    Synonyms,
    /// `fact`, `dimension`, `view` or `table`.
    TableType,
    /// The data type of a column.
    DataType,
    /// The place of a column in its table.
    Position,
    /// Whether a column may be empty.
    Nullable,
    /// Whether a column is a part of the primary key; a number is its place there.
    Key,
}

/// A closed set of words, each with the value it stands for.
type Words<T> = &'static [(&'static str, T)];

// === impl Config ===

impl Default for Config {
    /// The types that every Collibra has from the start; customers rename and replace them.
    fn default() -> Self {
        let own = |id: &str| id.to_owned();
        Self {
            client_id: String::new(),
            client_secret: None,
            username: String::new(),
            password: None,
            types: vec![
                (TypeOf::Table, own("00000000-0000-0000-0000-000000031007")),
                (TypeOf::View, own("00000000-0000-0000-0001-000400000009")),
                (TypeOf::Column, own("00000000-0000-0000-0000-000000031008")),
            ],
            relations: vec![
                (
                    RelationOf::Column,
                    own("00000000-0000-0000-0000-000000007042"),
                ),
                (RelationOf::Lineage, own("DataElementTargetsDataElement")),
            ],
            attributes: vec![
                (Field::Description, own("Description")),
                (Field::Description, own("Definition")),
                (Field::DataType, own("Technical Data Type")),
                (Field::DataType, own("Data Type")),
                (Field::Position, own("Column Position")),
                (Field::Nullable, own("Is Nullable")),
                (Field::Key, own("Is Primary Key")),
            ],
            domains: Vec::new(),
            communities: Vec::new(),
            technical_lineage: 0,
            page_size: 1_000,
            request_timeout: Duration::from_secs(30),
            retries: 3,
            retry_pause: Duration::from_secs(20),
        }
    }
}

// === impl TypeOf ===

impl TypeOf {
    /// Every word of the setting.
    pub const WORDS: Words<Self> = &[
        ("table", Self::Table),
        ("view", Self::View),
        ("column", Self::Column),
    ];
}

// === impl RelationOf ===

impl RelationOf {
    /// Every word of the setting.
    pub const WORDS: Words<Self> = &[
        ("column", Self::Column),
        ("key", Self::Key),
        ("lineage", Self::Lineage),
    ];
}

// === impl Field ===

impl Field {
    /// Every word of the setting.
    pub const WORDS: Words<Self> = &[
        ("description", Self::Description),
        ("grain", Self::Grain),
        ("owner", Self::Owner),
        ("refresh", Self::Refresh),
        ("synonyms", Self::Synonyms),
        ("table_type", Self::TableType),
        ("data_type", Self::DataType),
        ("position", Self::Position),
        ("nullable", Self::Nullable),
        ("key", Self::Key),
    ];
}
