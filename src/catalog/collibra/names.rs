//! Names such as `System>database>schema>table`, and `System>database>schema>table>column(column)`.

/// What the names of columns end with.
const COLUMN: &str = "(column)";

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FullName {
    /// From the outermost to the innermost of what it is in.
    pub(super) path: Vec<String>,
    /// What it is called there.
    pub(super) name: String,
    /// What people see instead, if that is something else.
    pub(super) shown: Option<String>,
}

// === impl FullName ===

impl FullName {
    /// Takes a full name apart. The short one tells where it ends, as names may have `>` in them.
    pub(super) fn of(full: &str, display: &str) -> Self {
        let (full, display) = (full.trim(), display.trim());
        let full = full.strip_suffix(COLUMN).unwrap_or(full);
        let path = full
            .strip_suffix(display)
            .and_then(|path| path.strip_suffix('>'));
        if let Some(path) = path.filter(|_| !display.is_empty()) {
            return Self {
                path: parts(path),
                name: display.to_owned(),
                shown: None,
            };
        }
        let (path, name) = full.rsplit_once('>').unwrap_or(("", full));
        let name = if name.trim().is_empty() {
            display
        } else {
            name.trim()
        };
        let shown = (!display.is_empty() && display != name).then(|| display.to_owned());
        Self {
            path: parts(path),
            name: name.to_owned(),
            shown,
        }
    }

    /// The schema; empty if the name has none.
    pub(super) fn schema(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// The schema with its database.
    pub(super) fn schema_in_database(&self) -> String {
        let from = self.path.len().saturating_sub(2);
        self.path.get(from..).unwrap_or_default().join(".")
    }

    /// The table that a column is in, by its name.
    pub(super) fn table(mut self) -> Option<Self> {
        let name = self.path.pop()?;
        Some(Self {
            path: self.path,
            name,
            shown: None,
        })
    }
}

/// True if this is the name of a column.
pub(super) fn is_column(full: &str) -> bool {
    full.trim_end().ends_with(COLUMN)
}

fn parts(path: &str) -> Vec<String> {
    let parts = path
        .split('>')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_are_taken_apart() {
        let name = FullName::of("Systems>dap_gold_prod>dm_bs_purchase>orders", "orders");
        assert_eq!(
            (name.schema(), name.name.as_str()),
            ("dm_bs_purchase", "orders")
        );
        assert_eq!(name.schema_in_database(), "dap_gold_prod.dm_bs_purchase");
        assert_eq!(name.shown, None);
        let column = FullName::of("Systems>db>s>orders>order_key(column)", "order_key");
        assert_eq!(column.name, "order_key");
        let table = column.table().unwrap();
        assert_eq!((table.schema(), table.name.as_str()), ("s", "orders"));
    }

    #[test]
    fn a_short_name_tells_where_the_name_begins() {
        let name = FullName::of("Systems>db>s>a>b", "a>b");
        assert_eq!((name.schema(), name.name.as_str()), ("s", "a>b"));
    }

    #[test]
    fn a_title_is_no_name() {
        let name = FullName::of("Systems>db>s>orders", "Purchase orders");
        assert_eq!(
            (name.name.as_str(), name.shown.as_deref()),
            ("orders", Some("Purchase orders"))
        );
        let short = FullName::of("orders", "");
        assert_eq!(
            (short.schema(), short.name.as_str(), &short.shown),
            ("", "orders", &None)
        );
        assert_eq!(FullName::of("", "orders").name, "orders");
    }
}
