//! What can be drawn of an answer.

use std::sync::Arc;

use super::{proto, time};
use crate::chat::{CanvasTrigger, CanvasView, CatalogMetrics, Diagram, Drawing};

/// Takes what can be drawn out of a message.
pub(super) fn drawing(agent: &mut proto::AgentMessage) -> Option<Arc<Drawing>> {
    let drawing = Drawing {
        diagram: agent.diagram.take().map(|diagram| Diagram {
            mermaid: diagram.mermaid.into(),
        }),
        canvas: agent.canvas_trigger.take().map(canvas),
        metrics: agent.metrics.take().map(metrics),
    };
    (drawing != Drawing::default()).then(|| drawing.into())
}

fn canvas(trigger: proto::CanvasTrigger) -> CanvasTrigger {
    let view = match trigger.view_type() {
        proto::CanvasView::Unspecified => None,
        proto::CanvasView::ErDiagram => Some(CanvasView::ErDiagram),
        proto::CanvasView::TableList => Some(CanvasView::TableList),
        proto::CanvasView::RelationshipGraph => Some(CanvasView::RelationshipGraph),
    };
    CanvasTrigger {
        view: view.filter(|_| trigger.action() == proto::CanvasAction::SwitchView),
        entity: given(trigger.entity_name),
        reason: trigger.reason.into(),
        confidence: trigger.confidence,
    }
}

fn metrics(metrics: proto::CatalogMetrics) -> CatalogMetrics {
    CatalogMetrics {
        tables: metrics.total_tables,
        columns: metrics.total_columns,
        facts: metrics.facts_count,
        dimensions: metrics.dimensions_count,
        quality: metrics.quality_score,
        relationships: metrics.relationships_count,
        schema: given(metrics.schema_name),
        as_of: time(metrics.as_of.unwrap_or_default()),
        is_stale: metrics.is_stale,
    }
}

fn given(text: String) -> Option<Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}

pub(super) fn diagram_to_proto(drawing: Option<&Drawing>) -> Option<proto::Diagram> {
    let diagram = drawing?.diagram.as_ref()?;
    Some(proto::Diagram {
        mermaid: diagram.mermaid.to_string(),
    })
}

pub(super) fn canvas_to_proto(drawing: Option<&Drawing>) -> Option<proto::CanvasTrigger> {
    let canvas = drawing?.canvas.as_ref()?;
    let action = match canvas.view {
        Some(_) => proto::CanvasAction::SwitchView,
        None => proto::CanvasAction::None,
    };
    let view = match canvas.view {
        None => proto::CanvasView::Unspecified,
        Some(CanvasView::ErDiagram) => proto::CanvasView::ErDiagram,
        Some(CanvasView::TableList) => proto::CanvasView::TableList,
        Some(CanvasView::RelationshipGraph) => proto::CanvasView::RelationshipGraph,
    };
    Some(proto::CanvasTrigger {
        action: action.into(),
        view_type: view.into(),
        entity_name: text(canvas.entity.as_ref()),
        reason: canvas.reason.to_string(),
        confidence: canvas.confidence,
    })
}

pub(super) fn metrics_to_proto(drawing: Option<&Drawing>) -> Option<proto::CatalogMetrics> {
    let metrics = drawing?.metrics.as_ref()?;
    Some(proto::CatalogMetrics {
        total_tables: metrics.tables,
        total_columns: metrics.columns,
        facts_count: metrics.facts,
        dimensions_count: metrics.dimensions,
        quality_score: metrics.quality,
        relationships_count: metrics.relationships,
        schema_name: text(metrics.schema.as_ref()),
        as_of: Some(metrics.as_of.into()),
        is_stale: metrics.is_stale,
    })
}

fn text(text: Option<&Arc<str>>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}
