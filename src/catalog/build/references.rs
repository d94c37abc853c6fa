use std::collections::{HashMap, HashSet};

use super::{Flaw, Listed, limits};
use crate::catalog::format::{self, Reference};
use crate::catalog::{ForeignKey, TableId};
use crate::matching::{Matches, Names};

/// Resolves the names by which tables of a file refer to each other.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    listed: &'a [Listed],
    qualified: HashMap<(&'a str, &'a str), TableId>,
    bare: HashMap<&'a str, Vec<TableId>>,
}

impl<'a> Directory<'a> {
    pub(super) fn new(listed: &'a [Listed]) -> Result<Self, Flaw> {
        let mut qualified = HashMap::new();
        let mut bare: HashMap<&str, Vec<TableId>> = HashMap::new();
        for (place, Listed { at, table }) in listed.iter().enumerate() {
            let id = TableId::new(place);
            if qualified
                .insert((table.schema.as_str(), table.name.as_str()), id)
                .is_some()
            {
                return Err(Flaw::new(
                    format!("{at}.name"),
                    format!(
                        "the schema '{}' has two tables called '{}'. Remove or rename one",
                        table.schema, table.name
                    ),
                ));
            }
            bare.entry(&table.name).or_default().push(id);
        }
        Ok(Self {
            listed,
            qualified,
            bare,
        })
    }

    pub(super) fn read_keys(
        &self,
        at: &str,
        from: TableId,
        table: &format::Table,
        keys: &mut Vec<ForeignKey>,
    ) -> Result<(), Flaw> {
        let at = format!("{at}.foreign_keys");
        check_keys_count(&at, table)?;
        let first = keys.len();
        for (place, key) in table.foreign_keys.iter().enumerate() {
            let at = format!("{at}[{place}]");
            let key = self.read_key(&at, from, table, key)?;
            let same = |other: &ForeignKey| {
                other.to == key.to
                    && other.from_columns == key.from_columns
                    && other.to_columns == key.to_columns
            };
            if keys.iter().skip(first).any(same) {
                return Err(Flaw::new(at, "this key is listed twice. Remove one"));
            }
            keys.push(key);
        }
        Ok(())
    }

    pub(super) fn read_upstream(
        &self,
        at: &str,
        table: &format::Table,
    ) -> Result<Vec<TableId>, Flaw> {
        let Some(lineage) = &table.lineage else {
            return Ok(Vec::new());
        };
        let at = format!("{at}.lineage.upstream");
        if lineage.status != format::Status::Recorded && !lineage.upstream.is_empty() {
            return Err(Flaw::new(
                at,
                "tables are listed although the status is not \"recorded\". Correct one of the two",
            ));
        }
        let mut seen = HashSet::new();
        let mut upstream = Vec::with_capacity(lineage.upstream.len());
        for (place, name) in lineage.upstream.iter().enumerate() {
            let at = format!("{at}[{place}]");
            let id = self.resolve(&at, name, &table.schema)?;
            if !seen.insert(id) {
                return Err(Flaw::new(
                    at,
                    format!("'{name}' is listed twice. Remove one"),
                ));
            }
            upstream.push(id);
        }
        Ok(upstream)
    }

    fn read_key(
        &self,
        at: &str,
        from: TableId,
        table: &format::Table,
        key: &format::ForeignKey,
    ) -> Result<ForeignKey, Flaw> {
        if key.columns.is_empty() {
            return Err(Flaw::new(
                format!("{at}.columns"),
                "a foreign key has at least one column. Name it, or remove the key",
            ));
        }
        if key.columns.len() != key.to_columns.len() {
            return Err(Flaw::new(
                at,
                format!(
                    "{} columns refer to {}. Name as many in \"to_columns\" as in \"columns\", \
                     in the same order",
                    key.columns.len(),
                    key.to_columns.len()
                ),
            ));
        }
        let to = self.resolve(&format!("{at}.references"), &key.references, &table.schema)?;
        check_columns(&format!("{at}.columns"), &key.columns, table)?;
        if let Some(target) = self.listed.get(to.place()) {
            check_columns(&format!("{at}.to_columns"), &key.to_columns, &target.table)?;
        }
        Ok(ForeignKey {
            from,
            from_columns: key.columns.clone().into(),
            to,
            to_columns: key.to_columns.clone().into(),
        })
    }

    /// `schema.table`, or a bare name: of the same schema first, else of the only schema that has
    /// it.
    fn resolve(&self, at: &str, reference: &Reference, schema: &str) -> Result<TableId, Flaw> {
        let name = match reference {
            Reference::Written(name) => name.as_str(),
            Reference::Exact { schema, name } => {
                let exact = self.qualified.get(&(schema.as_str(), name.as_str()));
                return exact
                    .copied()
                    .ok_or_else(|| Flaw::new(at, self.no_table(&reference.to_string())));
            }
        };
        let qualified = name.match_indices('.').find_map(|(dot, _)| {
            self.qualified
                .get(&(name.get(..dot)?, name.get(dot + 1..)?))
        });
        if let Some(id) = qualified.or_else(|| self.qualified.get(&(schema, name))) {
            return Ok(*id);
        }
        match self.bare.get(name).map(Vec::as_slice) {
            Some([only]) => Ok(*only),
            Some(_) => Err(Flaw::new(
                at,
                format!("several schemas have a table called '{name}'. Write schema.table"),
            )),
            None => Err(Flaw::new(at, self.no_table(name))),
        }
    }

    fn no_table(&self, name: &str) -> String {
        let bare = name.rsplit('.').next().unwrap_or(name);
        let names = Names::new(self.bare.keys());
        let nearest = match names.best(bare) {
            Matches::Exact(near) | Matches::Clear(near) => Some(near),
            Matches::Several(near) | Matches::None { nearest: near } => near.first().copied(),
        };
        let offer = nearest.map_or_else(String::new, |near| {
            let table = self
                .bare
                .get(near)
                .and_then(|ids| self.listed.get(ids.first()?.place()));
            table.map_or_else(String::new, |listed| {
                format!(
                    " Did you mean '{}.{}'?",
                    listed.table.schema, listed.table.name
                )
            })
        });
        format!(
            "the file has no table '{name}'.{offer} Describe the table, or remove the reference"
        )
    }
}

/// What to say of a column a table does not have.
pub(super) fn no_column(column: &str, table: &format::Table) -> String {
    let names = Names::new(table.columns.iter().map(|column| &column.name));
    let offer = match names.best(column) {
        Matches::Exact(near) | Matches::Clear(near) => format!(" Did you mean '{near}'?"),
        Matches::Several(_) | Matches::None { .. } => String::new(),
    };
    format!(
        "the table '{}.{}' has no column '{column}'.{offer}",
        table.schema, table.name
    )
}

fn check_keys_count(at: &str, table: &format::Table) -> Result<(), Flaw> {
    limits::check_count(at, table.foreign_keys.len(), limits::FOREIGN_KEYS)
}

fn check_columns(at: &str, columns: &[String], table: &format::Table) -> Result<(), Flaw> {
    for (place, column) in columns.iter().enumerate() {
        if !table.columns.iter().any(|known| known.name == *column) {
            return Err(Flaw::new(
                format!("{at}[{place}]"),
                no_column(column, table),
            ));
        }
    }
    Ok(())
}
