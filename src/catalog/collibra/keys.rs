//! Foreign keys out of relations between columns.
//!
//! A relation joins two columns, and no relation says which others belong to the same key. So relations between two tables
//! are one key if their targets together are the primary key there; else each is a key of its own. Where one column of a
//! composite key is referred to twice, nobody can tell which belong together: those are left out, and counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::format::{ForeignKey, Reference};

/// A relation between two columns: their names.
pub(super) type Pair = (String, String);

/// The keys of one table to another, whose primary key this is, and how many relations were left out.
pub(super) fn between(
    pairs: &BTreeSet<Pair>,
    to: &Reference,
    primary_key: &[String],
) -> (Vec<ForeignKey>, usize) {
    let key = |pairs: &[&Pair]| ForeignKey {
        columns: pairs.iter().map(|(from, _)| from.clone()).collect(),
        references: to.clone(),
        to_columns: pairs.iter().map(|(_, to)| to.clone()).collect(),
    };
    let is_part = |(_, to): &&Pair| primary_key.len() > 1 && primary_key.contains(to);
    let (parts, singles): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(is_part);
    let mut keys: Vec<ForeignKey> = singles.iter().map(|pair| key(&[pair])).collect();
    let mut by_target: BTreeMap<&String, Vec<&Pair>> = BTreeMap::new();
    for part in &parts {
        by_target.entry(&part.1).or_default().push(part);
    }
    let is_whole = !parts.is_empty() && by_target.len() == primary_key.len();
    if by_target.values().all(|sources| sources.len() == 1) && is_whole {
        let in_order = primary_key
            .iter()
            .filter_map(|column| by_target.get(column)?.first());
        let in_order: Vec<&Pair> = in_order.copied().collect();
        keys.push(key(&in_order));
        return (keys, 0);
    }
    if is_whole {
        return (keys, parts.len());
    }
    // What is recorded is less than the key there.
    keys.extend(parts.iter().map(|pair| key(&[pair])));
    (keys, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &str)], primary_key: &[&str]) -> (Vec<String>, usize) {
        let pairs = pairs
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        let primary_key: Vec<String> = primary_key.iter().map(|name| (*name).to_owned()).collect();
        let (keys, left_out) = between(&pairs.collect(), &Reference::exact("s", "t"), &primary_key);
        let told = keys
            .iter()
            .map(|key| format!("{} = {}", key.columns.join(","), key.to_columns.join(",")));
        (told.collect(), left_out)
    }

    #[test]
    fn relations_that_make_up_the_primary_key_are_one_key() {
        let pairs = [("item", "order_item"), ("number", "order_number")];
        let primary_key = ["order_number", "order_item"];
        assert_eq!(
            keys(&pairs, &primary_key),
            (vec!["number,item = order_number,order_item".to_owned()], 0)
        );
    }

    #[test]
    fn two_columns_that_refer_to_the_same_one_are_two_keys() {
        let pairs = [("due_date", "date_key"), ("invoice_date", "date_key")];
        let told = ["due_date = date_key", "invoice_date = date_key"];
        assert_eq!(
            keys(&pairs, &["date_key"]),
            (told.map(str::to_owned).to_vec(), 0)
        );
        assert_eq!(keys(&pairs, &[]), (told.map(str::to_owned).to_vec(), 0));
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_out_and_counted() {
        let pairs = [
            ("a1", "k1"),
            ("b1", "k1"),
            ("a2", "k2"),
            ("b2", "k2"),
            ("x", "other"),
        ];
        assert_eq!(
            keys(&pairs, &["k1", "k2"]),
            (vec!["x = other".to_owned()], 4)
        );
    }

    #[test]
    fn a_part_of_a_key_is_told_as_it_is_recorded() {
        assert_eq!(
            keys(&[("a", "k1")], &["k1", "k2"]),
            (vec!["a = k1".to_owned()], 0)
        );
    }
}
