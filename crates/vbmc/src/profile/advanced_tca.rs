//! What the shelf manager of an `AdvancedTCA` shelf senses besides: FRUs that are activated and taken out, its buses.

use ipmi::number::{EntityId, EventReadingType, PicmgSensorType, SensorType};

use super::single;
use crate::sensor::{Condition, Discrete, Kind, SensorSpec};

/// Entities of PICMG 3.0 and AMC.0: shelf manager, mezzanine; and IPMI's own for a fan tray.
const SHELF_MANAGER: EntityId = EntityId(0xf0);
const MEZZANINE: EntityId = EntityId(0xc1);
const FAN_TRAY: EntityId = EntityId(0x1e);

/// Its sensors; states M0 to M7, handle closed to power shut down, and both buses off to on.
pub(super) fn sensors() -> [SensorSpec; 5] {
    use Condition::{Handle, HotSwap, IpmbLink};
    let hot_swap = PicmgSensorType::FRU_HOT_SWAP;
    [
        (0x80, "Hot Swap", hot_swap, SHELF_MANAGER, HotSwap(0), 0xff),
        (0x81, "AMC Hot Swap", hot_swap, MEZZANINE, HotSwap(1), 0xff),
        (0x82, "Tray Hot Swap", hot_swap, FAN_TRAY, HotSwap(2), 0xff),
        (
            0x83,
            "IPMB-0 Link",
            PicmgSensorType::IPMB_0_LINK,
            SHELF_MANAGER,
            IpmbLink,
            0x0f,
        ),
        (
            0x84,
            "AMC Handle",
            PicmgSensorType::MODULE_HOT_SWAP,
            MEZZANINE,
            Handle(1),
            0x1f,
        ),
    ]
    .map(|(number, name, sensor_type, entity, condition, mask)| {
        let kind = Kind::Discrete(Discrete {
            condition,
            event_type: EventReadingType::SENSOR_SPECIFIC,
            mask,
        });
        let sensor_type = SensorType(sensor_type.0);
        single(number, name, sensor_type, (entity, 1), kind)
    })
}
