use super::*;
use crate::issuer::tests::parsed;
use serde_json::json;

#[test]
fn another_issuers_document_is_refused() {
    let entry = json!({ "issuer": "https://idp.example", "client_id": "app", "name": "staff" });
    let issuer = parsed(entry, json!({})).unwrap();
    let document = json!({ "issuer": "https://idp.example/" }).to_string();
    let error = ProviderMetadata::parse(&document, &issuer).unwrap_err();
    assert!(error.contains("with or without a slash"), "{error}");
}
