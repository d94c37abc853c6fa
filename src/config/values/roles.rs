use std::time::Duration;

use http::Uri;

use super::duration;
use crate::chat::WhenBusy;
use crate::config::Role;

/// Most agents in the list.
const MOST_AGENTS: usize = 100;
/// The shortest time a session is kept, unless for ever.
const SHORTEST_RETENTION: Duration = Duration::from_mins(1);
/// The longest.
const LONGEST_RETENTION: Duration = Duration::from_hours(3_650 * 24);

/// What a process does.
pub(in crate::config) fn role(text: &str) -> Result<Role, String> {
    match text.trim() {
        "everything" => Ok(Role::Everything),
        "agent" => Ok(Role::Agent),
        "gateway" => Ok(Role::Gateway),
        _ => Err("write everything, agent or gateway".to_owned()),
    }
}

pub(in crate::config) fn role_text(role: Role) -> String {
    match role {
        Role::Everything => "everything",
        Role::Agent => "agent",
        Role::Gateway => "gateway",
    }
    .to_owned()
}

/// URLs of agents, separated by commas.
pub(in crate::config) fn agents(text: &str) -> Result<Vec<String>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let agents: Vec<String> = text.split(',').map(agent).collect::<Result<_, _>>()?;
    if agents.len() > MOST_AGENTS {
        return Err(format!(
            "at most {MOST_AGENTS} agents: use a DNS name that has all their addresses"
        ));
    }
    Ok(agents)
}

fn agent(text: &str) -> Result<String, String> {
    let text = text.trim();
    let advice = |reason: &str| {
        let shown: String = text.escape_debug().take(80).collect();
        Err(format!("the agent `{shown}` {reason}"))
    };
    let Ok(uri) = text.parse::<Uri>() else {
        return advice("is no URL: write it like http://agent:50051");
    };
    match uri.scheme_str() {
        Some("http") => {}
        // The place of TLS between gateway and agents.
        Some("https") => {
            return advice(
                "asks for TLS, which is not there yet: write http://, on a private network",
            );
        }
        _ => return advice("has no scheme: write it like http://agent:50051"),
    }
    let port = uri.port_u16();
    if uri.host().is_none_or(str::is_empty) || port.is_none() {
        return advice("needs host and port: write it like http://agent:50051");
    }
    if uri.path() != "/" || uri.query().is_some() {
        return advice("has a path: the URL of an agent ends after host and port");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// What becomes of a question while a turn runs.
pub(in crate::config) fn when_busy(text: &str) -> Result<WhenBusy, String> {
    match text.trim() {
        "queue" => Ok(WhenBusy::Queue),
        "reject" => Ok(WhenBusy::Reject),
        "interrupt" => Ok(WhenBusy::Interrupt),
        _ => Err("write queue, reject or interrupt".to_owned()),
    }
}

pub(in crate::config) fn when_busy_text(when_busy: WhenBusy) -> String {
    match when_busy {
        WhenBusy::Queue => "queue",
        WhenBusy::Reject => "reject",
        WhenBusy::Interrupt => "interrupt",
    }
    .to_owned()
}

/// How long sessions are kept: zero means for ever, `None` whatever suits the store.
pub(in crate::config) fn retention(text: &str) -> Result<Option<Duration>, String> {
    if text.trim() == "auto" {
        return Ok(None);
    }
    let retention = duration(text)?;
    if retention.is_zero() || (SHORTEST_RETENTION..=LONGEST_RETENTION).contains(&retention) {
        Ok(Some(retention))
    } else {
        Err("out of range, accepted: auto, 0s, or 1m to 87600h".to_owned())
    }
}
