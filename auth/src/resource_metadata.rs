//! OAuth 2.0 Protected Resource Metadata (RFC 9728): where a client that was refused gets a token. With it, clients
//! of the Model Context Protocol find the authorization server of a guarded server by themselves.

use serde_json::{Map, Value};

use crate::access::Rules;
use crate::credential::TokenSources;
use crate::http::{other_url, web_url};
use crate::refusal::ResourceChallenge;
use crate::route::{Endpoint, Route};
use crate::setting_value::{InvalidValue, Members, text, texts};
use crate::strict_json;

/// Where the metadata of a site is; that of a path stands below it (RFC 9728, section 3.1).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The methods of the endpoint.
const METHODS: &str = "GET, HEAD";

/// `RESOURCE_METADATA`, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataSetting {
    /// Nothing is served.
    Off,
    /// What the metadata say beside the defaults.
    On {
        /// In place of the trusted issuers whose access tokens are accepted.
        authorization_servers: Option<Vec<String>>,
        /// What people read of the resource.
        name: Option<String>,
    },
}

impl MetadataSetting {
    /// Reads `off` or a JSON object.
    ///
    /// # Errors
    /// What to change.
    pub fn parse(setting: &str) -> Result<Self, InvalidValue> {
        if setting == "off" {
            return Ok(Self::Off);
        }
        let what = "`off` or a JSON object like `{\"name\": \"Harbour\"}`";
        let not_json = |error| InvalidValue::new(format!("expected {what}: {error}"));
        let mut members = Members::of(strict_json::value(setting).map_err(not_json)?)?;
        let authorization_servers = members.optional("authorization_servers", servers)?;
        let name = members.optional("name", text)?;
        members.end("`authorization_servers` and `name`")?;
        Ok(Self::On { authorization_servers, name })
    }
}

fn servers(value: Value) -> Result<Vec<String>, InvalidValue> {
    let all = texts(value)?;
    if all.is_empty() {
        return Err(InvalidValue::new("is empty; leave it out"));
    }
    for (index, url) in all.iter().enumerate() {
        let checked = web_url(url).and_then(|_| match url.contains('?') {
            true => Err(other_url("an issuer's URL, which has no query", url)),
            false => Ok(()),
        });
        checked.map_err(|error| error.in_item(index))?;
    }
    Ok(all)
}

/// What the guard tells OAuth clients of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// The issuer identifiers of servers that issue tokens for it. Never empty.
    authorization_servers: Vec<String>,
    /// What people read of it.
    name: Option<String>,
}

impl ResourceMetadata {
    /// By the setting, and the issuers whose access tokens are accepted; `None` if nothing is served.
    ///
    /// # Errors
    /// What the setting lacks.
    pub fn new<'a>(
        setting: Option<MetadataSetting>,
        issuers: impl Iterator<Item = &'a str>,
    ) -> Result<Option<Self>, InvalidValue> {
        let is_set = setting.is_some();
        let (named, name) = match setting {
            Some(MetadataSetting::Off) => return Ok(None),
            Some(MetadataSetting::On { authorization_servers, name }) => {
                (authorization_servers, name)
            }
            None => (None, None),
        };
        // An issuer that is no URL cannot be asked for its metadata (RFC 8414, section 2).
        let found = || issuers.filter(|it| web_url(it).is_ok()).map(str::to_owned).collect();
        let authorization_servers: Vec<String> = named.unwrap_or_else(found);
        match (authorization_servers.is_empty(), is_set) {
            (false, _) => Ok(Some(Self { authorization_servers, name })),
            (true, false) => Ok(None),
            (true, true) => {
                let reason = "needs `authorization_servers`, because no entry of TRUSTED_ISSUERS has \
                              `access_tokens` and a URL as its `issuer`";
                Err(InvalidValue::new(reason))
            }
        }
    }
}

/// The site, and those of its paths that rules mark as resources of their own.
#[derive(Debug, Default)]
pub struct ProtectedResources {
    /// Empty if no metadata are served.
    all: Vec<Resource>,
}

#[derive(Debug)]
struct Resource {
    /// Its path, without a slash at its end: empty for the site.
    path: String,
    /// Its metadata but for `resource`, which begins with the site's address.
    metadata: Map<String, Value>,
}

impl Resource {
    fn contains(&self, path: &str) -> bool {
        path.strip_prefix(&*self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl ProtectedResources {
    /// The resources of these settings.
    pub fn new(metadata: Option<&ResourceMetadata>, rules: &Rules, sources: &TokenSources) -> Self {
        let Some(metadata) = metadata else { return Self::default() };
        let mut all: Vec<Resource> = Vec::new();
        for path in rules.resources().chain([""]) {
            if all.iter().all(|it| it.path != path) {
                let metadata = metadata.json(&rules.scopes_below(path), sources);
                all.push(Resource { path: path.to_owned(), metadata });
            }
        }
        Self { all }
    }

    /// Where a request for metadata goes; `None` if it is for something else. A path below [`WELL_KNOWN`] that is no
    /// resource's is the origin's.
    pub fn route(&self, method: &str, path: &str) -> Option<Route> {
        if self.all.is_empty() {
            return None;
        }
        self.has_metadata(path).then_some(match method {
            "GET" | "HEAD" => Route::Own(Endpoint::ResourceMetadata),
            _ => Route::WrongMethod(METHODS),
        })
    }

    /// Are a resource's metadata at this path?
    pub fn has_metadata(&self, path: &str) -> bool {
        let asked = path.strip_prefix(WELL_KNOWN);
        asked.is_some_and(|asked| self.all.iter().any(|it| it.path == asked))
    }

    /// The metadata at such a path, as JSON; `site` is the scheme and authority of the request.
    pub fn metadata(&self, site: &str, path: &str) -> Option<String> {
        let asked = path.strip_prefix(WELL_KNOWN)?;
        let resource = self.all.iter().find(|it| it.path == asked)?;
        let mut metadata = resource.metadata.clone();
        metadata.insert("resource".into(), format!("{site}{asked}").into());
        Some(Value::Object(metadata).to_string())
    }

    /// What a refusal says of the most specific resource that a path is in (RFC 9728, section 5.1); `None` if no
    /// metadata are served. `scopes` are those that the path needs.
    pub fn challenge(&self, site: &str, path: &str, scopes: &[&str]) -> Option<ResourceChallenge> {
        let around = self.all.iter().filter(|it| it.contains(path));
        let resource = around.max_by_key(|it| it.path.len())?;
        let metadata = format!("{site}{WELL_KNOWN}{}", resource.path);
        Some(ResourceChallenge { metadata, scope: scopes.join(" ") })
    }
}

impl ResourceMetadata {
    fn json(&self, scopes: &[&str], sources: &TokenSources) -> Map<String, Value> {
        let servers = self.authorization_servers.iter().map(String::as_str);
        let mut members = Map::new();
        members.insert("authorization_servers".into(), list(servers));
        members.insert("bearer_methods_supported".into(), list(bearer_methods(sources)));
        if !scopes.is_empty() {
            members.insert("scopes_supported".into(), list(scopes.iter().copied()));
        }
        if let Some(name) = &self.name {
            members.insert("resource_name".into(), name.as_str().into());
        }
        members
    }
}

fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(texts.into_iter().map(Value::from).collect())
}

/// The ways of RFC 6750 in which a token may come, in which its name is fixed.
fn bearer_methods(sources: &TokenSources) -> Vec<&'static str> {
    let named = |names: &[String]| names.iter().any(|name| name == "access_token");
    let all = [
        ("header", sources.bearer),
        ("body", named(&sources.body)),
        ("query", named(&sources.query)),
    ];
    all.into_iter().filter(|(_, is_read)| *is_read).map(|(method, _)| method).collect()
}

/// The answer to a preflight: scripts of every origin may ask, with headers like `MCP-Protocol-Version`.
pub const PREFLIGHT: [(&str, &str); 4] = [
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", METHODS),
    ("access-control-allow-headers", "*"),
    ("access-control-max-age", "600"),
];

#[cfg(test)]
mod tests;
