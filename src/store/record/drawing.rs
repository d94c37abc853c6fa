//! What can be drawn of an answer, in its record.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{millis, time};
use crate::chat::{CanvasTrigger, CanvasView, CatalogMetrics, Diagram, Drawing};

#[derive(Serialize, Deserialize)]
pub(super) struct DrawingRecord<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    mermaid: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    canvas: Option<CanvasRecord<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    metrics: Option<MetricsRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
struct CanvasRecord<'a> {
    view: Option<ViewRecord>,
    #[serde(borrow)]
    entity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    confidence: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ViewRecord {
    ErDiagram,
    TableList,
    RelationshipGraph,
}

#[derive(Serialize, Deserialize)]
struct MetricsRecord<'a> {
    tables: u32,
    columns: u32,
    facts: u32,
    dimensions: u32,
    quality: Option<u32>,
    relationships: u32,
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
    as_of: i64,
    is_stale: bool,
}

// === impl DrawingRecord ===

impl<'a> DrawingRecord<'a> {
    pub(super) fn of(drawing: &'a Drawing) -> Self {
        Self {
            mermaid: drawing
                .diagram
                .as_ref()
                .map(|diagram| Cow::Borrowed(&*diagram.mermaid)),
            canvas: drawing.canvas.as_ref().map(CanvasRecord::of),
            metrics: drawing.metrics.as_ref().map(MetricsRecord::of),
        }
    }

    pub(super) fn drawing(self) -> Drawing {
        Drawing {
            diagram: self.mermaid.map(|mermaid| Diagram {
                mermaid: mermaid.into(),
            }),
            canvas: self.canvas.map(CanvasRecord::canvas),
            metrics: self.metrics.map(MetricsRecord::metrics),
        }
    }
}

// === impl CanvasRecord ===

impl<'a> CanvasRecord<'a> {
    fn of(canvas: &'a CanvasTrigger) -> Self {
        Self {
            view: canvas.view.map(ViewRecord::of),
            entity: borrowed(canvas.entity.as_ref()),
            reason: Cow::Borrowed(&canvas.reason),
            confidence: canvas.confidence,
        }
    }

    fn canvas(self) -> CanvasTrigger {
        CanvasTrigger {
            view: self.view.map(|view| view.view()),
            entity: self.entity.map(Into::into),
            reason: self.reason.into(),
            confidence: self.confidence,
        }
    }
}

// === impl ViewRecord ===

impl ViewRecord {
    fn of(view: CanvasView) -> Self {
        match view {
            CanvasView::ErDiagram => Self::ErDiagram,
            CanvasView::TableList => Self::TableList,
            CanvasView::RelationshipGraph => Self::RelationshipGraph,
        }
    }

    fn view(&self) -> CanvasView {
        match self {
            Self::ErDiagram => CanvasView::ErDiagram,
            Self::TableList => CanvasView::TableList,
            Self::RelationshipGraph => CanvasView::RelationshipGraph,
        }
    }
}

// === impl MetricsRecord ===

impl<'a> MetricsRecord<'a> {
    fn of(metrics: &'a CatalogMetrics) -> Self {
        Self {
            tables: metrics.tables,
            columns: metrics.columns,
            facts: metrics.facts,
            dimensions: metrics.dimensions,
            quality: metrics.quality,
            relationships: metrics.relationships,
            schema: borrowed(metrics.schema.as_ref()),
            as_of: millis(metrics.as_of),
            is_stale: metrics.is_stale,
        }
    }

    fn metrics(self) -> CatalogMetrics {
        CatalogMetrics {
            tables: self.tables,
            columns: self.columns,
            facts: self.facts,
            dimensions: self.dimensions,
            quality: self.quality,
            relationships: self.relationships,
            schema: self.schema.map(Into::into),
            as_of: time(self.as_of),
            is_stale: self.is_stale,
        }
    }
}

fn borrowed(text: Option<&Arc<str>>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(&**text))
}
