//! A small hall of machines held in memory: one rack with two sleds, a block with fans, a power bay, and one machine
//! that stands alone.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};

use hardware::*;
use redfish::{ActionCall, Backend, Document, Failure, Outcome, Path};
use redfish_hardware::HardwareBackend;
use redfish_schema::{check_parameters, check_patch};
use serde_json::Value;

/// 2026-01-31T12:00:00Z.
pub(crate) const READ_AT_MS: u64 = 1_769_860_800_000;

#[derive(Default)]
pub(crate) struct Fake {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nodes: BTreeMap<String, Arc<Node>>,
    ids: Arc<[NodeId]>,
    topology: Arc<Topology>,
    applied: Vec<(String, Change)>,
    refusal: Option<Refusal>,
    observers: Vec<Arc<dyn Observer>>,
}

/// Which changes fail, and how.
type Refusal = (ApplyError, fn(&Change) -> bool);

impl Hardware for Fake {
    fn node_ids(&self) -> Arc<[NodeId]> {
        Arc::clone(&self.state.lock().unwrap().ids)
    }

    fn node(&self, id: &str) -> Option<Arc<Node>> {
        self.state.lock().unwrap().nodes.get(id).cloned()
    }

    fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.state.lock().unwrap().topology)
    }

    fn apply(&self, id: &NodeId, change: Change) -> ApplyFuture {
        let mut state = self.state.lock().unwrap();
        let refusal = state
            .refusal
            .clone()
            .filter(|(_, is_meant)| is_meant(&change));
        let answer = refusal.map_or(Ok(()), |(error, _)| Err(error));
        state.applied.push((id.to_string(), change));
        Box::pin(std::future::ready(answer))
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.state.lock().unwrap().observers.push(observer);
    }
}

impl Fake {
    /// The whole hall.
    pub(crate) fn hall() -> Arc<Self> {
        let fake = Arc::new(Self::default());
        fake.set_topology(topology());
        for name in ["Sled1-Node1", "Sled1-Node2", "Sled2-Node1"] {
            let sled = name.split('-').next().unwrap();
            fake.put(Node {
                enclosure: EnclosureId::new(sled),
                ..computer(name)
            });
        }
        fake.put(Node {
            enclosure: None,
            ..computer("Loose")
        });
        fake.put(block_controller());
        fake.put(bay_controller());
        fake
    }

    pub(crate) fn put(&self, node: Node) {
        let after = Arc::new(node);
        let (update, observers) = {
            let mut state = self.state.lock().unwrap();
            let before = state.nodes.insert(after.id.to_string(), Arc::clone(&after));
            let update = match before {
                Some(before) => Update::Changed { before, after },
                None => {
                    state.ids = state.nodes.values().map(|node| node.id.clone()).collect();
                    Update::Added(after)
                }
            };
            (update, state.observers.clone())
        };
        observers
            .iter()
            .for_each(|observer| observer.updated(&update));
    }

    /// Another machine gets the name of one that is there.
    pub(crate) fn replace(&self, node: Node) {
        let after = Arc::new(node);
        let (before, observers) = {
            let mut state = self.state.lock().unwrap();
            let before = state.nodes.insert(after.id.to_string(), Arc::clone(&after));
            (before.unwrap(), state.observers.clone())
        };
        let update = Update::Replaced { before, after };
        observers
            .iter()
            .for_each(|observer| observer.updated(&update));
    }

    pub(crate) fn remove(&self, id: &str) {
        let (node, observers) = {
            let mut state = self.state.lock().unwrap();
            let node = state.nodes.remove(id).unwrap();
            state.ids = state.nodes.values().map(|node| node.id.clone()).collect();
            (node, state.observers.clone())
        };
        let update = Update::Removed(node);
        observers
            .iter()
            .for_each(|observer| observer.updated(&update));
    }

    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Node)) {
        let mut node = (*self.node(id).unwrap()).clone();
        change(&mut node);
        self.put(node);
    }

    pub(crate) fn set_reading(&self, id: &str, sensor: &str, reading: Reading) {
        self.change(id, |node| {
            let index = node
                .inventory
                .sensors
                .iter()
                .position(|s| &*s.id == sensor)
                .unwrap();
            let mut readings: Vec<_> = node.readings.iter().collect();
            readings[index] = reading;
            node.readings = readings.into_iter().collect();
        });
    }

    pub(crate) fn set_topology(&self, topology: Topology) {
        self.state.lock().unwrap().topology = Arc::new(topology);
    }

    /// From now on every change fails like this.
    pub(crate) fn refuse(&self, error: ApplyError) {
        self.refuse_some(error, |_| true);
    }

    /// From now on every change that is meant fails like this.
    pub(crate) fn refuse_some(&self, error: ApplyError, is_meant: fn(&Change) -> bool) {
        self.state.lock().unwrap().refusal = Some((error, is_meant));
    }

    pub(crate) fn applied(&self) -> Vec<(String, Change)> {
        self.state.lock().unwrap().applied.clone()
    }
}

fn topology() -> Topology {
    let enclosure = |id: &str, kind, parent: Option<&str>, controller: Option<&str>| Enclosure {
        id: EnclosureId::new(id).unwrap(),
        kind,
        parent: parent.map(|id| EnclosureId::new(id).unwrap()),
        controller: controller.map(|id| NodeId::new(id).unwrap()),
        asset: Asset::default(),
        location: Location::default(),
    };
    let mut rack = enclosure("Rack1", EnclosureKind::Rack, None, None);
    rack.asset = Asset {
        manufacturer: Some("Acme".into()),
        model: Some("R1".into()),
        ..Asset::default()
    };
    rack.location = Location {
        site: Some("Hall 7".into()),
        row: Some("B".into()),
        rack: Some("12".into()),
        unit: Some(1),
    };
    Topology {
        enclosures: Arc::new([
            rack,
            enclosure(
                "Block1",
                EnclosureKind::Block,
                Some("Rack1"),
                Some("Block1-Controller"),
            ),
            enclosure("Sled1", EnclosureKind::Sled, Some("Block1"), None),
            enclosure("Sled2", EnclosureKind::Sled, Some("Block1"), None),
            enclosure(
                "PowerBay1",
                EnclosureKind::PowerBay,
                Some("Rack1"),
                Some("Bay1-Controller"),
            ),
        ]),
    }
}

pub(crate) fn sensor(
    name: &str,
    quantity: Quantity,
    unit: &str,
    context: Context,
    instance: u16,
) -> Sensor {
    Sensor {
        name: name.into(),
        id: name.replace(' ', "_").into(),
        key: 0x20_0000
            | name
                .bytes()
                .fold(0, |sum, byte| (sum + u32::from(byte)) & 0xFF),
        quantity,
        unit: Unit(unit.into()),
        context,
        instance,
        range: quantity.is_numeric().then_some((0.0, 255.0)),
        resolution: None,
        thresholds: Thresholds::default(),
        states: Arc::default(),
        state_severities: Arc::default(),
    }
}

pub(crate) fn value(value: f64) -> Reading {
    Reading {
        value,
        availability: Availability::Available,
        ..Reading::default()
    }
}

pub(crate) fn states(states: u16) -> Reading {
    Reading {
        states,
        availability: Availability::Available,
        ..Reading::default()
    }
}

/// A power supply's own discrete sensor (IPMI 2.0 table 42-3, type 08h).
fn supply_status(name: &str, instance: u16) -> Sensor {
    Sensor {
        states: [
            "Presence detected",
            "Failure detected",
            "Predictive failure",
            "AC lost",
        ]
        .map(Arc::from)
        .into(),
        state_severities: [
            Severity::Ok,
            Severity::Critical,
            Severity::Warning,
            Severity::Critical,
        ]
        .into(),
        ..sensor(name, Quantity::Discrete, "", Context::PowerSupply, instance)
    }
}

/// IPMI 2.0 table 42-2, type 0Bh.
fn redundancy(name: &str, context: Context) -> Sensor {
    Sensor {
        states: ["Fully Redundant", "Redundancy Lost"].map(Arc::from).into(),
        state_severities: [Severity::Ok, Severity::Warning].into(),
        ..sensor(name, Quantity::Discrete, "", context, 1)
    }
}

fn memory_module(name: &str, size_mib: u32) -> Part {
    Part {
        asset: Asset {
            name: Some(name.into()),
            ..Asset::default()
        },
        context: Context::Memory,
        instance: 1,
        capacity: Some(Capacity::Mebibytes(size_mib)),
    }
}

/// A power supply, a processor, two memory modules.
fn parts() -> [Part; 4] {
    [
        Part {
            asset: Asset {
                name: Some("Slot B".into()),
                manufacturer: Some("Volta".into()),
                model: Some("V-1100".into()),
                serial_number: Some("V77".into()),
                manufactured_at_s: Some(1_600_000_000),
                ..Asset::default()
            },
            context: Context::PowerSupply,
            instance: 1,
            capacity: Some(Capacity::Watts(1_100)),
        },
        Part {
            asset: Asset {
                model: Some("Abacus 9".into()),
                ..Asset::default()
            },
            context: Context::Cpu,
            instance: 1,
            capacity: None,
        },
        memory_module("A", 16_384),
        memory_module("B", 8_192),
    ]
}

fn node(name: &str, kind: NodeKind, sensors: Vec<(Sensor, Reading)>) -> Node {
    let (sensors, readings): (Vec<_>, Vec<_>) = sensors.into_iter().unzip();
    Node {
        id: NodeId::new(name).unwrap(),
        kind,
        enclosure: None,
        labels: Arc::default(),
        address: "127.16.0.1".parse().ok(),
        link: Link::Up,
        power: Power::On,
        boot: Some(BootOverride::default()),
        indicator: Indicator::Off,
        power_limit: None,
        inventory: Arc::new(Inventory::new(
            Nameplates {
                product: Asset {
                    name: Some("DSS 9600".into()),
                    manufacturer: Some("Acme".into()),
                    part_number: Some("PN-1".into()),
                    serial_number: Some(format!("SN-{name}").into()),
                    asset_tag: Some("tag 7".into()),
                    ..Asset::default()
                },
                parts: parts().into(),
                ..Nameplates::default()
            },
            sensors.into(),
        )),
        identity: Arc::new(Identity {
            uuid: "1b4e28ba-2fa1-11d2-883f-0016d3cca427".parse().ok(),
            controller_firmware: Some("2.40".into()),
            protocol: Some("IPMI 2.0".into()),
            controller_port: Some(6_230),
            controller_uuid: "2c5f39cb-2fa1-11d2-883f-0016d3cca427".parse().ok(),
            network: Some(Network {
                mac: Some([2, 0x52, 127, 16, 0, 1]),
                ipv4: Some(Ipv4 {
                    address: [127, 16, 0, 1].into(),
                    netmask: Some([255, 0, 0, 0].into()),
                    gateway: None,
                    origin: AddressOrigin::Static,
                }),
                vlan: Some(Vlan {
                    id: 7,
                    enabled: false,
                }),
            }),
            serial_console: Some(true),
            bios_version: Some("1.8.2".into()),
            host_name: Some("web7".into()),
            ..Identity::default()
        }),
        readings: readings.into_iter().collect(),
        log: Arc::new(Log {
            entries: log_entries().into(),
            capacity: Some(3_639),
            overflowed: false,
            complete: true,
            ..Log::default()
        }),
        read_at_ms: READ_AT_MS,
        read_earlier_ms: None,
        intervals: None,
        revision: 1,
    }
}

pub(crate) fn computer(name: &str) -> Node {
    use Quantity as Q;
    let mut cpu = sensor("CPU1 Temp", Q::Temperature, "Cel", Context::Cpu, 1);
    cpu.thresholds.upper_caution = Some(85.0);
    cpu.thresholds.upper_critical = Some(95.0);
    cpu.resolution = Some(1.0);
    let mut twelve = sensor("P12V", Q::Voltage, "V", Context::SystemBoard, 0);
    twelve.resolution = Some(0.1);
    twelve.thresholds.lower_critical = Some(108.0 * 0.1);
    let inlet = sensor("Inlet Temp", Q::Temperature, "[degF]", Context::Intake, 0);
    let cpu_status = Sensor {
        states: ["IERR", "Thermal Trip"].map(Arc::from).into(),
        state_severities: [Severity::Critical, Severity::Critical].into(),
        ..sensor("CPU1 Status", Q::Discrete, "", Context::Cpu, 1)
    };
    node(
        name,
        NodeKind::Computer,
        vec![
            (cpu, value(61.0)),
            (twelve, value(12.100_000_000_000_001)),
            (inlet, value(77.0)),
            (
                sensor("Node Power", Q::Power, "W", Context::System, 0),
                value(312.0),
            ),
            (
                sensor("Fan1A", Q::FanSpeed, "{rev}/min", Context::Fan, 1),
                value(8400.0),
            ),
            (
                sensor("Fan1B", Q::FanSpeed, "{rev}/min", Context::Fan, 1),
                value(7900.0),
            ),
            (
                sensor("Fan2", Q::FanSpeed, "%", Context::Fan, 2),
                value(41.0),
            ),
            (
                sensor("CPU1 Power", Q::Power, "W", Context::Cpu, 1),
                value(120.0),
            ),
            (
                sensor("Air", Q::AirFlow, "[cft_i]/min", Context::Exhaust, 0),
                value(100.0),
            ),
            (
                sensor("Wear", Q::Other, "{wear}", Context::StorageDevice, 1),
                value(3.0),
            ),
            (cpu_status, states(0)),
        ],
    )
}

fn block_controller() -> Node {
    let fans = (1..=3).map(|i| {
        let fan = sensor(
            &format!("Fan {i}"),
            Quantity::FanSpeed,
            "{rev}/min",
            Context::Fan,
            i,
        );
        (fan, value(5000.0 + f64::from(i)))
    });
    let redundant = (
        redundancy("Fan Redundancy", Context::CoolingSubsystem),
        states(1),
    );
    let sensors = fans.chain([redundant]).collect();
    node("Block1-Controller", NodeKind::EnclosureController, sensors)
}

fn bay_controller() -> Node {
    use Quantity as Q;
    let sensors = (1..=2).flat_map(|i| {
        let of = |name: &str, quantity, unit: &str, reading| {
            (
                sensor(
                    &format!("PSU{i} {name}"),
                    quantity,
                    unit,
                    Context::PowerSupply,
                    i,
                ),
                value(reading),
            )
        };
        [
            of("Pin", Q::Power, "W", 1000.0),
            of("Pout", Q::Power, "W", 940.0),
            of("Vin", Q::Voltage, "V", 230.0),
            of("Vout", Q::Voltage, "V", 12.2),
            of("Iin", Q::Current, "A", 4.4),
            of("Iout", Q::Current, "A", 77.0),
            of("Temp", Q::Temperature, "Cel", 40.0),
            of("Fan", Q::FanSpeed, "{rev}/min", 9000.0),
            of("Energy", Q::Energy, "kW.h", 17.5),
            (supply_status(&format!("PSU{i} Status"), i), states(1)),
        ]
    });
    let redundant = (
        redundancy("PSU Redundancy", Context::PowerSubsystem),
        states(1),
    );
    let sensors = sensors.chain([redundant]).collect();
    node("Bay1-Controller", NodeKind::EnclosureController, sensors)
}

fn log_entries() -> Vec<LogEntry> {
    let text = LogText {
        kind: LogEntryKind::Event,
        severity: Severity::Critical,
        sensor: Some("CPU1 Temp".into()),
        sensor_type: "Temperature".into(),
        asserted: true,
        message: "Upper Critical going high".into(),
    };
    let event = LogEntry {
        id: 1,
        at_s: Some(1_600_000_000),
        text: Arc::new(text.clone()),
        raw: [
            1, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, 1, 0x30, 1, 0x59, 0x61, 0x5F,
        ],
    };
    let gone = LogEntry {
        id: 2,
        at_s: None,
        text: Arc::new(LogText {
            asserted: false,
            severity: Severity::Ok,
            ..text.clone()
        }),
        ..event.clone()
    };
    let mut oem = LogEntry {
        id: 3,
        text: Arc::new(LogText {
            kind: LogEntryKind::Oem,
            sensor: None,
            sensor_type: "".into(),
            message: "OEM record c0".into(),
            ..text
        }),
        ..event.clone()
    };
    oem.raw[2] = 0xC0;
    vec![event, gone, oem]
}

/// A backend over machines, asked synchronously: a fake never waits.
pub(crate) struct Client(HardwareBackend);

impl Client {
    pub(crate) fn of(fake: &Arc<Fake>) -> Self {
        Self(HardwareBackend::new(Arc::clone(fake) as Arc<dyn Hardware>))
    }

    pub(crate) fn backend(&self) -> &HardwareBackend {
        &self.0
    }

    pub(crate) fn document(&self, uri: &str) -> Result<Document, Failure> {
        ready(self.0.get(&Path::parse(uri).unwrap()))
    }

    pub(crate) fn try_get(&self, uri: &str) -> Result<Value, Failure> {
        let document = self.document(uri)?;
        let json: Value = serde_json::from_slice(document.json()).unwrap();
        assert_eq!(json["@odata.type"], document.resource().odata_type, "{uri}");
        Ok(json)
    }

    pub(crate) fn get(&self, uri: &str) -> Value {
        self.try_get(uri)
            .unwrap_or_else(|failure| panic!("{uri}: {failure:?}"))
    }

    pub(crate) fn patch(&self, uri: &str, body: &Value) -> Result<Outcome, Failure> {
        let path = Path::parse(uri).unwrap();
        let document = ready(self.0.get(&path))?;
        let resource = document.resource();
        let present = serde_json::from_slice(document.json()).unwrap();
        let patch = check_patch(resource, body)
            .unwrap()
            .onto(resource, &present);
        ready(self.0.patch(&path, &patch))
    }

    /// Whether a patch would be taken, and whether the resource can be set later.
    pub(crate) fn check(&self, uri: &str, body: &Value) -> (Result<(), Failure>, bool) {
        let path = Path::parse(uri).unwrap();
        let document = ready(self.0.get(&path)).unwrap();
        let patch = check_patch(document.resource(), body).unwrap();
        (self.0.check(&path, &patch), document.is_settable_later())
    }

    pub(crate) fn call(&self, uri: &str, action: &str, body: &Value) -> Result<Outcome, Failure> {
        let path = Path::parse(uri).unwrap();
        let action = ready(self.0.get(&path))?.resource().action(action).unwrap();
        let parameters = check_parameters(action, body).unwrap();
        let call = ActionCall {
            action,
            parameters,
            apply_time: None,
        };
        ready(self.0.action(&path, &call))
    }
}

pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a fake machine made the backend wait"),
    }
}
