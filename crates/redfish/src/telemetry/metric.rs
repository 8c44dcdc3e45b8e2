//! Metric properties as clients write them: a URI of a property, with wildcards in braces (DSP0268
//! "MetricReportDefinition", `MetricProperties`).
//!
//! ```text
//! /redfish/v1/Chassis/{Chassis}/Sensors/{Sensor}#/Reading
//!                     a wildcard is a whole segment        behind the #, a JSON pointer
//! ```

use redfish_schema::{Kind, ResourceType};

use crate::Path;

/// How many metric properties a definition or trigger names at most, before wildcards.
pub const MAX_METRIC_PROPERTIES: usize = 256;
/// How long a metric property is at most, in bytes: every value of a report has its own.
pub const MAX_METRIC_PROPERTY_BYTES: usize = 512;
/// How long a `MetricId` is at most, in bytes: every value of its metric has it.
pub const MAX_METRIC_ID_BYTES: usize = 128;
/// How many wildcards it has at most.
pub const MAX_WILDCARDS: usize = 16;
/// How many values a wildcard lists at most.
pub const MAX_WILDCARD_VALUES: usize = 4096;

/// The value of a wildcard that stands for all that there are.
pub(crate) const ALL: &str = "*";

/// One metric property, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricProperty {
    /// Below `/redfish/v1`.
    pub(crate) path: Vec<Piece>,
    /// The JSON pointer, token by token.
    pub(crate) pointer: Vec<Piece>,
}

/// One segment of a path, or one token of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Fixed(String),
    /// The name of a wildcard.
    Wildcard(String),
}

/// A name and what stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wildcard {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

impl Piece {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
            Some("") => None,
            Some(name) if !name.contains(['{', '}']) => Some(Self::Wildcard(name.to_owned())),
            None if !text.contains(['{', '}']) => Some(Self::Fixed(text.to_owned())),
            _ => None,
        }
    }
}

impl MetricProperty {
    /// Takes the text apart.
    ///
    /// # Errors
    /// Says what form it should have.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_METRIC_PROPERTY_BYTES {
            return Err("Give at most 512 bytes.");
        }
        let (path, pointer) = text.split_once("#/").ok_or(
            "Name a property behind the path: /redfish/v1/Chassis/1/Sensors/Inlet#/Reading.",
        )?;
        let parsed = Path::parse(path).map_err(|_| "Begin with the path of a resource.")?;
        let pieces = |texts: &mut dyn Iterator<Item = &str>| {
            let pieces: Option<Vec<_>> = texts.map(Piece::parse).collect();
            pieces.ok_or("A wildcard is a whole segment of the path or pointer: /{Name}/.")
        };
        Ok(Self {
            path: pieces(&mut parsed.segments().iter().copied())?,
            pointer: pieces(&mut pointer.split('/'))?,
        })
    }

    /// Names of the wildcards in it.
    pub(crate) fn wildcards(&self) -> impl Iterator<Item = &str> {
        let pieces = self.path.iter().chain(&self.pointer);
        pieces.filter_map(|piece| match piece {
            Piece::Wildcard(name) => Some(name.as_str()),
            Piece::Fixed(_) => None,
        })
    }

    /// Whether the schema knows such a property, and it holds one value: a number, a text or a Boolean.
    pub(crate) fn is_in_schema(&self) -> bool {
        let path = self
            .path
            .iter()
            .fold(crate::ROOT.to_owned(), |path, piece| {
                let (Piece::Fixed(text) | Piece::Wildcard(text)) = piece;
                path + "/" + text
            });
        let fits = |kind: &&&ResourceType| {
            !kind.uris.is_empty() && !kind.is_collection() && kind.may_be_at(&path)
        };
        let mut kinds = redfish_schema::all().iter().filter(fits);
        kinds.any(|kind| leads_to_value(&Kind::Object(kind.object), &self.pointer))
    }
}

fn leads_to_value(kind: &Kind, pointer: &[Piece]) -> bool {
    match (kind, pointer.split_first()) {
        (Kind::Object(object), Some((Piece::Fixed(name), rest))) => {
            object.property(name).map_or(object.is_open, |property| {
                leads_to_value(&property.kind, rest)
            })
        }
        (Kind::Array { item, .. }, Some((piece, rest))) => {
            let is_place = match piece {
                Piece::Fixed(text) => text.parse::<usize>().is_ok(),
                Piece::Wildcard(_) => true,
            };
            is_place && leads_to_value(item, rest)
        }
        (Kind::Object(_) | Kind::Array { .. } | Kind::Reference(_), _) | (_, Some(_)) => false,
        (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_property_is_a_path_and_a_pointer_with_wildcards_in_whole_segments() {
        let found =
            MetricProperty::parse("/redfish/v1/Chassis/{C}/Sensors/Inlet#/Reading").unwrap();
        let fixed = |text: &str| Piece::Fixed(text.to_owned());
        assert_eq!(
            found.path,
            [
                fixed("Chassis"),
                Piece::Wildcard("C".to_owned()),
                fixed("Sensors"),
                fixed("Inlet")
            ]
        );
        assert_eq!(found.pointer, [fixed("Reading")]);
        assert_eq!(found.wildcards().collect::<Vec<_>>(), ["C"]);
        for text in [
            "",
            "#/Reading",
            "/redfish/v1/Systems/1",
            "/redfish/v1/Systems/1#Reading",
            "/Systems/1#/PowerState",
            "/redfish/v1/Systems/node{N}#/PowerState",
            "/redfish/v1/Systems/{}#/PowerState",
            "/redfish/v1/Systems/{a{b}}#/PowerState",
            "/redfish/v1/Systems/../x#/PowerState",
        ] {
            assert!(MetricProperty::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_knows_which_properties_hold_a_value() {
        for (text, expected) in [
            ("/redfish/v1/Systems/1#/PowerState", true),
            ("/redfish/v1/Systems/{S}#/Status/Health", true),
            ("/redfish/v1/Chassis/{C}/Sensors/{S}#/Reading", true),
            (
                "/redfish/v1/Chassis/1/EnvironmentMetrics#/PowerWatts/Reading",
                true,
            ),
            (
                "/redfish/v1/Chassis/{C}/Thermal#/Temperatures/{T}/ReadingCelsius",
                true,
            ),
            (
                "/redfish/v1/Chassis/{C}/Thermal#/Temperatures/0/ReadingCelsius",
                true,
            ),
            (
                "/redfish/v1/Chassis/{C}/Thermal#/Temperatures/ReadingCelsius",
                false,
            ),
            ("/redfish/v1/Systems/1#/Status", false),
            ("/redfish/v1/Systems/1#/Status/Health/X", false),
            ("/redfish/v1/Systems/1#/Colour", false),
            ("/redfish/v1/Systems/1#/{P}", false),
            ("/redfish/v1/Systems#/Name", false),
            ("/redfish/v1/Nothing/1#/Name", false),
        ] {
            let property = MetricProperty::parse(text).unwrap();
            assert_eq!(property.is_in_schema(), expected, "{text}");
        }
    }
}
