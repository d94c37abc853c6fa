//! What can be drawn of a turn, from the results of its tools.
//!
//! The results say which tables the turn was about; columns and keys of these come from the catalog, as a result names a
//! neighbour without its columns. Tools that are not ours are ignored, and so is what is in the catalog no more.

mod layout;
mod mermaid;
mod metrics;
mod seen;
mod words;

use std::sync::Arc;

use super::{Tool, Tools};
use crate::catalog::Table;
use crate::chat::{CanvasTrigger, CanvasView, Diagram, Drawing, ToolResult};
use seen::Seen;

/// A switch of the view nobody will mind: the tables were asked for by name.
const SURE: f32 = 0.9;
/// A list was asked for, or read on the way to something else.
const LIKELY: f32 = 0.7;
/// Below what makes frontends switch by themselves: the tables only have a column that fits, or nothing connects them.
const UNSURE: f32 = 0.5;

// === impl Tools ===

impl Tools {
    /// What a frontend can draw of a turn in which tools had these results; `None` if no tool of ours answered.
    pub fn drawing(&self, results: &[ToolResult]) -> Option<Drawing> {
        let catalog = self.catalog.current();
        let seen = Seen::read(&catalog, results)?;
        let mermaid = layout::fitting(&seen, Diagram::MERMAID_BYTES);
        Some(Drawing {
            canvas: Some(canvas(&seen, mermaid.is_some())),
            diagram: mermaid.map(|text| Diagram {
                mermaid: text.into(),
            }),
            metrics: Some(metrics::of(&catalog, &seen.scope)),
        })
    }
}

fn canvas(seen: &Seen<'_>, drawn: bool) -> CanvasTrigger {
    let subjects = &seen.subjects;
    let entity = |table: &&Table| Arc::from(table.label());
    let (view, confidence, reason) = match seen.tool {
        Tool::ListTables if !seen.tables.is_empty() || seen.listed > 0 => (
            Some(CanvasView::TableList),
            LIKELY,
            format!("The answer is about a list of {}.", counted(seen.listed)),
        ),
        _ if !drawn => (None, 1.0, "No table was found.".to_owned()),
        Tool::GetLineage => (
            Some(CanvasView::RelationshipGraph),
            if seen.lineage.is_empty() {
                UNSURE
            } else {
                SURE
            },
            format!("The answer is about the lineage of {}.", names(subjects)),
        ),
        Tool::SearchColumns => (
            Some(CanvasView::ErDiagram),
            UNSURE,
            format!("Columns were searched for in {}.", names(subjects)),
        ),
        Tool::ListTables | Tool::GetTableDetails | Tool::FindRelationships => (
            Some(CanvasView::ErDiagram),
            SURE,
            format!("The answer is about {}.", names(subjects)),
        ),
    };
    let has_middle = matches!(
        seen.tool,
        Tool::GetTableDetails | Tool::FindRelationships | Tool::GetLineage
    );
    CanvasTrigger {
        entity: subjects
            .first()
            .filter(|_| has_middle && view.is_some())
            .map(entity),
        view,
        reason: reason.into(),
        confidence,
    }
}

fn names(tables: &[&Table]) -> String {
    match tables {
        [] => "no table".to_owned(),
        [one] => one.label().to_owned(),
        [one, other] => format!("{} and {}", one.label(), other.label()),
        [first, others @ ..] => format!("{} and {} other tables", first.label(), others.len()),
    }
}

fn counted(tables: usize) -> String {
    if tables == 1 {
        "1 table".to_owned()
    } else {
        format!("{tables} tables")
    }
}

#[cfg(test)]
mod tests;
