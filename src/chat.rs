//! The words of a conversation, used by every other module: ids, events, limits. No I/O, no wire format.

mod approval;
mod drawing;
mod event;
mod ids;
mod limits;
mod trace;
mod when_busy;

pub use approval::{ApprovalRequest, Decision};
pub use drawing::{CanvasTrigger, CanvasView, CatalogMetrics, Diagram, Drawing};
pub use event::{
    Cursor, Event, EventBody, Fingerprint, Finish, TextChange, ToolCall, ToolResult,
    TurnErrorReason, Usage,
};
pub use ids::{InvalidId, MessageId, SessionId, Subject, TurnId};
pub use limits::Limits;
pub use trace::{TraceContext, TraceId};
pub use when_busy::WhenBusy;
