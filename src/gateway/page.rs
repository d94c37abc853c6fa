//! The page at `/`: a chat to try dragoman with. Its files are in the binary.

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};

use super::not_found;

/// Everything the page consists of: name, media type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("announcer.js", SCRIPT, include_str!("page/announcer.js")),
    (
        "approval_card.js",
        SCRIPT,
        include_str!("page/approval_card.js"),
    ),
    ("clipboard.js", SCRIPT, include_str!("page/clipboard.js")),
    ("connection.js", SCRIPT, include_str!("page/connection.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("drawing.js", SCRIPT, include_str!("page/drawing.js")),
    ("er_diagram.js", SCRIPT, include_str!("page/er_diagram.js")),
    ("er_layout.js", SCRIPT, include_str!("page/er_layout.js")),
    ("er_text.js", SCRIPT, include_str!("page/er_text.js")),
    ("follow.js", SCRIPT, include_str!("page/follow.js")),
    ("ids.js", SCRIPT, include_str!("page/ids.js")),
    ("index.html", HTML, include_str!("page/index.html")),
    ("logo.svg", SVG, include_str!("page/logo.svg")),
    ("markdown.js", SCRIPT, include_str!("page/markdown.js")),
    (
        "markdown_blocks.js",
        SCRIPT,
        include_str!("page/markdown_blocks.js"),
    ),
    (
        "markdown_inline.js",
        SCRIPT,
        include_str!("page/markdown_inline.js"),
    ),
    ("outbox.js", SCRIPT, include_str!("page/outbox.js")),
    ("page.js", SCRIPT, include_str!("page/page.js")),
    ("pending.js", SCRIPT, include_str!("page/pending.js")),
    ("status.js", SCRIPT, include_str!("page/status.js")),
    ("style.css", CSS, include_str!("page/style.css")),
    ("tool_card.js", SCRIPT, include_str!("page/tool_card.js")),
    ("transcript.js", SCRIPT, include_str!("page/transcript.js")),
    ("turn.js", SCRIPT, include_str!("page/turn.js")),
];

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const HTML: &str = "text/html; charset=utf-8";

/// Answers are data: should one ever get past the renderer, nothing of it may run or be fetched.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The page itself.
pub(super) async fn index() -> Response {
    named("index.html").await
}

/// One of its files.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    named(&name).await
}

async fn named(name: &str) -> Response {
    let Some((_, media_type, content)) = FILES.iter().find(|(file, _, _)| *file == name) else {
        return not_found().await;
    };
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // The files change with the binary, under the same names.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, *content).into_response()
}
