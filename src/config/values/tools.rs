use crate::tools::ToolPatterns;

/// Most patterns in the list.
const MOST_PATTERNS: usize = 100;

/// Names of tools, separated by commas.
pub(in crate::config) fn tool_patterns(text: &str) -> Result<ToolPatterns, String> {
    if text.trim().is_empty() {
        return Ok(ToolPatterns::default());
    }
    let texts: Vec<String> = text.split(',').map(pattern).collect::<Result<_, _>>()?;
    if texts.len() > MOST_PATTERNS {
        return Err(format!(
            "at most {MOST_PATTERNS} names: use `*` for what they have in common"
        ));
    }
    ToolPatterns::new(texts).map_err(|(text, error)| format!("the name `{text}`: {error}"))
}

/// A name nobody could have would silently ask for nothing.
fn pattern(text: &str) -> Result<String, String> {
    let text = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.*?".contains(&byte);
    if text.is_empty() || !text.bytes().all(allowed) {
        let shown: String = text.escape_debug().take(80).collect();
        return Err(format!(
            "the name `{shown}` is none of a tool: write it like get_lineage or crm__*"
        ));
    }
    Ok(text.to_owned())
}
