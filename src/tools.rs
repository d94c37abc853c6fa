//! The tools a model may call: questions to the catalog, with answers in JSON, and those of MCP servers.
//!
//! A call never fails the turn. Whatever is wrong with it is said in its result, for the model to
//! do better.

mod arguments;
mod drawing;
mod find_relationships;
mod get_lineage;
mod get_table_details;
mod list_tables;
pub mod mcp;
mod patterns;
mod provenance;
mod reply;
mod search_columns;
mod subject;

use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Span;

use crate::catalog::{self, Catalog};
use crate::chat::{ToolCall, ToolResult};
use crate::matching::{Matches, Names};
use crate::model::ToolSpec;
use mcp::{Mcp, McpError};
use reply::{Refusal, shorten};

pub use patterns::ToolPatterns;

/// All tools: ours, over one catalog, which may change, and those of MCP servers.
#[derive(Debug, Clone)]
pub struct Tools {
    catalog: catalog::Handle,
    specs: Arc<[ToolSpec]>,
    servers: Option<Mcp>,
}

/// A tool. A closed set: one file a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// What tables there are.
    ListTables,
    /// All about one table.
    GetTableDetails,
    /// How tables refer to each other, and how two can be joined.
    FindRelationships,
    /// Which tables have a column.
    SearchColumns,
    /// Where a table's data comes from and goes to.
    GetLineage,
}

// === impl Tools ===

impl Tools {
    /// The tools over this catalog, as it is when they are called.
    pub fn new(catalog: impl Into<catalog::Handle>) -> Self {
        Self {
            catalog: catalog.into(),
            specs: Tool::ALL.into_iter().map(Tool::spec).collect(),
            servers: None,
        }
    }

    /// The same with the tools of MCP servers, which are connected as long as `stop` is not cancelled. Fails only if one
    /// that is required cannot be reached.
    pub async fn with_servers(
        self,
        config: &mcp::Config,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, McpError> {
        if config.servers.is_empty() {
            return Ok(self);
        }
        let servers = Mcp::start(config, Arc::clone(&self.specs), stop, tasks).await?;
        Ok(Self {
            servers: Some(servers),
            ..self
        })
    }

    /// What models are told of the tools, as of now: those of servers come and go.
    pub fn specs(&self) -> Arc<[ToolSpec]> {
        match &self.servers {
            Some(servers) => servers.specs(),
            None => Arc::clone(&self.specs),
        }
    }

    /// The MCP servers in words, if there are any.
    pub fn servers(&self) -> Option<String> {
        self.servers.as_ref().map(Mcp::summary)
    }

    /// True for a tool that may be called twice without harm: all of ours. Of those of servers nobody knows.
    pub fn only_reads(name: &str) -> bool {
        !mcp::is_of_server(name)
    }

    /// Runs a call. Fails only if a tool panics. Dropping the future ends the call, also at a server.
    pub async fn call(&self, call: &ToolCall) -> Result<ToolResult, JoinError> {
        if let Some(servers) = &self.servers
            && let Some(answer) = servers.call(call).await
        {
            return Ok(result(call, answer));
        }
        let (tools, call, span) = (self.clone(), call.clone(), Span::current());
        // Ours compute; on a thread of their own they run side by side and cannot hold up other sessions.
        tokio::task::spawn_blocking(move || span.in_scope(|| tools.run(&call))).await
    }

    /// Runs a call of a tool of ours.
    pub fn run(&self, call: &ToolCall) -> ToolResult {
        let answer = match Tool::named(&call.name) {
            Some(tool) => tool.run(&self.catalog.current(), &call.arguments),
            None => Err(unknown(&call.name)),
        };
        result(call, answer)
    }
}

// === impl Tool ===

impl Tool {
    /// All of them, in the order models are told of them.
    pub const ALL: [Self; 5] = [
        Self::ListTables,
        Self::GetTableDetails,
        Self::FindRelationships,
        Self::SearchColumns,
        Self::GetLineage,
    ];

    /// The name models call it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListTables => "list_tables",
            Self::GetTableDetails => "get_table_details",
            Self::FindRelationships => "find_relationships",
            Self::SearchColumns => "search_columns",
            Self::GetLineage => "get_lineage",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn spec(self) -> ToolSpec {
        ToolSpec {
            name: self.name().into(),
            description: self.description().into(),
            parameters: self.parameters(),
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::ListTables => list_tables::DESCRIPTION,
            Self::GetTableDetails => get_table_details::DESCRIPTION,
            Self::FindRelationships => find_relationships::DESCRIPTION,
            Self::SearchColumns => search_columns::DESCRIPTION,
            Self::GetLineage => get_lineage::DESCRIPTION,
        }
    }

    fn parameters(self) -> Value {
        match self {
            Self::ListTables => arguments::schema::<list_tables::Arguments>(),
            Self::GetTableDetails => arguments::schema::<get_table_details::Arguments>(),
            Self::FindRelationships => arguments::schema::<find_relationships::Arguments>(),
            Self::SearchColumns => arguments::schema::<search_columns::Arguments>(),
            Self::GetLineage => arguments::schema::<get_lineage::Arguments>(),
        }
    }

    /// A call that works, to show what one looks like.
    fn example(self) -> &'static str {
        match self {
            Self::ListTables => r#"{} or {"type": "FACT"}"#,
            Self::GetTableDetails => r#"{"table": "<name>"}"#,
            Self::FindRelationships => r#"{"table": "<name>", "other": "<name>"}"#,
            Self::SearchColumns => r#"{"pattern": "*email*"}"#,
            Self::GetLineage => r#"{"table": "<name>", "direction": "upstream"}"#,
        }
    }

    fn run(self, catalog: &Catalog, text: &str) -> Result<String, Refusal> {
        match self {
            Self::ListTables => list_tables::run(catalog, arguments::parse(self, text)?),
            Self::GetTableDetails => get_table_details::run(catalog, arguments::parse(self, text)?),
            Self::FindRelationships => {
                find_relationships::run(catalog, arguments::parse(self, text)?)
            }
            Self::SearchColumns => search_columns::run(catalog, arguments::parse(self, text)?),
            Self::GetLineage => get_lineage::run(catalog, arguments::parse(self, text)?),
        }
    }
}

fn result(call: &ToolCall, answer: Result<String, Refusal>) -> ToolResult {
    let failed = answer.is_err();
    ToolResult {
        call_id: Arc::clone(&call.id),
        name: Arc::clone(&call.name),
        content: answer.unwrap_or_else(Refusal::into_json).into(),
        failed,
    }
}

fn unknown(name: &str) -> Refusal {
    let names = Names::new(Tool::ALL.map(Tool::name));
    let near = match names.best(name) {
        Matches::Exact(near) | Matches::Clear(near) => format!(" Did you mean {near}?"),
        Matches::Several(_) | Matches::None { .. } => String::new(),
    };
    Refusal::new(format!(
        "there is no tool '{}'.{near} The tools are {}.",
        shorten(name, 80),
        Tool::ALL.map(Tool::name).join(", ")
    ))
}

#[cfg(test)]
mod tests;
