use http::Method;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// For people and spans: without ids and queries.
    pub(super) path: &'static str,
    /// The whole of it, from the first slash.
    pub(super) target: String,
    /// A body, and what it is.
    pub(super) body: Option<(&'static str, Vec<u8>)>,
}

/// As in a query and in a form.
fn encoded(pairs: &[(&str, &str)]) -> String {
    // Only URLs are encoded by what is here already.
    let Ok(url) = reqwest::Url::parse_with_params("form:", pairs) else {
        return String::new();
    };
    url.query().unwrap_or_default().to_owned()
}

// === impl Request ===

impl Request {
    /// Asks for a resource; `query` is `(name, value)`, as they are.
    pub(super) fn get(path: &'static str, query: &[(&str, &str)]) -> Self {
        Self::get_at(path, path.to_owned(), query)
    }

    /// The same for a resource whose path has an id in it.
    pub(super) fn get_at(path: &'static str, target: String, query: &[(&str, &str)]) -> Self {
        let query = encoded(query);
        Self {
            method: Method::GET,
            path,
            target: if query.is_empty() {
                target
            } else {
                format!("{target}?{query}")
            },
            body: None,
        }
    }

    /// Sends a JSON body.
    pub(super) fn post_json(path: &'static str, body: &serde_json::Value) -> Self {
        Self {
            method: Method::POST,
            path,
            target: path.to_owned(),
            body: Some(("application/json", body.to_string().into_bytes())),
        }
    }

    /// Sends a form.
    pub(super) fn post_form(path: &'static str, fields: &[(&str, &str)]) -> Self {
        Self {
            method: Method::POST,
            path,
            target: path.to_owned(),
            body: Some((
                "application/x-www-form-urlencoded",
                encoded(fields).into_bytes(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_forms_are_encoded() {
        let request = Request::get("/rest/2.0/assets", &[("cursor", ""), ("name", "a&b c=č")]);
        assert_eq!(
            request.target,
            "/rest/2.0/assets?cursor=&name=a%26b+c%3D%C4%8D"
        );
        assert_eq!(request.path, "/rest/2.0/assets");
        assert_eq!(Request::get("/x", &[]).target, "/x");
        let form = Request::post_form("/t", &[("client_secret", "+/=&")]);
        assert_eq!(form.body.unwrap().1, b"client_secret=%2B%2F%3D%26");
    }
}
