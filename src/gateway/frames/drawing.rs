//! What can be drawn of an answer, as frontends read it from the `agent` frame.

use serde::Serialize;

use super::timestamp;
use crate::chat::{CanvasTrigger as Trigger, CanvasView, CatalogMetrics};

/// A wish for a view of the frontend's canvas. `new_analysis`, which frontends know too, makes them ask a question by
/// themselves: it is never sent.
#[derive(Debug, Serialize)]
pub(super) struct CanvasTrigger<'a> {
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    view_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_name: Option<&'a str>,
    reason: &'a str,
    confidence: f32,
}

/// Figures of the catalog, or of a schema.
#[derive(Debug, Serialize)]
pub(super) struct Metrics<'a> {
    total_tables: u32,
    total_columns: u32,
    facts_count: u32,
    dimensions_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality_score: Option<u32>,
    relationships_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_name: Option<&'a str>,
    as_of: String,
    is_stale: bool,
}

// === impl CanvasTrigger ===

impl<'a> From<&'a Trigger> for CanvasTrigger<'a> {
    fn from(trigger: &'a Trigger) -> Self {
        Self {
            action: match trigger.view {
                Some(_) => "switch_view",
                None => "none",
            },
            view_type: trigger.view.map(|view| match view {
                CanvasView::ErDiagram => "er_diagram",
                CanvasView::TableList => "table_list",
                CanvasView::RelationshipGraph => "relationship_graph",
            }),
            entity_name: trigger.entity.as_deref(),
            reason: &trigger.reason,
            confidence: trigger.confidence,
        }
    }
}

// === impl Metrics ===

impl<'a> From<&'a CatalogMetrics> for Metrics<'a> {
    fn from(metrics: &'a CatalogMetrics) -> Self {
        Self {
            total_tables: metrics.tables,
            total_columns: metrics.columns,
            facts_count: metrics.facts,
            dimensions_count: metrics.dimensions,
            quality_score: metrics.quality,
            relationships_count: metrics.relationships,
            schema_name: metrics.schema.as_deref(),
            as_of: timestamp(metrics.as_of),
            is_stale: metrics.is_stale,
        }
    }
}
