//! Lists of the REST API, page by page.
//!
//! A cursor leads from page to page; `total` is -1 then. Lists that know no cursor have offsets and a total.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::error::Problem;
use super::request::Request;

/// Most pages of one list.
pub(super) const MOST_PAGES: usize = 10_000;

/// Something with an id.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Identified<T> {
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) rest: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default = "Vec::new")]
    results: Vec<T>,
    next_cursor: Option<String>,
    total: Option<i64>,
}

/// What `keep` keeps of all pages. `query` goes with every request.
pub(super) async fn all<T: DeserializeOwned, K>(
    client: &Client,
    path: &'static str,
    query: &[(&str, &str)],
    keep: impl Fn(Identified<T>) -> Option<K>,
) -> Result<Vec<K>, Problem> {
    let limit = client.config.page_size.to_string();
    let endless = |found| Problem::Endless { path, found };
    let mut kept = Vec::new();
    let mut seen = HashSet::new();
    let mut cursors = HashSet::new();
    let mut next = ("cursor", String::new());
    for _ in 0..MOST_PAGES {
        let mut query = query.to_vec();
        query.extend([("limit", limit.as_str()), (next.0, next.1.as_str())]);
        let page: Page<Identified<T>> = client.json(Request::get(path, &query)).await?;
        if page.results.is_empty() {
            return Ok(kept);
        }
        let before = seen.len();
        for item in page.results {
            if seen.insert(item.id.clone()) {
                kept.extend(keep(item));
            }
        }
        if seen.len() == before {
            return Err(endless("a page repeats those before"));
        }
        next = match (
            page.next_cursor.filter(|cursor| !cursor.is_empty()),
            page.total,
        ) {
            (Some(cursor), _) if !cursors.insert(cursor.clone()) => {
                return Err(endless("a cursor comes back"));
            }
            (Some(cursor), _) => ("cursor", cursor),
            (None, Some(total)) if usize::try_from(total).is_ok_and(|total| seen.len() < total) => {
                ("offset", seen.len().to_string())
            }
            (None, _) => return Ok(kept),
        };
    }
    Err(endless("it has too many pages"))
}
