//! Racks, blocks and sleds out of the places that the configuration gives its targets.

use std::collections::BTreeSet;

use hardware::{Asset, Enclosure, EnclosureId, EnclosureKind, Location, Topology};

use crate::config::{Place, TargetConfig};

/// The enclosures that `places` name, parents before children, each once.
pub(crate) fn topology<'a>(places: impl IntoIterator<Item = &'a Place>) -> Topology {
    let mut enclosures: Vec<Enclosure> = Vec::new();
    let mut seen: BTreeSet<EnclosureId> = BTreeSet::new();
    for place in places {
        let mut parent: Option<EnclosureId> = None;
        for (kind, id) in levels(place) {
            if seen.insert(id.clone()) {
                let text = |value: &Option<String>| value.as_deref().map(Into::into);
                let location = Location {
                    site: text(&place.site),
                    row: text(&place.row),
                    rack: text(&place.rack),
                    unit: None,
                };
                enclosures.push(Enclosure {
                    id: id.clone(),
                    kind,
                    parent: parent.take(),
                    controller: None,
                    asset: Asset::default(),
                    location,
                });
            }
            parent = Some(id);
        }
    }
    Topology {
        enclosures: enclosures.into(),
    }
}

/// The innermost enclosure of a place.
pub(crate) fn innermost(place: &Place) -> Option<EnclosureId> {
    levels(place).pop().map(|(_, id)| id)
}

/// The name that a machine and an enclosure share, where there is one: both are a chassis in Redfish.
pub(crate) fn shared_name(targets: &[TargetConfig]) -> Option<String> {
    let mut places: BTreeSet<String> = BTreeSet::new();
    let mut last: Option<&Place> = None;
    for target in targets {
        let place = &target.treatment.place;
        // Those of one section come one after the other.
        if last != Some(place) {
            places.extend(names(place));
            last = Some(place);
        }
    }
    let mut ids = targets.iter().map(|target| target.id.as_str());
    ids.find(|id| places.contains(*id)).map(ToOwned::to_owned)
}

/// The names of the enclosures of one place.
pub(crate) fn names(place: &Place) -> impl Iterator<Item = String> + use<> {
    levels(place).into_iter().map(|(_, id)| id.to_string())
}

/// The enclosures of one place, outermost first. An inner name carries the outer ones: `R1-B2-S3`.
fn levels(place: &Place) -> Vec<(EnclosureKind, EnclosureId)> {
    let names = [
        (EnclosureKind::Rack, &place.rack),
        (EnclosureKind::Block, &place.block),
        (EnclosureKind::Sled, &place.sled),
    ];
    let mut path = String::new();
    let mut levels = Vec::new();
    for (kind, name) in names {
        let Some(name) = name else { continue };
        if !path.is_empty() {
            path.push('-');
        }
        path.push_str(name);
        levels.extend(EnclosureId::new(&path).map(|id| (kind, id)));
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(rack: &str, block: Option<&str>, sled: Option<&str>) -> Place {
        let own = |s: &str| s.to_owned();
        Place {
            rack: Some(own(rack)),
            block: block.map(own),
            sled: sled.map(own),
            ..Place::default()
        }
    }

    #[test]
    fn places_become_enclosures_once_with_parents_first() {
        let places = [
            place("R1", Some("B1"), Some("S1")),
            place("R1", Some("B1"), Some("S2")),
            place("R2", None, Some("S1")),
            Place::default(),
        ];
        let topology = topology(&places);
        let found: Vec<_> = topology
            .enclosures
            .iter()
            .map(|e| (e.id.as_str(), e.parent.as_ref().map(EnclosureId::as_str)))
            .collect();
        let expected = [
            ("R1", None),
            ("R1-B1", Some("R1")),
            ("R1-B1-S1", Some("R1-B1")),
            ("R1-B1-S2", Some("R1-B1")),
            ("R2", None),
            ("R2-S1", Some("R2")),
        ];
        assert_eq!(found, expected);
        assert_eq!(
            innermost(&places[2]).map(|id| id.to_string()),
            Some("R2-S1".to_owned())
        );
        assert_eq!(innermost(&places[3]), None);
    }
}
