//! Which properties there are now: wildcards replaced by what the backend has.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::yield_now;

use super::MAX_RESOLVE_STEPS;
use super::metric::{ALL, MetricProperty, Piece, Wildcard};
use crate::{Backend, Document, Failure, Path};

/// After how many resources other tasks get the processor.
pub(super) const RESOURCES_A_TURN: usize = 64;

/// A metric property as a definition or trigger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) property: MetricProperty,
    /// The `MetricId`, if it has one.
    pub(crate) id: Option<Arc<str>>,
    /// JSON pointer of where the client wrote it.
    pub(crate) place: String,
}

/// The resources to read, each once, and what to read of them.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) list: Vec<Source>,
    /// How many properties they have together.
    pub(crate) count: usize,
    /// There are more than the bound allows.
    pub(crate) is_cut: bool,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: Path,
    pub(crate) metrics: Vec<Metric>,
}

/// One property of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Metric {
    /// `/redfish/v1/Systems/1#/PowerState`.
    pub(crate) property: Arc<str>,
    pub(crate) id: Option<Arc<str>>,
}

impl Metric {
    /// The JSON pointer, `/PowerState`.
    pub(crate) fn pointer(&self) -> &str {
        self.property
            .split_once('#')
            .map_or("", |(_, pointer)| pointer)
    }

    /// The top-level property, `PowerState`.
    pub(crate) fn top(&self) -> &str {
        self.pointer().split('/').nth(1).unwrap_or_default()
    }
}

/// Why a template has no properties.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where the client wrote it.
    pub(super) place: String,
    /// What isn't there.
    pub(super) path: String,
}

/// Replaces the wildcards of `templates`; at most `most` properties come out, of at most [`MAX_RESOLVE_STEPS`] places:
/// what is listed but isn't there costs time, too. With `verify`, a resource that the client
/// names himself has to be there.
///
/// # Errors
/// [`Missing`] names the first that isn't.
pub(super) async fn resolve(
    backend: &dyn Backend,
    templates: &[Template],
    wildcards: &[Wildcard],
    most: usize,
    verify: bool,
) -> Result<Sources, Missing> {
    let mut resolver = Resolver {
        backend,
        wildcards,
        most,
        verify,
        sources: Sources::default(),
        places: HashMap::new(),
        steps: 0,
    };
    for template in templates {
        resolver.add(template).await?;
    }
    Ok(resolver.sources)
}

struct Resolver<'a> {
    backend: &'a dyn Backend,
    wildcards: &'a [Wildcard],
    most: usize,
    verify: bool,
    sources: Sources,
    /// Where in `sources` each path is.
    places: HashMap<String, usize>,
    /// How many places were looked at.
    steps: usize,
}

/// A template that is replaced up to some segment.
#[derive(Clone)]
struct Open<'t> {
    path: Path,
    /// Segments that are done.
    done: usize,
    /// What wildcards stand for here. One that stands twice stands for the same both times.
    bound: Vec<(&'t str, String)>,
    /// Some segment comes from the backend: what lies below may be there or not.
    is_listed: bool,
}

impl<'a> Resolver<'a> {
    /// Depth first, so that properties come in the order of the collections.
    async fn add(&mut self, template: &Template) -> Result<(), Missing> {
        let Ok(path) = Path::parse(crate::ROOT) else {
            return Ok(());
        };
        let mut open = vec![Open {
            path,
            done: 0,
            bound: Vec::new(),
            is_listed: false,
        }];
        while let Some(one) = open.pop() {
            if self.sources.count >= self.most || !self.has_turn().await {
                self.sources.is_cut = true;
                return Ok(());
            }
            match template.property.path.get(one.done) {
                Some(piece) => {
                    let mut next = self.step(template, one, piece).await?;
                    next.reverse();
                    open.append(&mut next);
                }
                None => self.finish(template, one).await?,
            }
        }
        Ok(())
    }

    /// Counts a place that is looked at, and lets others work now and then. `false` if these were too many.
    async fn has_turn(&mut self) -> bool {
        self.steps += 1;
        if self.steps.is_multiple_of(RESOURCES_A_TURN) {
            yield_now().await;
        }
        self.steps <= MAX_RESOLVE_STEPS
    }

    /// All that a segment can be.
    async fn step<'t>(
        &self,
        template: &'t Template,
        one: Open<'t>,
        piece: &'t Piece,
    ) -> Result<Vec<Open<'t>>, Missing> {
        let name = match piece {
            Piece::Fixed(text) => return Ok(one.with(text, None).into_iter().collect()),
            Piece::Wildcard(name) => name.as_str(),
        };
        if let Some((_, value)) = one.bound.iter().find(|(bound, _)| *bound == name) {
            let value = value.clone();
            return Ok(one.with(&value, None).into_iter().collect());
        }
        let wildcards = self.wildcards;
        let values = wildcards.iter().find(|wildcard| wildcard.name == name);
        let values = values.map_or(&[][..], |wildcard| &wildcard.values);
        if values != [ALL] {
            let each = values
                .iter()
                .filter_map(|value| one.with(value, Some(name)));
            return Ok(each.collect());
        }
        let members = match self.get(&one.path).await {
            Some(document) => members(&document, &one.path),
            None if self.verify && !one.is_listed => return Err(missing(template, &one.path)),
            None => Vec::new(),
        };
        let each = members.iter().filter_map(|member| {
            let mut next = one.with(member, Some(name))?;
            next.is_listed = true;
            Some(next)
        });
        Ok(each.collect())
    }

    /// The path is known; now the pointer.
    async fn finish(&mut self, template: &Template, one: Open<'_>) -> Result<(), Missing> {
        let pointer = &template.property.pointer;
        let has_wildcards = pointer.iter().any(|p| matches!(p, Piece::Wildcard(_)));
        let needs_look = has_wildcards || (self.verify && !one.is_listed);
        let document = if needs_look {
            self.get(&one.path).await
        } else {
            None
        };
        if document.is_none() && self.verify && !one.is_listed {
            return Err(missing(template, &one.path));
        }
        let document = document.filter(|_| has_wildcards);
        let json = document.and_then(|document| serde_json::from_slice(document.json()).ok());
        let json: Value = json.unwrap_or_default();
        let mut open = vec![(String::new(), &json, 0, one.bound.clone())];
        while let Some((text, value, done, bound)) = open.pop() {
            if !self.has_turn().await {
                self.sources.is_cut = true;
                return Ok(());
            }
            match pointer.get(done) {
                None => self.put(template, &one.path, &text),
                Some(Piece::Fixed(token)) => {
                    let next = value.pointer(&format!("/{token}")).unwrap_or(&Value::Null);
                    open.push((format!("{text}/{token}"), next, done + 1, bound));
                }
                Some(Piece::Wildcard(name)) => {
                    let items = value.as_array().map_or(&[][..], Vec::as_slice);
                    for (index, item) in items.iter().enumerate().rev() {
                        let token = index.to_string();
                        if self.may_be(name, &token, &bound) {
                            let mut bound = bound.clone();
                            bound.push((name, token.clone()));
                            open.push((format!("{text}/{token}"), item, done + 1, bound));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn may_be(&self, name: &str, token: &str, bound: &[(&str, String)]) -> bool {
        if let Some((_, value)) = bound.iter().find(|(bound, _)| *bound == name) {
            return value == token;
        }
        let mut wildcards = self.wildcards.iter();
        let wildcard = wildcards.find(|wildcard| wildcard.name == name);
        wildcard.is_some_and(|w| w.values.iter().any(|value| value == ALL || value == token))
    }

    fn put(&mut self, template: &Template, path: &Path, pointer: &str) {
        if self.sources.count >= self.most {
            self.sources.is_cut = true;
            return;
        }
        let metric = Metric {
            property: format!("{path}#{pointer}").into(),
            id: template.id.clone(),
        };
        let next = self.sources.list.len();
        let place = *self.places.entry(path.to_string()).or_insert(next);
        match self.sources.list.get_mut(place) {
            Some(source) if source.metrics.contains(&metric) => return,
            Some(source) => source.metrics.push(metric),
            None => self.sources.list.push(Source {
                path: path.clone(),
                metrics: vec![metric],
            }),
        }
        self.sources.count += 1;
    }

    async fn get(&self, path: &Path) -> Option<Document> {
        match self.backend.get(path).await {
            Ok(document) => Some(document),
            Err(Failure::NotFound) => None,
            Err(failure) => {
                tracing::warn!(%path, %failure, "can't be read for a metric report");
                None
            }
        }
    }
}

impl<'t> Open<'t> {
    /// One segment further; `None` if the path would be none.
    fn with(&self, segment: &str, wildcard: Option<&'t str>) -> Option<Self> {
        let mut bound = self.bound.clone();
        bound.extend(wildcard.map(|name| (name, segment.to_owned())));
        Some(Self {
            path: self.path.join(segment).ok()?,
            done: self.done + 1,
            bound,
            is_listed: self.is_listed,
        })
    }
}

fn missing(template: &Template, path: &Path) -> Missing {
    Missing {
        place: template.place.clone(),
        path: path.to_string(),
    }
}

/// The last segments of a collection's members.
fn members(document: &Document, path: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Members {
        #[serde(rename = "Members", default)]
        members: Vec<Link>,
    }
    #[derive(serde::Deserialize)]
    struct Link {
        #[serde(rename = "@odata.id")]
        id: String,
    }
    let found = serde_json::from_slice::<Members>(document.json());
    let below = |link: Link| {
        let member = Path::parse(&link.id).ok()?;
        (member.parent().as_ref() == Some(path)).then(|| member.last().to_owned())
    };
    let members = found.map_or_else(|_| Vec::new(), |found| found.members);
    members.into_iter().filter_map(below).collect()
}
