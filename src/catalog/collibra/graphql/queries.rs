//! Queries, of fields that clients of others use too.

/// Most attributes of one kind of an asset.
const ATTRIBUTES: usize = 100;
/// Most relations of an asset in one answer; there may be more in others.
pub(super) const RELATIONS: usize = 50;

/// The query for a page of assets. Relations are those that go out; those that tell where data comes from are asked for at
/// their other end too, as it may be no table.
pub(super) fn query(with_lineage: bool) -> String {
    let (variable, incoming) = if with_lineage {
        (
            ", $lineage: [UUID!]!",
            format!(
                "incomingRelations(order: {{ id: asc }}, where: {{ type: {{ id: {{ in: $lineage }} }} }}, \
                 limit: {RELATIONS}) {}",
                edge("source")
            ),
        )
    } else {
        ("", String::new())
    };
    format!(
        "query Assets($limit: Int!, $where: AssetFilter{variable}) {{ \
           assets(limit: $limit, where: $where, order: {{ id: asc }}) {{ \
             id fullName displayName \
             stringAttributes(limit: {ATTRIBUTES}) {{ stringValue type {{ name }} }} \
             numericAttributes(limit: {ATTRIBUTES}) {{ numericValue type {{ name }} }} \
             booleanAttributes(limit: {ATTRIBUTES}) {{ booleanValue type {{ name }} }} \
             outgoingRelations(order: {{ id: asc }}, limit: {RELATIONS}) {} \
             {incoming} }} }}",
        edge("target")
    )
}

/// The query for more relations of one asset.
pub(super) fn more_query(relations: &str, other: &str, filter: &str) -> String {
    let variable = if filter.is_empty() {
        ""
    } else {
        ", $lineage: [UUID!]!"
    };
    format!(
        "query Relations($id: UUID!, $after: UUID!{variable}) {{ \
           assets(where: {{ id: {{ eq: $id }} }}) {{ \
             {relations}(order: {{ id: asc }}, where: {{ id: {{ gt: $after }}{filter} }}, limit: {RELATIONS}) {} }} }}",
        edge(other)
    )
}

fn edge(other: &str) -> String {
    format!("{{ id type {{ id role }} {other} {{ id fullName displayName }} }}")
}
