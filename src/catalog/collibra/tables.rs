//! Tables out of assets and relations.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::config::{Field, RelationOf, TypeOf};
use super::dump::{Asset, Dump, Relation};
use super::lineage::{Sources, upstream};
use super::names::FullName;
use super::{keys, text};
use crate::catalog::format::{Column, ForeignKey, Kind, Lineage, Reference, Status, Table};
use crate::matching::{fold, tokens};

/// Tables, and what could not be told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) tables: Vec<Table>,
    /// Relations between columns that make up no key that could be told.
    pub(super) keys_left_out: usize,
}

/// The columns of a table, with their ids, in their order.
type Columns<'a> = Vec<(&'a str, FullName, &'a Asset)>;

/// Every table, and every asset outside that one of them is made from.
pub(super) fn all(dump: &Dump) -> Told {
    let named = named(dump);
    let references = references(&named);
    let columns = columns(dump, &named);
    let places: HashMap<&str, (&str, &str)> = columns
        .iter()
        .flat_map(|(table, columns)| {
            let places = columns.iter();
            places.map(|(id, name, _)| (*id, (*table, name.name.as_str())))
        })
        .collect();
    let primary_keys: HashMap<&str, Vec<String>> = columns
        .iter()
        .map(|(table, columns)| (*table, primary_key(columns)))
        .collect();
    let mut sources = Sources::default();
    let mut upstream = upstream(dump, &references, &places, &mut sources);
    let (mut foreign, keys_left_out) = foreign_keys(dump, &references, &places, &primary_keys);
    let mut tables: Vec<Table> = Vec::with_capacity(named.len() + sources.tables.len());
    for (id, (name, asset)) in &named {
        let Some(Reference::Exact { schema, name: own }) = references.get(id).cloned() else {
            continue;
        };
        let upstream = upstream.remove(id).unwrap_or_default();
        let said = |field| {
            asset
                .get(field)
                .map(text::plain)
                .filter(|text| !text.is_empty())
        };
        let status = if upstream.is_empty() {
            Status::NotRecorded
        } else {
            Status::Recorded
        };
        tables.push(Table {
            kind: kind(asset, &own),
            schema,
            name: own,
            description: said(Field::Description),
            grain: said(Field::Grain),
            owner: said(Field::Owner),
            refresh: said(Field::Refresh),
            synonyms: synonyms(asset, name),
            primary_key: primary_keys.get(id).cloned().unwrap_or_default(),
            columns: columns.get(id).into_iter().flatten().map(column).collect(),
            foreign_keys: foreign.remove(id).unwrap_or_default(),
            lineage: Some(Lineage { status, upstream }),
            consumers: Vec::new(),
        });
    }
    tables.extend(sources.tables);
    Told {
        tables,
        keys_left_out,
    }
}

/// The tables and views, by id, with their names.
fn named(dump: &Dump) -> BTreeMap<&str, (FullName, &Asset)> {
    let assets = dump.assets.iter();
    assets
        .filter(|(_, asset)| asset.of != TypeOf::Column)
        .map(|(id, asset)| {
            let name = FullName::of(&asset.full_name, &asset.display_name);
            (id.as_str(), (name, asset))
        })
        .collect()
}

/// A schema is named with its database only where two databases have the same one with the same table in it.
fn references<'a>(named: &BTreeMap<&'a str, (FullName, &Asset)>) -> HashMap<&'a str, Reference> {
    let mut uses: HashMap<(&str, &str), usize> = HashMap::new();
    for (name, _) in named.values() {
        *uses.entry((name.schema(), &name.name)).or_default() += 1;
    }
    let reference = |(id, (name, _)): (&&'a str, &(FullName, &Asset))| {
        let is_shared = uses.get(&(name.schema(), name.name.as_str())) > Some(&1);
        let schema = if is_shared {
            name.schema_in_database()
        } else {
            name.schema().to_owned()
        };
        (*id, Reference::exact(schema, &name.name))
    };
    named.iter().map(reference).collect()
}

/// The columns of each table: those a relation names, and those whose name says where they are.
fn columns<'a>(
    dump: &'a Dump,
    named: &BTreeMap<&'a str, (FullName, &Asset)>,
) -> HashMap<&'a str, Columns<'a>> {
    let related: HashMap<&str, &str> = relations(dump, RelationOf::Column)
        .map(|relation| (relation.source.id.as_str(), relation.target.id.as_str()))
        .collect();
    let by_name: HashMap<(&[String], &str), &'a str> = named
        .iter()
        .map(|(id, (name, _))| ((name.path.as_slice(), name.name.as_str()), *id))
        .collect();
    let mut columns: HashMap<&'a str, Columns<'a>> = HashMap::new();
    for (id, asset) in dump
        .assets
        .iter()
        .filter(|(_, asset)| asset.of == TypeOf::Column)
    {
        let name = FullName::of(&asset.full_name, &asset.display_name);
        let related = related
            .get(id.as_str())
            .and_then(|table| named.get_key_value(table));
        let table = related.map(|(table, _)| *table).or_else(|| {
            let (table, path) = name.path.split_last()?;
            by_name.get(&(path, table.as_str())).copied()
        });
        if let Some(table) = table {
            columns.entry(table).or_default().push((id, name, asset));
        }
    }
    for columns in columns.values_mut() {
        columns.sort_by(|(_, left_name, left), (_, right_name, right)| {
            by_number(left, right, Field::Position)
                .then_with(|| left_name.name.cmp(&right_name.name))
        });
    }
    columns
}

/// Those with a number first, in its order.
fn by_number(left: &Asset, right: &Asset, field: Field) -> Ordering {
    let number = |asset: &Asset| asset.number(field).unwrap_or(f64::MAX);
    number(left).total_cmp(&number(right))
}

fn primary_key(columns: &Columns<'_>) -> Vec<String> {
    let mut key: Vec<_> = columns
        .iter()
        .filter(|(_, _, asset)| asset.is(Field::Key) == Some(true))
        .collect();
    // What has a number has a place in the key; the others keep that in the table.
    key.sort_by(|(_, _, left), (_, _, right)| by_number(left, right, Field::Key));
    key.into_iter()
        .map(|(_, name, _)| name.name.clone())
        .collect()
}

fn column((_, name, asset): &(&str, FullName, &Asset)) -> Column {
    Column {
        name: name.name.clone(),
        data_type: asset.get(Field::DataType).unwrap_or_default().to_owned(),
        description: asset
            .get(Field::Description)
            .map(text::plain)
            .filter(|text| !text.is_empty()),
        nullable: asset.is(Field::Nullable),
    }
}

/// What an attribute says, or that it is a view, or what its name says.
fn kind(asset: &Asset, name: &str) -> Kind {
    let said = asset.get(Field::TableType).map(fold);
    let is_view = (asset.of == TypeOf::View).then(|| "view".to_owned());
    for word in said
        .into_iter()
        .chain(is_view)
        .chain(tokens(name).into_iter().next())
    {
        match word.as_str() {
            "fact" | "fct" => return Kind::Fact,
            "dimension" | "dim" | "dimv" => return Kind::Dimension,
            "view" => return Kind::View,
            "table" => return Kind::Table,
            _ => {}
        }
    }
    Kind::Table
}

/// What people call it: the title they see, and what an attribute lists.
fn synonyms(asset: &Asset, name: &FullName) -> Vec<String> {
    let listed = asset
        .all(Field::Synonyms)
        .iter()
        .map(|text| text::plain(text));
    let listed: Vec<String> = listed.collect();
    let words = listed.iter().flat_map(|text| text.split([',', ';', '\n']));
    let words = words.map(|word| word.trim().trim_start_matches("- "));
    let mut seen = HashSet::new();
    let all = name.shown.as_deref().into_iter().chain(words);
    all.filter(|word| !word.is_empty() && seen.insert(*word))
        .map(str::to_owned)
        .collect()
}

pub(super) fn relations(dump: &Dump, of: RelationOf) -> impl Iterator<Item = &Relation> {
    dump.relations
        .iter()
        .filter(move |relation| relation.of == of)
}

/// The keys of each table, and how many relations were left out.
fn foreign_keys<'a>(
    dump: &Dump,
    references: &HashMap<&'a str, Reference>,
    places: &HashMap<&str, (&'a str, &str)>,
    primary_keys: &HashMap<&str, Vec<String>>,
) -> (HashMap<&'a str, Vec<ForeignKey>>, usize) {
    let mut pairs: BTreeMap<(&'a str, &'a str), BTreeSet<keys::Pair>> = BTreeMap::new();
    for relation in relations(dump, RelationOf::Key) {
        let ends =
            (places.get(relation.source.id.as_str())).zip(places.get(relation.target.id.as_str()));
        if let Some(((from, from_column), (to, to_column))) = ends {
            let pair = ((*from_column).to_owned(), (*to_column).to_owned());
            pairs.entry((from, to)).or_default().insert(pair);
        }
    }
    let (mut keys, mut left_out) = (HashMap::<&str, Vec<ForeignKey>>::new(), 0);
    for ((from, to), pairs) in pairs {
        let primary_key = primary_keys.get(to).map_or(&[][..], Vec::as_slice);
        if let Some(reference) = references.get(to) {
            let (found, ambiguous) = keys::between(&pairs, reference, primary_key);
            keys.entry(from).or_default().extend(found);
            left_out += ambiguous;
        }
    }
    (keys, left_out)
}

#[cfg(test)]
mod tests;
