//! How tables can be joined: over recorded foreign keys only, in either direction.

use std::collections::HashMap;

use super::{Catalog, Key, Table, TableId};

/// Most keys of a path.
pub const MOST_HOPS: u32 = 4;
/// Most paths that are returned.
pub const MOST_PATHS: usize = 5;
/// Most equally short paths that are looked at to choose the best ones.
const MOST_TRIED: usize = 200;

/// The shortest ways from one table to another.
#[derive(Debug)]
pub struct Paths<'a> {
    /// Equally short, the best first: a way that never turns multiplies no rows.
    pub paths: Vec<Vec<Key<'a>>>,
    /// True if there are more equally short ones.
    pub more: bool,
}

/// The shortest ways to join two tables, each as the keys to follow in this order. A table is
/// joined to itself only by a key to itself.
pub fn shortest<'a>(catalog: &'a Catalog, from: &'a Table, to: &'a Table) -> Paths<'a> {
    let mut paths = Vec::new();
    if from == to {
        paths.extend(
            catalog
                .keys_from(from)
                .filter(|key| key.to == to)
                .map(|key| vec![key]),
        );
    } else {
        let distances = distances(catalog, from, to);
        walk(catalog, from, &distances, &mut Vec::new(), &mut paths);
    }
    let more = paths.len() > MOST_PATHS;
    paths.sort_by_cached_key(|path| turns(from, path));
    paths.truncate(MOST_PATHS);
    Paths { paths, more }
}

/// How far each table is from `to`, as far as needed to reach `from`.
fn distances(catalog: &Catalog, from: &Table, to: &Table) -> HashMap<TableId, u32> {
    let mut distances = HashMap::from([(to.id, 0)]);
    let mut level = vec![to];
    for distance in 1..=MOST_HOPS {
        let mut next = Vec::new();
        for table in level {
            for (_, neighbour) in steps(catalog, table) {
                distances.entry(neighbour.id).or_insert_with(|| {
                    next.push(neighbour);
                    distance
                });
            }
        }
        if distances.contains_key(&from.id) {
            break;
        }
        level = next;
    }
    distances
}

/// Goes from `table` to where the distance is 0, always one nearer.
fn walk<'a>(
    catalog: &'a Catalog,
    table: &'a Table,
    distances: &HashMap<TableId, u32>,
    path: &mut Vec<Key<'a>>,
    paths: &mut Vec<Vec<Key<'a>>>,
) {
    let Some(distance) = distances.get(&table.id) else {
        return;
    };
    if *distance == 0 {
        paths.push(path.clone());
        return;
    }
    for (key, neighbour) in steps(catalog, table) {
        if paths.len() >= MOST_TRIED {
            return;
        }
        if distances.get(&neighbour.id) == Some(&(distance - 1)) {
            path.push(key);
            walk(catalog, neighbour, distances, path, paths);
            path.pop();
        }
    }
}

/// The keys at a table and the tables at their other ends.
fn steps<'a>(catalog: &'a Catalog, table: &Table) -> impl Iterator<Item = (Key<'a>, &'a Table)> {
    let out = catalog.keys_from(table).map(|key| (key, key.to));
    let back = catalog.keys_to(table).map(|key| (key, key.from));
    out.chain(back)
}

/// How often the way turns, and how often it does so at a table that both neighbours refer to.
/// Without a turn every row of one end has one row of the other; a turn pairs rows that only share
/// something, a plant or a day.
fn turns(from: &Table, path: &[Key<'_>]) -> (usize, usize) {
    let mut here = from.id;
    let mut forward = Vec::with_capacity(path.len());
    for key in path {
        let follows = key.from.id == here;
        here = if follows { key.to.id } else { key.from.id };
        forward.push(follows);
    }
    let pairs = || forward.iter().zip(forward.iter().skip(1));
    let turns = pairs().filter(|(before, after)| before != after).count();
    let shared = pairs()
        .filter(|(before, after)| **before && !**after)
        .count();
    (turns, shared)
}
