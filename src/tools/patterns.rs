use crate::matching::{InvalidWildcard, Wildcard};

/// Names of tools, with `*` for any text and `?` for any one character. Case does not matter.
#[derive(Debug, Clone, Default)]
pub struct ToolPatterns {
    texts: Vec<String>,
    wildcards: Vec<Wildcard>,
}

// === impl ToolPatterns ===

impl ToolPatterns {
    /// Reads patterns; the error names the first one that cannot be used.
    pub fn new(texts: Vec<String>) -> Result<Self, (String, InvalidWildcard)> {
        let mut wildcards = Vec::with_capacity(texts.len());
        for text in &texts {
            let wildcard = Wildcard::new(text).map_err(|error| (text.clone(), error))?;
            wildcards.push(wildcard);
        }
        Ok(Self { texts, wildcards })
    }

    /// True if one of them fits the name.
    pub fn fits(&self, name: &str) -> bool {
        self.wildcards.iter().any(|wildcard| wildcard.fits(name))
    }

    /// As they were written.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

impl PartialEq for ToolPatterns {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for ToolPatterns {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_one_of_them_or_none() {
        let texts = ["get_lineage", "crm__*"].map(str::to_owned);
        let patterns = ToolPatterns::new(texts.to_vec()).unwrap();
        for name in ["get_lineage", "GET_LINEAGE", "crm__", "crm__delete_account"] {
            assert!(patterns.fits(name), "{name}");
        }
        for name in ["get_lineage_2", "crm_", "list_tables", ""] {
            assert!(!patterns.fits(name), "{name}");
        }
        assert!(!ToolPatterns::default().fits("list_tables"));
    }

    #[test]
    fn one_that_cannot_be_used_is_named() {
        let texts = ["get_lineage".to_owned(), String::new()];
        let (text, _) = ToolPatterns::new(texts.to_vec()).unwrap_err();
        assert_eq!(text, "");
    }
}
