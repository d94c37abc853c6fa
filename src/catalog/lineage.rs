//! Where data comes from and where it goes, as far as it is recorded.

use std::collections::HashMap;

use super::{Catalog, Links, Table, TableId};

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what a table is made from.
    Upstream,
    /// To what is made from it.
    Downstream,
}

/// A table that was reached.
#[derive(Debug, PartialEq)]
pub struct Reached<'a> {
    /// The table.
    pub table: &'a Table,
    /// Steps from the first table, at least 1.
    pub distance: u32,
    /// The tables one step nearer that lead to it; empty next to the first table. At most
    /// [`MOST_VIA`].
    pub via: Vec<&'a Table>,
}

/// Most tables of [`Reached::via`].
pub const MOST_VIA: usize = 5;

/// All tables in one direction, nearest first, each once. The table itself is not among them, even
/// if it is part of a circle.
pub fn reached<'a>(
    catalog: &'a Catalog,
    table: &'a Table,
    direction: Direction,
) -> Vec<Reached<'a>> {
    let mut distances = HashMap::from([(table.id, 0)]);
    let mut reached: Vec<Reached<'_>> = Vec::new();
    let mut level = vec![table];
    let mut distance = 0;
    while !level.is_empty() {
        distance += 1;
        let nearer = std::mem::take(&mut level);
        let mut places: HashMap<TableId, usize> = HashMap::new();
        for from in nearer {
            for next in neighbours(catalog, from, direction) {
                if *distances.entry(next.id).or_insert(distance) != distance {
                    continue;
                }
                let place = *places.entry(next.id).or_insert_with(|| {
                    level.push(next);
                    reached.push(Reached {
                        table: next,
                        distance,
                        via: Vec::new(),
                    });
                    reached.len() - 1
                });
                if let Some(entry) = reached.get_mut(place)
                    && distance > 1
                    && entry.via.len() < MOST_VIA
                {
                    entry.via.push(from);
                }
            }
        }
    }
    reached
}

fn neighbours<'a>(
    catalog: &'a Catalog,
    table: &Table,
    direction: Direction,
) -> impl Iterator<Item = &'a Table> {
    let side = |links: &'a Links| match direction {
        Direction::Upstream => links.upstream.as_slice(),
        Direction::Downstream => links.downstream.as_slice(),
    };
    catalog
        .links(table.id)
        .map_or(&[][..], side)
        .iter()
        .filter_map(|id| catalog.table(*id))
}
