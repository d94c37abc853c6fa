use std::sync::Arc;
use std::time::SystemTime;

/// What a frontend can draw beside an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    /// The tables the turn was about.
    pub diagram: Option<Diagram>,
    /// Which view of its canvas the frontend should show.
    pub canvas: Option<CanvasTrigger>,
    /// How much there is in the catalog, or in the schema the turn was about.
    pub metrics: Option<CatalogMetrics>,
}

/// A picture of tables, to be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// An `erDiagram` of Mermaid, <https://mermaid.js.org/syntax/entityRelationshipDiagram.html>; at most
    /// [`Diagram::MERMAID_BYTES`].
    pub mermaid: Arc<str>,
}

/// A wish for a view of the frontend's canvas.
#[derive(Debug, Clone, PartialEq)]
pub struct CanvasTrigger {
    /// The view; `None` leaves the canvas as it is.
    pub view: Option<CanvasView>,
    /// The table in its middle.
    pub entity: Option<Arc<str>>,
    /// Why, as a sentence.
    pub reason: Arc<str>,
    /// How sure that is, 0 to 1. Frontends switch by themselves from 0.6 up, and ask below.
    pub confidence: f32,
}

/// A view of a frontend's canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanvasView {
    /// Tables with columns and keys.
    ErDiagram,
    /// Tables as a list.
    TableList,
    /// Where data comes from and goes to.
    RelationshipGraph,
}

/// Figures of a catalog, or of one of its schemas. Sources outside the warehouse do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogMetrics {
    /// Tables and views.
    pub tables: u32,
    /// Their columns.
    pub columns: u32,
    /// How many of the tables are facts.
    pub facts: u32,
    /// How many of the tables are dimensions.
    pub dimensions: u32,
    /// How many of the tables and columns have a description, in percent, rounded down. It says how well the catalog
    /// is kept, nothing about the data. `None` if there is nothing to describe.
    pub quality: Option<u32>,
    /// Foreign keys of the tables, each counted once however many columns it has.
    pub relationships: u32,
    /// The schema; `None`: the whole catalog.
    pub schema: Option<Arc<str>>,
    /// The state of the data described, in whole milliseconds; of several sources the oldest.
    pub as_of: SystemTime,
    /// Whether a source could not be read again when that was due.
    pub is_stale: bool,
}

// === impl Diagram ===

impl Diagram {
    /// Longest text. Mermaid refuses more than 50,000 characters unless it is told otherwise.
    pub const MERMAID_BYTES: usize = 48_000;
}
