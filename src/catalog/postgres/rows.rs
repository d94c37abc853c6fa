use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Row};

use super::Problem;

/// Asks for rows and takes them one by one. All of them together are only so long.
pub(super) struct Rows<'a> {
    client: &'a Client,
    bytes_left: usize,
}

/// A query, and what it is about.
pub(super) struct Query<'a> {
    pub(super) text: &'static str,
    pub(super) parameters: &'a [(&'a (dyn ToSql + Sync), Type)],
    /// What its rows are.
    pub(super) what: &'static str,
    /// How many are accepted.
    pub(super) most: usize,
}

/// A text, in whatever encoding: a database that has none (`SQL_ASCII`) may hold anything.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

/// Most bytes of all rows: four times the longest file.
const MOST_BYTES: usize = 256 * 1024 * 1024;

// === impl Rows ===

impl<'a> Rows<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self {
            client,
            bytes_left: MOST_BYTES,
        }
    }

    /// Gives every row of the answer to `take`.
    pub(super) async fn each(
        &mut self,
        query: Query<'_>,
        mut take: impl FnMut(&Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), Problem> {
        let parameters = query.parameters.iter().cloned();
        let rows = self.client.query_typed_raw(query.text, parameters).await?;
        let mut rows = pin!(rows);
        let mut count = 0;
        while let Some(row) = rows.try_next().await? {
            count += 1;
            if count > query.most {
                return Err(Problem::TooMany {
                    what: query.what,
                    most: query.most,
                });
            }
            let left = self.bytes_left.checked_sub(row.raw_size_bytes());
            self.bytes_left = left.ok_or(Problem::TooMany {
                what: "bytes",
                most: MOST_BYTES,
            })?;
            take(&row)?;
        }
        Ok(())
    }
}

// === impl Text ===

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok::<_, Infallible>(Self(String::from_utf8_lossy(raw).into_owned())).map_err(Into::into)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TEXT
    }
}
