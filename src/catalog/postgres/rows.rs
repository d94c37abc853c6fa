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
    budget: Budget,
}

/// What may still come.
#[derive(Debug)]
struct Budget {
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
            budget: Budget {
                bytes_left: MOST_BYTES,
            },
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
            self.budget.spend(&query, count, row.raw_size_bytes())?;
            take(&row)?;
        }
        Ok(())
    }
}

// === impl Budget ===

impl Budget {
    /// For a row of so many bytes, the `count`th of a query.
    fn spend(&mut self, query: &Query<'_>, count: usize, bytes: usize) -> Result<(), Problem> {
        if count > query.most {
            return Err(Problem::TooMany {
                what: query.what,
                most: query.most,
            });
        }
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or(Problem::TooMany {
            what: "bytes",
            most: MOST_BYTES,
        })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_bytes_are_counted() {
        let query = Query {
            text: "",
            parameters: &[],
            what: "things",
            most: 2,
        };
        let mut budget = Budget { bytes_left: 10 };
        let mut spend = |count, bytes| {
            let spent = budget.spend(&query, count, bytes);
            spent.map_err(|problem| problem.to_string())
        };
        assert_eq!(spend(1, 4), Ok(()));
        assert_eq!(spend(2, 6), Ok(()));
        let advice = "Name fewer schemas with postgres.schemas";
        assert_eq!(
            spend(3, 0).unwrap_err(),
            format!("there are more than 2 things. {advice}")
        );
        // The bytes are those of all queries together.
        assert_eq!(
            spend(1, 1).unwrap_err(),
            format!("there are more than 268435456 bytes. {advice}")
        );
    }
}
