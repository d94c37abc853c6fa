use crate::model::openai::{Auth, TokenField};

pub(in crate::config) fn api_version(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.len() > 64 || !text.bytes().all(allowed) {
        return Err("write it like 2024-10-21, or leave it empty".to_owned());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(in crate::config) fn auth(text: &str) -> Result<Auth, String> {
    match text.trim() {
        "auto" => Ok(Auth::Auto),
        "bearer" => Ok(Auth::Bearer),
        "api-key" => Ok(Auth::ApiKey),
        _ => Err("write auto, bearer or api-key".to_owned()),
    }
}

pub(in crate::config) fn auth_text(auth: Auth) -> String {
    match auth {
        Auth::Auto => "auto",
        Auth::Bearer => "bearer",
        Auth::ApiKey => "api-key",
    }
    .to_owned()
}

pub(in crate::config) fn token_field(text: &str) -> Result<TokenField, String> {
    match text.trim() {
        "max_completion_tokens" => Ok(TokenField::MaxCompletionTokens),
        "max_tokens" => Ok(TokenField::MaxTokens),
        _ => Err("write max_completion_tokens or max_tokens".to_owned()),
    }
}

pub(in crate::config) fn token_field_text(field: TokenField) -> String {
    match field {
        TokenField::MaxCompletionTokens => "max_completion_tokens",
        TokenField::MaxTokens => "max_tokens",
    }
    .to_owned()
}
