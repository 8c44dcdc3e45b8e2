//! The physics of machines: what happens in one second of virtual time.
//!
//! First-order models throughout: each quantity moves towards where the others drive it, by a fixed share of the
//! difference in each step. The step is one second on a fixed grid, so that the state at any second is a
//! function of the seed and of what was done to the machine, and not of when one looked.

mod block;
mod node;
mod power_bay;

pub use block::Block;
pub use node::{HostLoad, Node};
pub use power_bay::PowerBay;

use crate::sensor::Signal;

/// Length of a step, in seconds.
pub const STEP_S: u64 = 1;

/// How many nodes at most feed one enclosure controller's figures.
pub const FEEDERS_MAX: usize = 96;

/// Where a machine stands and who it is: all that its physics depends on besides its history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Seed of this machine's curves.
    pub seed: u64,
    /// How much warmer the air is here than at the floor, in °C.
    pub height_c: f32,
}

/// What nodes add up to, for the controller of the enclosure that holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Feed {
    /// Power that the nodes take now, in W.
    pub power_w: f32,
    /// The same as the enclosure's thermal mass has followed it so far, in W.
    pub warm_w: f32,
    /// Hottest air that leaves a node, in °C.
    pub hottest_exhaust_c: f32,
    /// Mean of the air entering the nodes, in °C.
    pub inlet_c: f32,
    /// How many nodes there are.
    pub nodes: u16,
}

impl Feed {
    /// Adds a node.
    pub fn add(&mut self, node: &Node) {
        self.power_w += node.power_w();
        self.warm_w += node.warm_w();
        self.hottest_exhaust_c = self.hottest_exhaust_c.max(node.exhaust_c());
        let before = f32::from(self.nodes);
        self.nodes = self.nodes.saturating_add(1);
        self.inlet_c = (self.inlet_c * before + node.inlet_c()) / (before + 1.0);
    }
}

/// The physical state of a machine of any kind.
#[derive(Clone, Debug)]
pub enum Body {
    /// A computer.
    Node(Node),
    /// A block's fans.
    Block(Block),
    /// A power bay's supplies.
    PowerBay(PowerBay),
}

impl Body {
    /// The present value of a signal; `None` where this machine has no such thing.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> Option<f32> {
        match self {
            Self::Node(node) => node.signal(signal),
            Self::Block(block) => block.signal(signal),
            Self::PowerBay(bay) => bay.signal(signal),
        }
    }

    /// The computer, where it is one.
    #[must_use]
    pub const fn node(&self) -> Option<&Node> {
        if let Self::Node(node) = self {
            Some(node)
        } else {
            None
        }
    }
}

/// Moves `value` towards `target` by the share of one step: 1/`steps` is close to the time constant in seconds.
fn approach(value: &mut f32, target: f32, share: f32) {
    *value += (target - *value) * share;
}

/// The element at `index`, where there is one.
fn at(values: &[f32], index: u8) -> Option<f32> {
    values.get(usize::from(index)).copied()
}

/// Output over input of a power supply that is loaded to `share` of its rating: best at half load.
fn efficiency(share: f32) -> f32 {
    let off_best = share - 0.5;
    0.94 - 0.12 * off_best * off_best
}
