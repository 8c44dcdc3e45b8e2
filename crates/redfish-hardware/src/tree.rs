//! What sits in what: an index over nodes and enclosures, made anew only when one of the two lists changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use hardware::{Enclosure, Hardware, NodeId, NodeKind, Topology};
use redfish::Document;

/// Who is where. Holds names only; snapshots are asked for when a resource is built.
#[derive(Debug)]
pub(crate) struct Tree {
    /// What this index was made from, to see whether it still holds.
    ids: Arc<[NodeId]>,
    topology: Arc<Topology>,
    /// Every node that is a computer, in the source's order.
    pub(crate) computers: Vec<NodeId>,
    /// Enclosures first, then nodes that are a chassis of their own.
    pub(crate) chassis: Vec<String>,
    enclosures: HashMap<String, usize>,
    children: HashMap<String, Vec<String>>,
    controls: HashMap<NodeId, usize>,
    /// The collections that list it, once they were asked for: with very many machines they are long.
    pub(crate) collections: Collections,
}

/// Documents that are made of a [`Tree`] alone.
#[derive(Debug, Default)]
pub(crate) struct Collections {
    pub(crate) systems: OnceLock<Document>,
    pub(crate) chassis: OnceLock<Document>,
    pub(crate) managers: OnceLock<Document>,
}

impl Tree {
    fn new(hardware: &dyn Hardware, ids: Arc<[NodeId]>, topology: Arc<Topology>) -> Self {
        let mut tree = Self {
            ids,
            topology,
            computers: Vec::new(),
            chassis: Vec::new(),
            enclosures: HashMap::new(),
            children: HashMap::new(),
            controls: HashMap::new(),
            collections: Collections::default(),
        };
        let topology = Arc::clone(&tree.topology);
        for (index, enclosure) in topology.enclosures.iter().enumerate() {
            let id = enclosure.id.as_str().to_owned();
            if let Some(parent) = &enclosure.parent {
                tree.contain(parent.as_str(), &id);
            }
            if let Some(controller) = &enclosure.controller {
                tree.controls.insert(controller.clone(), index);
            }
            tree.chassis.push(id.clone());
            tree.enclosures.insert(id, index);
        }
        for id in Arc::clone(&tree.ids).iter() {
            tree.place(hardware, id);
        }
        tree
    }

    fn place(&mut self, hardware: &dyn Hardware, id: &NodeId) {
        let Some(node) = hardware.node(id.as_str()) else {
            return;
        };
        if node.kind == NodeKind::Computer {
            self.computers.push(id.clone());
        }
        // An enclosure's name wins: a source that gives both one name gets one chassis.
        if !self.has_own_chassis(id, node.kind) || self.enclosures.contains_key(id.as_str()) {
            return;
        }
        if let Some(enclosure) = &node.enclosure {
            self.contain(enclosure.as_str(), id.as_str());
        }
        self.chassis.push(id.as_str().to_owned());
    }

    fn contain(&mut self, parent: &str, child: &str) {
        self.children
            .entry(parent.to_owned())
            .or_default()
            .push(child.to_owned());
    }

    /// Whether a node is a chassis of its own: all but the controllers of enclosures, which lend their sensors
    /// to them.
    pub(crate) fn has_own_chassis(&self, id: &NodeId, kind: NodeKind) -> bool {
        kind == NodeKind::Computer || !self.controls.contains_key(id)
    }

    /// The enclosure of this name.
    pub(crate) fn enclosure(&self, id: &str) -> Option<&Enclosure> {
        self.enclosures
            .get(id)
            .and_then(|&index| self.topology.enclosures.get(index))
    }

    /// The enclosure whose sensors this node lends.
    pub(crate) fn controlled_by(&self, id: &NodeId) -> Option<&Enclosure> {
        self.controls
            .get(id)
            .and_then(|&index| self.topology.enclosures.get(index))
    }

    /// The names of the chassis directly inside this one.
    pub(crate) fn contents(&self, id: &str) -> &[String] {
        self.children.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every node: each has a manager.
    pub(crate) fn nodes(&self) -> &[NodeId] {
        &self.ids
    }
}

/// The newest [`Tree`] of a source.
#[derive(Debug, Default)]
pub(crate) struct TreeCache(Mutex<Option<Arc<Tree>>>);

impl TreeCache {
    /// The tree as of now. The source shares its lists, so that two equal pointers mean an unchanged list; the
    /// tree holds both, which keeps their addresses from being used again.
    pub(crate) fn current(&self, hardware: &dyn Hardware) -> Arc<Tree> {
        let (ids, topology) = (hardware.node_ids(), hardware.topology());
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some(tree)
                if Arc::ptr_eq(&tree.ids, &ids) && Arc::ptr_eq(&tree.topology, &topology) =>
            {
                Arc::clone(tree)
            }
            _ => {
                let tree = Arc::new(Tree::new(hardware, ids, topology));
                *cached = Some(Arc::clone(&tree));
                tree
            }
        }
    }
}
