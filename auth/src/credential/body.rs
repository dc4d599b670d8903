//! Fields of a JSON object or form in the body (RFC 6750, section 2.2). The origin gets the body as it
//! came.

use super::Finding;
use crate::body_format::BodyFormat;
use crate::http::{Body, Head};

/// The fields of these names, once the body was read.
pub fn find<'h>(head: &'h dyn Head, names: &[String]) -> Finding<'h> {
    let (Body::Text(body), Some(form)) = (head.body(), form(head, names)) else {
        return Finding::NotPresent;
    };
    Finding::of_values(form.texts(body, names))
}

/// The form of a body that is to be searched; `None` if it need not be read.
pub fn form(head: &dyn Head, names: &[String]) -> Option<BodyFormat> {
    if names.is_empty() || matches!(head.method(), "GET" | "HEAD") {
        return None;
    }
    BodyFormat::of(head.header("content-type").as_deref())
}
