//! What is asked, in which order.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::rows::{Query, Rows, Text};
use super::tables::{Key, Origin, Relation, Tables};
use super::{Config, Problem, SchemaPattern};
use crate::catalog::format;

const SERVER: &str = include_str!("queries/server.sql");
const SCHEMAS: &str = include_str!("queries/schemas.sql");
const RELATIONS: &str = include_str!("queries/relations.sql");
const COLUMNS: &str = include_str!("queries/columns.sql");
const KEYS: &str = include_str!("queries/keys.sql");
const LINEAGE: &str = include_str!("queries/lineage.sql");

/// `server_version_num` of the oldest server that has everything the queries name.
const OLDEST: i32 = 120_000;
/// One more character of a comment than a catalog keeps, so that a longer one is known as such.
const COMMENT: i32 = 4_001;

/// Of the database, before any of them is chosen.
const MOST_SCHEMAS: usize = 1_000_000;
const MOST_TABLES: usize = 100_000;
const MOST_COLUMNS: usize = 2_000_000;
const MOST_KEYS: usize = 500_000;
const MOST_ORIGINS: usize = 2_000_000;

/// Who answers.
struct Server {
    version: i32,
    written_version: String,
    database: String,
    /// When the transaction began, in µs since 1970.
    began: i64,
}

/// Reads everything in one transaction, which ends with the connection.
pub(super) async fn read(client: &Client, config: &Config) -> Result<format::File, Problem> {
    client.batch_execute(&begin(config)).await?;
    let mut rows = Rows::new(client);
    let server = read_server(&mut rows).await?;
    let schemas = read_schemas(&mut rows, &config.schemas).await?;
    if schemas.is_empty() {
        return Err(Problem::NoSchema);
    }
    let mut tables = Tables::default();
    read_relations(&mut rows, &schemas, &mut tables).await?;
    if tables.is_empty() {
        return Err(Problem::NoTable);
    }
    let relations = tables.oids();
    read_columns(&mut rows, &relations, &mut tables).await?;
    read_keys(&mut rows, &relations, &mut tables).await?;
    read_origins(&mut rows, &mut tables).await?;
    let as_of = Timestamp::from_microsecond(server.began).ok();
    Ok(format::File {
        as_of: as_of.map(|moment| moment.to_string()),
        ..format::File::new(server.database, tables.finish())
    })
}

/// One state of everything, nothing written, no name that could mean anything but the server's own, and texts that need
/// not be UTF-8 where the database does not say what they are. All of it ends with the transaction, so that a connection
/// a pooler lends is given back as it was.
fn begin(config: &Config) -> String {
    let limit = config.statement_timeout.as_millis().max(1);
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL search_path = ''; \
         SET LOCAL statement_timeout = {limit}; \
         SELECT pg_catalog.set_config('client_encoding', 'SQL_ASCII', true) \
         WHERE pg_catalog.current_setting('server_encoding') = 'SQL_ASCII'"
    )
}

async fn read_server(rows: &mut Rows<'_>) -> Result<Server, Problem> {
    let query = Query {
        text: SERVER,
        parameters: &[],
        what: "servers",
        most: 1,
    };
    let mut found = None;
    rows.each(query, |row| {
        found = Some(Server {
            version: row.try_get(0)?,
            written_version: row.try_get::<_, Text>(1)?.0,
            database: row.try_get::<_, Text>(2)?.0,
            began: row.try_get(3)?,
        });
        Ok(())
    })
    .await?;
    let server = found.ok_or_else(|| Problem::Other("the server says nothing".to_owned()))?;
    if server.version < OLDEST {
        return Err(Problem::TooOld(server.written_version));
    }
    Ok(server)
}

/// The schemas that one of the patterns fits; all if there are none.
async fn read_schemas(
    rows: &mut Rows<'_>,
    patterns: &[SchemaPattern],
) -> Result<Vec<u32>, Problem> {
    let query = Query {
        text: SCHEMAS,
        parameters: &[],
        what: "schemas",
        most: MOST_SCHEMAS,
    };
    let mut schemas = Vec::new();
    rows.each(query, |row| {
        let (oid, name): (u32, Text) = (row.try_get(0)?, row.try_get(1)?);
        if patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(&name.0)) {
            schemas.push(oid);
        }
        Ok(())
    })
    .await?;
    Ok(schemas)
}

async fn read_relations(
    rows: &mut Rows<'_>,
    schemas: &Vec<u32>,
    tables: &mut Tables,
) -> Result<(), Problem> {
    let query = Query {
        text: RELATIONS,
        parameters: &[(schemas, Type::OID_ARRAY), (&COMMENT, Type::INT4)],
        what: "tables",
        most: MOST_TABLES,
    };
    rows.each(query, |row| {
        tables.add(Relation {
            oid: row.try_get(0)?,
            schema: row.try_get::<_, Text>(1)?.0,
            name: row.try_get::<_, Text>(2)?.0,
            kind: row.try_get::<_, Text>(3)?.0,
            comment: row.try_get::<_, Option<Text>>(4)?.map(|text| text.0),
        });
        Ok(())
    })
    .await
}

async fn read_columns(
    rows: &mut Rows<'_>,
    relations: &Vec<u32>,
    tables: &mut Tables,
) -> Result<(), Problem> {
    let query = Query {
        text: COLUMNS,
        parameters: &[(relations, Type::OID_ARRAY), (&COMMENT, Type::INT4)],
        what: "columns",
        most: MOST_COLUMNS,
    };
    rows.each(query, |row| {
        let column = format::Column {
            name: row.try_get::<_, Text>(1)?.0,
            data_type: row.try_get::<_, Text>(2)?.0,
            nullable: Some(row.try_get(3)?),
            description: row.try_get::<_, Option<Text>>(4)?.map(|text| text.0),
        };
        tables.add_column(row.try_get(0)?, column);
        Ok(())
    })
    .await
}

async fn read_keys(
    rows: &mut Rows<'_>,
    relations: &Vec<u32>,
    tables: &mut Tables,
) -> Result<(), Problem> {
    let query = Query {
        text: KEYS,
        parameters: &[(relations, Type::OID_ARRAY)],
        what: "keys",
        most: MOST_KEYS,
    };
    rows.each(query, |row| {
        let names = |place: usize| -> Result<Vec<String>, tokio_postgres::Error> {
            let texts: Vec<Text> = row.try_get(place)?;
            Ok(texts.into_iter().map(|text| text.0).collect())
        };
        tables.add_key(Key {
            from: row.try_get(0)?,
            columns: names(1)?,
            to: row.try_get(2)?,
            to_root: row.try_get(3)?,
            to_columns: names(4)?,
        });
        Ok(())
    })
    .await
}

async fn read_origins(rows: &mut Rows<'_>, tables: &mut Tables) -> Result<(), Problem> {
    let query = Query {
        text: LINEAGE,
        parameters: &[],
        what: "origins of views",
        most: MOST_ORIGINS,
    };
    rows.each(query, |row| {
        tables.add_origin(Origin {
            view: row.try_get(0)?,
            source: row.try_get(1)?,
            root: row.try_get(2)?,
        });
        Ok(())
    })
    .await
}
